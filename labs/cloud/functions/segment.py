"""Let one environment's process run in real time until it has nothing to do but wait for the kernel."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from labs.cloud.front import Front, Reply, Request
from labs.cloud.kernel import SECOND
from labs.cloud.limits import SPIN_CPU, STUCK

_CHECK_EVERY = 0.02  # seconds between looks at memory, processor time and exit
_LOOK_AGAIN = 0.0005  # seconds between looks at whether all threads sleep


class Stop(StrEnum):
    """Why a process stopped running."""

    BLOCKED = "blocked"  # every thread waits for an answer of ours
    EXITED = "exited"
    OUT_OF_MEMORY = "out of memory"
    SPINNING = "spinning"  # it computes without end; its timeout will find it
    STUCK = "stuck"  # it waits for something that will never come


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request that an environment made, and whether it is meant for AWS or for the Runtime API."""

    request: Request
    reply: Reply
    aws: bool

    @property
    def is_next(self) -> bool:
        """Tell whether the runtime asks for its next event, that is: has nothing left to do."""
        return not self.aws and self.request.raw_path.endswith("/invocation/next")

    @property
    def order(self) -> tuple[bool, str, str, bytes]:
        """Give a sort key that does not depend on which thread the machine let go first."""
        return (self.is_next, self.request.method, self.request.target, self.request.body)


class Process(Protocol):
    """What the segment needs to know of a sandboxed process."""

    def exit_status(self) -> int | None: ...
    def cpu_ns(self) -> int: ...
    def memory_bytes(self) -> int: ...
    def idle(self) -> bool: ...
    def threads(self) -> int: ...


def run_until_blocked(
    front: Front,
    process: Process,
    arrived: list[Arrived],
    *,
    waiting: int,
    real_limit_ns: int | None,
    memory_limit: int,
) -> Stop:
    """Run until blocked. `arrived` is filled by the front; `waiting` earlier requests have no answer yet.

    `real_limit_ns` bounds the real time (measured durations); without it the processor time is bounded.
    """
    started = time.monotonic_ns()
    checked = time.monotonic()
    cpu_at_start = process.cpu_ns() if real_limit_ns is None else 0
    asleep_since: int | None = None
    pause = _CHECK_EVERY
    while True:
        front.poll(pause)
        pause = _CHECK_EVERY
        if any(item.is_next for item in arrived):
            return Stop.BLOCKED
        if arrived or waiting:
            if arrived and process.threads() == 1:
                return Stop.BLOCKED
            if process.idle():
                front.drain()
                return Stop.BLOCKED
            pause = _LOOK_AGAIN
        if time.monotonic() - checked < _CHECK_EVERY and not _ended(process):
            continue
        checked = time.monotonic()
        if _ended(process):
            front.drain()
            return Stop.EXITED
        if process.memory_bytes() > memory_limit:
            return Stop.OUT_OF_MEMORY
        if real_limit_ns is not None:
            if time.monotonic_ns() - started >= real_limit_ns:
                return Stop.SPINNING
        elif process.cpu_ns() - cpu_at_start > SPIN_CPU.value * SECOND:
            return Stop.SPINNING
        if process.idle():
            asleep_since = asleep_since or time.monotonic_ns()
            if time.monotonic_ns() - asleep_since > STUCK.value * SECOND:
                return Stop.STUCK
        else:
            asleep_since = None


def _ended(process: Process) -> bool:
    return process.exit_status() is not None
