"""Lambda's queue for asynchronous events: at most two retries after an error, patience when throttled, an end to loops.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation" (2026-11-20).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from labs.cloud import limits
from labs.cloud.functions.invocation import Invocation, Mode, Outcome, ThrottleReason
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import SECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.latency import ASYNC_QUEUE
from labs.cloud.moto_seams import FunctionVersion, UnknownFunctionError
from labs.cloud.trace import JSON, Record, Recorder


@dataclass(slots=True)
class Event:
    """One event in the queue. The function is looked up anew for every attempt: it may be updated in between."""

    function: str  # the ARN that was invoked, with its alias or version
    request_id: str
    payload: bytes
    source: str
    accepted_at: int
    cause: int
    attempt: int = 1
    throttles: int = 0
    invoked: int = 0
    client_context: str | None = None
    outcome: Outcome | None = field(default=None, repr=False)  # of the last attempt that ran
    version: str = ""  # which that attempt ran


# What becomes of an event in the end: (event, function, condition, the record that says so).
Settled = Callable[[Event, FunctionVersion, str, int], None]

SUCCESS = "Success"


class AsynchronousQueue:
    """Accept events at once and see to it that they are handled, or recorded as dropped."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions) -> None:
        self._kernel, self._recorder, self._functions = kernel, recorder, functions
        # Told of every event that is over; functions/destinations.py listens.
        self.settled: Settled = lambda event, function, condition, cause: None

    def accept(
        self, function: FunctionVersion, payload: bytes, source: str, cause: int, client_context: str | None = None
    ) -> str:
        """Take an event and return its request id."""
        request_id = self._functions.request_id()
        resource = f"lambda:{function.name}"
        queued = self._record(Kind.EVENT_QUEUED, resource, {"request_id": request_id, "source": source}, cause)
        arn = function.invoked_arn or function.arn
        event = Event(arn, request_id, payload, source, self._kernel.now, queued, client_context=client_context)
        if function.recursion != "Allow" and self._loops(function.name, cause):
            self._drop(event, function, "RecursiveLoop", queued)
            return request_id
        self._later(ASYNC_QUEUE.draw(self._kernel.chance("async-queue")), event)
        return request_id

    def _later(self, delay: int, event: Event) -> None:
        self._kernel.after(delay, lambda: self._attempt(event))

    def _attempt(self, event: Event) -> None:
        try:
            function = self._functions.find(event.function)
        except UnknownFunctionError:
            name = event.function.rpartition(":function:")[2].partition(":")[0]
            detail: dict[str, JSON] = {"request_id": event.request_id, "reason": "ResourceNotFound"}
            self._record(Kind.EVENT_DROPPED, f"lambda:{name}", detail, event.cause)
            return
        if self._kernel.now - event.accepted_at > function.maximum_event_age * SECOND:
            self._drop(event, function, "EventAgeExceeded", event.cause)
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
        if reason is None:
            event.invoked += 1
            event.version = function.version
        elif reason is ThrottleReason.RESERVED_CONCURRENCY and function.reserved_concurrency == 0:
            self._drop(event, function, "ZeroReservedConcurrency", event.cause)
        else:
            first, last = limits.THROTTLE_BACKOFF_FIRST.value, limits.THROTTLE_BACKOFF_LAST.value
            wait = min(first * 2**event.throttles, last)
            event.throttles += 1
            self._retry(event, f"lambda:{function.name}", wait, event.cause)

    def _ended(self, event: Event, function: FunctionVersion) -> Callable[[Outcome], None]:
        def ended(outcome: Outcome) -> None:
            event.outcome = outcome
            if not outcome.failed:
                self.settled(event, function, SUCCESS, outcome.record)
                return
            if event.attempt > function.maximum_retry_attempts:
                self._drop(event, function, "RetriesExhausted", outcome.record)
                return
            # One minute before the second attempt, two before the third.
            wait = self._functions.quotas.retry_base_s * event.attempt
            event.attempt += 1
            event.throttles = 0
            self._retry(event, f"lambda:{function.name}", wait, outcome.record)

        return ended

    def _retry(self, event: Event, resource: str, wait: float, cause: int) -> None:
        after: JSON = int(wait) if wait == int(wait) else wait
        detail: dict[str, JSON] = {"request_id": event.request_id, "attempt": event.attempt, "after_s": after}
        event.cause = self._record(Kind.RETRY_SCHEDULED, resource, detail, cause)
        self._later(round(wait * SECOND), event)

    def _drop(self, event: Event, function: FunctionVersion, reason: str, cause: int) -> None:
        detail: dict[str, JSON] = {"request_id": event.request_id, "reason": reason}
        dropped = self._record(Kind.EVENT_DROPPED, f"lambda:{function.name}", detail, cause)
        self.settled(event, function, reason, dropped)

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
