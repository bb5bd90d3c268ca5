"""The messages of one queue: visible ones in order, hidden and delayed ones by time, groups one at a time.

A pure data structure: no clock (every step is told the time, in nanoseconds), no AWS API, no moto. A step costs O(log n) in
the number of messages. Heaps keep entries whose message has moved on; they are passed over when they surface.
"""

import heapq
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

M = TypeVar("M")
H = TypeVar("H", int, tuple[int, int], tuple[int, str])

_SLACK = 64  # stale heap entries that are not worth a clean-up


class Place(StrEnum):
    """Where a message is."""

    VISIBLE = "visible"
    HIDDEN = "hidden"  # received, and neither deleted nor given back yet
    DELAYED = "delayed"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Stored(Generic[M]):
    """One message in a queue. Times in nanoseconds."""

    message: M
    sequence: int
    sent: int  # its retention counts from here
    group: str | None
    place: Place
    until: int  # hidden or delayed until then
    receives: int = 0
    first_received: int | None = None
    last_received: int = 0


@dataclass(slots=True)
class _Group:
    """A message group of a FIFO queue: what waits, oldest first, and how many of its messages are being handled."""

    waiting: list[int] = field(default_factory=list)
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Taken(Generic[M]):
    """What one receive took: messages to hand over, and those that have been received too often and left the queue."""

    messages: list[Stored[M]]
    dead: list[Stored[M]]


