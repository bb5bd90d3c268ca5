"""Say in one plain sentence what a record of the trace means. assets/parts/flow_text.js does the same in the browser."""

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES = ("ko", "en")

# Which facts of a record choose its sentence: the first template that exists wins, then the one named after the kind.
# The browser gets this table with the texts, so both pick the same template.
VARIANTS: Mapping[str, Sequence[Sequence[str]]] = {
    "api.call": (("by", "operation", "outcome"), ("by", "outcome")),
    "s3.notification": (("to",),),
    "sns.notification": (("to",),),
    "sns.filtered": (("to",),),
    "sns.failed": (("then",),),
    "init.ended": (("status",),),
    "invocation.started": (("start",),),
    "invocation.ended": (("status",),),
    "environment.created": (("reason",),),
    "environment.frozen": (("reset",),),
    "environment.ended": (("reason",),),
    "event.dropped": (("reason",),),
    "batch.received": (("number",),),
    "batch.deleted": (("reason", "number"), ("reason",), ("number",)),
    "batch.failed": (("number",),),
    "stream.batch": (("number",),),
    "stream.checkpoint": (("number",),),
    "stream.failed": (("number",),),
    "stream.discarded": (("reason", "number"), ("reason",)),
}

_LONGEST = 120
_TEXT = Path(__file__).parents[2] / "assets" / "text"
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")
_BLANK = re.compile("[\t\n\r ]+")
# Control characters and the marks that reverse the direction of text: a key or a log line may not disguise itself.
_HOSTILE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Give every text of the flow view in a language, by dotted name: templates of sentences, units, labels."""
    with (_TEXT / f"flow.{language}.toml").open("rb") as file:
        tables = tomllib.load(file)
    return MappingProxyType({f"{table}.{name}": str(text) for table, texts in tables.items() for name, text in texts.items()})


def sentence(record: Mapping[str, object], text: Mapping[str, str]) -> str:
    """Say what happened in one sentence."""
    known = facts(record, text)
    return _fill(text[template_of(record, known, text)], known)


def template_of(record: Mapping[str, object], known: Mapping[str, str], text: Mapping[str, str]) -> str:
    """Name the template that tells a record, given its facts."""
    kind = str(record["kind"])
    for names in VARIANTS.get(kind, ()):
        key = ".".join(["sentence", kind, *(known.get(name, "") for name in names)])
        if key in text:
            return key
    return f"sentence.{kind}" if f"sentence.{kind}" in text else "sentence.unknown"


def why(cause: Mapping[str, object] | None, record: Mapping[str, object], text: Mapping[str, str]) -> str:
    """Say what caused a record: the sentence of its cause, or that it came from outside."""
    if cause is not None:
        return sentence(cause, text)
    outside = record["kind"] in ("api.call", "http.request") and facts(record, text)["by"] == "outside"
    return text["sentence.none.outside" if outside else "sentence.none.other"]


def facts(record: Mapping[str, object], text: Mapping[str, str]) -> dict[str, str]:
    """Give what sentences may say about a record, as clean text by name."""
    detail = record["detail"]
    assert isinstance(detail, Mapping)
    kind, resource = str(record["kind"]), str(record["resource"])
    service, _, name = resource.partition(":")
    known = {str(key): clean(_plain(value)) for key, value in detail.items() if value is not None}
    known["kind"], known["resource"] = clean(kind), resource_label(resource, text)
    if service == "environment":
        known["environment"] = clean(environment_label(name))
        known.setdefault("function", clean(name.rpartition("/")[0]))
    else:
        own = {"s3": "bucket", "dynamodb": "table", "sqs": "queue", "sns": "topic", "lambda": "function", "stack": "stack"}.get(
            service
        )
        if own is not None and name:
            known.setdefault(own, clean(name))
    by = str(detail.get("by", "outside"))
    inside = by.startswith("environment:")
    known["by"] = "environment" if inside else "service" if by.startswith("service:") else "outside"
    if inside:
        known["caller"] = clean(environment_label(by.removeprefix("environment:")))
    elif known["by"] == "service":
        known["caller"] = text.get(by.replace(":", ".", 1), clean(by.removeprefix("service:")))
    if isinstance(called := detail.get("service"), str):
        known["service"] = text.get(f"service.{called}", known["service"])
    known["outcome"] = "ok" if detail.get("error") is None else "error"
    known["start"] = "retry" if _above_one(detail.get("attempt")) else "cold" if detail.get("cold") else "warm"
    if target := _target(known):
        known["target"] = target
    many = detail.get("messages", detail.get("resources"))
    if isinstance(many, Sequence) and not isinstance(many, str):
        known["count"] = str(len(many))
        known["number"] = "one" if len(many) == 1 else "many"
        received = [message.get("receive_count") for message in many if isinstance(message, Mapping)]
        most = max((count for count in received if isinstance(count, int)), default=0)
        if most > 1:
            known["receives"] = str(most)
    if (records := _number(detail.get("records"))) is not None:
        known["number"] = "one" if records == 1 else "many"
    for name, field, in_ms in _SPANS:
        if (amount := _number(detail.get(field))) is not None:
            known[name] = duration(amount * in_ms, text)
    if (size := _number(detail.get("size"))) is not None:
        known["size"] = file_size(size, text)
    return known


_SPANS = (
    ("duration", "duration_ms", 1),
    ("billed", "billed_ms", 1),
    ("after", "after_s", 1000),
    ("seconds", "seconds", 1000),
    ("visible_after", "visible_after_s", 1000),
)


def moment(t: int) -> str:
    """Write a virtual instant as time since the cloud's epoch: 0.312 s is `0:00.312`."""
    milliseconds = t // 1_000_000
    seconds, minutes, hours = milliseconds // 1000 % 60, milliseconds // 60_000 % 60, milliseconds // 3_600_000
    rest = f"{seconds:02d}.{milliseconds % 1000:03d}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def duration(milliseconds: float, text: Mapping[str, str]) -> str:
    """Write a length of time with its unit."""

    def unit(name: str, n: float, digits: int = 0) -> str:
        return text[f"unit.{name}"].replace("{n}", _rounded(n, digits))

    if milliseconds < 1000:
        return unit("ms", milliseconds, 1 if milliseconds < 10 else 0)
    if milliseconds < 60_000:
        return unit("s", milliseconds / 1000, 2)
    seconds = math.floor(milliseconds / 1000 + 0.5)
    if seconds < 3600:
        parts = [unit("min", seconds // 60), unit("s", seconds % 60)]
        return " ".join(parts if seconds % 60 else parts[:1])
    parts = [unit("h", seconds // 3600), unit("min", seconds // 60 % 60)]
    return " ".join(parts if seconds // 60 % 60 else parts[:1])


def file_size(count: float, text: Mapping[str, str]) -> str:
    """Write a number of bytes with its unit."""
    for name, bytes_each in (("mb", 1024 * 1024), ("kb", 1024)):
        if count >= bytes_each:
            return text[f"unit.{name}"].replace("{n}", _rounded(count / bytes_each, 1))
    return text["unit.byte"].replace("{n}", _rounded(count, 0))


def resource_label(resource: str, text: Mapping[str, str]) -> str:
    """Name a resource for people: `s3:photos` is S3 photos."""
    service, _, name = resource.partition(":")
    template = text.get(f"resource.{service}", text["resource.other"])
    label = clean(environment_label(name) if service == "environment" else name)
    return _fill(template, {"service": text.get(f"service.{service}", clean(service)), "name": label}).strip(" ")


def environment_label(name: str) -> str:
    """Write `thumbnail/1` as `thumbnail / 1`."""
    function, _, number = name.rpartition("/")
    return f"{function} / {number}" if function else name


def clean(value: str) -> str:
    """Make text from outside fit for one line: no control characters, not too long."""
    line = _HOSTILE.sub("\ufffd", _BLANK.sub(" ", value)).strip(" ")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _fill(template: str, known: Mapping[str, str]) -> str:
    def keep(part: re.Match[str]) -> str:
        return part[1] if all(name in known for name in _PLACE.findall(part[1])) else ""

    return _PLACE.sub(lambda place: known.get(place[1], "?"), _OPTIONAL.sub(keep, template))


def _target(known: Mapping[str, str]) -> str:
    if "bucket" in known:
        return f"{known['bucket']}/{known['key']}" if "key" in known else known["bucket"]
    if "table" in known:
        return f"{known['table']} ({known['item_key']})" if "item_key" in known else known["table"]
    return known.get("queue", known.get("function", ""))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _above_one(value: object) -> bool:
    number = _number(value)
    return number is not None and number > 1


def _rounded(n: float, digits: int) -> str:
    # Half up by floor, not Python's half to even, so that JavaScript rounds the same.
    whole = math.floor(n * 10**digits + 0.5)
    text = f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}" if digits else str(whole)
    return text.rstrip("0").rstrip(".") if digits else text
