"""What lesson 1 reads out of a trace."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

LESSON = Path(__file__).parents[2] / "lessons" / "l01_events_call_functions"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("l01_observe", LESSON / "observe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Fact:
    id: int
    cause: int | None
    kind: str
    detail: Mapping[str, object] = field(default_factory=dict)


def one_upload(first: int, *, cold: bool, source: str = "s3") -> list[Fact]:
    """Make the records of one upload whose function reads and writes once, ending in a log line."""
    put, notice, queued, created, started, call, ended = range(first, first + 7)
    outside = Fact(put, None, "api.call", {"operation": "PutObject", "by": "outside"})
    facts = [outside, Fact(notice, put, "s3.notification"), Fact(queued, notice, "event.queued")]
    if cold:
        facts.append(Fact(created, queued, "environment.created"))
    return [
        *facts,
        Fact(started, queued, "invocation.started", {"cold": cold, "source": source, "attempt": 1}),
        Fact(call, started, "api.call", {"operation": "GetObject", "by": "environment:thumbnail/1"}),
        Fact(ended, started, "invocation.ended", {"status": "success"}),
    ]


def test_two_uploads_and_one_environment() -> None:
    outcome = load().observe([Fact(1, None, "deployed"), *one_upload(2, cold=True), *one_upload(9, cold=False)])
    assert outcome == {
        "who_called": "s3",
        "runs": 2,
        "cold": 1,
        "order": ["answered", "notified", "started", "ended"],
    }


def test_order_is_that_of_the_first_upload_alone() -> None:
    first, second = one_upload(1, cold=True), one_upload(101, cold=True)
    # The second upload's run starts and ends before the first one's.
    mixed = [*first[:3], *second, *first[3:]]
    assert load().order(mixed) == ["answered", "notified", "started", "ended"]


def test_order_leaves_out_what_has_not_happened() -> None:
    assert load().order(one_upload(1, cold=True)[:4]) == ["answered", "notified"]


def test_a_retry_is_a_run_too() -> None:
    failed = one_upload(1, cold=True)
    again = [
        Fact(8, 7, "retry.scheduled", {"attempt": 2, "after_s": 60}),
        Fact(9, 8, "invocation.started", {"cold": False, "source": "s3", "attempt": 2}),
    ]
    assert load().runs([*failed, *again]) == 2


def test_nothing_happened() -> None:
    assert load().observe([]) == {"who_called": "nobody", "runs": 0, "order": [], "cold": 0}


def test_a_direct_call_has_no_upload() -> None:
    direct = [Fact(1, None, "invocation.started", {"cold": True, "source": "invoke"})]
    assert load().observe(direct) == {"who_called": "page", "runs": 1, "order": [], "cold": 1}
