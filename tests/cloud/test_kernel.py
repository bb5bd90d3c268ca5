"""The kernel: order, time, chance."""

import time

from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.kernel import SECOND, Kernel, LivePace, RunEnd


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans())))
def test_what_is_due_happens_in_order_of_time_then_of_asking(entries: list[tuple[int, bool]]) -> None:
    kernel = Kernel(seed=1, epoch_ns=0)
    happened: list[tuple[int, int]] = []
    for number, (when, background) in enumerate(entries):
        kernel.at(when, lambda number=number: happened.append((kernel.now, number)), background=background)  # type: ignore[misc]
    kernel.advance(50)
    assert happened == sorted((when, number) for number, (when, _) in enumerate(entries))


@given(st.lists(st.integers(0, 50), min_size=1), st.data())
def test_what_is_cancelled_does_not_happen(times: list[int], data: st.DataObject) -> None:
    kernel = Kernel(seed=1, epoch_ns=0)
    happened: list[int] = []
    entries = [kernel.at(when, lambda n=n: happened.append(n)) for n, when in enumerate(times)]  # type: ignore[misc]
    cancelled = data.draw(st.sets(st.integers(0, len(times) - 1)))
    for number in cancelled:
        kernel.cancel(entries[number])
        kernel.cancel(entries[number])
    assert kernel.run() is RunEnd.IDLE
    assert set(happened) == set(range(len(times))) - cancelled
    assert not kernel.busy


def test_background_work_does_not_keep_a_run_going_but_happens_when_time_passes() -> None:
    kernel = Kernel(seed=1, epoch_ns=0)
    happened: list[str] = []
    kernel.after(600 * SECOND, lambda: happened.append("reclaimed"), background=True)
    kernel.after(1 * SECOND, lambda: happened.append("done"))
    assert kernel.run() is RunEnd.IDLE
    assert (happened, kernel.now) == (["done"], 1 * SECOND)
    kernel.advance(600 * SECOND)
    assert happened == ["done", "reclaimed"]


def test_a_run_that_never_ends_is_bounded_by_actions_and_by_time() -> None:
    kernel = Kernel(seed=1, epoch_ns=0)

    def again() -> None:
        kernel.after(SECOND, again)

    again()
    assert kernel.run(actions=10) is RunEnd.LIMIT
    assert kernel.run(until=60 * SECOND) is RunEnd.LIMIT
    assert kernel.now == 60 * SECOND


def test_streams_of_chance_follow_from_the_seed_and_do_not_disturb_one_another() -> None:
    one, other = Kernel(seed=7, epoch_ns=0), Kernel(seed=7, epoch_ns=0)
    other.chance("somebody else").random()
    assert [one.chance("a").random() for _ in range(3)] == [other.chance("a").random() for _ in range(3)]
    assert one.chance("a").random() != Kernel(seed=8, epoch_ns=0).chance("a").random()


def test_a_day_of_events_takes_no_real_day() -> None:
    kernel = Kernel(seed=1, epoch_ns=0)
    times: list[int] = []
    for minute in range(24 * 60):
        kernel.at(minute * 60 * SECOND, lambda: times.append(kernel.now))
    kernel.run()
    assert times == [minute * 60 * SECOND for minute in range(24 * 60)]


def test_a_live_pace_waits_for_the_wall_clock_by_its_factor() -> None:
    kernel = Kernel(seed=1, epoch_ns=0)
    pace = LivePace(kernel, 10.0)
    wait = pace.wait_seconds(10 * SECOND)
    assert 0.5 < wait <= 1.0
    before = pace.target()
    time.sleep(0.01)
    assert pace.target() - before >= 0.1 * SECOND
    assert pace.wait_seconds(0) == 0.0
