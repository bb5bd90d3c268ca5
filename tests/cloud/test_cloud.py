"""A cloud and its owner: pace, clients, endings."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import pytest

from labs.cloud import Cloud, CloudError, CloudGoneError, CloudHost, DeploymentError, Kind, Pace
from tests.cloud.conftest import LAB01, PROJECT, Bench


def _ended(pid: int) -> bool:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | _children(int(child))
    return found


def test_an_ordinary_boto3_client_needs_nothing_but_the_endpoint(cloud: Cloud) -> None:
    s3 = boto3.client(
        "s3", endpoint_url=cloud.endpoint, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="a/b c.txt", Body=b"x" * 300_000)
    assert len(s3.get_object(Bucket="mine", Key="a/b c.txt")["Body"].read()) == 300_000
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="mine", Key="nothing")
    operations = [record.detail["operation"] for record in cloud.trace.of(Kind.API_CALL)]
    assert operations == ["CreateBucket", "PutObject", "GetObject", "GetObject"]
    assert cloud.trace[-1].detail["error"] == "NoSuchKey"


def test_the_aws_cli_talks_to_it(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("from the CLI")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def aws(*arguments: str) -> str:
        command = [sys.executable, "-m", "awscli", *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout

    Bench(cloud).deploy("def handler(event, context):\n    return {'hello': event['name']}\n")
    aws("s3", "mb", "s3://from-cli")
    aws("s3", "cp", str(file), "s3://from-cli/note.txt")
    assert "note.txt" in aws("s3", "ls", "s3://from-cli")
    out = tmp_path / "out.json"
    aws("lambda", "invoke", "--function-name", "f", "--payload", '{"name": "cli"}', str(out))
    assert out.read_text() == '{"hello": "cli"}'


def test_moto_s_own_endpoints_are_not_there(cloud: Cloud) -> None:
    for path in ("/moto-api/reset", "//moto-api/reset", "/%6doto-api/reset", "/latest/meta-data/", "/./moto-api/data.json"):
        connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
        connection.request("POST", path)
        assert connection.getresponse().status in (400, 404), path
        connection.close()


@pytest.mark.parametrize(
    "junk",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c/dynamodb/aws4_request\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nX-Amz-Target: \xff.\xff\r\n\r\n{{{",
        b"PUT /\xff%zz HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_nonsense_from_outside_leaves_the_account_usable(cloud: Cloud, junk: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", cloud.port), timeout=10) as sock:
        sock.sendall(junk)
        sock.recv(1000)
    assert cloud.call("s3", "ListBuckets")["Buckets"] == []


def test_a_refused_call_has_awss_code(cloud: Cloud) -> None:
    with pytest.raises(CloudError) as refusal:
        cloud.call("s3", "GetObject", Bucket="nobody", Key="x")
    assert (refusal.value.code, refusal.value.status) == ("NoSuchBucket", 404)
    with pytest.raises(CloudError) as refusal:
        cloud.call("s3", "PutObject", Bucket="b")
    assert refusal.value.code == "ParamValidation"
    with pytest.raises(CloudError) as refusal:
        cloud.call("s3", "Nonsense")
    assert refusal.value.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Resources: {", "YAML"),
        ("Description: nothing", "Resources"),
        ("Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n", "F"),
    ],
)
def test_a_template_that_cannot_be_deployed_says_why(cloud: Cloud, tmp_path: Path, template: str, says: str) -> None:
    (tmp_path / "template.yaml").write_text(template)
    with pytest.raises(DeploymentError, match=says):
        cloud.deploy(tmp_path / "template.yaml", code=LAB01 / "handler.py")
    with pytest.raises(DeploymentError, match="no such file"):
        cloud.deploy(LAB01 / "template.yaml", code=tmp_path / "nobody.py")
    cloud.deploy(LAB01 / "template.yaml", code=LAB01 / "handler.py")


def test_a_live_cloud_runs_by_itself_and_a_paused_one_does_not(host: CloudHost) -> None:
    with Cloud(seed=1, host=host, pace=Pace.LIVE, factor=1000) as cloud:
        Bench(cloud).deploy("import time\ndef handler(event, context):\n    time.sleep(5)\n", timeout=10)
        cloud.set_pace(Pace.PAUSED)
        cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
        before = cloud.clock.now
        time.sleep(0.2)
        assert cloud.clock.now == before
        known = len(cloud.trace)
        cloud.step()
        assert known < len(cloud.trace) <= known + 3
        with pytest.raises(CloudError) as refusal:
            cloud.call("lambda", "Invoke", FunctionName="f")
        assert refusal.value.code == "CloudPaused"
        cloud.set_pace(Pace.LIVE, factor=1000)
        for _ in range(200):
            if cloud.trace.of(Kind.INVOCATION_ENDED):
                break
            time.sleep(0.05)
        assert cloud.trace.of(Kind.INVOCATION_ENDED)[0].detail["status"] == "success"


def test_a_pause_in_the_middle_of_an_api_call_is_not_noticed_by_the_sdk(host: CloudHost) -> None:
    """The SDK's own time-outs would make it retry: a minute to connect and read, here set to one second."""
    source = """
        import boto3, botocore.config
        impatient = botocore.config.Config(read_timeout=1, connect_timeout=1, retries={"total_max_attempts": 3})
        s3 = boto3.client("s3", config=impatient)
        def handler(event, context):
            s3.create_bucket(Bucket="once")
            return "done"
    """
    with Cloud(seed=1, host=host) as cloud:
        bench = Bench(cloud)
        bench.deploy(source)
        cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
        while not cloud.trace.of(Kind.INVOCATION_STARTED):
            cloud.step()
        cloud.set_pace(Pace.PAUSED)
        time.sleep(3)
        cloud.set_pace(Pace.INSTANT)
        cloud.run()
        calls = [record for record in cloud.trace.of(Kind.API_CALL) if record.detail["operation"] == "CreateBucket"]
        assert [record.detail["status"] for record in calls] == [200]
        assert cloud.trace.of(Kind.INVOCATION_ENDED)[0].detail["status"] == "success"


