"""The store of a queue's messages against a naive one that looks at every message at every step."""

import random
import time
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud.queue_store import Deduplication, Place, QueueStore, Stored

RETENTION = 500


@dataclass
class Plain:
    """A message of the naive queue."""

    name: int
    sent: int
    group: str
    place: str
    until: int
    receives: int = 0


class Naive:
    """A queue as its documentation describes it, in O(n)."""

    def __init__(self, fifo: bool) -> None:
        self.fifo, self.messages = fifo, list[Plain]()

    def advance(self, now: int) -> None:
        for one in self.messages:
            if one.place != "visible" and one.until <= now:
                one.place = "visible"
        self.messages = [one for one in self.messages if one.sent + RETENTION > now]

    def blocked(self, one: Plain) -> bool:
        if not self.fifo:
            return False
        mates = [mate for mate in self.messages if mate.group == one.group]
        return any(mate.place == "hidden" for mate in mates) or any(
            mate.place == "delayed" and mate.name < one.name for mate in mates
        )

    def receive(self, now: int, count: int, visibility: int, most: int | None) -> tuple[list[int], list[int]]:
        taken, dead = list[Plain](), list[Plain]()
        order = [one for one in self.messages if one.place == "visible" and not self.blocked(one)]
        if self.fifo:
            heads = {group: min(one.name for one in order if one.group == group) for group in {one.group for one in order}}
            order.sort(key=lambda one: (heads[one.group], one.name))
        for one in order:
            if len(taken) == count:
                break
            (dead if most is not None and one.receives >= most else taken).append(one)
        for one in taken:
            one.place, one.until, one.receives = "hidden", now + visibility, one.receives + 1
        self.messages = [one for one in self.messages if one not in dead]
        return [one.name for one in taken], [one.name for one in dead]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from("abc"), st.sampled_from([0, 0, 0, 5, 40])),
        st.tuples(st.just("receive"), st.integers(1, 4), st.sampled_from([0, 10, 30])),
        st.tuples(st.just("delete"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("hide"), st.integers(0, 30), st.sampled_from([0, 1, 60])),
        st.tuples(st.just("wait"), st.sampled_from([1, 9, 10, 35, 200]), st.just(0)),
        st.tuples(st.just("purge"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(fifo=st.booleans(), most=st.sampled_from([None, 1, 3]), steps=STEPS)
def test_every_step_does_what_a_naive_queue_does(fifo: bool, most: int | None, steps: list[tuple[str, object, int]]) -> None:
    store: QueueStore[int] = QueueStore(fifo=fifo)
    naive, now, sent = Naive(fifo), 0, 0
    for step, what, extra in steps:
        store.advance(now, RETENTION)
        naive.advance(now)
        known: dict[int, Stored[int]] = {stored.message: stored for stored in store}
        if step == "send":
            store.add(sent, now=now, sent=now, group=str(what), delay=extra)
            naive.messages.append(Plain(sent, now, str(what), "delayed" if extra else "visible", now + extra))
            sent += 1
        elif step == "receive":
            taken = store.receive(now, int(str(what)), extra, most)
            found = [stored.message for stored in taken.messages], [stored.message for stored in taken.dead]
            assert found == naive.receive(now, int(str(what)), extra, most)
        elif step == "delete" and what in known:
            store.remove(known[int(str(what))])
            naive.messages = [one for one in naive.messages if one.name != what]
        elif step == "hide" and what in known:
            store.hide(known[int(str(what))], now + extra)
            for one in naive.messages:
                if one.name == what and one.place == "hidden":
                    one.until = now + extra
        elif step == "wait":
            now += int(str(what))
        elif step == "purge":
            store.clear()
            naive.messages = []
        assert sorted(stored.message for stored in store) == sorted(one.name for one in naive.messages)
        for place in (Place.VISIBLE, Place.HIDDEN, Place.DELAYED):
            assert store.count(place) == sum(one.place == place for one in naive.messages)
        times = [one.until for one in naive.messages if one.place != "visible"]
        assert store.next_change() == min(times, default=None)
        assert {one.name: one.receives for one in naive.messages} == {stored.message: stored.receives for stored in store}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 120)), max_size=40))
def test_an_id_is_known_for_as_long_as_it_counts_and_no_longer(sends: list[tuple[int, int]]) -> None:
    deduplication: Deduplication[int] = Deduplication(300)
    accepted: dict[int, tuple[int, int]] = {}
    now = 0
    for number, (key, pause) in enumerate(sends):
        now += pause
        known = accepted.get(key)
        expected = known[1] if known is not None and known[0] + 300 > now else None
        assert deduplication.seen(key, now) == expected
        if expected is None:
            deduplication.remember(key, number, now)
            accepted[key] = (now, number)


@pytest.mark.parametrize("fifo", [False, True])
def test_a_step_costs_the_same_in_a_deep_queue(fifo: bool) -> None:
    """The cost per message of sending, receiving, failing and deleting at a depth of 30,000 beside 1,000."""

    def cost(depth: int) -> float:
        store: QueueStore[int] = QueueStore(fifo=fifo)
        chance = random.Random(1)
        began = time.process_time()
        for number in range(depth):
            store.add(number, now=0, sent=0, group=str(number % 500), delay=chance.choice((0, 0, 7)))
        now = 10
        while len(store):
            store.advance(now, 10**9)
            for stored in store.receive(now, 10, 30).messages:
                if chance.random() < 0.2:
                    store.hide(stored, now + 5)
                else:
                    store.remove(stored)
            now += 1
        return (time.process_time() - began) / depth

    shallow = min(cost(1_000) for _ in range(3))
    assert min(cost(30_000) for _ in range(2)) < 4 * shallow


def test_what_is_over_leaves_nothing_behind() -> None:
    store: QueueStore[int] = QueueStore(fifo=True)
    for number in range(10_000):
        store.add(number, now=number, sent=number, group=str(number))
        (stored,) = store.receive(number, 1, 30).messages
        store.hide(stored, number + 60)
        store.remove(stored)
    assert len(store) == 0
    held = [len(kept) for name, kept in vars(store).items() if isinstance(kept, list) or name in ("_groups", "_stored")]
    assert sum(held) < 500
