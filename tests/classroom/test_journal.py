"""The journal through its public interface: learners, drafts, entries, runs, backup."""

import os
import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, DateTime, Integer, LargeBinary, String, TypeDecorator, create_mock_engine
from sqlalchemy.engine.mock import MockConnection

from labs.classroom import Fault, InvalidName, Journal, JournalError, Learner, NameFault, data_dir
from labs.classroom.tables import Base

LAB = "lab01_thumbnail"
LESSON = "l01_events"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "data")


def codes(journal: Journal, learner: str = "ann") -> list[str | None]:
    return [draft.code for draft in journal.drafts(learner, LAB)]


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "data") as journal:
        journal.rename("ann", "Ann")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
        assert modes == dict.fromkeys(modes, 0o600)
        assert "journal.sqlite3" in modes
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_the_tables_fit_postgresql() -> None:
    statements: list[str] = []
    engine: MockConnection = create_mock_engine(
        "postgresql://", lambda sql, *_, **__: statements.append(str(sql.compile(dialect=engine.dialect)))
    )
    Base.metadata.create_all(engine, checkfirst=False)
    assert len([sql for sql in statements if "CREATE TABLE" in sql]) == len(Base.metadata.tables)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
            assert isinstance(kind, Integer | String | Boolean | DateTime | LargeBinary), f"{table.name}.{column.name}"


def test_data_dir_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVERLESS_LAB_DATA", str(tmp_path / "there"))
    assert data_dir() == tmp_path / "there"
    monkeypatch.delenv("SERVERLESS_LAB_DATA")
    assert data_dir() == Path(__file__).parents[2] / "data"


def test_a_learner_leaves_no_mark_before_doing_something(journal: Journal) -> None:
    assert journal.learner("ann") == Learner("ann", "", None)
    assert journal.draft("ann", LAB) is None
    assert journal.learners() == ()
    journal.set_language("ann", "ko")
    assert journal.rename("ann", "  김서연 ") == Learner("ann", "김서연", "ko")
    assert journal.learner("ann") == Learner("ann", "김서연", "ko")
    assert journal.learners() == (Learner("ann", "김서연", "ko"),)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", NameFault.EMPTY),
        ("  \u3000", NameFault.EMPTY),
        ("\u200b\u3164", NameFault.EMPTY),
        ("x" * 61, NameFault.TOO_LONG),
        ("a\nb", NameFault.CONTROL_CHARACTERS),
        ("a\x00b", NameFault.CONTROL_CHARACTERS),
        ("abc\u202edef", NameFault.CONTROL_CHARACTERS),
        ("\ud800", NameFault.CONTROL_CHARACTERS),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(journal: Journal, name: str, code: NameFault) -> None:
    journal.rename("ann", "Ann")
    with pytest.raises(InvalidName) as refused:
        journal.rename("ann", name)
    assert (refused.value.code, refused.value.key) == (code, f"name.{code}")
    assert journal.learner("ann").name == "Ann"


@pytest.mark.parametrize("name", ["x" * 60, "👩‍💻 Kim", "José", "O'Neil <b>", "'); DROP TABLE learners;--"])
def test_other_names_are_kept_as_they_are(journal: Journal, name: str) -> None:
    assert journal.rename("ann", name).name == name


@pytest.mark.parametrize("learner", ["", "a b", "x" * 65, "../x", "a\n"])
def test_a_strange_id_is_refused(journal: Journal, learner: str) -> None:
    with pytest.raises(ValueError, match="learner id"):
        journal.learner(learner)
    with pytest.raises(ValueError, match="learner id"):
        journal.save_draft(learner, LAB, "x", 0)


def test_two_tabs_lose_nothing(journal: Journal) -> None:
    first = journal.save_draft("ann", LAB, "one", 0)
    assert not first.conflict
    mine = journal.save_draft("ann", LAB, "mine", first.draft.version)
    theirs = journal.save_draft("ann", LAB, "theirs", first.draft.version)
    assert theirs.conflict
    assert (theirs.draft.code, theirs.current.code) == ("theirs", "mine")
    assert theirs.current == mine.draft == journal.draft("ann", LAB)
    assert set(codes(journal)) == {"one", "mine", "theirs"}
    # The tab that was first goes on as if nothing had happened; the other one may insist.
    more = journal.save_draft("ann", LAB, "mine too", mine.draft.version)
    assert not more.conflict
    insisted = journal.save_draft("ann", LAB, "theirs", more.draft.version)
    assert not insisted.conflict
    assert journal.draft("ann", LAB) == insisted.draft


