"""The learner's journal: who learns here, what they typed, predicted, answered, ran and achieved."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from labs.classroom import drafts
from labs.classroom.database import Database, Fault, JournalError
from labs.classroom.drafts import Draft, Place, Saved
from labs.classroom.names import Learner, clean_id, clean_name
from labs.classroom.tables import JSON, DraftRow, EntryRow, LearnerRow, RunRow, dump, load, now

PROJECT = Path(__file__).resolve().parents[2]
FILE = "journal.sqlite3"
HANDLER = "handler.py"
LARGEST_CODE = 1_000_000  # characters
KEPT_DRAFTS = 50
KEPT_RUNS = 20


class Kind(StrEnum):
    """What an entry of the journal records."""

    PREDICTION = "prediction"
    QUIZ = "quiz"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a learner did. Attempts count from 1 per item and name; the first prediction of a run is the one."""

    id: int
    item: str
    name: str
    attempt: int
    data: JSON
    at: datetime
    points: int | None = None
    draft: int | None = None


def data_dir() -> Path:
    """Return the folder for everything that is kept: SERVERLESS_LAB_DATA, or data/ in the project."""
    return Path(os.environ.get("SERVERLESS_LAB_DATA") or PROJECT / "data")


class Journal:
    """Every learner's journal in one database; safe to use from many threads."""

    def __init__(self, target: str | Path, *, kept_drafts: int = KEPT_DRAFTS) -> None:
        self._database = Database(target)
        self._kept = kept_drafts

    @classmethod
    def open(cls, folder: Path | None = None) -> Self:
        """Open the journal in a data folder, creating both where needed."""
        return cls((folder or data_dir()) / FILE)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def backup(self, to: Path) -> None:
        """Copy everything to a new file while the journal is in use."""
        self._database.backup(to)

    def restore_backup(self, source: Path) -> Path:
        """Take a backup over; return the file that holds what was there before."""
        return self._database.restore(source)

    # Learners

    def learner(self, learner: str) -> Learner:
        """Return a learner; one who has done nothing yet has no name and leaves no mark."""
        with self._database.read() as session:
            row = session.get(LearnerRow, clean_id(learner))
            return Learner(learner) if row is None else Learner(row.id, row.name, row.language)

    def learners(self) -> tuple[Learner, ...]:
        """Return everyone who has done something, by name."""
        with self._database.read() as session:
            rows = session.scalars(select(LearnerRow).order_by(LearnerRow.name, LearnerRow.id))
            return tuple(Learner(row.id, row.name, row.language) for row in rows)

    def rename(self, learner: str, name: str) -> Learner:
        """Give a learner the name to show; raise InvalidName if it cannot be shown."""
        name = clean_name(name)
        with self._write(learner) as (_, row):
            row.name = name
            return Learner(row.id, row.name, row.language)

    def set_language(self, learner: str, language: str) -> Learner:
        """Remember the language a learner chose."""
        with self._write(learner) as (_, row):
            row.language = str(language)
            return Learner(row.id, row.name, row.language)

    # Drafts

    def draft(self, learner: str, lab: str, *, file: str = HANDLER) -> Draft | None:
        """Return what the editor shows, or None (version 0: the lab's start) before the first save."""
        with self._database.read() as session:
            row = drafts.current(session, Place(clean_id(learner), lab, file))
            return None if row is None else drafts.draft_of(row)

    def save_draft(self, learner: str, lab: str, code: str, base_version: int, *, file: str = HANDLER) -> Saved:
        """Save what was typed on top of `base_version`; keep it beside the current draft if another tab was first."""
        if len(code) > LARGEST_CODE:
            raise JournalError(Fault.TOO_LARGE, self._database.name)
        with self._write(learner) as (session, _):
            return drafts.save(session, Place(learner, lab, file), code, base_version, self._kept)

    def reset_draft(self, learner: str, lab: str, *, file: str = HANDLER) -> Draft:
        """Go back to the lab's start; what was there stays in the history for good."""
        with self._write(learner) as (session, _):
            return drafts.draft_of(drafts.replace(session, Place(learner, lab, file), None, self._kept))

    def restore(self, learner: str, draft: int) -> Draft:
        """Bring a draft of the history back as the current one; what was there stays in the history for good."""
        with self._write(learner) as (session, _):
            row = self._own_draft(session, learner, draft)
            return drafts.draft_of(drafts.replace(session, Place(learner, row.lab, row.file), row.code, self._kept))

    def drafts(self, learner: str, lab: str, *, file: str = HANDLER) -> tuple[Draft, ...]:
        """Return the history, newest first, each text once: the last 50 texts, and every one that was checked,
        replaced by a reset or overtaken by another tab."""
        with self._database.read() as session:
            return drafts.history(session, Place(clean_id(learner), lab, file))

    def keep_draft(self, learner: str, draft: int) -> None:
        """Keep a draft for good because its check starts: the learner may type on while it runs."""
        with self._write(learner) as (session, _):
            self._own_draft(session, learner, draft).checked = True

    # Predictions, quiz answers, results

    def save_prediction(self, learner: str, lesson: str, answers: JSON, *, run: str = "") -> Entry:
        """Record a prediction; the first one of a run stands, later ones are kept beside it."""
        return self._record(learner, Kind.PREDICTION, lesson, run, answers)

    def prediction(self, learner: str, lesson: str, *, run: str = "") -> Entry | None:
        """Return the prediction that stands for a run."""
        found = [entry for entry in self.predictions(learner, lesson) if entry.name == run]
        return found[0] if found else None

    def predictions(self, learner: str, lesson: str) -> tuple[Entry, ...]:
        """Return every prediction made in a lesson, in order."""
        return self._entries(learner, Kind.PREDICTION, lesson)

    def save_quiz_answer(self, learner: str, lesson: str, question: str, answer: JSON) -> Entry:
        """Record an answer to a quiz question."""
        return self._record(learner, Kind.QUIZ, lesson, question, answer)

    def quiz_answers(self, learner: str, lesson: str) -> tuple[Entry, ...]:
        """Return every quiz answer of a lesson, in order."""
        return self._entries(learner, Kind.QUIZ, lesson)

    def save_result(self, learner: str, lab: str, record: Mapping[str, JSON], *, draft: int | None = None) -> Entry:
        """Record a grading result (its integer `points` counts for `best`) and keep the draft it is about for good."""
        return self._record(learner, Kind.RESULT, lab, "", record, draft)

    def results(self, learner: str, lab: str) -> tuple[Entry, ...]:
        """Return every result of a lab, in order."""
        return self._entries(learner, Kind.RESULT, lab)

    def best(self, learner: str, lab: str) -> Entry | None:
        """Return the result with the most points, the earliest of equals; what could not be graded does not count."""
        graded = [entry for entry in self.results(learner, lab) if entry.points is not None]
        return max(graded, key=lambda entry: (entry.points or 0, -entry.id), default=None)

    # Runs

    def save_run(self, learner: str, lab: str, run: JSON) -> int:
        """Keep a run (stimuli, trace) so that the page can show it again; the last 20 of a lab are kept."""
        with self._write(learner) as (session, _):
            row = RunRow(learner=learner, lab=lab, data=dump(run), at=now())
            session.add(row)
            session.flush()
            mine = select(RunRow.id).where(RunRow.learner == learner, RunRow.lab == lab).order_by(RunRow.id.desc())
            old = session.scalars(mine.offset(KEPT_RUNS)).all()
            session.execute(delete(RunRow).where(RunRow.id.in_(old)))
            return row.id

    def last_run(self, learner: str, lab: str) -> JSON:
        """Return the last run of a lab, or None."""
        with self._database.read() as session:
            mine = select(RunRow.data).where(RunRow.learner == clean_id(learner), RunRow.lab == lab)
            data = session.scalars(mine.order_by(RunRow.id.desc()).limit(1)).one_or_none()
            return None if data is None else load(data)

    # Inside

    @contextmanager
    def _write(self, learner: str) -> Iterator[tuple[Session, LearnerRow]]:
        """Open a transaction that holds the learner's row: one learner's writes come one after the other."""
        clean_id(learner)
        with self._database.write() as session:
            if session.get(LearnerRow, learner) is None:
                try:
                    with session.begin_nested():
                        session.add(LearnerRow(id=learner, name="", language=None, seen=now()))
                except IntegrityError:
                    pass  # PostgreSQL: another process was first
            row = session.scalars(select(LearnerRow).where(LearnerRow.id == learner).with_for_update()).one()
            row.seen = now()
            yield session, row

    def _own_draft(self, session: Session, learner: str, draft: int) -> DraftRow:
        row = session.get(DraftRow, draft)
        if row is None or row.learner != learner:
            raise LookupError(f"learner {learner} has no draft {draft}; take ids from drafts()")
        return row

    def _record(self, learner: str, kind: Kind, item: str, name: str, data: JSON, draft: int | None = None) -> Entry:
        points = data.get("points") if isinstance(data, Mapping) else None
        with self._write(learner) as (session, _):
            if draft is not None and session.get(DraftRow, draft) is None:
                draft = None  # forgotten while it was checked; the result counts all the same
            if draft is not None:
                self._own_draft(session, learner, draft).checked = True
            count = session.scalar(select(func.count()).select_from(of(learner, kind, item, name).subquery()))
            row = EntryRow(
                learner=learner,
                kind=kind.value,
                item=item,
                name=name,
                attempt=(count or 0) + 1,
                points=points if isinstance(points, int) else None,
                draft=draft,
                data=dump(data),
                at=now(),
            )
            session.add(row)
            session.flush()
            return entry_of(row)

    def _entries(self, learner: str, kind: Kind, item: str) -> tuple[Entry, ...]:
        with self._database.read() as session:
            return tuple(entry_of(row) for row in session.scalars(of(clean_id(learner), kind, item).order_by(EntryRow.id)))


def of(learner: str, kind: Kind, item: str, name: str | None = None) -> Select[EntryRow]:
    """Select entries of one learner."""
    found = select(EntryRow).where(EntryRow.learner == learner, EntryRow.kind == kind.value, EntryRow.item == item)
    return found if name is None else found.where(EntryRow.name == name)


def entry_of(row: EntryRow) -> Entry:
    """Return the entry that a row holds."""
    return Entry(row.id, row.item, row.name, row.attempt, load(row.data), row.at, row.points, row.draft)