def test_measured_durations_are_real_ones(host: CloudHost) -> None:
    source = """
        import time
        sum(range(3_000_000))
        def handler(event, context):
            began = time.time()
            sum(range(10_000_000))
            return time.time() - began
    """
    with Cloud(seed=1, host=host, durations="measured") as cloud:
        bench = Bench(cloud)
        bench.deploy(source)
        spent = bench.invoke().payload
        (ended,) = cloud.trace.of(Kind.INVOCATION_ENDED)
        (init,) = cloud.trace.of(Kind.INIT_ENDED)
    assert init.detail["durations"] == "measured"
    assert isinstance(spent, float)
    duration = ended.detail["duration_ms"]
    assert isinstance(duration, float)
    assert 0.01 < spent < duration / 1000 < 9


def test_watchers_hear_of_what_happens(cloud: Cloud) -> None:
    heard: list[str] = []

    def listen() -> None:
        for news in cloud.watch():
            heard.extend(record.kind for record in news.records)

    watcher = threading.Thread(target=listen, daemon=True)
    watcher.start()
    Bench(cloud).deploy("def handler(event, context):\n    return 1\n")
    Bench(cloud).invoke()
    for _ in range(100):
        if Kind.INVOCATION_ENDED in heard:
            break
        time.sleep(0.05)
    assert heard.index("deployed") < heard.index("invocation.started") < heard.index("invocation.ended")


def test_closing_leaves_no_process_and_no_folder(host: CloudHost) -> None:
    with Cloud(seed=1, host=host) as cloud:
        bench = Bench(cloud)
        bench.deploy("def handler(event, context):\n    return 1\n")
        bench.invoke()
        family = {cloud.pid} | _children(cloud.pid)
        folder = Path(cloud._control_path).parent
    assert len(family) > 1
    assert all(_ended(pid) for pid in family)
    assert not folder.exists()


@pytest.mark.parametrize("who", ["cloud", "owner"])
def test_a_killed_cloud_or_owner_leaves_no_process(host: CloudHost, who: str) -> None:
    if who == "cloud":
        cloud = Cloud(seed=1, host=host)
        bench = Bench(cloud)
        bench.deploy("def handler(event, context):\n    return 1\n")
        bench.invoke()
        family = {cloud.pid} | _children(cloud.pid)
        os.kill(cloud.pid, signal.SIGKILL)
        assert all(_ended(pid) for pid in family)
        with pytest.raises(CloudGoneError):
            cloud.run()
        assert not cloud.alive
        cloud.close()
        return
    script = (
        "import time\nfrom labs.cloud import Cloud\nfrom tests.cloud.conftest import Bench\n"
        "c = Cloud(seed=1)\nb = Bench(c)\nb.deploy('def handler(event, context):\\n    return 1\\n')\nb.invoke()\n"
        "print(c.pid, c._control_path, flush=True)\ntime.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid, _, path = owner.stdout.readline().strip().partition(" ")
    family = {int(pid)} | _children(int(pid))
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert all(_ended(one) for one in family)
    assert not Path(path).parent.exists()


def test_a_busy_port_is_said_at_once(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CloudGoneError, match="port"):
        Cloud(seed=1, port=cloud.port)


def test_two_clouds_know_nothing_of_each_other(host: CloudHost) -> None:
    with Cloud(seed=1, host=host) as one, Cloud(seed=1, host=host) as other:
        one.call("s3", "CreateBucket", Bucket="mine")
        assert other.call("s3", "ListBuckets")["Buckets"] == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="install strace to run this")
def test_a_cloud_opens_no_socket_but_loopback() -> None:
    script = (
        "from labs.cloud import Cloud\nfrom tests.cloud.conftest import Bench\n"
        "with Cloud(seed=1) as c:\n    b = Bench(c)\n"
        "    b.deploy('def handler(event, context):\\n    return 1\\n')\n    b.invoke()\n"
    )
    command = ["strace", "-f", "-qq", "-e", "trace=connect", sys.executable, "-c", script]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120).stderr
    outside = [line for line in said.splitlines() if "AF_INET" in line and "127.0.0.1" not in line]
    assert outside == []
