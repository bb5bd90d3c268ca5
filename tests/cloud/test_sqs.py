"""SQS itself, through its API. Each test names the page of AWS that it is written from."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from labs.cloud import Cloud, CloudError, CloudHost

MIB = 1_048_576
Message = Mapping[str, Any]


def arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def make(cloud: Cloud, name: str = "q", **attributes: object) -> str:
    named = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
    return str(cloud.call("sqs", "CreateQueue", QueueName=name, Attributes=named)["QueueUrl"])


def fifo(cloud: Cloud, name: str = "q.fifo", **attributes: object) -> str:
    return make(cloud, name, FifoQueue="true", **attributes)


def send(cloud: Cloud, url: str, body: str, **parameters: object) -> dict[str, Any]:
    return cloud.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body, **parameters)


def in_group(cloud: Cloud, url: str, body: str, group: str, **parameters: object) -> dict[str, Any]:
    named = {"MessageDeduplicationId": body, **parameters}
    return send(cloud, url, body, MessageGroupId=group, **named)


def receive(cloud: Cloud, url: str, count: int = 10, **parameters: object) -> list[Message]:
    asked = {"MaxNumberOfMessages": count, "MessageSystemAttributeNames": ["All"], **parameters}
    found = cloud.call("sqs", "ReceiveMessage", QueueUrl=url, **asked).get("Messages", [])
    assert isinstance(found, list)
    return found


def bodies(messages: list[Message]) -> list[str]:
    return [str(message["Body"]) for message in messages]


def depth(cloud: Cloud, url: str) -> tuple[int, int, int]:
    """Give what is visible, in flight and delayed."""
    found = cloud.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert isinstance(found, dict)
    names = ("", "NotVisible", "Delayed")
    visible, hidden, delayed = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
    return visible, hidden, delayed


def refused(cloud: Cloud, operation: str, **parameters: object) -> tuple[str, str]:
    with pytest.raises(CloudError) as caught:
        cloud.call("sqs", operation, **parameters)
    return caught.value.code.rpartition(".")[2], caught.value.message


def test_a_received_message_is_hidden_until_its_visibility_timeout_ends(cloud: Cloud) -> None:
    """Amazon SQS developer guide: visibility timeout; API reference: ReceiveMessage (system attributes)."""
    url = make(cloud, VisibilityTimeout="30")
    send(cloud, url, "m")
    (first,) = receive(cloud, url)
    assert depth(cloud, url) == (0, 1, 0)
    cloud.advance(29.999)
    assert receive(cloud, url) == []
    cloud.advance(0.001)
    assert depth(cloud, url) == (1, 0, 0)
    (second,) = receive(cloud, url)
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert [one["Attributes"]["ApproximateReceiveCount"] for one in (first, second)] == ["1", "2"]
    for name in ("ApproximateFirstReceiveTimestamp", "SentTimestamp"):
        assert first["Attributes"][name] == second["Attributes"][name] == "1767344400000"


def test_a_visibility_of_zero_gives_a_message_back_at_once(cloud: Cloud) -> None:
    """Amazon SQS developer guide: visibility timeout, "terminate the visibility timeout"."""
    url = make(cloud)
    send(cloud, url, "m")
    (message,) = receive(cloud, url)
    handle = message["ReceiptHandle"]
    cloud.call("sqs", "ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(receive(cloud, url, VisibilityTimeout=0)) == 1
    assert len(receive(cloud, url)) == 1


def test_visibility_can_be_extended_up_to_twelve_hours_after_the_receive(cloud: Cloud) -> None:
    """Amazon SQS API reference: ChangeMessageVisibility."""
    url = make(cloud)
    send(cloud, url, "m")
    (message,) = receive(cloud, url)
    change = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    cloud.advance(20)
    cloud.call("sqs", "ChangeMessageVisibility", **change, VisibilityTimeout=3600)
    cloud.advance(3599)
    assert receive(cloud, url) == []
    code, text = refused(cloud, "ChangeMessageVisibility", **change, VisibilityTimeout=43_200)
    assert code == "InvalidParameterValue"
    assert "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]" in text
    cloud.advance(1)
    assert refused(cloud, "ChangeMessageVisibility", **change, VisibilityTimeout=5)[0] == "MessageNotInflight"


def test_a_batch_of_visibility_changes_answers_entry_by_entry(cloud: Cloud) -> None:
    """Amazon SQS API reference: ChangeMessageVisibilityBatch."""
    url = make(cloud)
    for body in "ab":
        send(cloud, url, body)
    one, two = receive(cloud, url)
    entries = [
        {"Id": "1", "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": 0},
        {"Id": "2", "ReceiptHandle": two["ReceiptHandle"], "VisibilityTimeout": 43_201},
        {"Id": "3", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0},
    ]
    answer = cloud.call("sqs", "ChangeMessageVisibilityBatch", QueueUrl=url, Entries=entries)
    assert answer["Successful"] == [{"Id": "1"}]
    failed = answer["Failed"]
    assert isinstance(failed, list)
    assert [(one["Id"], one["Code"]) for one in failed] == [("2", "InvalidParameterValue"), ("3", "ReceiptHandleIsInvalid")]
    assert depth(cloud, url) == (1, 1, 0)


def test_an_old_receipt_handle_is_accepted_and_deletes_nothing(cloud: Cloud) -> None:
    """Amazon SQS API reference: DeleteMessage ("you must provide the most recently received ReceiptHandle")."""
    url = make(cloud, VisibilityTimeout="10")
    send(cloud, url, "m")
    (first,) = receive(cloud, url)
    cloud.advance(10)
    (second,) = receive(cloud, url)
    cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert depth(cloud, url) == (0, 1, 0)
    for _ in range(2):
        cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert depth(cloud, url) == (0, 0, 0)
    assert refused(cloud, "DeleteMessage", QueueUrl=url, ReceiptHandle="nonsense")[0] == "ReceiptHandleIsInvalid"


def test_a_message_can_be_deleted_after_its_visibility_has_ended(cloud: Cloud) -> None:
    """Amazon SQS API reference: DeleteMessage; developer guide: visibility timeout."""
    url = make(cloud, VisibilityTimeout="10")
    send(cloud, url, "m")
    (message,) = receive(cloud, url)
    cloud.advance(60)
    cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert depth(cloud, url) == (0, 0, 0)


def test_a_delay_hides_a_new_message(cloud: Cloud) -> None:
    """Amazon SQS developer guide: delay queues, message timers."""
    url = make(cloud, DelaySeconds="60")
    send(cloud, url, "queue's delay")
    send(cloud, url, "own timer", DelaySeconds=5)
    send(cloud, url, "none", DelaySeconds=0)
    assert depth(cloud, url) == (1, 0, 2)
    assert bodies(receive(cloud, url)) == ["none"]
    cloud.advance(5)
    assert bodies(receive(cloud, url)) == ["own timer"]
    cloud.advance(55)
    assert bodies(receive(cloud, url)) == ["queue's delay", "own timer", "none"]


def test_retention_ends_a_message_wherever_it_is(cloud: Cloud) -> None:
    """Amazon SQS API reference: SetQueueAttributes (MessageRetentionPeriod)."""
    url = make(cloud, MessageRetentionPeriod="60", VisibilityTimeout="3600")
    send(cloud, url, "hidden")
    receive(cloud, url)
    cloud.advance(30)
    send(cloud, url, "visible")
    cloud.advance(29)
    assert depth(cloud, url) == (1, 1, 0)
    cloud.advance(1)
    assert depth(cloud, url) == (1, 0, 0)
    cloud.advance(30)
    assert receive(cloud, url) == []


def test_too_many_receives_move_a_message_to_the_dead_letter_queue(cloud: Cloud) -> None:
    """Amazon SQS developer guide: dead-letter queues; a standard queue's message keeps the time at which it was sent."""
    dead = make(cloud, "dead", MessageRetentionPeriod="100")
    redrive = {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 2}
    url = make(cloud, VisibilityTimeout="10", RedrivePolicy=redrive)
    sent = send(cloud, url, "poison")
    for _ in range(2):
        assert len(receive(cloud, url)) == 1
        cloud.advance(10)
    assert depth(cloud, dead) == (0, 0, 0), "not before the receive that is one too many"
    assert receive(cloud, url) == []
    assert depth(cloud, dead) == (1, 0, 0)
    (message,) = receive(cloud, dead)
    assert message["MessageId"] == sent["MessageId"]
    assert message["Attributes"]["SentTimestamp"] == "1767344400000"
    cloud.advance(80)
    assert depth(cloud, dead) == (0, 0, 0), "retention counts from the first send"


