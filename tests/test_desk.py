"""What happens to the text in one tab's editor: it is saved, never lost, and never overwritten in silence."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs import labs
from labs.classroom import Fault, Journal, JournalError
from labs.desk import Desk

LAB = labs()[0]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path) as opened:
        yield opened


def desk(journal: Journal, learner: str = "ada") -> Desk:
    return Desk(journal, learner, LAB)


def test_begins_with_the_lab_and_leaves_no_mark(journal: Journal) -> None:
    fresh = desk(journal)
    assert fresh.code == LAB.start
    assert not fresh.changed
    assert fresh.draft_id() is None
    assert journal.learners() == ()


def test_typing_is_saved_and_found_again(journal: Journal) -> None:
    first = desk(journal)
    rev = first.rev
    first.type("x = 1\n")
    assert first.saved_at is not None
    assert first.rev == rev, "typing must not replace what is on the screen"
    assert desk(journal).code == "x = 1\n"


def test_two_tabs_keep_both_texts_until_the_learner_decides(journal: Journal) -> None:
    one, two = desk(journal), desk(journal)
    one.type("one\n")
    two.type("two\n")
    assert two.conflict is not None
    assert two.code == "two\n"
    assert not two.look(), "an open conflict is not settled by looking"
    two.take_theirs()
    assert not two.conflict
    assert two.code == "one\n"
    assert {draft.code for draft in two.history()} == {"one\n", "two\n"}


def test_this_tabs_text_can_win(journal: Journal) -> None:
    one, two = desk(journal), desk(journal)
    one.type("one\n")
    two.type("two\n")
    two.keep_mine()
    assert two.code == "two\n"
    assert one.look()
    assert one.code == "two\n"
    two.type("three\n")
    assert two.conflict is None


def test_another_tabs_text_is_taken_over_where_nothing_was_typed(journal: Journal) -> None:
    one, two = desk(journal), desk(journal)
    one.type("one\n")
    rev = two.rev
    assert two.look()
    assert (two.code, two.rev) == ("one\n", rev + 1)
    assert not two.look()


def test_reset_can_be_undone_until_something_is_typed(journal: Journal) -> None:
    mine = desk(journal)
    mine.type("mine\n")
    mine.reset()
    assert mine.code == LAB.start
    mine.undo()
    assert mine.code == "mine\n"
    assert mine.replaced is None
    mine.reset()
    mine.type("other\n")
    assert mine.replaced is None
    found = next(draft for draft in mine.history() if draft.code == "mine\n")
    mine.restore(found.id)
    assert mine.code == "mine\n"


def test_a_fault_keeps_the_text_and_the_next_save_mends_it(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = desk(journal)

    def full(*args: object, **named: object) -> None:
        raise JournalError(Fault.DISK_FULL, "/data/journal.sqlite3")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "save_draft", full)
        mine.type("precious\n")
        assert mine.fault is not None
        assert mine.code == "precious\n"
        assert not mine.look(), "what is not saved must not be replaced"
    mine.save_again()
    assert mine.fault is None
    assert desk(journal).code == "precious\n"
