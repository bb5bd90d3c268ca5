"""Queues call functions: event source mappings poll, invoke synchronously, and delete what succeeded.

Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS" and the pages below it (2026-11-20).
"""

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labs.cloud import limits, moto_seams
from labs.cloud.changes import MappingsChanged, MessageAdded, MessageDead
from labs.cloud.functions.invocation import Outcome
from labs.cloud.functions.service import Functions, synchronous
from labs.cloud.kernel import SECOND, Entry, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.latency import SQS_POLL
from labs.cloud.moto_seams import QueueMapping, ReceivedMessage, UnknownFunctionError
from labs.cloud.trace import JSON, Recorder

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let this account's event source mappings poll queues."""
    mappings = QueueMappings(account.kernel, account.recorder, account.functions)
    account.on(MappingsChanged, mappings.mappings_changed)
    account.on(MessageDead, mappings.message_dead)
    account.on(MessageAdded, mappings.message_added)


class QueueMappings:
    """All event source mappings of queues: one poller each."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions) -> None:
        self._kernel, self._recorder, self._functions = kernel, recorder, functions
        self._pollers: dict[str, Poller] = {}
        # The record that put a message where it is now: the send, or the failed batch that gave it back.
        self.causes: dict[str, int] = {}

    def mappings_changed(self, change: MappingsChanged, cause: int | None) -> None:
        """Start, change and stop pollers, once the call that changed the mappings is over."""
        self._kernel.after(0, self._refresh)

    def _refresh(self) -> None:
        mappings = {mapping.uuid: mapping for mapping in moto_seams.queue_mappings()}
        for uuid in self._pollers.keys() - mappings.keys():
            self._pollers.pop(uuid).stop()
        for uuid, mapping in mappings.items():
            if uuid in self._pollers:
                self._pollers[uuid].mapping = mapping
            else:
                self._pollers[uuid] = Poller(self, self._kernel, self._recorder, self._functions, mapping)
            self._pollers[uuid].wake()

    def message_added(self, change: MessageAdded, cause: int | None) -> None:
        """Tell the pollers of a queue that there is something to receive."""
        if cause is not None:
            self.causes[change.message_id] = cause
        for poller in self._pollers.values():
            if poller.mapping.queue_arn == change.queue_arn:
                poller.wake()

    def message_dead(self, change: MessageDead, cause: int | None) -> None:
        """Record that a message has been moved to a dead-letter queue."""
        name = change.queue_arn.rpartition(":")[2]
        detail: dict[str, JSON] = {
            "id": change.message_id,
            "receive_count": change.receive_count,
            "dead_letter_queue": name,
        }
        record = self._recorder.add(Kind.MESSAGE_DEAD, f"sqs:{name}", detail, cause=self.causes.get(change.message_id, cause))
        self.causes[change.message_id] = record.id


class Poller:
    """Poll one queue for one function.

    AWS's pollers ask without pause; this one asks when there is something to receive, which nobody can tell apart and
    leaves the agenda empty when nothing happens.
    """

    def __init__(
        self, mappings: QueueMappings, kernel: Kernel, recorder: Recorder, functions: Functions, mapping: QueueMapping
    ) -> None:
        self._mappings, self._kernel, self._recorder, self._functions = mappings, kernel, recorder, functions
        self.mapping = mapping
        self._running = 0
        self._gathered: list[ReceivedMessage] = []
        self._window: Entry | None = None
        self._next_poll: Entry | None = None
        self._stopped = False

    @property
    def _queue_name(self) -> str:
        return self.mapping.queue_arn.rpartition(":")[2]

    def stop(self) -> None:
        """Receive nothing any more; batches under way are finished."""
        self._stopped = True

    def wake(self) -> None:
        """Poll soon."""
        self._poll_at(self._kernel.now + SQS_POLL.draw(self._kernel.chance(f"poller/{self.mapping.uuid}")))

    def _poll_at(self, when: int) -> None:
        if self._stopped or not self.mapping.enabled:
            return
        if self._next_poll is not None and not self._next_poll.cancelled:
            if self._next_poll.at <= when:
                return
            self._kernel.cancel(self._next_poll)
        self._next_poll = self._kernel.at(when, self._poll)

    def _poll(self) -> None:
        concurrency = self.mapping.maximum_concurrency or limits.SQS_POLLERS.value
        while not self._stopped and self.mapping.enabled and self._running < concurrency:
            received = moto_seams.receive(self.mapping.queue_arn, self.mapping.batch_size - len(self._gathered))
            self._gathered += received
            if not self._gathered:
                break
            if len(self._gathered) < self.mapping.batch_size and self.mapping.window:
                if self._window is None:
                    self._window = self._kernel.after(self.mapping.window * SECOND, self._window_over)
                break
            self._deliver()
        upcoming = moto_seams.next_visible_ns(self.mapping.queue_arn)
        if upcoming is not None and self._running < concurrency:
            self._poll_at(upcoming - self._kernel.epoch_ns)

    def _window_over(self) -> None:
        self._window = None
        if self._gathered:
            self._deliver()

    def _deliver(self) -> None:
        batch, self._gathered = self._gathered, []
        if self._window is not None:
            self._kernel.cancel(self._window)
            self._window = None
        received_at = self._kernel.now
        causes = [self._mappings.causes[message.id] for message in batch if message.id in self._mappings.causes]
        try:
            function = self._functions.find(self.mapping.function_arn)
        except UnknownFunctionError:
            return
        messages: list[JSON] = [{"id": message.id, "receive_count": message.receive_count} for message in batch]
        detail: dict[str, JSON] = {"mapping": self.mapping.uuid, "function": function.name, "messages": messages}
        record = self._record(Kind.BATCH_RECEIVED, detail, max(causes, default=None))
        payload = json.dumps({"Records": [self._event(message) for message in batch]}).encode()

        def done(outcome: Outcome) -> None:
            self._running -= 1
            self._settle(batch, outcome, received_at)
            self.wake()

        self._running += 1
        reason = self._functions.start(synchronous(self._functions, function, payload, "sqs", record, done))
        if reason is not None:
            self._running -= 1
            self._give_back(batch, received_at, record)

    def _settle(self, batch: Sequence[ReceivedMessage], outcome: Outcome, received_at: int) -> None:
        failed = {message.id for message in batch} if outcome.failed else self._failures(batch, outcome.payload)
        succeeded = [message for message in batch if message.id not in failed]
        if succeeded:
            moto_seams.delete_messages(self.mapping.queue_arn, [message.receipt_handle for message in succeeded])
            self._record(Kind.BATCH_DELETED, {"messages": [message.id for message in succeeded]}, outcome.record)
        if failed:
            self._give_back([message for message in batch if message.id in failed], received_at, outcome.record)

    def _give_back(self, messages: Sequence[ReceivedMessage], received_at: int, cause: int) -> None:
        """Leave messages where they are: they reappear when their visibility timeout ends, and not earlier."""
        visible_at = received_at + moto_seams.visibility_timeout(self.mapping.queue_arn) * SECOND
        wait = round(max(0, visible_at - self._kernel.now) / SECOND, 3)
        detail: dict[str, JSON] = {"messages": [message.id for message in messages], "visible_after_s": wait}
        record = self._record(Kind.BATCH_FAILED, detail, cause)
        for message in messages:
            self._mappings.causes[message.id] = record
        self.wake()

    def _failures(self, batch: Sequence[ReceivedMessage], payload: bytes) -> set[str]:
        """Read a partial batch response; an answer that is none fails the whole batch."""
        everything = {message.id for message in batch}
        if not self.mapping.partial_responses:
            return set()
        try:
            answer = json.loads(payload)
        except ValueError:
            return everything
        if answer is None or answer == {}:
            return set()
        failures = answer.get("batchItemFailures") if isinstance(answer, dict) else everything
        if failures is None:
            return set()
        if not isinstance(failures, list):
            return everything
        named = {str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures}
        return named if named <= everything else everything

    def _event(self, message: ReceivedMessage) -> dict[str, JSON]:
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.receive_count),
                "SentTimestamp": str(message.sent),
                "SenderId": message.sender,
                "ApproximateFirstReceiveTimestamp": str(message.first_received),
                **message.system,
            },
            "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
            "md5OfBody": message.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.queue_arn,
            "awsRegion": self.mapping.queue_arn.split(":")[3],
        }

    def _record(self, kind: Kind, detail: dict[str, JSON], cause: int | None) -> int:
        return self._recorder.add(kind, f"sqs:{self._queue_name}", detail, cause=cause).id


def _attribute(value: object) -> dict[str, JSON]:
    fields: dict[str, object] = dict(value) if isinstance(value, dict) else {}
    found: dict[str, JSON] = {}
    if isinstance(text := fields.get("StringValue"), str):
        found["stringValue"] = text
    binary = fields.get("BinaryValue")
    if isinstance(binary, bytes):
        found["binaryValue"] = base64.b64encode(binary).decode()
    elif isinstance(binary, str):
        found["binaryValue"] = binary
    found |= {"stringListValues": [], "binaryListValues": [], "dataType": str(fields.get("DataType", "String"))}
    return found