def test_purging_empties_a_queue_and_may_be_done_once_a_minute(cloud: Cloud) -> None:
    """Amazon SQS API reference: PurgeQueue."""
    url = make(cloud)
    for delay in (0, 0, 30):
        send(cloud, url, "m", DelaySeconds=delay)
    receive(cloud, url, 1)
    cloud.call("sqs", "PurgeQueue", QueueUrl=url)
    assert depth(cloud, url) == (0, 0, 0)
    assert refused(cloud, "PurgeQueue", QueueUrl=url)[0] == "PurgeQueueInProgress"
    cloud.advance(60)
    cloud.call("sqs", "PurgeQueue", QueueUrl=url)


def test_a_message_may_have_a_mebibyte_with_its_attributes(cloud: Cloud) -> None:
    """Amazon SQS developer guide: message quotas (1 MiB; attributes count; bytes, not characters)."""
    url = make(cloud)
    send(cloud, url, "x" * MIB)
    attributes = {"a": {"DataType": "String", "StringValue": "12345"}}
    send(cloud, url, "x" * (MIB - 12), MessageAttributes=attributes)
    for body, more in (("x" * (MIB + 1), {}), ("한" * 349_526, {}), ("x" * (MIB - 11), {"MessageAttributes": attributes})):
        code, text = refused(cloud, "SendMessage", QueueUrl=url, MessageBody=body, **more)
        assert code == "InvalidParameterValue"
        assert text == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    small = make(cloud, "small", MaximumMessageSize="1024")
    assert "shorter than 1024 bytes" in refused(cloud, "SendMessage", QueueUrl=small, MessageBody="x" * 1025)[1]


