"""The poller of one event source mapping: receives messages, filters them, gathers a batch, invokes, deletes what succeeded.

AWS's pollers ask without pause; this one asks when there is something to receive, which nobody can tell apart and leaves the
agenda empty when nothing happens.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from labs.cloud import limits, moto_seams
from labs.cloud.deliveries.queue_batch import event_record, failures, wanted
from labs.cloud.deliveries.scaling import Scaling
from labs.cloud.functions.invocation import Outcome
from labs.cloud.functions.service import Functions, synchronous
from labs.cloud.kernel import SECOND, Entry, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.latency import SQS_POLL
from labs.cloud.moto_seams import QueueMapping, ReceivedMessage, UnknownFunctionError
from labs.cloud.trace import JSON, Recorder

_ENVELOPE = len('{"Records": []}')


@dataclass(frozen=True, slots=True)
class _Gathered:
    """One message that waits for its batch, with its part of the event."""

    message: ReceivedMessage
    record: str = field(repr=False)


class Poller:
    """Poll one queue for one function. `causes` knows the record that put a message where it is now."""

    def __init__(
        self, causes: dict[str, int], kernel: Kernel, recorder: Recorder, functions: Functions, mapping: QueueMapping
    ) -> None:
        self._causes, self._kernel, self._recorder, self._functions = causes, kernel, recorder, functions
        self.mapping = mapping
        self._scaling = Scaling()
        self._running = 0
        self._gathered: list[_Gathered] = []
        self._window: Entry | None = None
        self._next_poll: Entry | None = None
        self._stopped = False

    def stop(self) -> None:
        """Receive nothing any more; batches under way are finished."""
        self._stopped = True

    def wake(self) -> None:
        """Poll soon."""
        self._poll_at(self._kernel.now + SQS_POLL.draw(self._kernel.chance(f"poller/{self.mapping.uuid}")))

    @property
    def _active(self) -> bool:
        return self.mapping.enabled and not self._stopped

    def _poll_at(self, when: int) -> None:
        if not self._active:
            return
        when = max(when, self.mapping.settled - self._kernel.epoch_ns)
        if self._next_poll is not None and not self._next_poll.cancelled:
            if self._next_poll.at <= when:
                return
            self._kernel.cancel(self._next_poll)
        self._next_poll = self._kernel.at(when, self._poll)

    # a batch comes together
    def _poll(self) -> None:
        if not self._active or not self._has_function():
            return
        maximum = self.mapping.maximum_concurrency
        while self._running < self._scaling.limit(self._kernel.now, maximum):
            self._gather()
            if not self._gathered:
                break
            self._scaling.found(self._kernel.now, maximum)
            if self.mapping.window and not self._full:
                if self._window is None:
                    self._window = self._kernel.after(self.mapping.window * SECOND, self._window_over)
                break
            self._deliver()
        self._plan()

    def _plan(self) -> None:
        """Come back when a message becomes visible, or when there may be one more batch at a time."""
        now, maximum = self._kernel.now, self.mapping.maximum_concurrency
        if self._running >= self._scaling.limit(now, maximum):
            if moto_seams.visible(self.mapping.queue_arn):
                self._scaling.saturated(now)
                more_at = self._scaling.more_at(now, maximum)
                if more_at is not None:
                    self._poll_at(more_at)
            return
        if not self._running and not self._gathered:
            self._scaling.empty(now)
        upcoming = moto_seams.next_visible_ns(self.mapping.queue_arn)
        if upcoming is not None:
            self._poll_at(upcoming - self._kernel.epoch_ns)

    def _has_function(self) -> bool:
        try:
            self._functions.find(self.mapping.function_arn)
        except UnknownFunctionError:
            return False
        return True

    @property
    def _full(self) -> bool:
        return len(self._gathered) >= self.mapping.batch_size or self._size() > limits.SYNC_PAYLOAD.value

    def _size(self) -> int:
        return _ENVELOPE + sum(len(one.record) + 2 for one in self._gathered)

    def _gather(self) -> None:
        """Receive until the batch is full or the queue is empty; what no filter lets through is deleted."""
        arn = self.mapping.queue_arn
        # What reappeared while it waited for its batch is not ours any more.
        self._gathered = [one for one in self._gathered if one.message.hidden_until > self._kernel.wall_ns]
        while received := moto_seams.receive(arn, self.mapping.batch_size - len(self._gathered)):
            unwanted = []
            for message in received:
                record = event_record(message, arn)
                if wanted(record, self.mapping.patterns):
                    self._gathered.append(_Gathered(message, json.dumps(record)))
                else:
                    unwanted.append(message)
            if unwanted:
                self._delete(unwanted, self._cause(unwanted), reason="filtered")

    def _window_over(self) -> None:
        self._window = None
        if self._gathered and self._active and self._has_function():
            self._deliver()
            self._plan()

    def _take_batch(self) -> tuple[list[ReceivedMessage], bytes]:
        """Take as much of what was gathered as one event can hold."""
        size, count = _ENVELOPE, 0
        for one in self._gathered:
            size += len(one.record) + 2
            if count and size > limits.SYNC_PAYLOAD.value:
                break
            count += 1
        batch, self._gathered = self._gathered[:count], self._gathered[count:]
        event = '{"Records": [' + ", ".join(one.record for one in batch) + "]}"
        return [one.message for one in batch], event.encode()

    # a batch is handled
    def _deliver(self) -> None:
        if self._window is not None:
            self._kernel.cancel(self._window)
            self._window = None
        batch, event = self._take_batch()
        messages: list[JSON] = [{"id": message.id, "receive_count": message.receive_count} for message in batch]
        name = self._functions.find(self.mapping.function_arn).name
        detail: dict[str, JSON] = {"mapping": self.mapping.uuid, "function": name, "messages": messages}
        record = self._record(Kind.BATCH_RECEIVED, detail, self._cause(batch))
        self._running += 1
        self._invoke(batch, event, record, limits.SQS_THROTTLE_BACKOFF.value * SECOND)

    def _invoke(self, batch: Sequence[ReceivedMessage], event: bytes, record: int, backoff: int) -> None:
        """Invoke the function; a throttled batch is tried again for as long as its messages are hidden."""

        def done(outcome: Outcome) -> None:
            self._running -= 1
            self._settle(batch, outcome)
            self.wake()

        def give_up() -> None:
            self._running -= 1
            self._give_back(batch, record)
            self.wake()

        try:
            function = self._functions.find(self.mapping.function_arn)
        except UnknownFunctionError:
            give_up()
            return
        if self._functions.start(synchronous(self._functions, function, event, "sqs", record, done)) is None:
            return
        self._scaling.failed(self._kernel.now, self.mapping.maximum_concurrency)
        hidden_until = min(message.hidden_until for message in batch) - self._kernel.epoch_ns
        if self._kernel.now + backoff < hidden_until:
            self._kernel.after(backoff, lambda: self._invoke(batch, event, record, 2 * backoff))
        else:
            self._kernel.at(hidden_until, give_up)

    def _settle(self, batch: Sequence[ReceivedMessage], outcome: Outcome) -> None:
        ids = {message.id for message in batch}
        failed = ids if outcome.failed else failures(self.mapping, ids, outcome.payload)
        succeeded = [message for message in batch if message.id not in failed]
        if succeeded:
            self._delete(succeeded, outcome.record)
        if failed:
            self._scaling.failed(self._kernel.now, self.mapping.maximum_concurrency)
            self._give_back([message for message in batch if message.id in failed], outcome.record)

    def _delete(self, messages: Sequence[ReceivedMessage], cause: int | None, **why: JSON) -> None:
        moto_seams.delete_messages(self.mapping.queue_arn, [message.receipt_handle for message in messages])
        detail: dict[str, JSON] = {"messages": [message.id for message in messages], **why}
        record = self._record(Kind.BATCH_DELETED, detail, cause)
        # A standard queue may deliver a message once more after it was deleted.
        self._causes.update(dict.fromkeys((message.id for message in messages), record))

    def _give_back(self, messages: Sequence[ReceivedMessage], cause: int) -> None:
        """Leave messages where they are: they reappear when their visibility timeout ends, and not earlier."""
        visible_at = max(message.hidden_until for message in messages) - self._kernel.epoch_ns
        wait = round(max(0, visible_at - self._kernel.now) / SECOND, 3)
        detail: dict[str, JSON] = {"messages": [message.id for message in messages], "visible_after_s": wait}
        record = self._record(Kind.BATCH_FAILED, detail, cause)
        self._causes.update(dict.fromkeys((message.id for message in messages), record))

    def _cause(self, messages: Sequence[ReceivedMessage]) -> int | None:
        return max((self._causes[message.id] for message in messages if message.id in self._causes), default=None)

    def _record(self, kind: Kind, detail: dict[str, JSON], cause: int | None) -> int:
        name = self.mapping.queue_arn.rpartition(":")[2]
        return self._recorder.add(kind, f"sqs:{name}", detail, cause=cause).id
