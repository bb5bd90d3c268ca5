"""Lambda's metrics in CloudWatch, read off the trace as it grows.

Source: AWS Lambda developer guide, "Types of metrics for Lambda functions" (2026-11-20).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from labs.cloud import moto_seams
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import MILLISECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.trace import Record

if TYPE_CHECKING:
    from labs.cloud.account import Account

_NAMESPACE = "AWS/Lambda"


def attach(account: "Account") -> None:
    """Count what happens."""
    account.recorder.listen(Metrics(account.kernel, account.functions).see)


class Metrics:
    """Turn records into metrics, at the virtual time at which they happen."""

    def __init__(self, kernel: Kernel, functions: Functions) -> None:
        self._kernel, self._functions = kernel, functions
        self._accepted: dict[object, int] = {}
        self._acts: dict[str, Callable[[str, Record], None]] = {
            Kind.INVOCATION_STARTED: self._started,
            Kind.INVOCATION_ENDED: self._ended,
            Kind.INVOCATION_THROTTLED: self._throttled,
            Kind.EVENT_QUEUED: self._queued,
            Kind.EVENT_DROPPED: self._dropped,
            Kind.DESTINATION_SENT: self._sent,
        }

    def see(self, record: Record) -> None:
        """Take a record in."""
        act = self._acts.get(record.kind)
        if act is not None:
            act(str(record.detail.get("function") or record.resource.partition(":")[2]), record)

    def _started(self, function: str, record: Record) -> None:
        self._put(function, "Invocations", 1, "Count")
        self._put(function, "ConcurrentExecutions", self._functions.running_of(function), "Count")
        moto_seams.put_metric(_NAMESPACE, "ConcurrentExecutions", self._functions.running, "Count", {}, self._kernel.wall_ns)
        accepted = self._accepted.get(record.detail["request_id"])
        if accepted is not None:
            self._put(function, "AsyncEventAge", (record.t - accepted) / MILLISECOND, "Milliseconds")

    def _ended(self, function: str, record: Record) -> None:
        duration = record.detail["duration_ms"]
        self._put(function, "Duration", float(str(duration)), "Milliseconds")
        self._put(function, "Errors", float(record.detail["status"] != "success"), "Count")
        if record.detail["status"] == "success":
            self._accepted.pop(record.detail["request_id"], None)

    def _throttled(self, function: str, record: Record) -> None:
        self._put(function, "Throttles", 1, "Count")

    def _queued(self, function: str, record: Record) -> None:
        self._accepted[record.detail["request_id"]] = record.t
        self._put(function, "AsyncEventsReceived", 1, "Count")

    def _dropped(self, function: str, record: Record) -> None:
        self._accepted.pop(record.detail["request_id"], None)
        self._put(function, "AsyncEventsDropped", 1, "Count")
        if record.detail["reason"] == "RecursiveLoop":
            self._put(function, "RecursiveInvocationsDropped", 1, "Count")

    def _sent(self, function: str, record: Record) -> None:
        if record.detail.get("error"):
            dead = record.detail["condition"] == "dead letter"
            self._put(function, "DeadLetterErrors" if dead else "DestinationDeliveryFailures", 1, "Count")

    def _put(self, function: str, name: str, value: float, unit: str) -> None:
        moto_seams.put_metric(_NAMESPACE, name, value, unit, {"FunctionName": function}, self._kernel.wall_ns)
