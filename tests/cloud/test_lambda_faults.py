"""Declared faults: an environment that dies right after a write. Driven in a process of its own; Cloud does not wire it yet."""

import json
import subprocess
import sys

from labs.cloud.front import Request
from labs.cloud.functions.crashes import CrashAfter, Crashes
from labs.cloud.host import clean_environment
from tests.cloud.conftest import PROJECT

SCRIPT = """
import json, socket, sys
from labs.cloud.functions.crashes import CrashAfter
from labs.cloud.functions.sandbox import probe
from labs.cloud.local_client import Clients, LocalClients
from labs.cloud.packing import pack_source
from labs.cloud.process import CloudProcess, Settings
from labs.cloud.stack import deploy
from labs.cloud.warm import Warm
from tests.cloud.conftest import TEMPLATE

SOURCE = '''
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket="written", Key=context.aws_request_id, Body=b"")
    return "heard"
'''
ours, theirs = socket.socketpair()
warm = Warm()
process = CloudProcess(Settings(seed=1, tier=int(probe().tier)), theirs, warm)
clients = LocalClients(process, Clients())
process.account.crashes.declare(CrashAfter("f", "s3", "PutObject", 2))
clients.call("s3", "CreateBucket", {"Bucket": "written"})
deploy(clients, "bench", TEMPLATE.format(timeout=10, memory=256), pack_source(SOURCE))
answers = [clients.call("lambda", "Invoke", {"FunctionName": "f"}) for _ in range(3)]
written = clients.call("s3", "ListObjectsV2", {"Bucket": "written"})["KeyCount"]
print(json.dumps([[json.loads(answer["Payload"]) for answer in answers], written]))
process.close()
"""


def test_an_environment_dies_after_the_write_that_was_declared_and_the_write_stays() -> None:
    """Ours: what an at-least-once design has to survive. The next invocation runs in the environment that was reset."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (first, second, third), written = json.loads(done.stdout.splitlines()[-1])
    assert (first, third) == ("heard", "heard")
    assert second["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in second["errorMessage"]
    assert written == 3


def test_a_fault_happens_once_at_the_occurrence_that_it_names() -> None:
    """Ours."""
    crashes = Crashes()
    credential = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request"
    put = Request("POST", "/", {"authorization": credential, "x-amz-target": "DynamoDB_20120810.PutItem"}, b"{}")
    assert not crashes.after("f", put), "nothing is declared"
    crashes.declare(CrashAfter("f", "dynamodb", "PutItem", 2))
    assert [crashes.after("f", put) for _ in range(4)] == [False, True, False, False]
    assert not crashes.after("other", put)
