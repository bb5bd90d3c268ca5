"""Who calls functions: S3 notifications and SQS event source mappings, with the semantics that AWS documents."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import S3Model, SqsModel

from labs.cloud import Cloud, CloudHost, Kind, RunEnd
from labs.cloud.packing import pack_source
from tests.cloud.conftest import LAB01, Bench

S3_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Inbox:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: inbox-123456789012
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Policies: AmazonS3FullAccess
      Events:
        Arrived:
          Type: S3
          Properties:
            Bucket: !Ref Inbox
            Events: s3:ObjectCreated:*
            Filter:
              S3Key:
                Rules:
                  - Name: suffix
                    Value: .txt
"""

SQS_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: dead
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: orders
      VisibilityTimeout: 60
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 2
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: 30
      Events:
        Arrived:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: 5
            {mapping}
"""

ECHO = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"


def _events(cloud: Cloud) -> list[dict[str, Any]]:
    return [json.loads(str(record.detail["message"])) for record in cloud.trace.of(Kind.LOG_LINE)]


def _s3(cloud: Cloud, source: str) -> None:
    cloud.deploy_package(S3_TEMPLATE, pack_source(source), name="s3")


def _sqs(cloud: Cloud, source: str, mapping: str = "") -> str:
    cloud.deploy_package(SQS_TEMPLATE.format(mapping=mapping), pack_source(source), name="sqs")
    return str(cloud.call("sqs", "GetQueueUrl", QueueName="orders")["QueueUrl"])


def _send(cloud: Cloud, url: str, *bodies: str) -> None:
    for body in bodies:
        cloud.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body)


def test_an_upload_calls_the_function_later_with_awss_event(cloud: Cloud) -> None:
    _s3(cloud, ECHO)
    cloud.call("s3", "PutObject", Bucket="inbox-123456789012", Key="한글 a+b.txt", Body=b"12345")
    assert not cloud.trace.of(Kind.S3_NOTIFICATION), "PutObject does not wait for the function"
    assert cloud.run() is RunEnd.IDLE
    (event,) = _events(cloud)
    S3Model.model_validate(event)
    (record,) = event["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["object"]["key"] == "%ED%95%9C%EA%B8%80+a%2Bb.txt"
    assert record["s3"]["object"]["size"] == 5
    assert record["eventTime"] == "2026-01-02T09:00:00.000Z"


def test_a_filter_keeps_other_objects_away(cloud: Cloud) -> None:
    _s3(cloud, ECHO)
    for key in ("a.txt", "a.png"):
        cloud.call("s3", "PutObject", Bucket="inbox-123456789012", Key=key, Body=b"x")
    cloud.run()
    assert [record.detail["key"] for record in cloud.trace.of(Kind.S3_NOTIFICATION)] == ["a.txt"]


def test_the_chain_of_causes_leads_from_the_upload_to_the_function_and_beyond(cloud: Cloud) -> None:
    stack = cloud.deploy(LAB01 / "template.yaml", code=LAB01 / "solutions" / "pillow")
    cloud.call("s3", "PutObject", Bucket=stack.outputs["Photos"], Key="note.txt", Body=b"text")
    cloud.run()
    trace = cloud.trace
    ended = trace.of(Kind.INVOCATION_ENDED)[0]
    assert [record.kind for record in trace.ancestors(ended.id)] == [
        Kind.INVOCATION_STARTED,
        Kind.EVENT_QUEUED,
        Kind.S3_NOTIFICATION,
        Kind.API_CALL,
    ]


def test_a_function_that_feeds_itself_is_stopped(cloud: Cloud) -> None:
    _s3(
        cloud,
        "import boto3\ns3 = boto3.client('s3')\ndef handler(event, context):\n"
        "    s3.put_object(Bucket='inbox-123456789012', Key='again.txt', Body=b'x')\n",
    )
    cloud.call("s3", "PutObject", Bucket="inbox-123456789012", Key="a.txt", Body=b"x")
    assert cloud.run() is RunEnd.IDLE
    assert len(cloud.trace.of(Kind.INVOCATION_STARTED)) == 16
    (dropped,) = cloud.trace.of(Kind.EVENT_DROPPED)
    assert dropped.detail["reason"] == "RecursiveLoop"


def test_two_uploads_at_once_run_in_two_environments(cloud: Cloud, picture: Callable[..., bytes]) -> None:
    _s3(cloud, "import time\ndef handler(event, context):\n    time.sleep(2)\n")
    for key in ("a.txt", "b.txt"):
        cloud.call("s3", "PutObject", Bucket="inbox-123456789012", Key=key, Body=b"x")
    cloud.run()
    assert len(cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 2
    assert cloud.clock.now < 4 * 10**9


def test_a_poller_takes_what_was_there_before_it_in_batches(cloud: Cloud) -> None:
    url = str(cloud.call("sqs", "CreateQueue", QueueName="orders", Attributes={"VisibilityTimeout": "60"})["QueueUrl"])
    _send(cloud, url, *"1234567")
    bench = Bench(cloud)
    bench.deploy(ECHO)
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    cloud.call("lambda", "CreateEventSourceMapping", FunctionName="f", EventSourceArn=arn, BatchSize=5)
    cloud.run()
    events = _events(cloud)
    assert [len(event["Records"]) for event in events] == [5, 2]
    for event in events:
        SqsModel.model_validate(event)
    record = events[0]["Records"][0]
    assert record["body"] == "1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"] == "1767344400000"
    attributes = cloud.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert isinstance(attributes, dict)
    assert attributes["ApproximateNumberOfMessages"] == "0"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_failed_batch_reappears_when_its_visibility_ends_and_goes_to_the_dead_letter_queue(cloud: Cloud) -> None:
    url = _sqs(cloud, "def handler(event, context):\n    raise RuntimeError\n")
    _send(cloud, url, "poison")
    assert cloud.run() is RunEnd.IDLE
    trace = cloud.trace
    received = trace.of(Kind.BATCH_RECEIVED)
    assert [record.detail["messages"][0]["receive_count"] for record in received] == [1, 2]  # type: ignore[index,call-overload]
    apart = received[1].t - received[0].t
    assert 60 * 10**9 <= apart < 61 * 10**9
    (dead,) = trace.of(Kind.MESSAGE_DEAD)
    assert dead.detail["dead_letter_queue"] == "dead"
    dead_url = str(cloud.call("sqs", "GetQueueUrl", QueueName="dead")["QueueUrl"])
    messages = cloud.call("sqs", "ReceiveMessage", QueueUrl=dead_url)["Messages"]
    assert isinstance(messages, list)
    assert [message["Body"] for message in messages] == ["poison"]


def test_a_partial_failure_gives_back_only_what_failed(cloud: Cloud) -> None:
    url = _sqs(
        cloud,
        "def handler(event, context):\n"
        "    bad = [{'itemIdentifier': r['messageId']} for r in event['Records'] if r['body'] == 'bad']\n"
        "    return {'batchItemFailures': bad}\n",
        "FunctionResponseTypes: [ReportBatchItemFailures]",
    )
    _send(cloud, url, "good", "bad", "good")
    cloud.run()
    trace = cloud.trace
    assert [len(record.detail["messages"]) for record in trace.of(Kind.BATCH_RECEIVED)] == [3, 1]  # type: ignore[arg-type]
    assert [len(record.detail["messages"]) for record in trace.of(Kind.BATCH_DELETED)] == [2]  # type: ignore[arg-type]
    assert len(trace.of(Kind.MESSAGE_DEAD)) == 1


@pytest.mark.parametrize(
    "answer", ["'nonsense'", "{'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", "{'batchItemFailures': 1}"]
)
def test_an_answer_that_is_no_partial_response_fails_the_whole_batch(cloud: Cloud, answer: str) -> None:
    url = _sqs(
        cloud, f"def handler(event, context):\n    return {answer}\n", "FunctionResponseTypes: [ReportBatchItemFailures]"
    )
    _send(cloud, url, "one")
    cloud.run()
    assert len(cloud.trace.of(Kind.MESSAGE_DEAD)) == 1


def test_a_visibility_timeout_shorter_than_the_run_delivers_twice(cloud: Cloud) -> None:
    url = _sqs(cloud, "import time\ndef handler(event, context):\n    time.sleep(20)\n")
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
    _send(cloud, url, "slow")
    cloud.run()
    assert len(cloud.trace.of(Kind.BATCH_RECEIVED)) == 2


def test_a_window_gathers_messages(cloud: Cloud) -> None:
    url = _sqs(cloud, ECHO, "MaximumBatchingWindowInSeconds: 30")
    _send(cloud, url, "one")
    cloud.advance(10)
    _send(cloud, url, "two")
    cloud.run()
    (received,) = cloud.trace.of(Kind.BATCH_RECEIVED)
    assert len(received.detail["messages"]) == 2  # type: ignore[arg-type]
    assert 30 * 10**9 <= received.t < 31 * 10**9


def test_a_delayed_message_waits_and_a_disabled_mapping_takes_nothing(cloud: Cloud) -> None:
    url = _sqs(cloud, ECHO)
    cloud.call("sqs", "SendMessage", QueueUrl=url, MessageBody="later", DelaySeconds=120)
    cloud.run()
    (received,) = cloud.trace.of(Kind.BATCH_RECEIVED)
    assert received.t >= 120 * 10**9
    mappings = cloud.call("lambda", "ListEventSourceMappings")["EventSourceMappings"]
    assert isinstance(mappings, list)
    cloud.call("lambda", "UpdateEventSourceMapping", UUID=mappings[0]["UUID"], Enabled=False)
    _send(cloud, url, "nobody takes it")
    cloud.run()
    assert len(cloud.trace.of(Kind.BATCH_RECEIVED)) == 1
    cloud.call("lambda", "UpdateEventSourceMapping", UUID=mappings[0]["UUID"], Enabled=True)
    cloud.run()
    assert len(cloud.trace.of(Kind.BATCH_RECEIVED)) == 2


def test_a_poison_message_without_a_dead_letter_queue_does_not_run_for_ever(host: CloudHost) -> None:
    with Cloud(seed=1, host=host) as cloud:
        url = _sqs(cloud, "def handler(event, context):\n    raise RuntimeError\n")
        cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"RedrivePolicy": ""})
        _send(cloud, url, "poison")
        assert cloud.run(limit=3600) is RunEnd.LIMIT
        assert 50 <= len(cloud.trace.of(Kind.BATCH_RECEIVED)) <= 60


def test_a_client_s_long_poll_waits_in_virtual_time(cloud: Cloud) -> None:
    url = str(cloud.call("sqs", "CreateQueue", QueueName="q")["QueueUrl"])
    before = cloud.now
    assert "Messages" not in cloud.call("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    assert (cloud.now - before).total_seconds() == pytest.approx(20, abs=0.01)
    cloud.call("sqs", "SendMessage", QueueUrl=url, MessageBody="soon", DelaySeconds=7)
    before = cloud.now
    messages = cloud.call("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert isinstance(messages, list)
    assert (cloud.now - before).total_seconds() == pytest.approx(7, abs=0.1)
