"""Measure what the README quotes: python -m labs bench [--json] [--only NAME ...].

Each figure is taken on this machine, in this run, several times over; the middle one counts. Figures that compare take their
peer (plain moto, a plain process) in the same run. Nothing here passes or fails.
"""

import argparse
import contextlib
import importlib.util
import json
import logging
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from labs import lab as find_lab
from labs.cloud import Cloud, CloudHost, Kind, Pace
from labs.cloud.packing import pack_source
from labs.grading.run import grade

_PROJECT = Path(__file__).resolve().parent.parent
_LAB = _PROJECT / "labs" / "lab01_thumbnail"
_SOLUTION = _LAB / "solutions" / "pillow"
_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: f, Handler: handler.handler, Runtime: python3.12, CodeUri: ., Timeout: 30, MemorySize: 512}
"""
_TRIVIAL = "def handler(event, context):\n    return event\n"
_WITH_BOTO3 = "import boto3\n" + _TRIVIAL
_START_WITHIN = 60.0

Figures = dict[str, float]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


@contextlib.contextmanager
def app() -> Iterator[tuple[str, float]]:
    """Serve the app on a free port; give its URL and the seconds until the page was served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "labs", "serve", "--port", str(port)],
            cwd=_PROJECT,
            env={**os.environ, "SERVERLESS_LAB_DATA": data},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while True:
                try:
                    urllib.request.urlopen(url, timeout=5).read()
                    break
                except OSError as error:
                    if process.poll() is not None or time.monotonic() - began > _START_WITHIN:
                        raise RuntimeError("the app did not start") from error
                    time.sleep(0.01)
            yield url, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(30)


def serve(host: CloudHost) -> Figures:
    """From `make run` (installed already) to a served page."""

    def once() -> float:
        with app() as (_, seconds):
            return seconds

    return {"run_to_page_ms": _ms(_median(once, 3))}


def cold(host: CloudHost) -> Figures:
    """From the start of an environment's process to its first request, in real time."""

    def init(source: str) -> Callable[[], float]:
        def once() -> float:
            with Cloud(seed=1, host=host, durations="measured") as cloud:
                cloud.deploy_package(_TEMPLATE, pack_source(source), name="bench")
                cloud.call("lambda", "Invoke", FunctionName="f")
                return float(str(cloud.trace.of(Kind.INIT_ENDED)[0].detail["duration_ms"])) / 1000

        return once

    return {
        "cold_start_ms": _ms(_median(init(_TRIVIAL), 9)),
        "cold_start_boto3_ms": _ms(_median(init(_WITH_BOTO3), 9)),
    }


def warm(host: CloudHost) -> Figures:
    """A warm synchronous invocation through boto3, beside an S3 put to plain moto's own server in the same run."""
    import boto3
    from moto.server import ThreadedMotoServer  # the peer, not a part of ours

    with Cloud(seed=1, host=host) as cloud:
        cloud.deploy_package(_TEMPLATE, pack_source(_TRIVIAL), name="bench")
        client = cloud.client("lambda")
        client.invoke(FunctionName="f", Payload=b"{}")
        invoke = _median(_timed(lambda: client.invoke(FunctionName="f", Payload=b"{}")["Payload"].read()), 200)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host_name, port = server.get_host_and_port()
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://{host_name}:{port}",
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        s3.create_bucket(Bucket="bench")
        put = _median(_timed(lambda: s3.put_object(Bucket="bench", Key="k", Body=b"x")), 200)
    finally:
        server.stop()
    return {"warm_invoke_ms": _ms(invoke), "moto_s3_put_ms": _ms(put), "warm_invoke_over_moto_put_ms": _ms(invoke - put)}


def _timed(action: Callable[[], object]) -> Callable[[], float]:
    def once() -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    return once


def live(host: CloudHost) -> Figures:
    """From the upload to the thumbnail in its bucket at live pace (x1), cold and then warm, as a page sees it."""
    picture = (_PROJECT / "assets" / "images" / "mountain lake.jpg").read_bytes()
    with Cloud(seed=1, host=host, pace=Pace.LIVE) as cloud:
        stack = cloud.deploy(_LAB / "template.yaml", code=_SOLUTION)

        def upload(key: str) -> float:
            began = time.monotonic()
            known = len(cloud.trace)
            cloud.call("s3", "PutObject", Bucket=stack.outputs["Photos"], Key=key, Body=picture)
            for news in cloud.watch(after=known):
                for record in news.records:
                    if record.kind == Kind.INVOCATION_ENDED:
                        return time.monotonic() - began
            raise RuntimeError("the cloud has gone")

        first = upload("first.jpg")
        return {
            "upload_to_thumbnail_cold_ms": _ms(first),
            "upload_to_thumbnail_warm_ms": _ms(_median(lambda: upload("again.jpg"), 5)),
        }


