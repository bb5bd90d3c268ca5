"""S3 event notifications to functions, queues and topics, as the Amazon S3 user guide documents them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import S3Model

from labs.cloud import Cloud, CloudError, Kind

BUCKET = "inbox"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


def allow(service: str, source: str, resource: str) -> str:
    """Write a resource policy that lets a service act for a source."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sqs:SendMessage" if ":sqs:" in resource else "sns:Publish",
                    "Resource": resource,
                    "Condition": {"ArnLike": {"aws:SourceArn": source}},
                }
            ],
        }
    )


def queue(cloud: Cloud, name: str = "q", service: str = "s3.amazonaws.com", source: str = f"arn:aws:s3:::{BUCKET}") -> str:
    """Make a queue that a service may send to."""
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    attributes = {"Policy": allow(service, source, arn)}
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    return str(cloud.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"])


def received(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """Take everything out of a queue."""
    found: list[dict[str, Any]] = []
    while True:
        answer: Any = cloud.call(
            "sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        if not answer.get("Messages"):
            return found
        found += answer["Messages"]
        for message in answer["Messages"]:
            cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def configure(cloud: Cloud, *rules: Mapping[str, object], kind: str = "Queue", **more: object) -> None:
    """Set the bucket's notification configuration."""
    cloud.call(
        "s3",
        "PutBucketNotificationConfiguration",
        Bucket=BUCKET,
        NotificationConfiguration={f"{kind}Configurations": rules, **more},
    )


def rule(*events: str, arn: str = QUEUE, kind: str = "Queue", **filters: str) -> dict[str, object]:
    """Write one rule of a configuration."""
    found: dict[str, object] = {f"{kind}Arn": arn, "Events": list(events)}
    if filters:
        found["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in filters.items()]}}
    return found


@pytest.fixture
def inbox(cloud: Cloud) -> str:
    """Give the URL of a queue that hears of everything that happens in a bucket."""
    url = queue(cloud)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    configure(cloud, rule("s3:ObjectCreated:*", "s3:ObjectRemoved:*"))
    cloud.run()
    assert [json.loads(message["Body"])["Event"] for message in received(cloud, url)] == ["s3:TestEvent"]
    return url


def events(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """Let time pass and give the records that arrived, in the order of their sequencers."""
    cloud.run()
    found = [json.loads(message["Body"]) for message in received(cloud, url)]
    for one in found:
        S3Model.model_validate(one)
    return sorted((one["Records"][0] for one in found), key=lambda one: str(one["s3"]["object"]["sequencer"]))


def names(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give events and keys."""
    return [(one["eventName"], one["s3"]["object"]["key"]) for one in records]


def test_every_way_to_create_an_object_has_its_event(cloud: Cloud, inbox: str) -> None:
    """User guide, "Supported event types": Put, Copy, CompleteMultipartUpload; one event each, no ObjectTagging."""
    cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"1")
    cloud.call("s3", "CopyObject", Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a")
    upload = cloud.call("s3", "CreateMultipartUpload", Bucket=BUCKET, Key="c")["UploadId"]
    part = cloud.call("s3", "UploadPart", Bucket=BUCKET, Key="c", UploadId=upload, PartNumber=1, Body=b"123")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    cloud.call("s3", "CompleteMultipartUpload", Bucket=BUCKET, Key="c", UploadId=upload, MultipartUpload=parts)
    found = events(cloud, inbox)
    assert names(found) == [
        ("ObjectCreated:Put", "a"),
        ("ObjectCreated:Copy", "b"),
        ("ObjectCreated:CompleteMultipartUpload", "c"),
    ]
    assert [one["s3"]["object"]["size"] for one in found] == [1, 1, 3]


def test_tagging_is_an_event_of_its_own(cloud: Cloud) -> None:
    """User guide, "Supported event types": ObjectTagging:Put is for PutObjectTagging, not for PutObject."""
    url = queue(cloud)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    configure(cloud, rule("s3:ObjectTagging:*"))
    cloud.run()
    received(cloud, url)
    cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"1")
    assert events(cloud, url) == []
    cloud.call("s3", "PutObjectTagging", Bucket=BUCKET, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    assert names(events(cloud, url)) == [("ObjectTagging:Put", "a")]


def test_every_deleted_key_has_its_event(cloud: Cloud, inbox: str) -> None:
    """User guide: ObjectRemoved:Delete for each object that DeleteObjects removes, without size and eTag."""
    for key in ("a", "b", "c"):
        cloud.call("s3", "PutObject", Bucket=BUCKET, Key=key, Body=b"1")
    events(cloud, inbox)
    cloud.call("s3", "DeleteObjects", Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    cloud.call("s3", "DeleteObject", Bucket=BUCKET, Key="c")
    found = events(cloud, inbox)
    assert names(found) == [("ObjectRemoved:Delete", "a"), ("ObjectRemoved:Delete", "b"), ("ObjectRemoved:Delete", "c")]
    assert all(one["s3"]["object"].keys() == {"key", "sequencer"} for one in found)


def test_versions_and_delete_markers(cloud: Cloud, inbox: str) -> None:
    """User guide, "Supported event types": a delete marker is DeleteMarkerCreated, deleting a version is Delete."""
    cloud.call("s3", "PutBucketVersioning", Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = [cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"1")["VersionId"] for _ in range(2)]
    marker = cloud.call("s3", "DeleteObject", Bucket=BUCKET, Key="a")
    assert marker["DeleteMarker"] is True
    cloud.call("s3", "DeleteObject", Bucket=BUCKET, Key="a", VersionId=versions[0])
    cloud.call("s3", "DeleteObject", Bucket=BUCKET, Key="a", VersionId=marker["VersionId"])
    found = events(cloud, inbox)
    assert [(one["eventName"], one["s3"]["object"]["versionId"]) for one in found] == [
        ("ObjectCreated:Put", versions[0]),
        ("ObjectCreated:Put", versions[1]),
        ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"]),
        ("ObjectRemoved:Delete", versions[0]),
        ("ObjectRemoved:Delete", marker["VersionId"]),
    ]
    assert cloud.call("s3", "GetObject", Bucket=BUCKET, Key="a")["Body"] == b"1"


def test_a_form_post_is_a_post(cloud: Cloud, inbox: str) -> None:
    """User guide, "Supported event types": ObjectCreated:Post is for browser uploads by form."""
    import urllib.request

    edge = "edge"
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="key"\r\n\r\nposted\r\n'
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--{edge}--\r\n'
    ).encode()
    request = urllib.request.Request(
        f"{cloud.endpoint}/{BUCKET}", body, {"Content-Type": f"multipart/form-data; boundary={edge}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status in (200, 204)
    assert names(events(cloud, inbox)) == [("ObjectCreated:Post", "posted")]


def test_filters_in_any_case(cloud: Cloud) -> None:
    """API reference, FilterRule: Name is prefix or suffix, in any case."""
    url = queue(cloud)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    configure(cloud, rule("s3:ObjectCreated:Put", Prefix="in/", SUFFIX=".jpg"))
    for key in ("in/a.jpg", "in/a.png", "out/a.jpg"):
        cloud.call("s3", "PutObject", Bucket=BUCKET, Key=key, Body=b"1")
    cloud.run()
    found = [json.loads(message["Body"]) for message in received(cloud, url)]
    assert [one["Records"][0]["s3"]["object"]["key"] for one in found if "Records" in one] == ["in/a.jpg"]


def test_keys_are_url_encoded(cloud: Cloud, inbox: str) -> None:
    """User guide, "Event message structure": the key is URL-encoded, a space is a plus sign."""
    cloud.call("s3", "PutObject", Bucket=BUCKET, Key="my photos/한글+1.jpg", Body=b"1")
    assert names(events(cloud, inbox)) == [("ObjectCreated:Put", "my+photos/%ED%95%9C%EA%B8%80%2B1.jpg")]


def test_sequencers_of_a_key_grow(cloud: Cloud, inbox: str) -> None:
    """User guide: of two events of one object key, the one with the greater sequencer (as hexadecimal text) happened later."""
    for number in range(12):
        cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"x" * number)
    cloud.run()
    arrived = [json.loads(message["Body"])["Records"][0]["s3"]["object"] for message in received(cloud, inbox)]
    assert [one["size"] for one in sorted(arrived, key=lambda one: str(one["sequencer"]))] == list(range(12))
    assert [one["size"] for one in arrived] != list(range(12)), "S3 does not promise to deliver in order"


def test_a_topic_is_notified(cloud: Cloud) -> None:
    """User guide: the event is the message of what S3 publishes; setting it up sends s3:TestEvent."""
    cloud.call(
        "sns", "CreateTopic", Name="t", Attributes={"Policy": allow("s3.amazonaws.com", f"arn:aws:s3:::{BUCKET}", TOPIC)}
    )
    url = queue(cloud, service="sns.amazonaws.com", source=TOPIC)
    cloud.call("sns", "Subscribe", TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    configure(cloud, rule("s3:ObjectCreated:*", arn=TOPIC, kind="Topic"), kind="Topic")
    cloud.run()
    cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"1")
    cloud.run()
    test, put = (json.loads(message["Body"]) for message in received(cloud, url))
    assert json.loads(test["Message"])["Event"] == "s3:TestEvent"
    assert put["Subject"] == "Amazon S3 Notification"
    S3Model.model_validate(json.loads(put["Message"]))
    sent = cloud.trace.of(Kind.SNS_NOTIFICATION)[-1]
    assert [one.kind for one in cloud.trace.ancestors(sent.id)] == [Kind.S3_NOTIFICATION, Kind.API_CALL]


REFUSED = {
    "missing queue": (rule("s3:ObjectCreated:*", arn=QUEUE + "x"), "The destination queue does not exist"),
    "unpermitted queue": (rule("s3:ObjectCreated:*", arn=QUEUE.replace(":q", ":closed")), "Not authorized to call the queue"),
    "fifo queue": (rule("s3:ObjectCreated:*", arn=QUEUE + ".fifo"), "FIFO SQS queues are not supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_destination_that_cannot_be_notified_is_refused(cloud: Cloud, name: str) -> None:
    """API reference, PutBucketNotificationConfiguration: S3 validates destinations and their permissions."""
    queue(cloud)
    queue(cloud, "q.fifo")
    cloud.call("sqs", "CreateQueue", QueueName="closed")
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    with pytest.raises(CloudError) as refused:
        configure(cloud, REFUSED[name][0])
    assert refused.value.code == "InvalidArgument"
    assert "Unable to validate the following destination configurations" in str(refused.value)
    assert "QueueConfigurations" not in cloud.call("s3", "GetBucketNotificationConfiguration", Bucket=BUCKET)
    cloud.call(
        "s3",
        "PutBucketNotificationConfiguration",
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [REFUSED[name][0]]},
        SkipDestinationValidation=True,
    )


def test_a_missing_function_is_refused(cloud: Cloud) -> None:
    """API reference, PutBucketNotificationConfiguration."""
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    arn = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    with pytest.raises(CloudError, match="Unable to validate the following destination configurations"):
        configure(cloud, rule("s3:ObjectCreated:*", arn=arn, kind="LambdaFunction"), kind="LambdaFunction")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ((rule("s3:ObjectCreated:*"), rule("s3:ObjectCreated:Put")), "Configurations overlap"),
        (
            (rule("s3:ObjectCreated:*", prefix="a"), rule("s3:ObjectCreated:Put", prefix="ab")),
            "Configuration is ambiguously defined",
        ),
        (
            (rule("s3:ObjectCreated:*", suffix=".jpg"), rule("s3:ObjectCreated:*", prefix="a")),
            "Configuration is ambiguously defined",
        ),
        ((rule("s3:ObjectCreated:*", infix="a"),), "filter rule name must be either prefix or suffix"),
        ((rule("s3:ObjectMade:*"),), "The event is not supported for notifications"),
    ],
)
def test_rules_that_one_event_could_match_are_refused(cloud: Cloud, rules: tuple[dict[str, object], ...], message: str) -> None:
    """User guide, "Examples of notification configurations with invalid prefix and suffix overlapping"."""
    queue(cloud)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    with pytest.raises(CloudError, match=message) as refused:
        configure(cloud, *rules)
    assert refused.value.code == "InvalidArgument"


def test_rules_that_do_not_overlap_are_taken(cloud: Cloud) -> None:
    """User guide, "Examples of valid notification configurations with object key name filtering"."""
    queue(cloud)
    cloud.call("s3", "CreateBucket", Bucket=BUCKET)
    configure(
        cloud,
        rule("s3:ObjectCreated:*", prefix="images", suffix=".jpg"),
        rule("s3:ObjectCreated:*", prefix="images", suffix=".png"),
        rule("s3:ObjectCreated:*", prefix="logs"),
        rule("s3:ObjectRemoved:*"),
    )


def test_a_queue_that_is_gone_hears_nothing(cloud: Cloud, inbox: str) -> None:
    """A delivery that has no target any more disturbs nobody."""
    cloud.call("s3", "PutObject", Bucket=BUCKET, Key="a", Body=b"1")
    cloud.call("sqs", "DeleteQueue", QueueUrl=inbox)
    cloud.run()
    assert not [one for one in cloud.trace.of(Kind.S3_NOTIFICATION) if one.detail.get("key") == "a"]