def test_a_first_save_in_two_tabs_is_a_conflict_too(journal: Journal) -> None:
    journal.save_draft("ann", LAB, "mine", 0)
    assert journal.save_draft("ann", LAB, "theirs", 0).conflict
    assert set(codes(journal)) == {"mine", "theirs"}


def test_saving_the_same_text_changes_nothing(journal: Journal) -> None:
    first = journal.save_draft("ann", LAB, "one", 0)
    again = journal.save_draft("ann", LAB, "one", 0)
    assert again == first
    assert len(journal.drafts("ann", LAB)) == 1


def test_reset_goes_back_to_the_start_and_can_be_undone(journal: Journal) -> None:
    saved = journal.save_draft("ann", LAB, "mine", 0).draft
    reset = journal.reset_draft("ann", LAB)
    assert journal.draft("ann", LAB) == reset
    assert (reset.code, reset.text("start"), saved.text("start")) == (None, "start", "mine")
    assert journal.save_draft("ann", LAB, "old tab", saved.version).conflict
    restored = journal.restore("ann", saved.id)
    assert journal.draft("ann", LAB) == restored
    assert (restored.code, restored.version > reset.version) == ("mine", True)
    assert set(codes(journal)) == {"mine", "old tab"}


def test_what_matters_outlives_the_history(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", kept_drafts=3) as journal:
        checked = journal.save_draft("ann", LAB, "checked", 0).draft
        journal.save_result("ann", LAB, {"points": 1}, draft=checked.id)
        overtaken = journal.save_draft("ann", LAB, "overtaken", 0)
        assert overtaken.conflict
        version = journal.save_draft("ann", LAB, "before reset", checked.version).draft.version
        version = journal.reset_draft("ann", LAB).version
        for number in range(10):
            version = journal.save_draft("ann", LAB, f"typed {number}", version).draft.version
        assert codes(journal) == ["typed 9", "typed 8", "typed 7", "before reset", "overtaken", "checked"]
        assert [draft.checked for draft in journal.drafts("ann", LAB)] == [False] * 5 + [True]


def test_typing_goes_on_during_a_check(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", kept_drafts=2) as journal:
        kept = journal.save_draft("ann", LAB, "kept", 0).draft
        journal.keep_draft("ann", kept.id)
        gone = journal.save_draft("ann", LAB, "gone", kept.version).draft
        version = gone.version
        for number in range(5):
            version = journal.save_draft("ann", LAB, f"typed {number}", version).draft.version
        assert codes(journal) == ["typed 4", "typed 3", "kept"]
        assert journal.save_result("ann", LAB, {"points": 1}, draft=kept.id).draft == kept.id
        assert journal.save_result("ann", LAB, {"points": 2}, draft=gone.id).draft is None


def test_learners_labs_and_files_are_apart(journal: Journal) -> None:
    journal.save_draft("ann", LAB, "a", 0)
    journal.save_draft("bob", LAB, "b", 0)
    journal.save_draft("ann", "lab02", "c", 0)
    journal.save_draft("ann", LAB, "d", 0, file="requirements.txt")
    assert codes(journal) == ["a"]
    assert codes(journal, "bob") == ["b"]
    assert [draft.code for draft in journal.drafts("ann", LAB, file="requirements.txt")] == ["d"]
    others = journal.drafts("bob", LAB)[0]
    with pytest.raises(LookupError):
        journal.restore("ann", others.id)
    with pytest.raises(LookupError):
        journal.save_result("ann", LAB, {"points": 1}, draft=others.id)
    assert journal.results("ann", LAB) == ()


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters()))
def test_any_text_comes_back_unchanged(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Journal(tmp_path_factory.mktemp("any") / "j") as journal:
        journal.save_draft("ann", LAB, text, 0)
        journal.save_prediction("ann", LESSON, {"why": text})
        draft, prediction = journal.draft("ann", LAB), journal.prediction("ann", LESSON)
        assert draft is not None
        assert draft.code == text
        assert prediction is not None
        assert prediction.data == {"why": text}


def test_a_text_beyond_reason_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError) as refused:
        journal.save_draft("ann", LAB, "x" * 1_000_001, 0)
    assert refused.value.code is Fault.TOO_LARGE


def test_the_first_prediction_of_a_run_stands(journal: Journal) -> None:
    before = datetime.now(UTC)
    first = journal.save_prediction("ann", LESSON, {"calls": 3}, run="r1")
    journal.save_prediction("ann", LESSON, {"calls": 4}, run="r1")
    journal.save_prediction("ann", LESSON, {"calls": 5}, run="r2")
    assert journal.prediction("ann", LESSON, run="r1") == first
    assert [(e.name, e.attempt, e.data) for e in journal.predictions("ann", LESSON)] == [
        ("r1", 1, {"calls": 3}),
        ("r1", 2, {"calls": 4}),
        ("r2", 1, {"calls": 5}),
    ]
    assert journal.prediction("ann", LESSON, run="r3") is None
    assert first.at.utcoffset() == timedelta(0)
    assert before <= first.at <= datetime.now(UTC)