def page(host: CloudHost) -> Figures:
    """In real Chromium: a click until the page has answered it, and a photo at live pace until its thumbnail is seen."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None or importlib.util.find_spec("playwright") is None:
        print("page: not measured; install Chromium and requirements-dev.txt", file=sys.stderr)
        return {}
    from playwright.sync_api import FilePayload, sync_playwright

    idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
    photo = _PROJECT / "assets" / "images" / "mountain lake.jpg"
    with app() as (url, _), sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        tab = browser.new_page()
        tab.goto(f"{url}/lab01_thumbnail?lang=en")
        tab.locator(".cm-content").first.wait_for()
        tab.wait_for_selector(idle)
        tab.locator(".cm-content").first.click()
        tab.keyboard.press("Control+a")
        tab.keyboard.insert_text((_SOLUTION / "handler.py").read_text(encoding="utf-8"))
        tab.locator(".st-key-lab01_thumbnail_deploy button").click()
        tab.get_by_text("This code is deployed").wait_for(timeout=60_000)

        def upload(name: str) -> float:
            began = time.monotonic()
            picture = FilePayload(name=name, mimeType="image/jpeg", buffer=photo.read_bytes())
            tab.locator(".st-key-lab01_thumbnail_upload input[type=file]").set_input_files(picture)
            tab.get_by_role("img", name=f"Thumbnail: {name}").wait_for(timeout=60_000)
            return time.monotonic() - began

        def switch(panel: str) -> float:
            tab.wait_for_selector(idle)
            began = time.monotonic()
            tab.locator(f".st-key-lab01_thumbnail_panel button:has-text('{panel.title()}')").click()
            tab.wait_for_selector(f".st-key-lab01_thumbnail_{panel}_panel")
            tab.wait_for_selector(idle)
            return time.monotonic() - began

        first = upload("first.jpg")
        again = statistics.median(upload(f"again{number}.jpg") for number in range(3))
        clicks = [switch(panel) for _ in range(5) for panel in ("result", "task")]
        browser.close()
    return {
        "page_upload_to_thumbnail_cold_ms": _ms(first),
        "page_upload_to_thumbnail_warm_ms": _ms(again),
        "page_interaction_ms": _ms(statistics.median(clicks)),
    }


def check(host: CloudHost) -> Figures:
    """A full Check of a passing submission."""
    subject = find_lab("lab01_thumbnail")

    def cold_check() -> None:
        grade(subject, _SOLUTION / "handler.py")

    def warm_check() -> None:
        grade(subject, _SOLUTION / "handler.py", host=host)

    return {"check_ms": _ms(_median(_timed(warm_check), 3)), "check_from_nothing_ms": _ms(_median(_timed(cold_check), 3))}


def day(host: CloudHost) -> Figures:
    """24 simulated hours with one scheduled invocation a minute, through an EventBridge rule."""
    minutes = 24 * 60
    event = "{Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}"
    with Cloud(seed=1, host=host) as cloud:
        cloud.deploy_package(
            _TEMPLATE.replace("Timeout: 30,", f"Timeout: 30, Events: {event},"), pack_source(_TRIVIAL), name="bench"
        )
        began = time.monotonic()
        cloud.advance(minutes * 60)
        cloud.run()
        spent = time.monotonic() - began
        invocations = len(cloud.trace.of(Kind.INVOCATION_ENDED, status="success"))
    if invocations != minutes:
        raise RuntimeError(f"{invocations} invocations in {minutes} minutes")
    return {"day_real_seconds": round(spent, 2), "virtual_seconds_per_real_second": round(minutes * 60 / spent)}


_QUEUE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, VisibilityTimeout: 60}}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: 30
      Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 10}}}
"""


def sqs(host: CloudHost) -> Figures:
    """Messages through a queue and a trivial handler in batches of 10: sent, received, handled, deleted."""

    def once(count: int) -> float:
        """Give the seconds per message."""
        with Cloud(seed=1, host=host) as cloud:
            cloud.deploy_package(_QUEUE, pack_source(_TRIVIAL), name="bench")
            url = str(cloud.call("sqs", "GetQueueUrl", QueueName="q")["QueueUrl"])
            began = time.monotonic()
            for first in range(0, count, 10):
                entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(first, first + 10)]
                cloud.call("sqs", "SendMessageBatch", QueueUrl=url, Entries=entries)
            cloud.run()
            spent = time.monotonic() - began
            left = cloud.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
            batches = len(cloud.trace.of(Kind.BATCH_DELETED))
        if not isinstance(left, dict) or left["ApproximateNumberOfMessages"] != "0" or batches != count // 10:
            raise RuntimeError(f"{batches} batches of {count} messages, and {left} are left")
        return spent / count

    once(100)
    few, many = _median(lambda: once(1_000), 5), _median(lambda: once(10_000), 3)
    return {"sqs_messages_per_second": round(1 / many), "sqs_cost_10000_over_1000": round(many / few, 2)}


BENCHES: Mapping[str, Callable[[CloudHost], Figures]] = {
    "serve": serve,
    "cold": cold,
    "warm": warm,
    "live": live,
    "page": page,
    "check": check,
    "day": day,
    "sqs": sqs,
}


def machine() -> str:
    """Name this machine."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m labs bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one flat JSON object of name and number")
    parser.add_argument("--only", nargs="+", choices=list(BENCHES), metavar="NAME", help=f"one or more of {', '.join(BENCHES)}")
    options = parser.parse_args(arguments)
    figures: Figures = {}
    with CloudHost() as host, Cloud(host=host):
        for name, measure in BENCHES.items():
            if options.only and name not in options.only:
                continue
            if not options.json:
                print(f"{name}: {(measure.__doc__ or '').partition(chr(10))[0]}", file=sys.stderr, flush=True)
            found = measure(host)
            figures |= found
            if not options.json:
                for figure, value in found.items():
                    print(f"  {figure:34} {value:>10}", flush=True)
    if options.json:
        print(json.dumps(figures))
    else:
        print(machine())
    return 0
