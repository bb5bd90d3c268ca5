"""The record of one grading: what every page, report and export is made from."""

import datetime
import hashlib
import json
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Self

from labs.cloud.trace import JSON, Record
from labs.content import Text
from labs.model import Lab

SCHEMA = "serverless-lab/result/v1"
PROJECT = Path(__file__).resolve().parents[2]


class Status(StrEnum):
    """Whether there is a verdict at all."""

    GRADED = "graded"
    UNGRADABLE = "ungradable"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no verdict, as a message."""

    message_id: str
    params: Mapping[str, JSON] = field(default_factory=dict)

    def to_json(self) -> dict[str, JSON]:
        """Give the reason as a JSON object."""
        return {"message_id": self.message_id, "params": self.params}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a reason back."""
        fields = _mapping(data)
        return cls(str(fields["message_id"]), _json_mapping(fields["params"]))


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found. A failed one has a message, and mostly the record in its trace that proves it."""

    id: str
    title: Text
    points: int
    max: int
    passed: bool
    trace_hash: str
    message_id: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    record: int | None = None
    evidence: tuple[Record, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """Give the result as a JSON object."""
        return {
            "id": self.id,
            "title": {"ko": self.title.ko, "en": self.title.en},
            "points": self.points,
            "max": self.max,
            "passed": self.passed,
            "message_id": self.message_id,
            "params": self.params,
            "record": self.record,
            "evidence": [record.to_json() for record in self.evidence],
            "trace_hash": self.trace_hash,
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a result back."""
        fields = _mapping(data)
        title, record, message = _mapping(fields["title"]), fields["record"], fields["message_id"]
        return cls(
            id=str(fields["id"]),
            title=Text(str(title["ko"]), str(title["en"])),
            points=_integer(fields["points"]),
            max=_integer(fields["max"]),
            passed=fields["passed"] is True,
            trace_hash=str(fields["trace_hash"]),
            message_id=None if message is None else str(message),
            params=_json_mapping(fields["params"]),
            record=None if record is None else _integer(record),
            evidence=tuple(Record.from_json(_mapping(each)) for each in _sequence(fields["evidence"])),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of grading one submission."""

    lab: str
    lab_version: str
    seed: int
    engine: str
    python: str
    tier: int | None
    status: Status
    score: int
    max: int
    checks: tuple[CheckResult, ...]
    reason: Reason | None
    submission: str | None
    trace_hash: str
    started: datetime.datetime
    duration: float  # real seconds

    @property
    def passed(self) -> bool:
        """Tell whether the submission has every point."""
        return self.status is Status.GRADED and self.score == self.max

    def to_json(self) -> dict[str, JSON]:
        """Give the result as a JSON object."""
        return {
            "schema": SCHEMA,
            "lab": self.lab,
            "lab_version": self.lab_version,
            "seed": self.seed,
            "engine": self.engine,
            "python": self.python,
            "tier": self.tier,
            "status": self.status.value,
            "score": self.score,
            "max": self.max,
            "checks": [check.to_json() for check in self.checks],
            "reason": None if self.reason is None else self.reason.to_json(),
            "submission": self.submission,
            "trace_hash": self.trace_hash,
            "started": self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "duration": round(self.duration, 3),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read a result back. Raises ValueError for another schema."""
        if data.get("schema") != SCHEMA:
            raise ValueError(f"this is not a {SCHEMA} but {data.get('schema')!r}")
        return cls(
            lab=str(data["lab"]),
            lab_version=str(data["lab_version"]),
            seed=_integer(data["seed"]),
            engine=str(data["engine"]),
            python=str(data["python"]),
            tier=None if data["tier"] is None else _integer(data["tier"]),
            status=Status(str(data["status"])),
            score=_integer(data["score"]),
            max=_integer(data["max"]),
            checks=tuple(CheckResult.from_json(each) for each in _sequence(data["checks"])),
            reason=None if data["reason"] is None else Reason.from_json(data["reason"]),
            submission=None if data["submission"] is None else str(data["submission"]),
            trace_hash=str(data["trace_hash"]),
            started=datetime.datetime.fromisoformat(str(data["started"])),
            duration=float(str(data["duration"])),
        )


def conclude(
    lab: Lab,
    checks: Sequence[CheckResult],
    reason: Reason | None,
    *,
    seed: int,
    tier: int | None,
    submission: str | None,
    started: datetime.datetime,
    duration: float,
) -> Result:
    """Put the findings together. A verdict needs one finding for every check of lab.toml; without it there is none."""
    found = {check.id: check for check in checks}
    missing = [check.id for check in lab.checks if check.id not in found]
    if reason is None and (missing or len(found) != len(checks) or len(found) != len(lab.checks)):
        reason = Reason("grading.incomplete", {"checks": ", ".join(missing)})
    graded = reason is None
    ordered = tuple(found[check.id] for check in lab.checks if check.id in found)
    hashes = json.dumps([[check.id, check.trace_hash] for check in ordered])
    return Result(
        lab=lab.id,
        lab_version=lab_version(lab.folder),
        seed=seed,
        engine=engine_version(),
        python=platform.python_version(),
        tier=tier,
        status=Status.GRADED if graded else Status.UNGRADABLE,
        score=sum(check.points for check in ordered) if graded else 0,
        max=lab.points,
        checks=ordered,
        reason=reason,
        submission=submission,
        trace_hash=hashlib.sha256(hashes.encode()).hexdigest(),
        started=started,
        duration=duration,
    )


def lab_version(folder: Path) -> str:
    """Give a digest of everything in a lab's folder that decides a grade."""
    own = [*folder.glob("*.py"), folder / "lab.toml", folder / "template.yaml"]
    return _digest(folder, [path for path in own if path.name != "handler.py"])


@cache
def engine_version() -> str:
    """Give the version of this project with a digest of the cloud's and the graders' code."""
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    code = [*(PROJECT / "labs/cloud").rglob("*.py"), *(PROJECT / "labs/grading").glob("*.py")]
    return f"{version}+{_digest(PROJECT, code)}"


def _digest(base: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(base).as_posix()}\n{len(body)}\n".encode() + body)
    return digest.hexdigest()[:12]


def _mapping(data: object) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r} is not a JSON object")
    return data


def _json_mapping(data: object) -> Mapping[str, JSON]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r} is not a JSON object")
    return data


def _sequence(data: object) -> Sequence[object]:
    if not isinstance(data, list):
        raise ValueError(f"{data!r} is not a JSON list")
    return data


def _integer(data: object) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise ValueError(f"{data!r} is not a whole number")
    return data