def test_a_batch_is_refused_as_a_whole_or_entry_by_entry(cloud: Cloud) -> None:
    """Amazon SQS API reference: SendMessageBatch."""
    url = make(cloud, MaximumMessageSize="1048576")

    def batch(*entries: tuple[str, str]) -> dict[str, object]:
        return {"QueueUrl": url, "Entries": [{"Id": name, "MessageBody": body} for name, body in entries]}

    code, text = refused(cloud, "SendMessageBatch", **batch(("1", "x" * 600_000), ("2", "x" * 600_000)))
    assert code == "BatchRequestTooLong"
    assert text == "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes."
    assert refused(cloud, "SendMessageBatch", **batch(*[(str(n), "m") for n in range(11)]))[0] == "TooManyEntriesInBatchRequest"
    assert refused(cloud, "SendMessageBatch", **batch(("1", "a"), ("1", "b")))[0] == "BatchEntryIdsNotDistinct"
    assert refused(cloud, "SendMessageBatch", **batch(("a b", "a")))[0] == "InvalidBatchEntryId"
    assert refused(cloud, "SendMessageBatch", QueueUrl=url, Entries=[])[0] == "EmptyBatchRequest"
    assert depth(cloud, url) == (0, 0, 0)
    answer = cloud.call("sqs", "SendMessageBatch", **batch(("1", "a"), ("2", "\x00"), ("3", "c")))
    successful, failed = answer["Successful"], answer["Failed"]
    assert isinstance(successful, list)
    assert isinstance(failed, list)
    assert [one["Id"] for one in successful] == ["1", "3"]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in failed] == [("2", "InvalidMessageContents", True)]
    assert bodies(receive(cloud, url)) == ["a", "c"]


def test_a_batch_is_deleted_entry_by_entry(cloud: Cloud) -> None:
    """Amazon SQS API reference: DeleteMessageBatch."""
    url = make(cloud)
    send(cloud, url, "m")
    (message,) = receive(cloud, url)
    entries = [{"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "2", "ReceiptHandle": "nonsense"}]
    answer = cloud.call("sqs", "DeleteMessageBatch", QueueUrl=url, Entries=entries)
    assert answer["Successful"] == [{"Id": "1"}]
    failed = answer["Failed"]
    assert isinstance(failed, list)
    assert [one["Code"] for one in failed] == ["ReceiptHandleIsInvalid"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MessageBody": ""}, "MissingParameter"),
        ({"MessageBody": "a\x01"}, "InvalidMessageContents"),
        ({"MessageBody": "a", "DelaySeconds": 901}, "InvalidParameterValue"),
        ({"MessageBody": "a", "MessageDeduplicationId": "x"}, "InvalidParameterValue"),
        (
            {"MessageBody": "a", "MessageAttributes": {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)}},
            "InvalidParameterValue",
        ),
    ],
)
def test_a_message_that_is_none_is_refused(cloud: Cloud, parameters: dict[str, object], code: str) -> None:
    """Amazon SQS API reference: SendMessage."""
    assert refused(cloud, "SendMessage", QueueUrl=make(cloud), **parameters)[0] == code


