"""CloudFormation's types of SNS, and the policies of queues, topics and buckets, which moto lacks or loses on an update."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from labs.cloud.local_client import OperationFailed
from labs.cloud.resource_types import Call, Made, Properties, ResourceType, given

# What a subscription is when a template does not say it.
_SUBSCRIPTION = {
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "",
}
_TOPIC = ("DisplayName", "FifoTopic", "ContentBasedDeduplication", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_LATER = ("DisplayName", "ContentBasedDeduplication", "KmsMasterKeyId")  # what SetTopicAttributes may change


def _text(value: object) -> str:
    """Write a property as an attribute: true as a word, a document as JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _attributes(properties: Properties, *names: str) -> dict[str, str]:
    return {name: _text(value) for name, value in given(properties, *names).items()}


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    """Let a policy go together with what it was about."""
    try:
        yield
    except OperationFailed as failure:
        if not any(word in failure.code for word in ("NotFound", "NonExistent", "DoesNotExist", "NoSuchBucket")):
            raise


# AWS::SNS::Topic
def _create_topic(call: Call, name: str, properties: Properties) -> Made:
    wanted = _attributes(properties, *_TOPIC)
    if wanted.get("FifoTopic") == "true":
        name += ".fifo"
    else:
        wanted.pop("FifoTopic", None)
    settings: dict[str, Any] = {"Tags": properties["Tags"]} if "Tags" in properties else {}
    name = str(properties.get("TopicName", name))
    arn = str(call("sns", "CreateTopic", Name=name, Attributes=wanted, **settings)["TopicArn"])
    _subscribe_all(call, arn, properties)
    return Made(arn, {"TopicArn": arn, "TopicName": name})


def _update_topic(call: Call, made: Made, properties: Properties) -> Made:
    name = str(made.attributes["TopicName"])
    if properties.get("TopicName", name) != name:
        new = _create_topic(call, name, properties)
        _delete_topic(call, made, properties)
        return new
    for attribute, value in _attributes(properties, *_LATER).items():
        call("sns", "SetTopicAttributes", TopicArn=made.physical_id, AttributeName=attribute, AttributeValue=value)
    _subscribe_all(call, made.physical_id, properties)
    return made


def _subscribe_all(call: Call, topic: str, properties: Properties) -> None:
    for one in properties.get("Subscription") or ():
        call("sns", "Subscribe", TopicArn=topic, Protocol=one["Protocol"], Endpoint=one["Endpoint"])


def _delete_topic(call: Call, made: Made, properties: Properties) -> None:
    call("sns", "DeleteTopic", TopicArn=made.physical_id)


# AWS::SNS::Subscription
def _create_subscription(call: Call, name: str, properties: Properties) -> Made:
    arn = call(
        "sns",
        "Subscribe",
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=_attributes(properties, *_SUBSCRIPTION),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Made(arn, {"Arn": arn})


def _update_subscription(call: Call, made: Made, properties: Properties) -> Made:
    now = call("sns", "GetSubscriptionAttributes", SubscriptionArn=made.physical_id)["Attributes"]
    if any(now[name] != properties[name] for name in ("TopicArn", "Protocol", "Endpoint")):
        new = _create_subscription(call, "", properties)
        _delete_subscription(call, made, properties)
        return new
    wanted = {**_SUBSCRIPTION, **_attributes(properties, *_SUBSCRIPTION)}
    # A policy is checked against its scope, so a policy must not meet the scope of another one.
    steps = {"FilterPolicy": "{}", "FilterPolicyScope": wanted["FilterPolicyScope"]}
    for attribute, value in [*steps.items(), *wanted.items()]:
        call(
            "sns", "SetSubscriptionAttributes", SubscriptionArn=made.physical_id, AttributeName=attribute, AttributeValue=value
        )
    return made


def _delete_subscription(call: Call, made: Made, properties: Properties) -> None:
    call("sns", "Unsubscribe", SubscriptionArn=made.physical_id)


# Policies of topics, queues and buckets
def _put_topic_policy(call: Call, name: str, properties: Properties) -> Made:
    for topic in properties["Topics"]:
        policy = _text(properties["PolicyDocument"])
        call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return Made(name, {"Id": name})


def _delete_topic_policy(call: Call, made: Made, properties: Properties) -> None:
    for topic in properties["Topics"]:
        owner = {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}}
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:Publish"],
            "Resource": topic,
            "Condition": owner,
        }
        policy = json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})
        with _unless_gone():
            call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _put_queue_policy(call: Call, name: str, properties: Properties) -> Made:
    for url in properties["Queues"]:
        call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": _text(properties["PolicyDocument"])})
    return Made(name, {"Id": name})


def _delete_queue_policy(call: Call, made: Made, properties: Properties) -> None:
    for url in properties["Queues"]:
        with _unless_gone():
            call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})


def _put_bucket_policy(call: Call, name: str, properties: Properties) -> Made:
    call("s3", "PutBucketPolicy", Bucket=properties["Bucket"], Policy=_text(properties["PolicyDocument"]))
    return Made(properties["Bucket"])


def _delete_bucket_policy(call: Call, made: Made, properties: Properties) -> None:
    with _unless_gone():
        call("s3", "DeleteBucketPolicy", Bucket=made.physical_id)


TYPES: Mapping[str, ResourceType] = {
    "AWS::SNS::Topic": ResourceType(_create_topic, _delete_topic, _update_topic, ("TopicArn", "TopicName")),
    "AWS::SNS::Subscription": ResourceType(_create_subscription, _delete_subscription, _update_subscription, ("Arn",)),
    "AWS::SNS::TopicPolicy": ResourceType(
        _put_topic_policy,
        _delete_topic_policy,
        lambda call, made, properties: _put_topic_policy(call, made.physical_id, properties),
        ("Id",),
    ),
    "AWS::SQS::QueuePolicy": ResourceType(
        _put_queue_policy,
        _delete_queue_policy,
        lambda call, made, properties: _put_queue_policy(call, made.physical_id, properties),
        ("Id",),
    ),
    "AWS::S3::BucketPolicy": ResourceType(
        _put_bucket_policy,
        _delete_bucket_policy,
        lambda call, made, properties: _put_bucket_policy(call, "", properties),
    ),
}
