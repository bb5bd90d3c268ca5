"""Topics: fan-out to functions and queues, filters, retries and dead-letter queues, as the Amazon SNS developer guide says."""

import itertools
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import SnsModel, SqsModel
from aws_lambda_powertools.utilities.parser.models.sns import SnsNotificationModel

from labs.cloud import Cloud, CloudError, Kind
from labs.cloud.deliveries.sns import retry_delay
from labs.cloud.kernel import SECOND
from labs.cloud.packing import pack_source
from tests.cloud.conftest import TEMPLATE
from tests.cloud.test_s3_notifications import queue, received

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ECHO = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"


def queue_arn(name: str) -> str:
    """Give a queue's ARN."""
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def subscribed(cloud: Cloud, name: str = "q", topic: str = TOPIC, **attributes: str) -> str:
    """Subscribe a new queue to a topic and give its URL."""
    url = queue(cloud, name, "sns.amazonaws.com", topic)
    cloud.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(name), Attributes=attributes)
    return url


def function(cloud: Cloud, source: str = ECHO) -> None:
    """Deploy `f`, subscribe it and let the topic invoke it."""
    cloud.deploy_package(TEMPLATE.format(timeout=10, memory=256), pack_source(source), name="bench")
    permission = {
        "FunctionName": "f",
        "StatementId": "sns",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
    }
    cloud.call("lambda", "AddPermission", **permission, SourceArn=TOPIC)
    cloud.call("sns", "Subscribe", TopicArn=TOPIC, Protocol="lambda", Endpoint=FUNCTION)


def publish(cloud: Cloud, message: str = "hello", **more: object) -> str:
    """Publish and give the message's id."""
    return str(cloud.call("sns", "Publish", **{"TopicArn": TOPIC, "Message": message, **more})["MessageId"])


def text(value: str) -> dict[str, str]:
    """Write a string attribute."""
    return {"DataType": "String", "StringValue": value}


@pytest.fixture(autouse=True)
def topic(cloud: Cloud) -> None:
    """Make the topic."""
    cloud.call("sns", "CreateTopic", Name="t")


