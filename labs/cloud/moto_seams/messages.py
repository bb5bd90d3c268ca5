"""moto's message plane of SQS, replaced: its queues look at every message in every call; these cost O(log n).

The API stays moto's: its responses call the backend methods that are put in place here. What differs from moto besides the
cost is AWS's: time-outs to the nanosecond of the cloud's clock, receipt handles that belong to one receive, deduplication that
outlives the message, retention, sizes in bytes, attributes included.
"""

import base64
import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import moto.sqs.models
from moto.moto_api._internal import mock_random
from moto.sqs.exceptions import PurgeQueueInProgress, ReceiptHandleIsInvalid, SQSException
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from labs.cloud import limits
from labs.cloud.changes import Change, MessageAdded, MessageDead
from labs.cloud.kernel import MILLISECOND, SECOND
from labs.cloud.moto_seams.engine import Moto, now_ns
from labs.cloud.moto_seams.message_rules import check_batch, check_message, invalid
from labs.cloud.queue_store import Deduplication, Place, QueueStore, Stored

_HANDLE_MARK = b"\x01\x01\x01"  # "AQEB" in base64, as AWS's handles begin
_RANDOM = 40  # bytes
_FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000

# Told of every message that a queue gets; decides whether a deletion misses one copy of a message (see labs/cloud/faults.py).
Misses = Callable[[str, str], bool]
_misses: list[Misses] = []


def deletion_misses(decide: Misses | None) -> None:
    """Let `decide(queue ARN, message id)` say whether a copy of a deleted message survives on a server that was not reached."""
    _misses[:] = [] if decide is None else [decide]


def queue_at(queue_arn: str) -> "Queue | None":
    """Find a queue."""
    *_, region, account, name = queue_arn.split(":")
    return sqs_backends[account][region].queues.get(name)


def replace_messages(tell: Callable[[Change], None], engine: Moto) -> None:
    """Give moto's queues a store of ours. Done once per process, before there are queues."""
    began = Queue.__init__

    def begin(self: Queue, name: str, region: str, account_id: str, **attributes: Any) -> None:
        began(self, name, region, account_id, **attributes)
        self.store = QueueStore(fifo=bool(self.fifo_queue))
        self.deduplication = Deduplication(limits.SQS_DEDUPLICATION.value * SECOND)

    Queue.__init__ = begin
    Queue.tell = staticmethod(tell)
    Queue.add_message = add
    Queue.delete_message = delete
    Queue.messages = property(lambda self: [one.message for one in current(self) if one.place is Place.VISIBLE])
    Queue.approximate_number_of_messages = property(lambda self: current(self).count(Place.VISIBLE))
    Queue.approximate_number_of_messages_not_visible = property(lambda self: current(self).count(Place.HIDDEN))
    Queue.approximate_number_of_messages_delayed = property(lambda self: current(self).count(Place.DELAYED))
    SQSBackend.send_message = _send
    SQSBackend.send_message_batch = _send_batch
    SQSBackend.receive_message = _receive(engine)
    SQSBackend.change_message_visibility = _change_visibility
    SQSBackend.change_message_visibility_batch = _change_visibility_batch
    SQSBackend.purge_queue = _purge


def current(queue: Queue) -> "QueueStore[Message]":
    """Give a queue's messages as they are at this instant."""
    store: QueueStore[Message] = queue.store
    store.advance(now_ns(), int(queue.message_retention_period) * SECOND)
    return store


# in
def add(queue: Queue, message: Message, *, delay: int = 0) -> None:
    """Put a new message into a queue; one whose id was accepted a short while ago is accepted and not added."""
    if queue.fifo_queue:
        scoped = str(getattr(queue, "deduplication_scope", "queue")) == "messageGroup"
        key = (message.group_id if scoped else None, message.deduplication_id)
        known = queue.deduplication.seen(key, now_ns())
        if known is not None:
            message.id, message.sequence_number = known.id, known.sequence_number
            return
        queue.deduplication.remember(key, message, now_ns())
    append(queue, message, sent=now_ns(), delay=delay)


