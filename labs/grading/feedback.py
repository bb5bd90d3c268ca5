"""Turn results into words: messages by id and language, hints, and a report for the terminal.

Parameters come from learners' code. They are put in once, as data: what they contain is never a placeholder, never Markdown
and never a terminal's control sequence.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from labs.cloud import Kind, Record
from labs.cloud.trace import JSON
from labs.content import PLACE, Text, read_toml
from labs.grading.result import CheckResult, Reason, Result, Status
from labs.model import Lab

_OWN = "grading."
_LONGEST = 300  # characters of one parameter
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:&])")
_LOG_LINES = 8
_ISOLATED = 2  # the tier from which a grade counts


def language() -> str:
    """Give the language of the terminal: ko or en."""
    setting = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "ko" if setting.lower().startswith("ko") else "en"


def message(lab: Lab, check: CheckResult, language: str, *, markdown: bool = False) -> str:
    """Say what one check found."""
    if check.passed:
        return lab.check(check.id).passed.of(language)
    id = check.message_id or ""
    if id.startswith(_OWN):
        return own(Reason(id, check.params), language, markdown=markdown)
    text = lab.messages.get(id)
    if text is None:
        # A check with a misspelt message is found by `python -m labs check`; its learner still gets the facts.
        return fill(f"{id} {dict(check.params)}", {}, markdown=markdown)
    return fill(text.of(language), check.params, markdown=markdown)


def hints(lab: Lab, check: CheckResult, language: str, *, markdown: bool = False) -> tuple[str, ...]:
    """Give the three hints to a check: where to look, why, nearly the code."""
    return tuple(fill(hint.of(language), check.params, markdown=markdown) for hint in lab.check(check.id).hints)


def own(reason: Reason, language: str, *, markdown: bool = False) -> str:
    """Say why there is no grade, or another message that does not depend on the lab."""
    text = _words("message").get(reason.message_id.removeprefix(_OWN))
    return fill(text.of(language) if text else reason.message_id, reason.params, markdown=markdown)


def ids() -> frozenset[str]:
    """Give the ids of all messages that do not depend on the lab."""
    return frozenset(_OWN + name for name in _words("message"))


def fill(text: str, params: Mapping[str, JSON], *, markdown: bool = False) -> str:
    """Put parameters in for {placeholders}; one without a parameter stays as it is."""

    def value(place: re.Match[str]) -> str:
        if place[1] not in params:
            return place[0]
        plain = visible(params[place[1]])
        if not markdown:
            return plain
        in_code = text.count("`", 0, place.start()) % 2 == 1
        return plain.replace("`", "\u02cb") if in_code else _MARKDOWN.sub(r"\\\1", plain)

    return PLACE.sub(value, text)


def visible(value: JSON) -> str:
    """Write a value on one line, with control characters made visible and bounded in length."""
    text = str(value)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(_picture(character) for character in text)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return " " if character in "\t\n\r" else chr(0x2400 + code)
    # Delete, C1 controls, line separators, and marks that turn the direction of writing round.
    hidden = 0x7F <= code < 0xA0 or 0x200B <= code < 0x2010 or 0x2028 <= code < 0x202F or 0x2060 <= code < 0x2070
    return "\ufffd" if hidden or 0xD800 <= code < 0xE000 else character


def report(lab: Lab, result: Result, language: str, *, rungs: int = 0) -> str:
    """Write a whole result for a terminal, with the first `rungs` hints to each failed check."""
    return "\n".join(_report(lab, result, language, rungs))


def _report(lab: Lab, result: Result, language: str, rungs: int) -> Iterator[str]:
    words = {name: text.of(language) for name, text in _words("report").items()}
    score: dict[str, JSON] = {"lab": lab.title.of(language), "score": result.score, "max": result.max}
    yield fill(words["title" if result.status is Status.GRADED else "no_grade"], score)
    if result.reason is not None:
        yield f"\n  {own(result.reason, language)}"
    said: dict[str | None, str] = {}
    for check in result.checks:
        title = check.title.of(language)
        yield f"\n{'✓' if check.passed else '✗'} {check.points:3}/{check.max:<3} {title}"
        if check.passed:
            yield f"    {message(lab, check, language)}"
            continue
        if check.message_id in said:
            yield "    " + fill(words["same"], {"title": said[check.message_id]})
            continue
        said[check.message_id] = title
        yield f"    {message(lab, check, language)}"
        yield from _evidence(check, words)
        for rung, text in enumerate(hints(lab, check, language)[:rungs], start=1):
            yield "    " + words["hint"].replace("{rung}", str(rung)).replace("{text}", text)
    details: dict[str, JSON] = {
        "seed": result.seed,
        "tier": "-" if result.tier is None else result.tier,
        "duration": f"{result.duration:.1f}",
        "engine": result.engine,
        "trace": result.trace_hash[:12],
    }
    yield "\n" + fill(words["details"], details)
    if result.tier is not None and result.tier < _ISOLATED:
        yield words["not_isolated"]


def _evidence(check: CheckResult, words: Mapping[str, str]) -> Iterator[str]:
    by_id = {record.id: record for record in check.evidence}
    record = by_id.get(check.record or 0)
    chain: list[Record] = []
    while record is not None:
        chain.append(record)
        record = by_id.get(record.cause or 0)
    if chain:
        yield f"    {words['because']}"
        for each in reversed(chain):
            yield f"    {'→' if each.id == check.record else ' '} #{each.id} {each.seconds:.3f} s {each.kind} {_what(each)}"
    lines = [str(each.detail.get("message")) for each in check.evidence if each.kind == Kind.LOG_LINE]
    if lines:
        yield f"    {words['log']}"
        for line in lines[-_LOG_LINES:]:
            yield from (f"      {visible(part)}" for part in line.splitlines()[-_LOG_LINES:])


def _what(record: Record) -> str:
    detail = record.detail
    named = " ".join(str(detail[name]) for name in ("operation", "key", "status", "error", "error_type") if detail.get(name))
    return visible(f"{record.resource} {named}".strip())


@cache
def _words(name: str) -> Mapping[str, Text]:
    here = Path(__file__).parent
    ko, en = (read_toml(here / f"messages.{language}.toml").table(name) for language in ("ko", "en"))
    return {key: Text(ko.string(key).strip(), en.string(key).strip()) for key in en.keys()}  # noqa: SIM118
