"""What a workspace knows of what happened: the records so far, and their place in the learner's journal."""

import datetime
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labs.cloud.trace import JSON

_LONGEST = 10_000  # records of one run that the journal keeps, the latest

JsonRecord = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records of one cloud at one moment. Clouds of a workspace count from 1; 0 is the run in the journal."""

    number: int
    records: tuple[JsonRecord, ...]

    @property
    def first(self) -> int:
        """Give the id before the first record's: the journal keeps only the end of a very long run."""
        return _id(self.records[0]) - 1 if self.records else 0

    @property
    def last(self) -> int:
        """Give the last record's id."""
        return _id(self.records[-1]) if self.records else 0

    def since(self, after: int) -> tuple[JsonRecord, ...]:
        """Give the records after this id."""
        return self.records[max(0, after - self.first) :]


@dataclass(frozen=True, slots=True)
class Kept:
    """A run as the journal keeps it."""

    source: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    epoch_ns: int = 0
    records: tuple[JsonRecord, ...] = ()
    at: datetime.datetime | None = None

    def to_json(self) -> JSON:
        """Write the run."""
        return {
            "source": self.source,
            "outputs": dict(self.outputs),
            "epoch_ns": self.epoch_ns,
            "records": list(self.records[-_LONGEST:]),
            "at": self.at.isoformat() if self.at else None,
        }

    @classmethod
    def from_json(cls, data: JSON) -> "Kept":
        """Read a run; what is not one reads as a run in which nothing happened."""
        if not isinstance(data, Mapping):
            return cls()
        records, outputs, source, at = (data.get(name) for name in ("records", "outputs", "source", "at"))
        return cls(
            source=source if isinstance(source, str) else None,
            outputs={name: str(value) for name, value in outputs.items()} if isinstance(outputs, Mapping) else {},
            epoch_ns=int(str(data.get("epoch_ns", 0))),
            records=tuple(dict(record) for record in _list(records) if isinstance(record, Mapping) and "id" in record),
            at=datetime.datetime.fromisoformat(at) if isinstance(at, str) else None,
        )


class Recording:
    """The records of the present cloud, gathered from whoever asks it. Safe to use from many threads."""

    def __init__(self, kept: Sequence[JsonRecord]) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._records = list(kept)
        self._snapshot = Snapshot(0, tuple(kept))
        self._saved = len(kept)
        self._changed = 0.0  # when the latest record came, and the earliest that is not saved
        self._waiting_since = 0.0

    def begin(self) -> int:
        """Forget the records for those of a new cloud; return its number."""
        with self._lock:
            self._number += 1
            self._records = []
            self._snapshot = Snapshot(self._number, ())
            self._saved = 0
            return self._number

    def learn(self, number: int, records: Sequence[JsonRecord]) -> bool:
        """Take in records of a cloud, known ones among them or not; tell whether there was anything new."""
        with self._lock:
            if number != self._number:
                return False
            fresh = [record for record in records if _id(record) > len(self._records)]
            if not fresh or _id(fresh[0]) != len(self._records) + 1:
                return False
            self._changed = time.monotonic()
            if self._saved == len(self._records):
                self._waiting_since = self._changed
            self._records += fresh
            return True

    def snapshot(self) -> Snapshot:
        """Give what is known."""
        with self._lock:
            if len(self._snapshot.records) != len(self._records):
                self._snapshot = Snapshot(self._number, tuple(self._records))
            return self._snapshot

    def unsaved(self, *, quiet: float = 0.0, longest: float = 0.0) -> bool:
        """Tell whether there is something to save: quiet for some seconds, or waiting for long."""
        now = time.monotonic()
        with self._lock:
            waits = self._saved < len(self._records)
            return waits and (now - self._changed >= quiet or now - self._waiting_since >= longest)

    def saved(self, snapshot: Snapshot) -> None:
        """Note that this much is in the journal."""
        with self._lock:
            if snapshot.number == self._number:
                self._saved = max(self._saved, len(snapshot.records))
                self._waiting_since = time.monotonic()


def _id(record: JsonRecord) -> int:
    return int(str(record["id"]))


def _list(value: JSON) -> Sequence[JSON]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