def append(queue: Queue, message: Message, *, sent: int, delay: int = 0, before: "Stored[Message] | None" = None) -> None:
    """Put a message at the end of a queue."""
    stored = current(queue).add(message, now=now_ns(), sent=sent, group=message.group_id, delay=delay, before=before)
    message.sent_timestamp = sent // MILLISECOND
    if queue.fifo_queue:
        message.sequence_number = str(_FIRST_SEQUENCE_NUMBER + 256 * stored.sequence)
    queue.tell(MessageAdded(queue.queue_arn, message.id))


def _send(
    self: SQSBackend,
    queue_name: str,
    message_body: str,
    message_attributes: Mapping[str, Any] | None = None,
    delay_seconds: int | None = None,
    deduplication_id: str | None = None,
    group_id: str | None = None,
    system_attributes: Mapping[str, Any] | None = None,
    validate_group_id: bool = True,
) -> Message:
    queue = self.get_queue(queue_name)
    check_message(queue, message_body, message_attributes, delay_seconds, deduplication_id, group_id)
    message = Message(str(mock_random.uuid4()), message_body, system_attributes)
    message.message_attributes = message_attributes or {}
    message.group_id = group_id
    message.deduplication_id = deduplication_id
    if queue.fifo_queue and deduplication_id is None:
        message.deduplication_id = hashlib.sha256(message_body.encode()).hexdigest()
    seconds = queue.delay_seconds if delay_seconds is None or queue.fifo_queue else delay_seconds
    add(queue, message, delay=int(seconds) * SECOND)
    return message


def _send_batch(
    self: SQSBackend, queue_name: str, entries: Mapping[str, dict[str, Any]]
) -> tuple[list[Message], list[dict[str, object]]]:
    check_batch(list(entries.values()))
    sent, failed = [], []
    for entry in entries.values():
        try:
            message = self.send_message(
                queue_name,
                entry["MessageBody"],
                message_attributes=entry["MessageAttributes"],
                delay_seconds=entry["DelaySeconds"],
                group_id=entry.get("MessageGroupId"),
                deduplication_id=entry.get("MessageDeduplicationId"),
                system_attributes=entry.get("MessageSystemAttributes"),
            )
        except SQSException as error:
            failed.append(_failed(entry["Id"], error))
        else:
            message.user_id = entry["Id"]
            sent.append(message)
    return sent, failed


def _failed(entry_id: str, error: SQSException) -> dict[str, object]:
    return {"Id": entry_id, "SenderFault": True, "Code": error.code, "Message": error.message}


# out
def take(queue: Queue, count: int, visibility: int) -> "list[Stored[Message]]":
    """Receive messages, hidden for `visibility` nanoseconds; those received too often go to the dead-letter queue."""
    dead_letters = queue.dead_letter_queue
    if dead_letters is not None and queue_at(dead_letters.queue_arn) is not dead_letters:
        dead_letters = None  # it has been deleted
    most = int(queue.redrive_policy["maxReceiveCount"]) if dead_letters is not None else None
    store = current(queue)
    room = limits.SQS_IN_FLIGHT.value - store.count(Place.HIDDEN)
    taken = store.receive(now_ns(), min(count, room), visibility, most)
    for stored in taken.messages:
        message = stored.message
        message.approximate_receive_count = stored.receives
        message.approximate_first_receive_timestamp = (stored.first_received or 0) // MILLISECOND
        message.receipt_handle = _handle(queue, stored)
    for stored in taken.dead:
        stored.message.dead_letter_source = queue.queue_arn
        queue.tell(MessageDead(dead_letters.queue_arn, stored.message.id, stored.receives))
        # A standard queue goes by the time at which a message was first sent; a FIFO queue by that of its arrival.
        append(dead_letters, stored.message, sent=now_ns() if dead_letters.fifo_queue else stored.sent, before=stored)
    return taken.messages


def _receive(engine: Moto) -> Callable[..., list[Message]]:
    def receive_message(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: Sequence[str] | None = None,
    ) -> list[Message]:
        queue = self.get_queue(queue_name)
        found = []
        for stored in take(queue, count, int(visibility_timeout or 0) * SECOND):
            # What the caller gets must not change when the message is received again.
            message = copy.copy(stored.message)
            moto.sqs.models._filter_message_attributes(message, list(message_attribute_names or ()))
            found.append(message)
        if not found and wait_seconds_timeout:
            # moto would wait on the real clock while virtual time stands still: the account parks the call instead.
            engine.wait = (queue.queue_arn, int(wait_seconds_timeout))
        elif not found and not queue.fifo_queue and queue.store.count(Place.HIDDEN) >= limits.SQS_IN_FLIGHT.value:
            text = f"Too many messages in flight ({limits.SQS_IN_FLIGHT.value}); delete some before receiving more."
            raise SQSException("OverLimit", text)
        return found

    return receive_message


