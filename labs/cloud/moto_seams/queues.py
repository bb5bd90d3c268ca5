"""Queues as a poller of Lambda's sees them."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moto.moto_api._internal import mock_random
from moto.sqs.exceptions import SQSException
from moto.sqs.models import sqs_backends

from labs.cloud.kernel import SECOND
from labs.cloud.moto_seams.engine import now_ns
from labs.cloud.moto_seams.messages import append, current, delete, queue_at, take
from labs.cloud.queue_store import Place


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


def visible(queue_arn: str) -> int:
    """Count the messages that are visible now."""
    queue = queue_at(queue_arn)
    return 0 if queue is None else current(queue).count(Place.VISIBLE)


def queue_exists(queue_arn: str) -> bool:
    """Tell whether there is such a queue."""
    return queue_arn.count(":") == 5 and queue_at(queue_arn) is not None


def is_dead_letter_queue(queue_arn: str) -> bool:
    """Tell whether a queue sends its dead letters to this one."""
    queue = queue_at(queue_arn)
    return queue is not None and bool(sqs_backends[queue.account_id][queue.region].list_dead_letter_source_queues(queue.name))


class UnknownSourceError(Exception):
    """The queue that a dead letter came from is not known or is gone."""


def redrive(source_arn: str, destination_arn: str | None, count: int) -> int:
    """Move visible messages, to the queues that they came from if no other is named; each is a new message there.

    Raises UnknownSourceError.
    """
    source = queue_at(source_arn)
    moved = 0
    while source is not None and moved < count:
        taken = current(source).receive(now_ns(), 1, 0).messages
        if not taken:
            break
        (stored,) = taken
        destination = queue_at(destination_arn or getattr(stored.message, "dead_letter_source", "") or source_arn)
        if destination is None or destination is source:
            raise UnknownSourceError(stored.message.id)
        current(source).remove(stored)
        message = copy.copy(stored.message)
        message.id = str(mock_random.uuid4())
        message.missed = False
        append(destination, message, sent=now_ns())
        moved += 1
    return moved
