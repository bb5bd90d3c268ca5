"""The record of everything that happened: append-only, ordered, with the cause of each record. Knows nothing of AWS."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, overload

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

# What a Python process prints of its own address space differs from run to run and says nothing about behaviour.
_ADDRESS = re.compile(r"0x[0-9a-f]{6,16}")


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened. `t` is virtual nanoseconds since the epoch, `cause` the id of the record that led to it.

    `measured` holds figures of the real machine (memory, processor time); they are not part of the hash.
    """

    id: int
    t: int
    cause: int | None
    kind: str
    resource: str
    detail: Mapping[str, JSON]
    measured: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Give the time in virtual seconds since the epoch."""
        return self.t / 1e9

    def to_json(self) -> dict[str, JSON]:
        """Give the record as a JSON object."""
        return {
            "id": self.id,
            "t": self.t,
            "cause": self.cause,
            "kind": self.kind,
            "resource": self.resource,
            "detail": self.detail,
            "measured": self.measured,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "Record":
        """Read a record back from its JSON object."""
        cause, detail, measured = data["cause"], data["detail"], data.get("measured", {})
        if not isinstance(detail, Mapping) or not isinstance(measured, Mapping):
            raise ValueError(f"record {data['id']} has no details")
        return cls(
            id=int(str(data["id"])),
            t=int(str(data["t"])),
            cause=None if cause is None else int(str(cause)),
            kind=str(data["kind"]),
            resource=str(data["resource"]),
            detail=detail,
            measured=measured,
        )


class Trace(Sequence[Record]):
    """An immutable view of what happened, with the questions that graders and pages ask of it."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = tuple(records)
        self._by_id = {record.id: record for record in self._records}

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Trace": ...
    def __getitem__(self, index: int | slice) -> "Record | Trace":
        if isinstance(index, slice):
            return Trace(self._records[index])
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def record(self, record_id: int) -> Record:
        """Give the record with this id. Raises KeyError."""
        return self._by_id[record_id]

    def of(self, kind: str, **detail: JSON) -> list[Record]:
        """List the records of a kind whose details have these values, in order."""
        return [
            record
            for record in self._records
            if record.kind == kind and all(record.detail.get(name) == value for name, value in detail.items())
        ]

    def children(self, record_id: int) -> list[Record]:
        """List what this record led to directly."""
        return [record for record in self._records if record.cause == record_id]

    def ancestors(self, record_id: int) -> list[Record]:
        """List the chain of causes, nearest first."""
        chain: list[Record] = []
        cause = self._by_id[record_id].cause
        while cause is not None and cause in self._by_id:
            chain.append(self._by_id[cause])
            cause = chain[-1].cause
        return chain

    def descendants(self, record_id: int) -> list[Record]:
        """List everything that this record led to, in order."""
        reached = {record_id}
        found: list[Record] = []
        for record in self._records:
            if record.cause in reached:
                reached.add(record.id)
                found.append(record)
        return found

    def hash(self) -> str:
        """Give a digest of what happened: equal for equal code, stimuli, seed and faults, on any machine."""
        digest = hashlib.sha256()
        for record in self._records:
            line = json.dumps(
                [record.id, record.t, record.cause, record.kind, record.resource, record.detail],
                sort_keys=True,
                ensure_ascii=True,
                separators=(",", ":"),
            )
            digest.update(_ADDRESS.sub("0x", line).encode() + b"\n")
        return digest.hexdigest()


class Recorder:
    """Append records and tell listeners of each."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._records: list[Record] = []
        self._listeners: list[Callable[[Record], None]] = []

    def add(
        self,
        kind: str,
        resource: str,
        detail: Mapping[str, JSON],
        *,
        cause: int | None,
        measured: Mapping[str, JSON] | None = None,
    ) -> Record:
        """Append a record at the current instant and return it."""
        record = Record(len(self._records) + 1, self._clock(), cause, kind, resource, detail, measured or {})
        self._records.append(record)
        for listener in self._listeners:
            listener(record)
        return record

    def listen(self, listener: Callable[[Record], None]) -> None:
        """Call `listener` with every record from now on."""
        self._listeners.append(listener)

    def since(self, record_id: int) -> list[Record]:
        """List the records after this id."""
        return self._records[record_id:]

    def get(self, record_id: int) -> Record:
        """Give the record with this id."""
        return self._records[record_id - 1]
