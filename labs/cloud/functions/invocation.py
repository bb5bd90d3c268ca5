"""Invocations and how they end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from labs.cloud.moto_seams import FunctionVersion


class Mode(StrEnum):
    """How the caller invokes: waiting for the answer, or handing the event to Lambda's queue."""

    REQUEST_RESPONSE = "RequestResponse"
    EVENT = "Event"


class Status(StrEnum):
    """How an invocation, or an INIT, ended."""

    SUCCESS = "success"
    ERROR = "error"  # the handler raised, or answered with something that is not an answer
    TIMEOUT = "timeout"
    CRASH = "crash"  # the process ended


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an invocation: the answer or AWS's error document, and the last of the log."""

    status: Status
    payload: bytes = field(repr=False)
    error_type: str | None = None
    error_message: str | None = None
    log_tail: bytes = field(default=b"", repr=False)
    record: int = 0

    @property
    def failed(self) -> bool:
        """Tell whether the caller sees a function error."""
        return self.status is not Status.SUCCESS


@dataclass(slots=True)
class Invocation:
    """One event on its way to one function."""

    function: FunctionVersion
    request_id: str
    payload: bytes
    source: str
    mode: Mode
    cause: int
    done: Callable[[Outcome], None]
    attempt: int = 1
    client_context: str | None = None


class ThrottleReason(StrEnum):
    """Why Lambda refused, in the words of its API (service model of 2026-11)."""

    CONCURRENT_INVOCATIONS = "ConcurrentInvocationLimitExceeded"
    INVOCATION_RATE = "FunctionInvocationRateLimitExceeded"
    RESERVED_CONCURRENCY = "ReservedFunctionConcurrentInvocationLimitExceeded"
    RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"
