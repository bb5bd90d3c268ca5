"""What moto's SQS stores, as a poller of Lambda's sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moto.sqs.models


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message as a poller received it. Timestamps in milliseconds since 1970."""

    id: str
    body: str
    receipt_handle: str
    md5: str
    receive_count: int
    sent: int
    first_received: int
    sender: str
    attributes: Mapping[str, Mapping[str, object]]
    system: Mapping[str, str]


def _queue(queue_arn: str) -> "moto.sqs.models.Queue | None":
    *_, region, account, name = queue_arn.split(":")
    return moto.sqs.models.sqs_backends[account][region].queues.get(name)


def receive(queue_arn: str, count: int) -> list[ReceivedMessage]:
    """Receive up to `count` messages as a poller does, with the queue's own visibility timeout."""
    queue = _queue(queue_arn)
    if queue is None:
        return []
    backend = moto.sqs.models.sqs_backends[queue.account_id][queue.region]
    found = backend.receive_message(queue.name, count, 0, int(queue.visibility_timeout), ["All"])
    return [
        ReceivedMessage(
            id=message.id,
            body=message.body,
            receipt_handle=message.receipt_handle,
            md5=message.body_md5,
            receive_count=message.approximate_receive_count,
            sent=int(message.sent_timestamp),
            first_received=int(message.approximate_first_receive_timestamp),
            sender=message.sender_id,
            attributes=message.message_attributes,
            system={
                name: value
                for name, value in (
                    ("MessageGroupId", message.group_id),
                    ("MessageDeduplicationId", message.deduplication_id),
                    ("SequenceNumber", message.sequence_number),
                )
                if value is not None
            },
        )
        for message in found
    ]


def delete_messages(queue_arn: str, receipt_handles: Sequence[str]) -> None:
    """Delete messages after a batch succeeded; one that is gone already is no error."""
    queue = _queue(queue_arn)
    if queue is not None:
        for handle in receipt_handles:
            try:
                queue.delete_message(handle)
            except moto.sqs.models.ReceiptHandleIsInvalid:
                continue


def visibility_timeout(queue_arn: str) -> int:
    """Give the queue's visibility timeout in seconds."""
    queue = _queue(queue_arn)
    return 0 if queue is None else int(queue.visibility_timeout)


def next_visible_ms(queue_arn: str) -> float | None:
    """Tell when the next hidden or delayed message can be received (ms since 1970); None when there is none."""
    queue = _queue(queue_arn)
    if queue is None:
        return None
    # `Message.visible` asks for later than `visible_at`, so the first instant that counts is one millisecond after it.
    times = [
        max(message.visible_at + 1, message.delayed_until)
        for message in queue._messages
        if not message.visible or message.delayed
    ]
    return min(times, default=None)