# receipt handles
def _handle(queue: Queue, stored: "Stored[Message]") -> str:
    """Make the handle of this receive: it names queue, message and receive, so that nothing need be kept of old ones."""
    padding = mock_random.getrandbits(8 * _RANDOM).to_bytes(_RANDOM)
    named = _mark(queue) + stored.sequence.to_bytes(8) + stored.receives.to_bytes(4)
    return base64.b64encode(_HANDLE_MARK + named + padding).decode()


def _mark(queue: Queue) -> bytes:
    if not hasattr(queue, "handle_mark"):
        queue.handle_mark = hashlib.sha256(f"{queue.queue_arn}/{queue.created_timestamp}".encode()).digest()[:8]
    mark: bytes = queue.handle_mark
    return mark


def _find(queue: Queue, handle: str) -> "tuple[Stored[Message] | None, bool]":
    """Find the message of a handle, if it is still there, and whether the handle is that of its last receive."""
    try:
        data = base64.b64decode(handle, validate=True)
    except ValueError:
        data = b""
    if len(data) != 23 + _RANDOM or not data.startswith(_HANDLE_MARK + _mark(queue)):
        raise ReceiptHandleIsInvalid()
    stored = current(queue).get(int.from_bytes(data[11:19]))
    return stored, stored is not None and stored.receives == int.from_bytes(data[19:23])


def delete(queue: Queue, receipt_handle: str) -> None:
    """Delete a message. An old handle of a standard queue's message is accepted and deletes nothing, as AWS documents."""
    stored, newest = _find(queue, receipt_handle)
    if stored is None:
        return
    if queue.fifo_queue and not (newest and stored.place is Place.HIDDEN):
        raise invalid(f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
    if not newest:
        return
    if not queue.fifo_queue and not getattr(stored.message, "missed", False) and stored.place is Place.HIDDEN:
        stored.message.missed = any(decide(queue.queue_arn, stored.message.id) for decide in _misses)
        if stored.message.missed:
            return
    current(queue).remove(stored)


def _change_visibility(self: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    queue = self.get_queue(queue_name)
    stored, newest = _find(queue, receipt_handle)
    if stored is None or not newest:
        raise invalid(
            f"Value {receipt_handle} for parameter ReceiptHandle is invalid. "
            "Reason: Message does not exist or is not available for visibility timeout change."
        )
    if stored.place is not Place.HIDDEN:
        raise SQSException("MessageNotInflight", f"The message referred to by {receipt_handle} isn't in flight.")
    until, most = now_ns() + int(visibility_timeout) * SECOND, limits.SQS_VISIBILITY.value
    if until - stored.last_received > most * SECOND:
        raise invalid(
            f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. "
            f"Reason: Total VisibilityTimeout for the message is beyond the limit [{most} seconds]"
        )
    current(queue).hide(stored, until)


def _change_visibility_batch(
    self: SQSBackend, queue_name: str, entries: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[dict[str, object]]]:
    changed, failed = [], []
    for entry in entries:
        try:
            seconds = int(entry.get("VisibilityTimeout") or 0)
            if not 0 <= seconds <= limits.SQS_VISIBILITY.value:
                raise invalid(
                    f"Value {seconds} for parameter VisibilityTimeout is invalid. "
                    f"Reason: VisibilityTimeout must be an integer between 0 and {limits.SQS_VISIBILITY.value}."
                )
            self.change_message_visibility(queue_name, entry["ReceiptHandle"], seconds)
        except SQSException as error:
            failed.append(_failed(entry["Id"], error))
        else:
            changed.append(entry["Id"])
    return changed, failed


def _purge(self: SQSBackend, queue_name: str) -> None:
    queue, now = self.get_queue(queue_name), now_ns()
    if queue.last_purged_at is not None and now - queue.last_purged_at < limits.SQS_PURGE.value * SECOND:
        raise PurgeQueueInProgress(queue.name)
    queue.last_purged_at = now
    queue.store.clear()