class QueueStore(Generic[M]):
    """Own the messages of one queue."""

    def __init__(self, *, fifo: bool = False) -> None:
        self._fifo = fifo
        self._stored: dict[int, Stored[M]] = {}
        self._sequence = 0
        self._counts = dict.fromkeys(Place, 0)
        self._visible: list[int] = []  # standard queues: sequences
        self._ready: list[tuple[int, str]] = []  # FIFO queues: the groups that may be received from, by their oldest message
        self._groups: dict[str, _Group] = {}
        self._times: list[tuple[int, int]] = []  # (when, sequence) of hidden and delayed messages
        self._ages: list[tuple[int, int]] = []  # (sent, sequence)

    # questions
    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Stored[M]]:
        return iter(self._stored.values())

    def count(self, place: Place) -> int:
        """Tell how many messages are in a place, as of the last `advance`."""
        return self._counts[place]

    def get(self, sequence: int) -> Stored[M] | None:
        """Find a message that is still in the queue."""
        return self._stored.get(sequence)

    def next_change(self) -> int | None:
        """Tell when the next hidden or delayed message becomes visible; None when there is none."""
        while self._times and not self._is_due_at(*self._times[0]):
            heapq.heappop(self._times)
        return self._times[0][0] if self._times else None

    # time
    def advance(self, now: int, retention: int) -> None:
        """Let hidden and delayed messages become visible, and drop those that have been kept for `retention`."""
        while self._times and self._times[0][0] <= now:
            when, sequence = heapq.heappop(self._times)
            if self._is_due_at(when, sequence):
                self._show(self._stored[sequence])
        while self._ages and self._ages[0][0] + retention <= now:
            _, sequence = heapq.heappop(self._ages)
            if sequence in self._stored:
                self.remove(self._stored[sequence])

    def _is_due_at(self, when: int, sequence: int) -> bool:
        stored = self._stored.get(sequence)
        return stored is not None and stored.until == when and stored.place in (Place.HIDDEN, Place.DELAYED)

    # messages come and go
    def add(
        self, message: M, *, now: int, sent: int, group: str | None = None, delay: int = 0, before: Stored[M] | None = None
    ) -> Stored[M]:
        """Append a message, visible now or after `delay`; one that comes from another queue keeps its receive count."""
        self._sequence += 1
        place = Place.DELAYED if delay else Place.VISIBLE
        stored = Stored(message, self._sequence, sent, group if self._fifo else None, place, now + delay)
        if before is not None:
            stored.receives, stored.first_received = before.receives, before.first_received
        self._stored[stored.sequence] = stored
        self._counts[place] += 1
        heapq.heappush(self._ages, (sent, stored.sequence))
        if delay:
            heapq.heappush(self._times, (stored.until, stored.sequence))
        if stored.group is not None:
            heapq.heappush(self._groups.setdefault(stored.group, _Group()).waiting, stored.sequence)
            self._offer(stored.group)
        elif not delay:
            heapq.heappush(self._visible, stored.sequence)
        self._ages = self._tidied(self._ages, lambda item: item[1] in self._stored)
        return stored

    def receive(self, now: int, count: int, visibility: int, max_receives: int | None = None) -> Taken[M]:
        """Take up to `count` visible messages and hide them for `visibility`.

        A message that has been received `max_receives` times already leaves the queue instead. One message group is never
        in two hands: it is passed over while any of its messages is hidden.
        """
        taken: Taken[M] = Taken([], [])
        for stored in self._take_fifo(count, max_receives, taken) if self._fifo else self._take(count, max_receives, taken):
            stored.receives += 1
            stored.first_received = now if stored.first_received is None else stored.first_received
            stored.last_received = now
            self._hide(stored, now + visibility)
        return taken

    def _take(self, count: int, max_receives: int | None, taken: Taken[M]) -> list[Stored[M]]:
        while self._visible and len(taken.messages) < count:
            stored = self._stored.get(heapq.heappop(self._visible))
            if stored is not None and stored.place is Place.VISIBLE:
                self._hand_over(stored, max_receives, taken)
        return taken.messages

    def _take_fifo(self, count: int, max_receives: int | None, taken: Taken[M]) -> list[Stored[M]]:
        # AWS tries to return as many messages of one group as possible before it turns to the next.
        while self._ready and len(taken.messages) < count:
            head, name = heapq.heappop(self._ready)
            if self._ready_head(name) != head:
                continue
            group = self._groups[name]
            before = len(taken.messages)
            while len(taken.messages) < count and self._visible_head(group) is not None:
                self._hand_over(self._stored[heapq.heappop(group.waiting)], max_receives, taken)
            group.in_flight += len(taken.messages) - before
            self._offer(name)
        return taken.messages

    def _hand_over(self, stored: Stored[M], max_receives: int | None, taken: Taken[M]) -> None:
        if max_receives is not None and stored.receives >= max_receives:
            self._forget(stored)
            taken.dead.append(stored)
        else:
            taken.messages.append(stored)

    def hide(self, stored: Stored[M], until: int) -> None:
        """Let a hidden message stay hidden until another time; a time that has come shows it at the next `advance`."""
        if stored.place is Place.HIDDEN:
            self._hide(stored, until)

    def remove(self, stored: Stored[M]) -> None:
        """Take a message out of the queue, wherever it is."""
        was_hidden = stored.place is Place.HIDDEN
        if stored.place is not Place.GONE:
            self._forget(stored)
            if stored.group is not None:
                self._groups[stored.group].in_flight -= was_hidden
                self._offer(stored.group)

    def clear(self) -> None:
        """Take every message out of the queue."""
        for stored in self._stored.values():
            stored.place = Place.GONE
        self._counts = dict.fromkeys(Place, 0)
        for emptied in (self._stored, self._visible, self._ready, self._groups, self._times, self._ages):
            emptied.clear()

    # places
    def _move(self, stored: Stored[M], place: Place) -> None:
        self._counts[stored.place] -= 1
        self._counts[place] += 1
        stored.place = place

    def _forget(self, stored: Stored[M]) -> None:
        self._move(stored, Place.GONE)
        self._counts[Place.GONE] = 0
        del self._stored[stored.sequence]

    def _hide(self, stored: Stored[M], until: int) -> None:
        self._move(stored, Place.HIDDEN)
        stored.until = until
        heapq.heappush(self._times, (until, stored.sequence))
        self._times = self._tidied(self._times, lambda item: self._is_due_at(*item))

    def _show(self, stored: Stored[M]) -> None:
        was_hidden = stored.place is Place.HIDDEN
        self._move(stored, Place.VISIBLE)
        if stored.group is None:
            heapq.heappush(self._visible, stored.sequence)
            return
        group = self._groups[stored.group]
        if was_hidden:
            group.in_flight -= 1
            heapq.heappush(group.waiting, stored.sequence)
        self._offer(stored.group)

    # groups
    def _offer(self, name: str) -> None:
        """Put a group where it can be received from, if it can."""
        head = self._ready_head(name)
        if head is not None:
            heapq.heappush(self._ready, (head, name))
            self._ready = self._tidied(self._ready, lambda item: self._ready_head(item[1]) == item[0], len(self._groups))

    def _ready_head(self, name: str) -> int | None:
        group = self._groups.get(name)
        if group is None or group.in_flight:
            return None
        head = self._visible_head(group)
        if head is None and not group.waiting:
            del self._groups[name]
        return head

    def _visible_head(self, group: _Group) -> int | None:
        """Give a group's oldest waiting message if it is visible; a delayed one holds the others up."""
        while group.waiting and group.waiting[0] not in self._stored:
            heapq.heappop(group.waiting)
        if not group.waiting or self._stored[group.waiting[0]].place is not Place.VISIBLE:
            return None
        return group.waiting[0]

    def _tidied(self, heap: list[H], keep: Callable[[H], bool], live: int | None = None) -> list[H]:
        """Rebuild a heap when most of it is stale; that costs no more than what made it so."""
        if len(heap) <= 2 * (len(self._stored) if live is None else live) + _SLACK:
            return heap
        fresh = list({item: None for item in heap if keep(item)})
        heapq.heapify(fresh)
        return fresh


class Deduplication(Generic[M]):
    """What a FIFO queue has accepted in the last `period` nanoseconds, by deduplication id."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._seen: dict[Hashable, M] = {}
        self._order: deque[tuple[int, Hashable]] = deque()

    def seen(self, key: Hashable, now: int) -> M | None:
        """Give what was accepted under this id, if it was not too long ago."""
        while self._order and self._order[0][0] + self._period <= now:
            del self._seen[self._order.popleft()[1]]
        return self._seen.get(key)

    def remember(self, key: Hashable, message: M, now: int) -> None:
        """Note that a message was accepted under an id that is not known at present."""
        self._seen[key] = message
        self._order.append((now, key))