# FIFO queues
def test_a_message_group_is_received_in_order_and_by_one_at_a_time(cloud: Cloud) -> None:
    """Amazon SQS developer guide: FIFO queue delivery logic."""
    url = fifo(cloud, VisibilityTimeout="30")
    for body in ("a1", "b1", "a2", "b2", "a3"):
        in_group(cloud, url, body, body[0])
    assert bodies(receive(cloud, url, 2)) == ["a1", "a2"], "as many as possible of one group"
    second = receive(cloud, url, 10)
    assert bodies(second) == ["b1", "b2"], "group a is in other hands"
    assert receive(cloud, url) == []
    assert depth(cloud, url) == (1, 4, 0)
    cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=second[0]["ReceiptHandle"])
    cloud.advance(30)
    assert bodies(receive(cloud, url)) == ["a1", "a2", "a3", "b2"]


def test_sequence_numbers_of_a_queue_grow(cloud: Cloud) -> None:
    """Amazon SQS API reference: SendMessage (SequenceNumber: 20 digits, increasing within a group)."""
    url = fifo(cloud)
    numbers = [str(in_group(cloud, url, body, "g")["SequenceNumber"]) for body in "abc"]
    assert numbers == sorted(numbers)
    assert {len(number) for number in numbers} == {20}
    assert [one["Attributes"]["SequenceNumber"] for one in receive(cloud, url)] == numbers


def test_a_duplicate_within_five_minutes_is_accepted_and_not_delivered(cloud: Cloud) -> None:
    """Amazon SQS developer guide: using the message deduplication ID."""
    url = fifo(cloud)
    first = in_group(cloud, url, "a", "g", MessageDeduplicationId="x")
    (message,) = receive(cloud, url)
    cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cloud.advance(299)
    again = in_group(cloud, url, "b", "g", MessageDeduplicationId="x")
    assert again["MessageId"] == first["MessageId"]
    assert again["SequenceNumber"] == first["SequenceNumber"]
    assert depth(cloud, url) == (0, 0, 0), "also when the first has been handled already"
    cloud.advance(1)
    in_group(cloud, url, "c", "g", MessageDeduplicationId="x")
    assert bodies(receive(cloud, url)) == ["c"]


def test_deduplication_goes_by_content_or_by_group_where_the_queue_says_so(cloud: Cloud) -> None:
    """Amazon SQS developer guide: exactly-once processing; API reference: CreateQueue (DeduplicationScope)."""
    url = fifo(cloud, "content.fifo", ContentBasedDeduplication="true")
    for body in ("same", "same", "other"):
        send(cloud, url, body, MessageGroupId="g")
    assert bodies(receive(cloud, url)) == ["same", "other"]
    url = fifo(cloud, "scope.fifo", DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    for group in "gh":
        in_group(cloud, url, "m", group, MessageDeduplicationId="x")
    assert depth(cloud, url) == (2, 0, 0)


def test_an_expired_receipt_handle_of_a_fifo_queue_deletes_nothing_and_says_so(cloud: Cloud) -> None:
    """Amazon SQS developer guide: FIFO queue delivery logic (a message whose visibility has ended may be received again)."""
    url = fifo(cloud, VisibilityTimeout="10")
    in_group(cloud, url, "m", "g")
    (message,) = receive(cloud, url)
    cloud.advance(10)
    code, text = refused(cloud, "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert code == "InvalidParameterValue"
    assert text.endswith("The receipt handle has expired.")
    assert depth(cloud, url) == (1, 0, 0)


@pytest.mark.parametrize(
    ("parameters", "code", "text"),
    [
        ({"MessageDeduplicationId": "x"}, "MissingParameter", "MessageGroupId"),
        ({"MessageGroupId": "g"}, "InvalidParameterValue", "ContentBasedDeduplication enabled or MessageDeduplicationId"),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "x", "DelaySeconds": 5}, "InvalidParameterValue", "DelaySeconds"),
        ({"MessageGroupId": "g h", "MessageDeduplicationId": "x"}, "InvalidParameterValue", "MessageGroupId"),
    ],
)
def test_what_a_fifo_queue_does_not_take(cloud: Cloud, parameters: dict[str, object], code: str, text: str) -> None:
    """Amazon SQS API reference: SendMessage."""
    found = refused(cloud, "SendMessage", QueueUrl=fifo(cloud), MessageBody="m", **parameters)
    assert found[0] == code
    assert text in found[1]


