"""What really happened, in the words of the prediction: read from the trace of the run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

Outcome = str | int | list[str]

# Who is behind an invocation, by the source that its record names.
CALLERS = {"s3": "s3", "sqs": "poller", "invoke": "page"}
STEPS = {
    "api.call": "answered",
    "s3.notification": "notified",
    "invocation.started": "started",
    "invocation.ended": "ended",
}


class Record(Protocol):
    """One record of a trace, as far as this lesson reads it."""

    @property
    def id(self) -> int:
        """Give its number; causes have smaller ones."""

    @property
    def cause(self) -> int | None:
        """Give the number of the record that led to it."""

    @property
    def kind(self) -> str:
        """Say what kind of thing happened."""

    @property
    def detail(self) -> Mapping[str, object]:
        """Give its particulars."""


def observe(records: Sequence[Record]) -> dict[str, Outcome]:
    """Compute every outcome that the prediction asks for."""
    return {"who_called": who_called(records), "runs": runs(records), "order": order(records), "cold": cold(records)}


def runs(records: Sequence[Record]) -> int:
    """Count the invocations, retries included."""
    return sum(record.kind == "invocation.started" for record in records)


def cold(records: Sequence[Record]) -> int:
    """Count the invocations that waited for a new execution environment."""
    return sum(record.kind == "invocation.started" and record.detail.get("cold") is True for record in records)


def who_called(records: Sequence[Record]) -> str:
    """Name who was behind most invocations."""
    sources = Counter(str(record.detail.get("source")) for record in records if record.kind == "invocation.started")
    if not sources:
        return "nobody"
    source, _ = sources.most_common(1)[0]
    return CALLERS.get(source, source)


def order(records: Sequence[Record]) -> list[str]:
    """List the steps of the first upload that S3 told of, in the order in which they happened."""
    notice = next((record for record in records if record.kind == "s3.notification"), None)
    if notice is None:
        return []
    upload = notice.cause
    reached = {notice.id} if upload is None else {notice.id, upload}
    steps: list[str] = []
    for record in records:
        if record.cause in reached:
            reached.add(record.id)
        # Calls that the function made are steps of its own, not of the upload.
        if record.id in reached and (record.kind != "api.call" or record.id == upload):
            step = STEPS.get(record.kind)
            if step and step not in steps:
                steps.append(step)
    return steps
