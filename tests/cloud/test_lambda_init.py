"""INIT: its limit, its retry, and what comes after a crash or a timeout."""

from labs.cloud import Kind
from tests.cloud.conftest import Bench


def log_of(bench: Bench) -> list[str]:
    """Give the lines of all log streams of `f`, stream by stream."""
    streams = bench.cloud.call("logs", "DescribeLogStreams", logGroupName="/aws/lambda/f")["logStreams"]
    assert isinstance(streams, list)
    lines: list[str] = []
    for stream in streams:
        found = bench.cloud.call(
            "logs", "GetLogEvents", logGroupName="/aws/lambda/f", logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        assert isinstance(found, list)
        lines += [event["message"].rstrip("\n") for event in found]
    return lines


def test_an_init_beyond_ten_seconds_is_tried_again_under_the_functions_timeout(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: Init phase, 10 seconds, retried at the first invocation."""
    bench.deploy("import time\ntime.sleep(15)\ndef handler(event, context):\n    return 'ready'\n", timeout=30)
    before = bench.cloud.now
    answer = bench.invoke()
    assert answer.payload == "ready"
    assert 25 <= (bench.cloud.now - before).total_seconds() < 27
    assert "Init Duration" not in answer.log
    lines = log_of(bench)
    assert lines[0].startswith("INIT_START Runtime Version: python:3.12")
    assert lines[1].startswith("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout")
    assert [line.split(" ")[0] for line in lines[2:]] == ["START", "END", "REPORT"]
    (ended,) = bench.cloud.trace.of(Kind.INVOCATION_ENDED)
    assert 15_000 < float(str(ended.detail["duration_ms"])) < 16_000
    assert [record.detail["status"] for record in bench.cloud.trace.of(Kind.INIT_ENDED)] == ["timeout", "success"]


def test_an_init_that_never_ends_meets_the_functions_timeout(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: the retried INIT counts towards the function's timeout."""
    bench.deploy("import time\ntime.sleep(60)\ndef handler(event, context):\n    return 1\n", timeout=3)
    answer = bench.invoke()
    assert isinstance(answer.payload, dict)
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 3.00 seconds")
    lines = log_of(bench)
    assert "Phase: init\tStatus: timeout" in lines[1]
    assert any("Phase: invoke\tStatus: timeout" in line for line in lines)
    assert lines[-1].endswith("Status: timeout")


def test_an_init_that_fails_is_reported_and_tried_again_once(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: INIT_REPORT with status and error type."""
    bench.deploy("print('importing')\nraise KeyError('settings')\n")
    answer = bench.invoke()
    assert isinstance(answer.payload, dict)
    assert answer.payload["errorType"] == "KeyError"
    lines = log_of(bench)
    assert lines.count("importing") == 2
    reports = [line for line in lines if line.startswith("INIT_REPORT")]
    assert [report.split("\t")[1:] for report in reports] == [
        ["Phase: init", "Status: error", "Error Type: KeyError"],
        ["Phase: invoke", "Status: error", "Error Type: KeyError"],
    ]
    assert lines[-1].endswith("Status: error\tError Type: KeyError")


def test_an_init_that_fails_once_does_no_harm(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: the second INIT may succeed."""
    bench.cloud.call("s3", "CreateBucket", Bucket="attempts")
    bench.deploy(
        """
        import boto3
        s3 = boto3.client("s3")
        tries = s3.list_objects_v2(Bucket="attempts").get("KeyCount", 0)
        s3.put_object(Bucket="attempts", Key=str(tries), Body=b"")
        if tries == 0:
            raise RuntimeError("not yet")
        def handler(event, context):
            return tries
        """
    )
    answer = bench.invoke()
    assert answer.payload == 1
    assert "Init Duration" not in answer.log


def test_after_a_timeout_the_same_environment_initialises_again_inside_the_next_invocation(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: suppressed init, no Init Duration in REPORT."""
    bench.deploy(
        """
        import time
        count = 0
        def handler(event, context):
            global count
            count += 1
            if event == "slow":
                time.sleep(60)
            return [count, context.log_stream_name]
        """,
        timeout=3,
    )
    first = bench.invoke("fast")
    assert "Init Duration" in first.log
    assert bench.invoke("slow").error == "Unhandled"
    after = bench.invoke("fast")
    assert isinstance(first.payload, list)
    assert after.payload == first.payload, "fresh globals, the same log stream"
    assert "Init Duration" not in after.log
    assert len(bench.cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 1
    assert [record.detail.get("reset") for record in bench.cloud.trace.of(Kind.ENVIRONMENT_FROZEN)] == [None, "timeout", None]
    durations = [float(str(record.detail["duration_ms"])) for record in bench.cloud.trace.of(Kind.INVOCATION_ENDED)]
    init = float(str(bench.cloud.trace.of(Kind.INIT_ENDED)[1].detail["duration_ms"]))
    assert durations[2] > init > durations[0], "the suppressed INIT is part of the duration"


def test_after_a_crash_nothing_of_the_process_is_left(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle: Lambda resets the environment when the runtime crashes."""
    bench.deploy(
        "import os\nleft = []\ndef handler(event, context):\n    left.append(event)\n    if event == 'die': os._exit(7)\n"
        "    return left\n"
    )
    assert bench.invoke("die").error == "Unhandled"
    answer = bench.invoke("again")
    assert answer.payload == ["again"]
    assert "Init Duration" not in answer.log
    assert len(bench.cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 1


def test_shutdown_gives_a_function_without_extensions_no_time(bench: Bench) -> None:
    """AWS Lambda developer guide, runtime environment lifecycle, Shutdown phase: 0 ms without extensions, then SIGKILL."""
    bench.deploy(
        """
        import atexit, signal
        atexit.register(print, "bye")
        def handler(event, context):
            signal.signal(signal.SIGTERM, lambda number, frame: print("terminated"))
        """
    )
    bench.invoke()
    bench.cloud.advance(3600)
    assert [record.detail["reason"] for record in bench.cloud.trace.of(Kind.ENVIRONMENT_ENDED)] == ["idle"]
    assert not bench.cloud.trace.of(Kind.LOG_LINE)
