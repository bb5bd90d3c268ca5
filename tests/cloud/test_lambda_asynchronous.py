"""The asynchronous queue: destinations, dead letters, age, retries, throttles."""

import json
from typing import Any

import pytest

from labs.cloud import Cloud, CloudError, CloudHost, Kind
from tests.cloud.conftest import Bench

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
FAILS = "def handler(event, context):\n    raise ValueError('no such thing')\n"
WORKS = "def handler(event, context):\n    return {'done': event['n']}\n"


def queue(cloud: Cloud, name: str) -> str:
    """Make a queue and give its ARN."""
    cloud.call("sqs", "CreateQueue", QueueName=name)
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def messages(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    """Receive everything from a queue."""
    url = cloud.call("sqs", "GetQueueUrl", QueueName=name)["QueueUrl"]
    found = cloud.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    listed = found.get("Messages", [])
    assert isinstance(listed, list)
    return listed


def configure(cloud: Cloud, **config: object) -> None:
    """Configure asynchronous invocation of `f`."""
    cloud.call("lambda", "PutFunctionEventInvokeConfig", FunctionName="f", **config)


def send(cloud: Cloud, event: object, **more: object) -> None:
    """Invoke `f` asynchronously."""
    cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=json.dumps(event).encode(), **more)


def test_on_failure_gets_the_documented_record(bench: Bench) -> None:
    """AWS Lambda developer guide: Capturing records of Lambda asynchronous invocations."""
    cloud = bench.cloud
    bench.deploy(FAILS)
    configure(cloud, DestinationConfig={"OnFailure": {"Destination": queue(cloud, "failed")}})
    send(cloud, {"n": 1})
    cloud.run()
    (message,) = messages(cloud, "failed")
    record = json.loads(message["Body"])
    (dropped,) = cloud.trace.of(Kind.EVENT_DROPPED)
    assert list(record) == [
        "version",
        "timestamp",
        "requestContext",
        "requestPayload",
        "responseContext",
        "responsePayload",
    ]
    assert record["version"] == "1.0"
    assert record["timestamp"].startswith("2026-01-02T09:03:0")
    assert record["requestContext"] == {
        "requestId": dropped.detail["request_id"],
        "functionArn": f"{ARN}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "ValueError"


def test_on_success_gets_the_answer(bench: Bench) -> None:
    """AWS Lambda developer guide: Capturing records of Lambda asynchronous invocations, on success."""
    cloud = bench.cloud
    bench.deploy(WORKS)
    destinations = {"OnSuccess": {"Destination": queue(cloud, "done")}, "OnFailure": {"Destination": queue(cloud, "failed")}}
    configure(cloud, DestinationConfig=destinations)
    send(cloud, {"n": 5})
    cloud.run()
    (message,) = messages(cloud, "done")
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"done": 5}
    assert messages(cloud, "failed") == []
    (sent,) = cloud.trace.of(Kind.DESTINATION_SENT)
    assert sent.detail["destination"] == "sqs:done"


def test_a_function_as_a_destination_gets_the_record_as_its_event(bench: Bench) -> None:
    """AWS Lambda developer guide: Capturing records; a Lambda destination is invoked with the record as payload."""
    cloud = bench.cloud
    bench.deploy("def handler(event, context):\n    print(event.get('requestContext', {}).get('condition', 'first'))\n")
    cloud.call("lambda", "PublishVersion", FunctionName="f")
    configure(cloud, Qualifier="1", DestinationConfig={"OnSuccess": {"Destination": ARN}})
    send(cloud, {"n": 1}, Qualifier="1")
    cloud.run()
    assert [record.detail["message"] for record in cloud.trace.of(Kind.LOG_LINE)] == ["first", "Success"]


def test_a_topic_as_a_destination_is_published_to(bench: Bench) -> None:
    """AWS Lambda developer guide: Capturing records; SNS destinations."""
    cloud = bench.cloud
    bench.deploy(WORKS)
    topic = str(cloud.call("sns", "CreateTopic", Name="news")["TopicArn"])
    inbox = queue(cloud, "inbox")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": inbox}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = cloud.call("sqs", "GetQueueUrl", QueueName="inbox")["QueueUrl"]
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})
    cloud.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=inbox)
    configure(cloud, DestinationConfig={"OnSuccess": {"Destination": topic}})
    send(cloud, {"n": 1})
    cloud.run()
    (message,) = messages(cloud, "inbox")
    assert json.loads(json.loads(message["Body"])["Message"])["requestContext"]["condition"] == "Success"