def test_quiz_answers_are_all_kept(journal: Journal) -> None:
    journal.save_quiz_answer("ann", LESSON, "q1", "b")
    journal.save_quiz_answer("ann", LESSON, "q1", "a")
    journal.save_quiz_answer("ann", LESSON, "q2", ["a", "c"])
    assert [(e.name, e.attempt, e.data) for e in journal.quiz_answers("ann", LESSON)] == [
        ("q1", 1, "b"),
        ("q1", 2, "a"),
        ("q2", 1, ["a", "c"]),
    ]


def test_the_best_result_has_the_most_points(journal: Journal) -> None:
    assert journal.best("ann", LAB) is None
    journal.save_result("ann", LAB, {"points": None, "outcome": "not graded"})
    assert journal.best("ann", LAB) is None
    for points in (3, 7, 7, 0):
        journal.save_result("ann", LAB, {"points": points})
    best = journal.best("ann", LAB)
    assert best is not None
    assert (best.points, best.attempt) == (7, 3)
    assert [entry.points for entry in journal.results("ann", LAB)] == [None, 3, 7, 7, 0]


def test_not_a_number_is_refused_and_leaves_nothing(journal: Journal) -> None:
    with pytest.raises(ValueError, match="JSON"):
        journal.save_result("ann", LAB, {"points": 1, "share": float("nan")})
    assert journal.results("ann", LAB) == ()


def test_the_last_run_survives_a_restart(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        assert journal.last_run("ann", LAB) is None
        for number in range(30):
            journal.save_run("ann", LAB, {"seed": number, "trace": [{"id": 1, "kind": "api.call"}] * 50})
    with Journal.open(tmp_path) as journal:
        run = journal.last_run("ann", LAB)
        assert isinstance(run, dict)
        assert run["seed"] == 29
        assert journal.last_run("bob", LAB) is None
    assert (tmp_path / "journal.sqlite3").stat().st_size < 200_000


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", kept_drafts=1000) as journal:
        failures: list[Exception] = []

        def tab(number: int) -> None:
            try:
                for turn in range(15):
                    draft = journal.draft("ann", LAB)
                    journal.save_draft("ann", LAB, f"{number} {turn}", draft.version if draft else 0)
                    journal.save_prediction("ann", LESSON, {"turn": turn})
                    journal.rename(f"learner{number}", f"Learner {number}")
            except Exception as error:  # shown below: a thread's exception is lost otherwise
                failures.append(error)

        threads = [threading.Thread(target=tab, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(codes(journal)) == {f"{number} {turn}" for number in range(8) for turn in range(15)}
        versions = [draft.version for draft in journal.drafts("ann", LAB)]
        assert len(set(versions)) == len(versions) == 120
        assert [entry.attempt for entry in journal.predictions("ann", LESSON)] == list(range(1, 121))
        assert len(journal.learners()) == 9


def test_backup_and_restore(journal: Journal, tmp_path: Path) -> None:
    journal.save_draft("ann", LAB, "then", 0)
    copy = tmp_path / "copies" / "copy.sqlite3"
    journal.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["copy.sqlite3"]
    saved = journal.save_draft("ann", LAB, "now", 1)
    aside = journal.restore_backup(copy)
    assert codes(journal) == ["then"]
    late = journal.save_draft("ann", LAB, "from a tab that is ahead", saved.draft.version)
    assert late.conflict
    assert "from a tab that is ahead" in codes(journal)
    journal.close()
    with Journal(aside) as before:
        assert codes(before) == ["now", "then"]
    with Journal(tmp_path / "data" / "journal.sqlite3") as again:
        assert "then" in codes(again)
    with sqlite3.connect(tmp_path / "data" / "journal.sqlite3") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, None])
def test_a_bad_backup_changes_nothing(journal: Journal, tmp_path: Path, content: bytes | None) -> None:
    journal.save_draft("ann", LAB, "mine", 0)
    copy = tmp_path / "copy"
    if content is not None:
        copy.write_bytes(content)
    with pytest.raises(JournalError):
        journal.restore_backup(copy)
    assert codes(journal) == ["mine"]
    assert os.listdir(tmp_path / "data") == [] or not list((tmp_path / "data").glob("*before-restore*"))
