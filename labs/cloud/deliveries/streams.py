"""Streams call functions: event source mappings read a table's shard in order, and the next batch waits for this one.

Source: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB" and the pages below it (2026-11-20).
"""

import datetime
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labs.cloud import limits, moto_seams, service_calls
from labs.cloud.caller import Caller, role_session
from labs.cloud.changes import MappingsChanged, StreamGrew
from labs.cloud.functions.invocation import Outcome
from labs.cloud.functions.service import synchronous
from labs.cloud.kernel import SECOND, Entry
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import FunctionVersion, StreamMapping, StreamRecord, UnknownFunctionError
from labs.cloud.trace import JSON

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let this account's event source mappings read streams."""
    mappings = StreamMappings(account)
    account.on(MappingsChanged, mappings.mappings_changed)
    account.on(StreamGrew, mappings.stream_grew)


class StreamMappings:
    """All event source mappings of streams: one reader for the one shard of each."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._readers: dict[str, ShardReader] = {}
        self.causes: dict[tuple[str, int], int] = {}  # the record that led to a change of an item

    def mappings_changed(self, change: MappingsChanged, cause: int | None) -> None:
        """Start, change and stop readers. A new one takes its place in the stream at once."""
        mappings = {mapping.uuid: mapping for mapping in moto_seams.stream_mappings()}
        for uuid in self._readers.keys() - mappings.keys():
            self._readers.pop(uuid).stop()
        for uuid, mapping in mappings.items():
            if uuid in self._readers:
                self._readers[uuid].mapping = mapping
            else:
                self._readers[uuid] = ShardReader(self, self._account, mapping)
            self._readers[uuid].wake()

    def stream_grew(self, change: StreamGrew, cause: int | None) -> None:
        """Tell the readers of a stream that there is something to read."""
        if cause is not None:
            self.causes[change.stream_arn, change.sequence] = cause
        for reader in self._readers.values():
            if reader.mapping.stream_arn == change.stream_arn:
                reader.wake()


@dataclass(slots=True)
class Batch:
    """Records on their way to a function, and how often the function has failed on them."""

    records: Sequence[StreamRecord]
    failures: int = 0
    throttles: int = 0
    request_id: str = ""
    answered: bool = False  # the last failure was a partial batch response, not an error


class ShardReader:
    """Read one shard for one function.

    AWS's pollers ask four times a second; this one asks at those instants at which there is something to read.
    """

    def __init__(self, mappings: StreamMappings, account: "Account", mapping: StreamMapping) -> None:
        self._mappings, self._account, self._kernel = mappings, account, account.kernel
        self.mapping = mapping
        self._position = moto_seams.stream_end(mapping.stream_arn, latest=mapping.latest)
        self._period = SECOND // limits.STREAM_POLLS.value
        self._phase = self._kernel.chance(f"shard-reader/{mapping.uuid}").randrange(self._period)
        self._work: deque[Batch] = deque()
        self._busy = False
        self._window: Entry | None = None
        self._next_poll: Entry | None = None
        self._stopped = False

    @property
    def _table(self) -> str:
        return self.mapping.stream_arn.rpartition(":table/")[2].partition("/")[0]

    def stop(self) -> None:
        """Read nothing any more; a batch under way is finished."""
        self._stopped = True

    def wake(self) -> None:
        """Poll at the next instant."""
        if self._stopped or not self.mapping.enabled or self._busy:
            return
        if self._next_poll is None or self._next_poll.cancelled:
            self._next_poll = self._kernel.after(self._period - (self._kernel.now - self._phase) % self._period, self._poll)

    def _poll(self) -> None:
        if self._stopped or not self.mapping.enabled or self._busy:
            return
        if self._work:
            self._attempt()
            return
        batch, full = self._gather()
        if not batch:
            return
        if full or not self.mapping.window:
            self._deliver(batch)
        elif self._window is None or self._window.cancelled:
            self._window = self._kernel.after(self.mapping.window * SECOND, self._window_over)

    def _window_over(self) -> None:
        if self._stopped or not self.mapping.enabled or self._busy or self._work:
            return
        batch, _ = self._gather()
        if batch:
            self._deliver(batch)

    def _gather(self) -> tuple[list[StreamRecord], bool]:
        """Collect the next batch and tell whether it is full; records that no filter wants are passed over."""
        batch: list[StreamRecord] = []
        size = 0
        for record in moto_seams.stream_records(self.mapping.stream_arn, self._position):
            event = self._event(record)
            if self.mapping.filters and not any(pattern.matches(event) for pattern in self.mapping.filters):
                if not batch:
                    self._position = record.sequence
                continue
            size += len(json.dumps(event)) + 2
            if batch and size > limits.SYNC_PAYLOAD.value:
                return batch, True
            batch.append(record)
            if len(batch) == self.mapping.batch_size:
                return batch, True
        return batch, False

    def _deliver(self, records: Sequence[StreamRecord]) -> None:
        if self._window is not None:
            self._kernel.cancel(self._window)
            self._window = None
        self._work.append(Batch(records))
        self._attempt()

    def _attempt(self) -> None:
        """Invoke the function with the first batch, without what has become too old by now."""
        try:
            function = self._account.functions.find(self.mapping.function_arn)
        except UnknownFunctionError:
            return
        batch = self._work[0]
        self._drop_old(batch, function)
        if not batch.records:
            self._finished(batch)
            return
        causes = [self._mappings.causes.get((self.mapping.stream_arn, record.sequence)) for record in batch.records]
        cause = max((cause for cause in causes if cause is not None), default=None)
        detail: dict[str, JSON] = {"mapping": self.mapping.uuid, "function": function.name, "attempt": batch.failures + 1}
        record = self._record(Kind.STREAM_BATCH, {**detail, **_range(batch.records)}, cause)
        payload = json.dumps({"Records": [self._event(record) for record in batch.records]}).encode()

        def done(outcome: Outcome) -> None:
            self._busy = False
            self._settle(batch, outcome, function)

        invocation = synchronous(self._account.functions, function, payload, "dynamodb", record, done)
        batch.request_id = invocation.request_id
        self._busy = True
        if self._account.functions.start(invocation) is not None:
            # A throttle does not reach the function and does not count as an attempt.
            self._busy = False
            self._retry(batch, batch.throttles, record)
            batch.throttles += 1

    def _drop_old(self, batch: Batch, function: FunctionVersion) -> None:
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / SECOND, datetime.UTC).replace(tzinfo=None)
        kept = [one for one in batch.records if (now - one.created).total_seconds() <= limits.STREAM_RETENTION.value]
        allowed = self.mapping.maximum_age
        young = [one for one in kept if allowed is None or (now - one.created).total_seconds() <= allowed]
        if len(young) < len(kept):
            self._discard(
                Batch(kept[: len(kept) - len(young)], batch.failures, 0, batch.request_id), function, "RecordAgeExceeded"
            )
        batch.records = young

    def _settle(self, batch: Batch, outcome: Outcome, function: FunctionVersion) -> None:
        failed = 0 if outcome.failed else self._first_failure(batch.records, outcome.payload)
        if failed is None:
            self._finished(batch, outcome.record)
            return
        # What comes before the first failure is done with, for good.
        succeeded, batch.records = batch.records[:failed], batch.records[failed:]
        batch.answered = not outcome.failed
        batch.throttles = 0
        if succeeded:
            self._position = succeeded[-1].sequence
            self._record(Kind.STREAM_CHECKPOINT, {"function": function.name, **_range(succeeded)}, outcome.record)
        if self.mapping.bisect and (succeeded or len(batch.records) > 1):
            # Splitting does not count as an attempt; at a reported failure the batch is split already.
            if not succeeded:
                middle = len(batch.records) // 2
                self._work.insert(1, Batch(batch.records[middle:], batch.failures))
                batch.records = batch.records[:middle]
            self._retry(batch, batch.failures, outcome.record)
            return
        batch.failures += 1
        if self.mapping.retries is not None and batch.failures > self.mapping.retries:
            self._discard(batch, function, "RetryAttemptsExhausted", outcome.record)
            self._finished(batch)
            return
        self._retry(batch, batch.failures - 1, outcome.record)

    def _retry(self, batch: Batch, before: int, cause: int) -> None:
        """Try again later; the shard waits."""
        wait = min(limits.STREAM_RETRY_FIRST.value * 2 ** min(before, 10), limits.STREAM_RETRY_LAST.value)
        detail: dict[str, JSON] = {"after_s": wait, **_range(batch.records)}
        self._record(Kind.STREAM_FAILED, detail, cause)
        self._busy = True

        def again() -> None:
            self._busy = False
            if not self._stopped and self.mapping.enabled:
                self._attempt()

        self._kernel.after(wait * SECOND, again)

    def _finished(self, batch: Batch, cause: int | None = None) -> None:
        """Move on behind a batch."""
        self._work.popleft()
        if batch.records:
            self._position = max(self._position, batch.records[-1].sequence)
        if cause is not None:
            self._record(Kind.STREAM_CHECKPOINT, _range(batch.records), cause)
        self.wake()

    def _discard(self, batch: Batch, function: FunctionVersion, condition: str, cause: int | None = None) -> None:
        """Give records up, and say so to the destination: where they are in the stream, not what they hold."""
        self._position = max(self._position, batch.records[-1].sequence)
        detail: dict[str, JSON] = {"function": function.name, "reason": condition, **_range(batch.records)}
        record = self._record(Kind.STREAM_DISCARDED, detail, cause)
        destination = self.mapping.on_failure
        if destination is None:
            return
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / SECOND, datetime.UTC)
        response: dict[str, JSON] = {"statusCode": 200, "executedVersion": function.version}
        response["functionError"] = None if batch.answered else "Unhandled"
        first, last = batch.records[0], batch.records[-1]
        body: dict[str, JSON] = {
            "requestContext": {
                "requestId": batch.request_id,
                "functionArn": self.mapping.function_arn,
                "condition": condition,
                "approximateInvokeCount": batch.failures,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "DDBStreamBatchInfo": {
                "shardId": moto_seams.stream_shard_id(self.mapping.stream_arn),
                "startSequenceNumber": str(first.sequence),
                "endSequenceNumber": str(last.sequence),
                "approximateArrivalOfFirstRecord": first.created.isoformat(timespec="seconds") + "Z",
                "approximateArrivalOfLastRecord": last.created.isoformat(timespec="seconds") + "Z",
                "batchSize": len(batch.records),
                "streamArn": self.mapping.stream_arn,
            },
        }
        # The destination is called with the function's own permissions.
        caller = Caller("service:lambda", record, principal=role_session(function.role, function.name))
        send = service_calls.publish if ":sns:" in destination else service_calls.send_message
        send(self._account, caller, destination, json.dumps(body), lambda response: None)

    def _first_failure(self, records: Sequence[StreamRecord], payload: bytes) -> int | None:
        """Read a partial batch response: the lowest sequence number is where to go on. What is none fails everything."""
        if not self.mapping.partial_responses:
            return None
        try:
            answer = json.loads(payload)
        except ValueError:
            return 0
        if answer is None or answer == "" or answer == {}:
            return None
        failures = answer.get("batchItemFailures") if isinstance(answer, dict) else 0
        if failures is None or failures == []:
            return None
        if not isinstance(failures, list):
            return 0
        places = {str(record.sequence): place for place, record in enumerate(records)}
        named = [places.get(str(one.get("itemIdentifier")), 0) if isinstance(one, dict) else 0 for one in failures]
        return min(named)

    def _event(self, record: StreamRecord) -> dict[str, JSON]:
        """Give a record as a function receives it."""
        described = record.to_json()
        change = described["dynamodb"]
        change["ApproximateCreationDateTime"] = int(record.created.replace(tzinfo=datetime.UTC).timestamp())
        if record.expired:
            described["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        return {**described, "eventSourceARN": self.mapping.stream_arn}

    def _record(self, kind: Kind, detail: dict[str, JSON], cause: int | None) -> int:
        return self._account.recorder.add(kind, f"dynamodb:{self._table}", detail, cause=cause).id


def _range(records: Sequence[StreamRecord]) -> dict[str, JSON]:
    return {
        "records": len(records),
        "first": str(records[0].sequence) if records else "",
        "last": str(records[-1].sequence) if records else "",
    }
