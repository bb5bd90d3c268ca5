"""What went wrong in the newest run, read from the trace alone: a message, the record that shows it, the line of code."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = Mapping[str, object]

HANDLER = "handler.py"
_LINE = re.compile(r'handler\.py"?,? [lL]ine (\d+)')
_MISSING_HANDLER = re.compile(r"Handler '([^']*)' missing")
_MISSING_MODULE = re.compile(r"No module named '([^']*)'")
_SYNTAX = re.compile(r"Syntax error in module '[^']*': (.*) \([^()]*\)", re.DOTALL)
_DROPPED = re.compile(r"\[serverless-lab\] (\d+) more bytes of output were dropped")
_SECONDS = re.compile(r"after (\d+)")
_REQUEST = re.compile(r"^RequestId: \S+ Error: ")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell: the text's key below `diagnosis.`, its parameters, the record to look at, the line of the code."""

    key: str
    record: int
    params: Mapping[str, str | int] = field(default_factory=dict)
    line: int | None = None
    harmful: bool = True


def findings(records: Sequence[Json]) -> list[Finding]:
    """Tell about the newest invocation of the code that is deployed now; nothing when it went well."""
    start = next((at for at in range(len(records) - 1, -1, -1) if records[at]["kind"] == "deployed"), 0)
    ended = next((each for each in reversed(records[start:]) if each["kind"] == "invocation.ended"), None)
    if ended is None:
        return []
    by_id = {each["id"]: each for each in records[start:]}
    logs = [each for each in records[start:] if each["kind"] == "log.line" and each["cause"] == ended["cause"]]
    found = [_dropped(each) for each in logs]
    if _detail(ended).get("status") == "success":
        return [each for each in found if each is not None]
    init = _init(ended, by_id, records[start:])
    if init is not None:
        logs += [each for each in records[start:] if each["kind"] == "log.line" and each["cause"] == init["cause"]]
    return [_failure(ended, init, logs), *(each for each in found if each is not None)]


def _init(ended: Json, by_id: Mapping[object, Json], records: Sequence[Json]) -> Json | None:
    """Return the failed INIT that took this invocation down, if one did."""
    started = by_id.get(ended["cause"])
    environment = ended["resource"]
    for each in reversed(records):
        if each["kind"] == "init.ended" and each["resource"] == environment:
            failed = _detail(each).get("status") != "success"
            return each if failed and started is not None and _detail(started).get("cold") else None
    return None


def _failure(ended: Json, init: Json | None, logs: Sequence[Json]) -> Finding:
    detail = _detail(ended)
    error_type, message = _text(detail, "error_type"), _REQUEST.sub("", _text(detail, "error_message"))
    record = _id(init or ended)
    line = _line([message, *(_text(_detail(log), "message") for log in logs)])
    params: dict[str, str | int] = {"error_type": error_type, "error_message": message}
    match error_type:
        case "Runtime.UserCodeSyntaxError":
            said = _SYNTAX.search(message)
            return Finding("syntax", record, {"line": line or 1, "message": said[1] if said else message}, line)
        case "Runtime.HandlerNotFound" | "Runtime.MalformedHandlerName":
            name = _MISSING_HANDLER.search(message)
            return Finding("no_handler", record, {"name": name[1] if name else "handler"})
        case "Runtime.ImportModuleError" if module := _MISSING_MODULE.search(message):
            return Finding("no_module", record, {"module": module[1]}, line)
        case "Function.ResponseSizeTooLarge":
            return Finding("result_too_large", record)
        case "Runtime.MarshalError":
            return Finding("result_not_json", record, params)
        case "Runtime.ExitError" if "signal: killed" in message:
            return Finding("out_of_memory", record)
        case "Runtime.ExitError":
            return Finding("exited_in_init" if init else "exited", record, {"message": message})
        case "Sandbox.Timedout":
            seconds = _SECONDS.search(message)
            stopped = _text(detail, "stopped")
            key = "init_timeout" if init else {"spinning": "spinning", "stuck": "stuck"}.get(stopped, "timeout")
            return Finding(key, record, {"seconds": int(seconds[1]) if seconds else 0})
    return Finding("init_error" if init else "exception", record, params, line)


def _dropped(log: Json) -> Finding | None:
    bytes_dropped = _DROPPED.fullmatch(_text(_detail(log), "message"))
    if bytes_dropped is None:
        return None
    return Finding("output_dropped", _id(log), {"count": f"{int(bytes_dropped[1]):,}"}, harmful=False)


def _line(texts: Sequence[str]) -> int | None:
    """Return the innermost line of the learner's own file that is named."""
    for text in texts:
        if named := _LINE.findall(text):
            return int(named[-1])
    return None


def _detail(record: Json) -> Json:
    detail = record["detail"]
    return detail if isinstance(detail, Mapping) else {}


def _text(detail: Json, name: str) -> str:
    value = detail.get(name)
    # A log line may be as long as the whole log; traces of errors are short.
    return "" if value is None else str(value)[: _LONGEST * 20]


def _id(record: Json) -> int:
    return int(str(record["id"]))
