"""The run that a prediction is about: its uploads at their virtual seconds, and what each of them led to. No page."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from labs.classroom import Journal
from labs.cloud.trace import Record
from labs.model import Lab
from lessons.model import Lesson
from lessons.questions import Upload

_PATIENCE = 60.0  # real seconds until the last upload must have been made
_LOOK_EVERY = 0.02


class Cloud(Protocol):
    """What an experiment needs of a learner's cloud."""

    def put(self, key: str, body: bytes) -> None:
        """Upload a file at the current instant."""

    def seconds(self) -> float | None:
        """Give the virtual time in seconds, or None without a cloud."""


@dataclass
class Experiment:
    """One run of a lesson's uploads. `after` is the newest record before the first of them."""

    uploads: tuple[Upload, ...]
    lab: Lab
    after: int
    error: Exception | None = None
    saved: bool = False
    _thread: threading.Thread | None = field(default=None, repr=False)

    def start(self, cloud: Cloud) -> None:
        """Upload what is due now, and the rest as virtual time passes, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, args=(cloud,), name="experiment", daemon=True)
        self._thread.start()

    @property
    def uploading(self) -> bool:
        """Tell whether uploads are still to come."""
        return self._thread is not None and self._thread.is_alive()

    def fail(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.error is not None:
            raise self.error

    def _run(self, cloud: Cloud) -> None:
        deadline = time.monotonic() + _PATIENCE
        try:
            begun = cloud.seconds() or 0.0
            for upload in sorted(self.uploads, key=lambda upload: upload.at_s):
                while (now := cloud.seconds()) is not None and now < begun + upload.at_s and time.monotonic() < deadline:
                    time.sleep(_LOOK_EVERY)
                sample = next(sample for sample in self.lab.samples if sample.id == upload.sample)
                cloud.put(sample.key, sample.file.read_bytes())
        except Exception as error:
            self.error = error

    def trace(self, records: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
        """Return the uploads' own records and everything that they led to."""
        reached: set[object] = set()
        found: list[Mapping[str, object]] = []
        for record in records:
            if int(str(record["id"])) <= self.after:
                continue
            if _is_upload(record) and len([each for each in found if _is_upload(each)]) < len(self.uploads):
                reached.add(record["id"])
            if record["cause"] in reached:
                reached.add(record["id"])
            if record["id"] in reached:
                found.append(record)
        return found

    def ended(self, trace: Sequence[Mapping[str, object]]) -> bool:
        """Tell whether every upload has led to an invocation that ended."""
        ends = [each for each in trace if each["kind"] == "invocation.ended"]
        first = {_detail(each).get("request_id") for each in ends}
        return not self.uploading and len(first) >= len(self.uploads)


def save_outcome(journal: Journal, learner: str, lesson: Lesson, trace: Sequence[Mapping[str, object]]) -> None:
    """Keep what was observed, and the trace that shows it."""
    found = [Record.from_json(record) for record in trace]
    records: dict[str, int] = {}
    for question in lesson.prediction.questions if lesson.prediction else ():
        shown = next((record.id for record in found if record.kind == question.points_at), None)
        if shown is not None:
            records[question.id] = shown
    outcomes = {name: value for name, value in lesson.observe(found).items() if isinstance(value, str | int | list)}
    kept = [record.to_json() for record in found]
    journal.save_result(learner, lesson.id, {"outcomes": outcomes, "records": records, "trace": kept})


@dataclass(frozen=True)
class Outcome:
    """What was observed in the newest experiment of a lesson."""

    outcomes: Mapping[str, object]
    records: Mapping[str, int]
    trace: Sequence[Mapping[str, object]]


def last_outcome(journal: Journal, learner: str, lesson: Lesson) -> Outcome | None:
    """Read back what was observed last, or None before the first run."""
    entries = journal.results(learner, lesson.id)
    match entries[-1].data if entries else None:
        case {"outcomes": dict(outcomes), "records": dict(records), "trace": list(trace)}:
            return Outcome(outcomes, records, trace)
    return None


def _is_upload(record: Mapping[str, object]) -> bool:
    detail = _detail(record)
    return record["kind"] == "api.call" and detail.get("operation") == "PutObject" and detail.get("by") == "outside"


def _detail(record: Mapping[str, object]) -> Mapping[str, object]:
    detail = record["detail"]
    return detail if isinstance(detail, Mapping) else {}
