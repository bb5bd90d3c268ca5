"""The trace as text: the same sentences as the flow view, for screen readers, print and tests. No Streamlit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lessons.parts.sentences import moment, resource_label, sentence, sentences, why


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One record in words. `cause` is the id of the record that led to it, `why` the sentence of that record."""

    id: int
    time: str
    sentence: str
    resource: str
    cause: int | None
    why: str


def transcript(records: Sequence[Mapping[str, object]], language: str) -> list[TranscriptLine]:
    """Tell the records, as `Record.to_json()` gives them, in a language, in order."""
    text = sentences(language)
    by_id = {record["id"]: record for record in records}
    lines: list[TranscriptLine] = []
    for record in records:
        cause = record["cause"]
        lines.append(
            TranscriptLine(
                id=int(str(record["id"])),
                time=moment(int(str(record["t"]))),
                sentence=sentence(record, text),
                resource=resource_label(str(record["resource"]), text),
                cause=None if cause is None else int(str(cause)),
                why=why(by_id.get(cause), record, text),
            )
        )
    return lines
