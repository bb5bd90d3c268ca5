"""The journal's tables: portable types only, so that PostgreSQL can take over from SQLite."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, LargeBinary, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def now() -> datetime:
    """Return the real time in UTC."""
    return datetime.now(UTC)


class Moment(TypeDecorator[datetime]):
    """A UTC time. SQLite forgets time zones, so we store without one and hand out with one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC without a time zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand out an aware UTC time."""
        return None if value is None else value.replace(tzinfo=UTC)


class Packed(TypeDecorator[str]):
    """Compressed text. Unpaired surrogates, which a browser can send, survive."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Compress."""
        return None if value is None else zlib.compress(value.encode("utf-8", "surrogatepass"))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Expand."""
        return None if value is None else zlib.decompress(value).decode("utf-8", "surrogatepass")


def dump(value: JSON) -> str:
    """Write a JSON value as ASCII; NaN and infinities are refused because other databases refuse them."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def load(text: str) -> JSON:
    """Read a JSON value."""
    value: JSON = json.loads(text)
    return value


class Base(DeclarativeBase):
    """All tables of the journal."""


class SchemaRow(Base):
    """One row: the version of the tables in this file."""

    __tablename__ = "journal"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created: Mapped[datetime] = mapped_column(Moment)


class LearnerRow(Base):
    """One learner, known by a random cookie."""

    __tablename__ = "learners"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), default="")
    language: Mapped[str | None] = mapped_column(String(8))
    seen: Mapped[datetime] = mapped_column(Moment)


class DraftRow(Base):
    """One text that a learner saved. `code` is NULL where the learner went back to the lab's start."""

    __tablename__ = "drafts"
    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = mapped_column(ForeignKey("learners.id"))
    lab: Mapped[str] = mapped_column(String(80))
    file: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    base: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(Packed)
    at: Mapped[datetime] = mapped_column(Moment)
    kept: Mapped[bool] = mapped_column(default=False)
    checked: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("learner", "lab", "file", "version"),)


class HeadRow(Base):
    """Which draft a learner sees in the editor."""

    __tablename__ = "heads"
    learner: Mapped[str] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    lab: Mapped[str] = mapped_column(String(80), primary_key=True)
    file: Mapped[str] = mapped_column(String(120), primary_key=True)
    draft: Mapped[int] = mapped_column(ForeignKey("drafts.id"))


class EntryRow(Base):
    """One thing a learner did: a prediction, a quiz answer, a result. Never changed, never removed."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = mapped_column(ForeignKey("learners.id"))
    kind: Mapped[str] = mapped_column(String(16))
    item: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    attempt: Mapped[int]
    points: Mapped[int | None]
    draft: Mapped[int | None] = mapped_column(ForeignKey("drafts.id"))
    data: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (UniqueConstraint("learner", "kind", "item", "name", "attempt"),)


class RunRow(Base):
    """One run that the page can show again: stimuli and trace."""

    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = mapped_column(ForeignKey("learners.id"))
    lab: Mapped[str] = mapped_column(String(80))
    data: Mapped[str] = mapped_column(Packed)
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (Index("runs_of_learner", "learner", "lab"),)
