"""Lambda's queue for asynchronous events: at most two retries after an error, patience when throttled, an end to loops."""

from collections.abc import Callable
from dataclasses import dataclass

from labs.cloud import limits
from labs.cloud.functions.invocation import Invocation, Mode, Outcome, ThrottleReason
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import SECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.latency import ASYNC_QUEUE
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import JSON, Record, Recorder


@dataclass(slots=True)
class _Event:
    function: str  # ARN, looked up anew for every attempt: code may be updated in between
    request_id: str
    payload: bytes
    source: str
    accepted_at: int
    cause: int
    attempt: int = 1
    throttles: int = 0
    client_context: str | None = None


class AsynchronousQueue:
    """Accept events at once and see to it that they are handled, or recorded as dropped."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions) -> None:
        self._kernel, self._recorder, self._functions = kernel, recorder, functions

    def accept(
        self, function: FunctionVersion, payload: bytes, source: str, cause: int, client_context: str | None = None
    ) -> str:
        """Take an event and return its request id."""
        request_id = self._functions.request_id()
        resource = f"lambda:{function.name}"
        queued = self._record(Kind.EVENT_QUEUED, resource, {"request_id": request_id, "source": source}, cause)
        event = _Event(function.arn, request_id, payload, source, self._kernel.now, queued, client_context=client_context)
        if self._loops(function.name, cause):
            self._drop(event, resource, "RecursiveLoop", queued)
            return request_id
        self._later(ASYNC_QUEUE.draw(self._kernel.chance("async-queue")), event)
        return request_id

    def _later(self, delay: int, event: _Event) -> None:
        self._kernel.after(delay, lambda: self._attempt(event))

    def _attempt(self, event: _Event) -> None:
        function = self._functions.find(event.function)
        resource = f"lambda:{function.name}"
        if self._kernel.now - event.accepted_at > function.maximum_event_age * SECOND:
            self._drop(event, resource, "EventAgeExceeded", event.cause)
            return
        invocation = Invocation(
            function,
            event.request_id,
            event.payload,
            event.source,
            Mode.EVENT,
            event.cause,
            self._ended(event, function),
            attempt=event.attempt,
            client_context=event.client_context,
        )
        reason = self._functions.start(invocation)
        if reason is ThrottleReason.RESERVED_CONCURRENCY and function.reserved_concurrency == 0:
            self._drop(event, resource, "ZeroReservedConcurrency", event.cause)
        elif reason is not None:
            first, last = limits.THROTTLE_BACKOFF_FIRST.value, limits.THROTTLE_BACKOFF_LAST.value
            wait = min(first * 2**event.throttles, last)
            event.throttles += 1
            self._retry(event, resource, wait, event.cause)

    def _ended(self, event: _Event, function: FunctionVersion) -> Callable[[Outcome], None]:
        def ended(outcome: Outcome) -> None:
            if not outcome.failed:
                return
            resource = f"lambda:{function.name}"
            if event.attempt > function.maximum_retry_attempts:
                self._drop(event, resource, "RetriesExhausted", outcome.record)
                return
            # One minute before the second attempt, two before the third.
            wait = limits.ASYNC_RETRY_BASE.value * event.attempt
            event.attempt += 1
            self._retry(event, resource, wait, outcome.record)

        return ended

    def _retry(self, event: _Event, resource: str, wait: int, cause: int) -> None:
        detail: dict[str, JSON] = {"request_id": event.request_id, "attempt": event.attempt, "after_s": wait}
        event.cause = self._record(Kind.RETRY_SCHEDULED, resource, detail, cause)
        self._later(wait * SECOND, event)

    def _drop(self, event: _Event, resource: str, reason: str, cause: int) -> None:
        self._record(Kind.EVENT_DROPPED, resource, {"request_id": event.request_id, "reason": reason}, cause)

    def _record(self, kind: Kind, resource: str, detail: dict[str, JSON], cause: int) -> int:
        return self._recorder.add(kind, resource, detail, cause=cause).id

    def _loops(self, function: str, cause: int) -> bool:
        """Tell whether this function has caused itself too often in one chain. Causes come from the trace itself."""
        times = 0
        following: int | None = cause
        while following is not None:
            record: Record = self._recorder.get(following)
            if record.kind == Kind.INVOCATION_STARTED and record.detail["function"] == function:
                times += record.detail["attempt"] == 1
            following = record.cause
        return times >= limits.RECURSION.value
