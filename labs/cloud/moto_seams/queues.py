"""Queues as a poller of Lambda's sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moto.sqs.exceptions import SQSException

from labs.cloud.kernel import SECOND
from labs.cloud.moto_seams.messages import current, delete, queue_at, take


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message as a poller received it. Timestamps in milliseconds since 1970, `hidden_until` in nanoseconds."""

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
    hidden_until: int


def receive(queue_arn: str, count: int) -> list[ReceivedMessage]:
    """Receive up to `count` messages as a poller does, with the queue's own visibility timeout."""
    queue = queue_at(queue_arn)
    if queue is None or count <= 0:
        return []
    found = []
    for stored in take(queue, count, int(queue.visibility_timeout) * SECOND):
        message = stored.message
        trace_header = (message.system_attributes or {}).get("AWSTraceHeader", {}).get("StringValue")
        named = {
            "AWSTraceHeader": trace_header,
            "SequenceNumber": message.sequence_number,
            "MessageGroupId": message.group_id,
            "MessageDeduplicationId": message.deduplication_id,
            "DeadLetterQueueSourceArn": getattr(message, "dead_letter_source", None),
        }
        found.append(
            ReceivedMessage(
                id=message.id,
                body=message.body,
                receipt_handle=message.receipt_handle,
                md5=message.body_md5,
                receive_count=stored.receives,
                sent=message.sent_timestamp,
                first_received=message.approximate_first_receive_timestamp,
                sender=message.sender_id,
                attributes=message.message_attributes,
                system={name: value for name, value in named.items() if value is not None},
                hidden_until=stored.until,
            )
        )
    return found


def delete_messages(queue_arn: str, receipt_handles: Sequence[str]) -> None:
    """Delete messages after a batch succeeded; one that is gone, or in other hands by now, is no error."""
    queue = queue_at(queue_arn)
    for handle in receipt_handles if queue is not None else ():
        try:
            delete(queue, handle)
        except SQSException:
            continue


def visibility_timeout(queue_arn: str) -> int:
    """Give the queue's visibility timeout in seconds."""
    queue = queue_at(queue_arn)
    return 0 if queue is None else int(queue.visibility_timeout)


def next_visible_ns(queue_arn: str) -> int | None:
    """Tell when the next hidden or delayed message can be received (ns since 1970); None when there is none."""
    queue = queue_at(queue_arn)
    return None if queue is None else current(queue).next_change()