def test_a_bucket_as_a_destination_gets_an_object(bench: Bench) -> None:
    """AWS Lambda developer guide: Capturing records; S3, on failure only, with the documented key."""
    cloud = bench.cloud
    bench.deploy(FAILS)
    cloud.call("s3", "CreateBucket", Bucket="failures")
    configure(cloud, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::failures"}})
    send(cloud, {"n": 1})
    cloud.run()
    contents = cloud.call("s3", "ListObjectsV2", Bucket="failures")["Contents"]
    assert isinstance(contents, list)
    assert contents[0]["Key"].startswith("aws/lambda/async/f/2026/01/02/2026-01-02T09.00.0")
    with pytest.raises(CloudError):
        configure(cloud, DestinationConfig={"OnSuccess": {"Destination": "arn:aws:s3:::failures"}})


def test_a_destination_that_is_gone_is_told_in_the_trace(bench: Bench) -> None:
    """AWS Lambda developer guide: DestinationDeliveryFailures; Lambda does not try again."""
    cloud = bench.cloud
    bench.deploy(WORKS)
    configure(cloud, DestinationConfig={"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:123456789012:gone"}})
    send(cloud, {"n": 1})
    cloud.run()
    sent, failed = cloud.trace.of(Kind.DESTINATION_SENT)
    assert "error" not in sent.detail
    assert str(failed.detail["error"]).startswith("HTTP 4")


def test_the_dead_letter_queue_gets_the_event_itself_and_three_attributes(bench: Bench) -> None:
    """AWS Lambda developer guide: Adding a dead-letter queue (RequestID, ErrorCode, ErrorMessage)."""
    cloud = bench.cloud
    bench.deploy(FAILS)
    dead = queue(cloud, "dead")
    cloud.call("lambda", "UpdateFunctionConfiguration", FunctionName="f", DeadLetterConfig={"TargetArn": dead})
    kept = cloud.call("lambda", "GetFunctionConfiguration", FunctionName="f")["DeadLetterConfig"]
    assert kept == {"TargetArn": dead}
    send(cloud, {"n": 7})
    cloud.run()
    (message,) = messages(cloud, "dead")
    assert json.loads(message["Body"]) == {"n": 7}
    attributes = {name: (one["DataType"], one["StringValue"]) for name, one in message["MessageAttributes"].items()}
    (dropped,) = cloud.trace.of(Kind.EVENT_DROPPED)
    assert attributes == {
        "RequestID": ("String", dropped.detail["request_id"]),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no such thing"),
    }


@pytest.mark.parametrize(("attempts", "runs"), [(0, 1), (1, 2), (2, 3)])
def test_the_number_of_retries_can_be_set(bench: Bench, attempts: int, runs: int) -> None:
    """AWS Lambda developer guide: Configuring error handling settings for Lambda asynchronous invocations."""
    bench.deploy(FAILS)
    configure(bench.cloud, MaximumRetryAttempts=attempts)
    send(bench.cloud, {})
    bench.cloud.run()
    assert len(bench.cloud.trace.of(Kind.INVOCATION_STARTED)) == runs


def test_an_event_that_is_too_old_is_dropped_without_another_attempt(bench: Bench) -> None:
    """AWS Lambda developer guide: Configuring error handling settings, maximum age of event."""
    bench.deploy(FAILS)
    configure(bench.cloud, MaximumEventAgeInSeconds=100)
    send(bench.cloud, {})
    bench.cloud.run()
    assert len(bench.cloud.trace.of(Kind.INVOCATION_STARTED)) == 2
    (dropped,) = bench.cloud.trace.of(Kind.EVENT_DROPPED)
    assert dropped.detail["reason"] == "EventAgeExceeded"


