"""Lambda's Invoke, seen by a caller: answers, errors, limits, logs. Each behaviour as AWS documents it."""

import json

import pytest

from labs.cloud import CloudError, Kind
from tests.cloud.conftest import Bench


def test_an_answer_comes_back_with_its_version_and_its_log(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    print('got', event)\n    return {'twice': event * 2}\n")
    answer = bench.invoke(21)
    assert answer.payload == {"twice": 42}
    assert answer.error is None
    lines = answer.log.splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert lines[0].endswith(" Version: $LATEST")
    assert lines[1] == "got 21"
    assert lines[2].startswith("END RequestId: ")
    assert lines[3].startswith("REPORT RequestId: ")
    assert "Init Duration: " in lines[3]


def test_an_environment_is_reused_with_what_its_globals_hold(bench: Bench) -> None:
    bench.deploy("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n")
    assert [bench.invoke().payload for _ in range(3)] == [1, 2, 3]
    assert len(bench.cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 1
    assert [record.detail["cold"] for record in bench.cloud.trace.of(Kind.INVOCATION_STARTED)] == [True, False, False]


def test_an_idle_environment_is_reclaimed_after_its_keep_alive(bench: Bench) -> None:
    bench.deploy("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n")
    assert bench.invoke().payload == 1
    bench.cloud.advance(3600)
    assert bench.invoke().payload == 1
    assert [record.detail["reason"] for record in bench.cloud.trace.of(Kind.ENVIRONMENT_ENDED)] == ["idle"]


def test_an_exception_is_a_function_error_with_awss_document(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    raise ValueError('no such thing')\n")
    answer = bench.invoke()
    assert answer.error == "Unhandled"
    assert isinstance(answer.payload, dict)
    assert list(answer.payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert answer.payload["errorType"] == "ValueError"
    assert 'File "/var/task/handler.py", line 2, in handler' in answer.payload["stackTrace"][0]
    assert "[ERROR] ValueError: no such thing" in answer.log
    # The environment survives an exception.
    bench.invoke()
    assert len(bench.cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 1


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import sys\ndef handler(event, context):\n    sys.exit(3)\n", "Runtime.ExitError", "exit status 3"),
        ("import os\ndef handler(event, context):\n    os._exit(0)\n", "Runtime.ExitError", "without providing a reason"),
        ("import os\ndef handler(event, context):\n    os.kill(os.getpid(), 9)\n", "Runtime.ExitError", "signal: killed"),
        (
            "import time\ndef handler(event, context):\n    time.sleep(11)\n",
            "Sandbox.Timedout",
            "timed out after 10.00 seconds",
        ),
        ("def handler(event, context)\n    return 1\n", "Runtime.UserCodeSyntaxError", "line 1"),
        ("import nothing_like_it\n", "Runtime.ImportModuleError", "No module named 'nothing_like_it'"),
        ("def other(event, context):\n    return 1\n", "Runtime.HandlerNotFound", "handler"),
        ("def handler(event, context):\n    return {1, 2}\n", "Runtime.MarshalError", "not JSON serializable"),
        ("def handler(event, context):\n    return 'x' * 10_000_000\n", "Function.ResponseSizeTooLarge", "6291456 bytes"),
        ("import sys\nsys.exit(4)\n", "Runtime.ExitError", "exit status 4"),
    ],
)
def test_every_way_to_fail_has_its_error_type(bench: Bench, source: str, error_type: str, message: str) -> None:
    bench.deploy(source)
    answer = bench.invoke()
    assert answer.error == "Unhandled"
    assert isinstance(answer.payload, dict)
    assert answer.payload["errorType"] == error_type
    assert message in answer.payload["errorMessage"]
    # And the next code runs: nothing of the failure stays.
    bench.deploy("def handler(event, context):\n    return 'fine'\n")
    assert bench.invoke().payload == "fine"


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import threading; threading.Lock().acquire(); threading.Event().wait()",
        "import time\n    while True: time.sleep(0)",
    ],
)
def test_a_handler_that_never_ends_meets_its_timeout(bench: Bench, loop: str) -> None:
    bench.deploy(f"def handler(event, context):\n    {loop}\n", timeout=7)
    before = bench.cloud.now
    answer = bench.invoke()
    assert isinstance(answer.payload, dict)
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert 7 <= (bench.cloud.now - before).total_seconds() < 8
    (ended,) = bench.cloud.trace.of(Kind.INVOCATION_ENDED)
    assert ended.detail["stopped"] in ("spinning", "stuck")
    assert ended.detail["duration_ms"] == 7000


def test_memory_beyond_the_limit_ends_the_invocation_and_not_the_cloud(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    return len(bytearray(b'x' * 600_000_000))\n", memory=128)
    answer = bench.invoke()
    assert answer.error == "Unhandled"
    assert isinstance(answer.payload, dict)
    assert answer.payload["errorType"] in ("MemoryError", "Runtime.ExitError")


def test_output_without_end_is_dropped_and_counted(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    for _ in range(100): print('y' * 1_000_000)\n    return 'done'\n")
    answer = bench.invoke()
    assert answer.payload == "done"
    lines = [str(record.detail["message"]) for record in bench.cloud.trace.of(Kind.LOG_LINE)]
    assert "more bytes of output were dropped" in lines[-1]
    assert sum(map(len, lines)) < 300_000


def test_each_invocation_is_in_cloudwatch_logs(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    print('안녕', event)\n    return context.log_stream_name\n")
    stream = bench.invoke(1).payload
    events = bench.cloud.call("logs", "GetLogEvents", logGroupName="/aws/lambda/f", logStreamName=str(stream))["events"]
    assert isinstance(events, list)
    messages = [event["message"].strip() for event in events]
    assert [message.split(" ")[0] for message in messages] == ["INIT_START", "START", "안녕", "END", "REPORT"]


def test_an_asynchronous_event_is_accepted_at_once_and_retried_after_one_and_two_minutes(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    print(context.aws_request_id)\n    raise RuntimeError('again')\n")
    answer = bench.cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202
    bench.cloud.run()
    trace = bench.cloud.trace
    started = trace.of(Kind.INVOCATION_STARTED)
    assert [record.detail["attempt"] for record in started] == [1, 2, 3]
    assert len({record.detail["request_id"] for record in started}) == 1
    ended = trace.of(Kind.INVOCATION_ENDED)
    assert started[1].t - ended[0].t == 60 * 10**9
    assert started[2].t - ended[1].t == 120 * 10**9
    (dropped,) = trace.of(Kind.EVENT_DROPPED)
    assert dropped.detail["reason"] == "RetriesExhausted"


def test_a_dry_run_runs_nothing(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    return 1\n")
    assert bench.cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    assert not bench.cloud.trace.of(Kind.ENVIRONMENT_CREATED)


@pytest.mark.parametrize(
    ("parameters", "code", "status"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "f", "Payload": b"{not json"}, "InvalidRequestContentException", 400),
        ({"FunctionName": "f", "Payload": b'"' + b"x" * 6_300_000 + b'"'}, "RequestTooLargeException", 413),
        (
            {"FunctionName": "f", "InvocationType": "Event", "Payload": b'"' + b"x" * 1_100_000 + b'"'},
            "RequestTooLargeException",
            413,
        ),
    ],
)
def test_what_lambda_refuses_is_refused_with_its_code(
    bench: Bench, parameters: dict[str, object], code: str, status: int
) -> None:
    bench.deploy("def handler(event, context):\n    return 1\n")
    with pytest.raises(CloudError) as refusal:
        bench.cloud.call("lambda", "Invoke", **parameters)
    assert (refusal.value.code, refusal.value.status) == (code, status)


def test_reserved_concurrency_of_zero_throttles_every_caller(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    return 1\n")
    bench.cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(CloudError) as refusal:
        bench.cloud.call("lambda", "Invoke", FunctionName="f")
    assert (refusal.value.code, refusal.value.status) == ("TooManyRequestsException", 429)
    (throttled,) = bench.cloud.trace.of(Kind.INVOCATION_THROTTLED)
    assert throttled.detail["reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_new_code_replaces_the_old_without_losing_the_account(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    return 'old'\n")
    assert bench.invoke().payload == "old"
    bench.deploy("def handler(event, context):\n    return 'new'\n")
    assert bench.invoke().payload == "new"
    assert [record.detail["reason"] for record in bench.cloud.trace.of(Kind.ENVIRONMENT_ENDED)] == ["updated"]


def test_a_function_calls_aws_with_the_sdk_and_its_calls_are_its_own(bench: Bench) -> None:
    bench.deploy(
        """
        import boto3
        s3 = boto3.client("s3")
        def handler(event, context):
            s3.create_bucket(Bucket="made-inside")
            s3.put_object(Bucket="made-inside", Key="a b/ü.txt", Body=b"text")
            return s3.get_object(Bucket="made-inside", Key="a b/ü.txt")["Body"].read().decode()
        """
    )
    assert bench.invoke().payload == "text"
    calls = [record for record in bench.cloud.trace.of(Kind.API_CALL) if record.detail["service"] == "s3"]
    assert [record.detail["operation"] for record in calls] == ["CreateBucket", "PutObject", "GetObject"]
    (started,) = bench.cloud.trace.of(Kind.INVOCATION_STARTED)
    assert {record.cause for record in calls} == {started.id}
    assert {record.detail["by"] for record in calls} == {"environment:f/1"}
    assert calls[1].detail["key"] == "a b/ü.txt"


def test_the_payload_of_nothing_is_null(bench: Bench) -> None:
    bench.deploy("def handler(event, context):\n    return None\n")
    answer = bench.cloud.call("lambda", "Invoke", FunctionName="f")
    assert answer["Payload"] == b"null"
    assert json.loads(answer["Payload"]) is None
