"""Code that cannot even be loaded is not wrong, it cannot be graded: tell so from the trace, never from the code."""

import re

from labs.cloud import Kind, Record, Trace
from labs.cloud.trace import JSON
from labs.grading.checks import as_json
from labs.grading.result import Reason

_MESSAGES = {
    "Runtime.UserCodeSyntaxError": "grading.syntax_error",
    "Runtime.ImportModuleError": "grading.import_error",
    "Runtime.HandlerNotFound": "grading.handler_not_found",
    "Runtime.MalformedHandlerName": "grading.handler_not_found",
}
# "Syntax error in module 'handler': invalid syntax (handler.py, line 3)", as the runtime client writes it.
_SYNTAX = re.compile(r"Syntax error in module '[^']*': (?P<error>.*) \((?P<file>[^()]*), line (?P<line>\d+)\)", re.DOTALL)
_CODE = re.compile(r'File "[^"]*" Line \d+\n(?P<code>[^\n]*)')
_MODULE = re.compile(r"No module named '(?P<module>[^']*)'")


def not_loadable(trace: Trace, packages: tuple[str, ...]) -> Reason | None:
    """Give the reason when an execution environment could not load the code. `packages` are those that the lab offers."""
    for record in trace.of(Kind.INIT_ENDED, status="error"):
        message = _MESSAGES.get(str(record.detail.get("error_type")))
        if message is not None:
            return _reason(message, record, trace, packages)
    return None


def _reason(message: str, record: Record, trace: Trace, packages: tuple[str, ...]) -> Reason:
    error = str(record.detail.get("error_message"))
    params: dict[str, JSON] = {"error": error}
    if message == "grading.syntax_error" and (syntax := _SYNTAX.search(error)):
        params = {"error": syntax["error"], "file": syntax["file"], "line": int(syntax["line"]), "code": _line(record, trace)}
    elif message == "grading.import_error" and (module := _MODULE.search(error)):
        message = "grading.no_such_module"
        params = {"error": error, "module": module["module"], "packages": ", ".join(packages)}
    return Reason(message, {name: as_json(value) for name, value in params.items()})


def _line(record: Record, trace: Trace) -> str:
    """Find the line of code in the log of the same INIT."""
    for line in trace.of(Kind.LOG_LINE):
        if line.cause == record.cause and (code := _CODE.search(str(line.detail["message"]))):
            return code["code"].strip()
    return ""