def test_the_second_put_replaces_the_first_and_an_update_adds(bench: Bench) -> None:
    """AWS Lambda API reference: PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig."""
    cloud = bench.cloud
    bench.deploy(WORKS)
    with pytest.raises(CloudError) as refusal:
        cloud.call("lambda", "GetFunctionEventInvokeConfig", FunctionName="f")
    assert refusal.value.code == "ResourceNotFoundException"
    configure(cloud, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
    configure(cloud, MaximumRetryAttempts=0)
    found = cloud.call("lambda", "GetFunctionEventInvokeConfig", FunctionName="f")
    assert (found["MaximumRetryAttempts"], found.get("MaximumEventAgeInSeconds")) == (0, None)
    cloud.call("lambda", "UpdateFunctionEventInvokeConfig", FunctionName="f", MaximumEventAgeInSeconds=90)
    found = cloud.call("lambda", "GetFunctionEventInvokeConfig", FunctionName="f")
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (0, 90)
    assert found["FunctionArn"] == f"{ARN}:$LATEST"
    cloud.call("lambda", "DeleteFunctionEventInvokeConfig", FunctionName="f")
    assert cloud.call("lambda", "ListFunctionEventInvokeConfigs", FunctionName="f")["FunctionEventInvokeConfigs"] == []


def test_without_concurrency_events_go_to_the_failure_destination_at_once(bench: Bench) -> None:
    """AWS Lambda developer guide: reserved concurrency 0 sends asynchronous events to the destination without retries."""
    cloud = bench.cloud
    bench.deploy(WORKS)
    configure(cloud, DestinationConfig={"OnFailure": {"Destination": queue(cloud, "failed")}})
    cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    send(cloud, {})
    cloud.run()
    (message,) = messages(cloud, "failed")
    assert json.loads(message["Body"])["requestContext"]["approximateInvokeCount"] == 0
    assert not cloud.trace.of(Kind.RETRY_SCHEDULED)


def test_throttled_events_wait_longer_each_time_and_then_run(bench: Bench) -> None:
    """AWS Lambda developer guide: throttled events return to the queue, with backoff from 1 second to 5 minutes."""
    bench.deploy("import time\ndef handler(event, context):\n    time.sleep(9)\n")
    bench.cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=1)
    for _ in range(2):
        send(bench.cloud, {})
    bench.cloud.run()
    waits = [record.detail["after_s"] for record in bench.cloud.trace.of(Kind.RETRY_SCHEDULED)]
    assert waits == [1, 2, 4, 8]
    assert {record.detail["attempt"] for record in bench.cloud.trace.of(Kind.INVOCATION_STARTED)} == {1}


def test_the_base_of_the_retries_is_a_setting(host: CloudHost) -> None:
    """Not AWS's: for clients on the wall clock, who cannot wait three minutes."""
    with Cloud(seed=1, host=host, quotas={"retry_base_s": 5}) as cloud:
        Bench(cloud).deploy(FAILS)
        send(cloud, {})
        cloud.run()
        assert [record.detail["after_s"] for record in cloud.trace.of(Kind.RETRY_SCHEDULED)] == [5, 10]


LOOP = """
import boto3
client = boto3.client("lambda")
def handler(event, context):
    if event["n"] < 30:
        client.invoke(FunctionName="f", InvocationType="Event", Payload=('{"n": %d}' % (event["n"] + 1)))
"""


@pytest.mark.parametrize(("setting", "runs"), [("Terminate", 16), ("Allow", 31)])
def test_a_recursive_loop_is_ended_unless_it_is_allowed(bench: Bench, setting: str, runs: int) -> None:
    """AWS Lambda developer guide: Use Lambda recursive loop detection to prevent infinite loops (about 16 times)."""
    bench.deploy(LOOP)
    bench.cloud.call("lambda", "PutFunctionRecursionConfig", FunctionName="f", RecursiveLoop=setting)
    assert bench.cloud.call("lambda", "GetFunctionRecursionConfig", FunctionName="f")["RecursiveLoop"] == setting
    send(bench.cloud, {"n": 0})
    bench.cloud.run()
    assert len(bench.cloud.trace.of(Kind.INVOCATION_STARTED)) == runs


def test_an_event_for_a_function_that_is_gone_is_dropped(bench: Bench) -> None:
    """Ours: the trace says so; the account lives on."""
    bench.deploy(WORKS)
    send(bench.cloud, {"n": 1})
    bench.cloud.call("lambda", "DeleteFunction", FunctionName="f")
    bench.cloud.run()
    (dropped,) = bench.cloud.trace.of(Kind.EVENT_DROPPED)
    assert dropped.detail["reason"] == "ResourceNotFound"