def test_a_function_receives_the_documented_event(cloud: Cloud) -> None:
    """Lambda developer guide, "Invoking Lambda functions with Amazon SNS notifications"."""
    function(cloud)
    cloud.advance(61)
    attributes = {
        "colour": text("red"),
        "n": {"DataType": "Number", "StringValue": "7"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    first = publish(cloud, "hello 세계", MessageAttributes=attributes, Subject="greeting")
    assert not cloud.trace.of(Kind.EVENT_QUEUED), "Publish does not wait for subscribers"
    cloud.run()
    second = publish(cloud, "bare")
    cloud.run()
    one, two = (json.loads(str(record.detail["message"])) for record in cloud.trace.of(Kind.LOG_LINE))
    for event in (one, two):
        SnsModel.model_validate(event)
    (record,) = one["Records"]
    subscription = cloud.call("sns", "ListSubscriptionsByTopic", TopicArn=TOPIC)["Subscriptions"][0]["SubscriptionArn"]  # type: ignore[index]
    assert (record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]) == ("aws:sns", "1.0", subscription)
    sns = record["Sns"]
    assert (sns["Type"], sns["MessageId"], sns["TopicArn"], sns["Message"]) == ("Notification", first, TOPIC, "hello 세계")
    assert (sns["Subject"], sns["Timestamp"]) == ("greeting", "2026-01-02T09:01:01.000Z")
    assert sns["MessageAttributes"] == {
        "colour": {"Type": "String", "Value": "red"},
        "n": {"Type": "Number", "Value": "7"},
        "b": {"Type": "Binary", "Value": "AA=="},
    }
    assert sns["UnsubscribeUrl"].endswith(f"/?Action=Unsubscribe&SubscriptionArn={subscription}")
    assert sns["SigningCertUrl"].startswith("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-")
    bare = two["Records"][0]["Sns"]
    assert (bare["MessageId"], bare["Subject"], bare["MessageAttributes"]) == (second, None, {})


def test_a_function_is_invoked_asynchronously(cloud: Cloud) -> None:
    """Lambda developer guide: SNS invokes asynchronously, so an error is retried twice, after one and two minutes."""
    function(cloud, "def handler(event, context):\n    raise ValueError\n")
    publish(cloud)
    cloud.run()
    started = [record.t for record in cloud.trace.of(Kind.INVOCATION_STARTED)]
    assert [round((b - a) / SECOND / 60) for a, b in itertools.pairwise(started)] == [1, 2]
    assert [one.kind for one in cloud.trace.ancestors(cloud.trace.of(Kind.EVENT_QUEUED)[0].id)] == [
        Kind.SNS_NOTIFICATION,
        Kind.API_CALL,
    ]


def test_a_queue_receives_the_wrapped_notification(cloud: Cloud) -> None:
    """SNS developer guide, "Fanout to Amazon SQS queues": the JSON document is the message's body; no Subject when absent."""
    urls = [subscribed(cloud, name) for name in ("q", "r")]
    sent = publish(cloud, "hello", MessageAttributes={"colour": text("red")})
    cloud.run()
    for url in urls:
        (message,) = received(cloud, url)
        body = json.loads(message["Body"])
        SnsNotificationModel.model_validate(dict(body))
        assert (body["Type"], body["MessageId"], body["TopicArn"], body["Message"]) == ("Notification", sent, TOPIC, "hello")
        assert body["MessageAttributes"] == {"colour": {"Type": "String", "Value": "red"}}
        assert body["Timestamp"] == "2026-01-02T09:00:00.000Z"
        assert "Subject" not in body
        assert {"SigningCertURL", "UnsubscribeURL", "Signature", "SignatureVersion"} <= body.keys()
        assert "MessageAttributes" not in message


def test_raw_delivery(cloud: Cloud) -> None:
    """SNS developer guide, "Amazon SNS raw message delivery": the bare message, attributes as the queue's own."""
    url = subscribed(cloud, RawMessageDelivery="true")
    attributes = {"colour": text("red"), "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    publish(cloud, "hello", MessageAttributes=attributes)
    publish(cloud, "too many", MessageAttributes={f"a{n}": text("x") for n in range(11)})
    cloud.run()
    (message,) = received(cloud, url)
    assert message["Body"] == "hello"
    assert message["MessageAttributes"]["colour"]["StringValue"] == "red"
    assert message["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\x01"
    assert [one.detail["then"] for one in cloud.trace.of(Kind.SNS_FAILED)] == ["discarded"], "more than 10 attributes"


def test_raw_delivery_can_be_turned_off(cloud: Cloud) -> None:
    """API reference, SetSubscriptionAttributes."""
    url = subscribed(cloud, RawMessageDelivery="true")
    arn = cloud.call("sns", "ListSubscriptions")["Subscriptions"][0]["SubscriptionArn"]  # type: ignore[index]
    cloud.call(
        "sns", "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="false"
    )
    publish(cloud)
    cloud.run()
    assert json.loads(received(cloud, url)[0]["Body"])["Message"] == "hello"


def test_a_function_behind_a_queue_behind_a_topic(cloud: Cloud) -> None:
    """Both events in one: the queue's, with the topic's in its body."""
    url = subscribed(cloud)
    assert url
    cloud.deploy_package(TEMPLATE.format(timeout=10, memory=256), pack_source(ECHO), name="bench")
    cloud.call("lambda", "CreateEventSourceMapping", FunctionName="f", EventSourceArn=queue_arn("q"))
    publish(cloud, "through both")
    cloud.run()
    event = json.loads(str(cloud.trace.of(Kind.LOG_LINE)[0].detail["message"]))
    SqsModel.model_validate(event)
    assert json.loads(event["Records"][0]["body"])["Message"] == "through both"


def test_a_batch_is_published_message_by_message(cloud: Cloud) -> None:
    """API reference, PublishBatch: one id for each entry; errors of the batch as a whole."""
    url = subscribed(cloud)
    entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(3)]
    answer: Any = cloud.call(
        "sns", "PublishBatch", TopicArn=TOPIC, PublishBatchRequestEntries=[*entries, {"Id": "x", "Message": ""}]
    )
    cloud.run()
    bodies = [json.loads(message["Body"]) for message in received(cloud, url)]
    assert {(one["MessageId"], one["Id"]) for one in answer["Successful"]} == {
        (one["MessageId"], one["Message"][1:]) for one in bodies
    }
    assert [one["Id"] for one in answer["Failed"]] == ["x"]
    for bad, code in (
        ([], "EmptyBatchRequest"),
        (entries * 4, "TooManyEntriesInBatchRequest"),
        (entries * 2, "BatchEntryIdsNotDistinct"),
    ):
        with pytest.raises(CloudError) as refused:
            cloud.call("sns", "PublishBatch", TopicArn=TOPIC, PublishBatchRequestEntries=bad)
        assert refused.value.code == code


def test_a_message_per_protocol(cloud: Cloud) -> None:
    """API reference, Publish: MessageStructure json holds a text per protocol and a default."""
    url = subscribed(cloud)
    publish(cloud, json.dumps({"default": "d", "sqs": "for queues"}), MessageStructure="json")
    publish(cloud, json.dumps({"default": "d", "lambda": "for functions"}), MessageStructure="json")
    cloud.run()
    assert sorted(json.loads(message["Body"])["Message"] for message in received(cloud, url)) == ["d", "for queues"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
        ({"Subject": "x" * 101}, "Invalid parameter: Subject"),
        ({"Message": "{}", "MessageStructure": "json"}, "Message Structure - No default entry in JSON message body"),
        ({"Message": "{", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
    ],
)
def test_publish_refuses(cloud: Cloud, arguments: dict[str, str], message: str) -> None:
    """API reference, Publish: InvalidParameter."""
    with pytest.raises(CloudError, match=message) as refused:
        publish(cloud, **arguments)
    assert refused.value.code in ("InvalidParameter", "InvalidParameterValue")


def test_filter_policies_choose_subscribers(cloud: Cloud) -> None:
    """SNS developer guide, "Amazon SNS message filtering": on attributes, or on the body."""
    red = subscribed(cloud, "red", FilterPolicy=json.dumps({"colour": ["red"]}))
    large = subscribed(
        cloud, "large", FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"order": {"n": [{"numeric": [">", 9]}]}})
    )
    publish(cloud, json.dumps({"order": {"n": 10}}), MessageAttributes={"colour": text("blue")})
    publish(cloud, "not JSON", MessageAttributes={"colour": text("red")})
    cloud.run()
    assert [json.loads(one["Body"])["Message"] for one in received(cloud, red)] == ["not JSON"]
    assert [json.loads(one["Body"])["Message"] for one in received(cloud, large)] == ['{"order": {"n": 10}}']
    assert [one.detail["queue"] for one in cloud.trace.of(Kind.SNS_FILTERED)] == ["red", "large"]


def test_a_filter_policy_that_sns_refuses_leaves_no_subscription(cloud: Cloud) -> None:
    """API reference, Subscribe: InvalidParameter, and nothing is made."""
    policy = json.dumps({"n": [{"numeric": ["<", "1"]}]})
    with pytest.raises(
        CloudError, match="Invalid parameter: Attributes Reason: FilterPolicy: Value of < must be numeric"
    ) as refused:
        subscribed(cloud, FilterPolicy=policy)
    assert refused.value.code == "InvalidParameter"
    assert cloud.call("sns", "ListSubscriptions")["Subscriptions"] == []
    subscribed(cloud, "r")
    arn = cloud.call("sns", "ListSubscriptions")["Subscriptions"][0]["SubscriptionArn"]  # type: ignore[index]
    with pytest.raises(CloudError, match="Invalid parameter: FilterPolicy: Value of < must be numeric"):
        cloud.call("sns", "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy)


def test_a_filter_policy_can_be_taken_away(cloud: Cloud) -> None:
    """SNS developer guide, "Removing a subscription filter policy": set it to an empty object."""
    url = subscribed(cloud, FilterPolicy=json.dumps({"colour": ["red"]}))
    arn = cloud.call("sns", "ListSubscriptions")["Subscriptions"][0]["SubscriptionArn"]  # type: ignore[index]
    cloud.call("sns", "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    publish(cloud)
    cloud.run()
    assert len(received(cloud, url)) == 1


def test_an_undeliverable_message_goes_to_the_subscription_s_queue(cloud: Cloud) -> None:
    """SNS developer guide, "Amazon SNS dead-letter queues": client-side errors are not retried."""
    dead = queue(cloud, "dead", "sns.amazonaws.com", TOPIC)
    redrive = json.dumps({"deadLetterTargetArn": queue_arn("dead")})
    url = subscribed(cloud, RedrivePolicy=redrive)
    function(cloud)
    arn = cloud.call("sns", "ListSubscriptions")["Subscriptions"][1]["SubscriptionArn"]  # type: ignore[index]
    cloud.call("sns", "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=redrive)
    cloud.call("lambda", "DeleteFunction", FunctionName="f")
    cloud.call("sqs", "DeleteQueue", QueueUrl=url)
    sent = publish(cloud, "nobody is home")
    cloud.run()
    messages = [json.loads(one["Body"]) for one in received(cloud, dead)]
    assert len(messages) == 2
    ids = {one["MessageId"] if "MessageId" in one else one["Records"][0]["Sns"]["MessageId"] for one in messages}
    assert ids == {sent}
    assert {one.detail["then"] for one in cloud.trace.of(Kind.SNS_FAILED)} == {"dead"}


def test_a_queue_that_does_not_permit_it_receives_nothing(cloud: Cloud) -> None:
    """SNS developer guide, "Subscribing an Amazon SQS queue": the queue's policy must allow sqs:SendMessage."""
    url = queue(cloud, "q", "sns.amazonaws.com", TOPIC + "-other")
    cloud.call("sns", "Subscribe", TopicArn=TOPIC, Protocol="sqs", Endpoint=queue_arn("q"))
    publish(cloud)
    cloud.run()
    assert received(cloud, url) == []
    assert [one.detail["reason"] for one in cloud.trace.of(Kind.SNS_FAILED)] == ["Not authorized to call the queue"]


def test_the_retries_are_those_of_aws_s_own_endpoints() -> None:
    """SNS developer guide, "Message delivery retries": 3 at once, 2 after 1 s, 10 with backoff to 20 s, 100,000 after 20 s."""
    waits = [delay for failures in range(1, 100_016) if (delay := retry_delay(failures)) is not None]
    assert len(waits) == 100_015
    assert waits[:5] == [0, 0, 0, SECOND, SECOND]
    assert waits[5:15] == sorted(waits[5:15])
    assert (waits[5], waits[14]) == (SECOND, 20 * SECOND)
    assert set(waits[15:]) == {20 * SECOND}
    assert sum(waits) / SECOND / 86_400 == pytest.approx(23, abs=0.2)
    assert retry_delay(100_016) is None


def test_fifo_topics_keep_their_order(cloud: Cloud) -> None:
    """SNS developer guide, "FIFO topics": in order within a group, and no duplicate within five minutes."""
    topic = str(
        cloud.call("sns", "CreateTopic", Name="t.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})[
            "TopicArn"
        ]
    )
    url = subscribed(cloud, "q.fifo", topic)
    numbers = []
    for number in range(8):
        answer = cloud.call("sns", "Publish", TopicArn=topic, Message=f"m{number}", MessageGroupId="g")
        numbers.append(str(answer["SequenceNumber"]))
    again = cloud.call("sns", "Publish", TopicArn=topic, Message="m7", MessageGroupId="g")
    assert again["MessageId"] == answer["MessageId"]
    assert numbers == sorted(set(numbers))
    cloud.run()
    messages: list[dict[str, Any]] = received(cloud, url)
    bodies = [json.loads(message["Body"]) for message in messages]
    assert [body["Message"] for body in bodies] == [f"m{number}" for number in range(8)]
    assert [body["SequenceNumber"] for body in bodies] == numbers
    assert {message["Attributes"]["MessageGroupId"] for message in messages} == {"g"}
    cloud.advance(301)
    cloud.call("sns", "Publish", TopicArn=topic, Message="m7", MessageGroupId="g")
    cloud.run()
    assert len(received(cloud, url)) == 1, "after five minutes it is a new message"
    with pytest.raises(CloudError):
        cloud.call("sns", "Publish", TopicArn=topic, Message="m")


def test_a_subscription_is_made_once(cloud: Cloud) -> None:
    """API reference, Subscribe: the same endpoint again is the same subscription, unless its attributes differ."""
    subscribed(cloud)
    arguments = {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": queue_arn("q")}
    cloud.call("sns", "Subscribe", **arguments)
    assert len(cloud.call("sns", "ListSubscriptions")["Subscriptions"]) == 1  # type: ignore[arg-type]
    with pytest.raises(CloudError, match="Subscription already exists with different attributes"):
        cloud.call("sns", "Subscribe", **arguments, Attributes={"RawMessageDelivery": "true"})


@pytest.mark.parametrize(
    ("protocol", "endpoint", "attributes", "message"),
    [
        ("lambda", "f", {}, "Invalid parameter: Lambda endpoint ARN"),
        ("sqs", "q", {}, "Invalid parameter: SQS endpoint ARN"),
        ("sqs", queue_arn("q"), {"FilterPolicyScope": "Body"}, "FilterPolicyScope: Invalid value"),
        (
            "sqs",
            queue_arn("q"),
            {"RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sns:x"}'},
            "deadLetterTargetArn is an invalid arn",
        ),
    ],
)
def test_subscribe_refuses(cloud: Cloud, protocol: str, endpoint: str, attributes: dict[str, str], message: str) -> None:
    """API reference, Subscribe: InvalidParameter."""
    with pytest.raises(CloudError, match=message) as refused:
        cloud.call("sns", "Subscribe", TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
    assert refused.value.code == "InvalidParameter"