# redrive
def test_a_move_task_brings_dead_letters_back_as_new_messages(cloud: Cloud) -> None:
    """Amazon SQS API reference: StartMessageMoveTask; developer guide: dead-letter queue redrive."""
    dead = make(cloud, "dead")
    policy = {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1}
    url = make(cloud, VisibilityTimeout="1", RedrivePolicy=policy)
    ids = {send(cloud, url, str(number))["MessageId"] for number in range(7)}
    receive(cloud, url)
    cloud.advance(1)
    receive(cloud, url)
    assert depth(cloud, dead) == (7, 0, 0)
    handle = cloud.call("sqs", "StartMessageMoveTask", SourceArn=arn("dead"), MaxNumberOfMessagesPerSecond=3)["TaskHandle"]
    assert refused(cloud, "StartMessageMoveTask", SourceArn=arn("dead"))[0] == "UnsupportedOperation"
    cloud.advance(1)
    (task,) = listed(cloud)
    assert (task["Status"], task["TaskHandle"], task["ApproximateNumberOfMessagesMoved"]) == ("RUNNING", handle, 3)
    cloud.run()
    (task,) = listed(cloud)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (
        "COMPLETED",
        7,
        7,
    )
    assert "TaskHandle" not in task
    moved = receive(cloud, url)
    assert bodies(moved) == [str(number) for number in range(7)]
    assert not {message["MessageId"] for message in moved} & ids
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in moved} == {"1"}


def listed(cloud: Cloud) -> list[Message]:
    found = cloud.call("sqs", "ListMessageMoveTasks", SourceArn=arn("dead"), MaxResults=10)["Results"]
    assert isinstance(found, list)
    return found


def test_a_move_task_can_be_cancelled_and_needs_a_dead_letter_queue(cloud: Cloud) -> None:
    """Amazon SQS API reference: CancelMessageMoveTask, StartMessageMoveTask."""
    make(cloud, "plain")
    assert refused(cloud, "StartMessageMoveTask", SourceArn=arn("plain"))[0] == "InvalidParameterValue"
    assert refused(cloud, "StartMessageMoveTask", SourceArn=arn("none"))[0] == "ResourceNotFoundException"
    dead = make(cloud, "dead")
    make(cloud, RedrivePolicy={"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1})
    for body in "abcd":
        send(cloud, dead, body)
    asked = {"SourceArn": arn("dead"), "DestinationArn": arn("plain"), "MaxNumberOfMessagesPerSecond": 1}
    handle = cloud.call("sqs", "StartMessageMoveTask", **asked)["TaskHandle"]
    cloud.advance(2)
    assert cloud.call("sqs", "CancelMessageMoveTask", TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 2
    cloud.run()
    assert depth(cloud, dead) == (2, 0, 0)
    assert listed(cloud)[0]["Status"] == "CANCELLED"
    assert refused(cloud, "CancelMessageMoveTask", TaskHandle=handle)[0] == "ResourceNotFoundException"


def test_a_queue_s_answers_are_the_same_in_every_run(host: CloudHost) -> None:
    """Receipt handles and ids follow from the seed."""

    def run(seed: int) -> list[str]:
        with Cloud(seed=seed, host=host) as cloud:
            url = make(cloud)
            send(cloud, url, "m")
            (message,) = receive(cloud, url)
            return [str(message["MessageId"]), str(message["ReceiptHandle"])]

    assert run(1) == run(1) != run(2)
