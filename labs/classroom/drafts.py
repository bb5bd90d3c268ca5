"""Drafts: what a learner typed, with a version for every save and a history that loses nothing."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from labs.classroom.tables import DraftRow, HeadRow, now


@dataclass(frozen=True, slots=True)
class Place:
    """Whose file it is: a learner, a lab, a file in it."""

    learner: str
    lab: str
    file: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One saved text. `code` is None after a reset: show the lab's start."""

    id: int
    lab: str
    file: str
    version: int
    code: str | None
    at: datetime
    checked: bool

    def text(self, start: str) -> str:
        """Return the code, or the lab's start after a reset."""
        return start if self.code is None else self.code


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save: `draft` holds the text, `current` is what the editor shows from now on."""

    draft: Draft
    current: Draft

    @property
    def conflict(self) -> bool:
        """Tell whether another tab had saved first; the text is kept, but it is not the current one."""
        return self.draft.id != self.current.id


def current(session: Session, place: Place) -> DraftRow | None:
    """Return what the learner sees in the editor, or None before the first save."""
    return session.scalars(
        select(DraftRow)
        .join(HeadRow, HeadRow.draft == DraftRow.id)
        .where(HeadRow.learner == place.learner, HeadRow.lab == place.lab, HeadRow.file == place.file)
    ).one_or_none()


def save(session: Session, place: Place, code: str, base: int, keep: int) -> Saved:
    """Save a text that was typed on top of version `base`; beside the current one if that is another version."""
    head = current(session, place)
    digest = fingerprint(code)
    if head is not None and head.digest == digest:
        return Saved(draft_of(head), draft_of(head))
    if base != (head.version if head is not None else 0):
        return save_beside(session, place, code, base, head)
    row = add(session, place, code, base)
    point(session, place, row)
    prune(session, place, row.id, keep)
    return Saved(draft_of(row), draft_of(row))


def save_beside(session: Session, place: Place, code: str, base: int, head: DraftRow | None) -> Saved:
    """Keep the text of a tab that another tab overtook, without touching the current draft."""
    row = session.scalars(
        rows(place).where(DraftRow.digest == fingerprint(code)).order_by(DraftRow.version.desc()).limit(1)
    ).one_or_none()
    row = row or add(session, place, code, base)
    row.kept = True
    if head is None:  # a journal restored from a backup may be older than an open tab
        point(session, place, row)
        head = row
    session.flush()
    return Saved(draft_of(row), draft_of(head))


def replace(session: Session, place: Place, code: str | None, keep: int) -> DraftRow:
    """Put another text (None: the lab's start) on top, and keep the one it replaces for good."""
    head = current(session, place)
    if head is not None:
        head.kept = True
    row = add(session, place, code, head.version if head is not None else 0)
    point(session, place, row)
    prune(session, place, row.id, keep)
    return row


def history(session: Session, place: Place) -> tuple[Draft, ...]:
    """Return every text that is kept, newest first, each text once."""
    found: dict[str, Draft] = {}
    checked: set[str] = set()
    for row in session.scalars(rows(place).where(DraftRow.code.is_not(None)).order_by(DraftRow.version.desc())):
        if row.checked:
            checked.add(row.digest)
        found.setdefault(row.digest, draft_of(row))
    return tuple(Draft(d.id, d.lab, d.file, d.version, d.code, d.at, digest in checked) for digest, d in found.items())


def prune(session: Session, place: Place, head: int, keep: int) -> None:
    """Forget old unremarkable saves: not the last `keep` ones, nor the last `keep` different texts."""
    all_rows = session.execute(
        select(DraftRow.id, DraftRow.digest, DraftRow.kept | DraftRow.checked)
        .where(DraftRow.learner == place.learner, DraftRow.lab == place.lab, DraftRow.file == place.file)
        .order_by(DraftRow.version.desc())
    ).all()
    seen: set[str] = set()
    forgotten = []
    for position, (number, digest, remarkable) in enumerate(all_rows):
        recent = position < keep or (digest not in seen and len(seen) < keep)
        if digest:  # a reset has no text to keep
            seen.add(digest)
        if not recent and not remarkable and number != head:
            forgotten.append(number)
    if forgotten:
        session.execute(delete(DraftRow).where(DraftRow.id.in_(forgotten)))


def add(session: Session, place: Place, code: str | None, base: int) -> DraftRow:
    """Add a draft with the next version number."""
    last = session.scalar(
        select(func.max(DraftRow.version)).where(
            DraftRow.learner == place.learner, DraftRow.lab == place.lab, DraftRow.file == place.file
        )
    )
    row = DraftRow(
        learner=place.learner,
        lab=place.lab,
        file=place.file,
        version=(last or 0) + 1,
        base=base,
        digest=fingerprint(code),
        code=code,
        at=now(),
        kept=False,
        checked=False,
    )
    session.add(row)
    session.flush()
    return row


def point(session: Session, place: Place, row: DraftRow) -> None:
    """Make a draft the current one."""
    session.merge(HeadRow(learner=place.learner, lab=place.lab, file=place.file, draft=row.id))
    session.flush()


def draft_of(row: DraftRow) -> Draft:
    """Return the draft that a row holds."""
    return Draft(row.id, row.lab, row.file, row.version, row.code, row.at, row.checked)


def fingerprint(code: str | None) -> str:
    """Tell texts apart; a reset has no text."""
    return "" if code is None else hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def rows(place: Place) -> Select[DraftRow]:
    """Select every draft of one file."""
    return select(DraftRow).where(DraftRow.learner == place.learner, DraftRow.lab == place.lab, DraftRow.file == place.file)
