"""The discrete-event kernel: one clock, one agenda, one source of chance, and the pace at which they meet the wall clock.

It knows nothing of AWS. Times are integer nanoseconds since the cloud's epoch.
"""

import hashlib
import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
MICROSECOND = 1_000

Action = Callable[[], None]


class Pace(StrEnum):
    """How the agenda meets the wall clock."""

    INSTANT = "instant"  # only run() and advance() move time, as fast as possible
    LIVE = "live"  # time runs by itself, `factor` virtual seconds per real second
    PAUSED = "paused"  # nothing moves; outside calls still happen at the current instant


class RunEnd(StrEnum):
    """Why a run stopped."""

    IDLE = "idle"  # nothing but background work is left
    LIMIT = "limit"  # the bound on actions or on virtual time was reached


@dataclass(order=True, slots=True)
class Entry:
    """One thing that will happen. Background entries (an idle environment being reclaimed) do not keep a run going."""

    at: int
    sequence: int
    action: Action = field(compare=False)
    background: bool = field(compare=False, default=False)
    cancelled: bool = field(compare=False, default=False)


class Kernel:
    """Own the clock and the agenda: everything that happens, happens here, one action at a time."""

    def __init__(self, *, seed: int, epoch_ns: int) -> None:
        self.seed = seed
        self.epoch_ns = epoch_ns
        self.now = 0
        self._agenda: list[Entry] = []
        self._sequence = 0
        self._foreground = 0
        self._streams: dict[str, random.Random] = {}
        self._movers: list[Callable[[int], None]] = []

    @property
    def wall_ns(self) -> int:
        """Give the virtual time as nanoseconds since 1970."""
        return self.epoch_ns + self.now

    def on_move(self, mover: Callable[[int], None]) -> None:
        """Call `mover` with the new time (ns since 1970) whenever the clock moves, and once now."""
        self._movers.append(mover)
        mover(self.wall_ns)

    def chance(self, stream: str) -> random.Random:
        """Give the named stream of random numbers; streams do not disturb one another."""
        found = self._streams.get(stream)
        if found is None:
            digest = hashlib.sha256(f"{self.seed}/{stream}".encode()).digest()
            found = self._streams[stream] = random.Random(digest)
        return found

    def at(self, when: int, action: Action, *, background: bool = False) -> Entry:
        """Put an action on the agenda. A time in the past means now."""
        entry = Entry(max(when, self.now), self._sequence, action, background)
        self._sequence += 1
        heapq.heappush(self._agenda, entry)
        self._foreground += not background
        return entry

    def after(self, delay: int, action: Action, *, background: bool = False) -> Entry:
        """Put an action on the agenda `delay` nanoseconds from now."""
        return self.at(self.now + delay, action, background=background)

    def cancel(self, entry: Entry) -> None:
        """Take an entry off the agenda; doing it twice, or after it happened, changes nothing."""
        if not entry.cancelled:
            entry.cancelled = True
            self._foreground -= not entry.background

    @property
    def busy(self) -> bool:
        """Tell whether anything but background work is left."""
        return self._foreground > 0

    def next_at(self) -> int | None:
        """Give the time of the next entry, or None for an empty agenda."""
        while self._agenda and self._agenda[0].cancelled:
            heapq.heappop(self._agenda)
        return self._agenda[0].at if self._agenda else None

    def move_to(self, when: int) -> None:
        """Move the clock forward, without taking anything from the agenda."""
        if when > self.now:
            self.now = when
            for mover in self._movers:
                mover(self.wall_ns)

    def step(self) -> bool:
        """Let the next entry happen. Return False for an empty agenda."""
        when = self.next_at()
        if when is None:
            return False
        entry = heapq.heappop(self._agenda)
        entry.cancelled = True
        self._foreground -= not entry.background
        self.move_to(when)
        entry.action()
        return True

    def run(self, *, until: int | None = None, actions: int = 1_000_000) -> RunEnd:
        """Let things happen until only background work is left, `until` is reached, or `actions` have happened."""
        while self.busy:
            when = self.next_at()
            if when is None or (until is not None and when > until) or actions == 0:
                return RunEnd.LIMIT
            self.step()
            actions -= 1
        return RunEnd.IDLE

    def advance(self, duration: int, *, actions: int = 1_000_000) -> RunEnd:
        """Move time on by `duration`, letting happen whatever falls in between, background work included."""
        end = self.now + duration
        while (when := self.next_at()) is not None and when <= end:
            if actions == 0:
                return RunEnd.LIMIT
            self.step()
            actions -= 1
        self.move_to(end)
        return RunEnd.IDLE


class LivePace:
    """Tell how long the wall clock must still wait for a virtual instant."""

    def __init__(self, kernel: Kernel, factor: float) -> None:
        self._kernel = kernel
        self.factor = factor
        self._virtual = kernel.now
        self._real = time.monotonic_ns()

    def target(self) -> int:
        """Give the virtual time that the wall clock has reached."""
        return self._virtual + round((time.monotonic_ns() - self._real) * self.factor)

    def wait_seconds(self, when: int) -> float:
        """Give the real seconds until the virtual instant `when`; 0 when it is due."""
        return max(0.0, (when - self.target()) / self.factor / SECOND)
