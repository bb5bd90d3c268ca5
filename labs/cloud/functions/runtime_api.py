"""Lambda's Runtime API as the runtime client sees it, and the documents and log lines around an invocation.

Sources: AWS Lambda developer guide, "Using the Lambda runtime API", "Lambda runtime environment lifecycle" and "Working with
Lambda environment variables" (2026-11-20).
"""

import json
import random
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from labs.cloud import limits
from labs.cloud.front import Request, Response
from labs.cloud.functions.invocation import Invocation
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import JSON

_PREFIX = "/2018-06-01/runtime"
_JSON = (("Content-Type", "application/json"),)

ACCEPTED = Response(202, _JSON, b'{"status":"OK"}\n')
DONE = Response(200)
REFUSED = Response(403, _JSON, b'{"errorMessage":"Invalid request","errorType":"InvalidRequest"}')


@dataclass(frozen=True, slots=True)
class Next:
    """The runtime asks for its next event."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The handler returned."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Error:
    """The handler raised, or INIT failed (no request id)."""

    request_id: str | None


@dataclass(frozen=True, slots=True)
class Sleep:
    """The process sleeps, nanoseconds."""

    ns: int


@dataclass(frozen=True, slots=True)
class Timer:
    """A wait with a time-out, nanoseconds."""

    name: str
    ns: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """A wait that ended before its time-out."""

    name: str


Call = Next | Answer | Error | Sleep | Timer | Cancel


def parse(request: Request) -> Call | None:
    """Tell what the runtime wants; None for a path that the Runtime API does not have."""
    path = urlsplit(request.target).path
    match request.method, path.removeprefix(_PREFIX).strip("/").split("/"):
        case "GET", ["invocation", "next"]:
            return Next()
        case "POST", ["invocation", request_id, "response"]:
            return Answer(request_id)
        case "POST", ["invocation", request_id, "error"]:
            return Error(request_id)
        case "POST", ["init", "error"]:
            return Error(None)
        case "POST", ["clock", what]:
            return _clock_call(what, parse_qs(request.query_string))
    return None


def _clock_call(what: str, query: Mapping[str, list[str]]) -> Call | None:
    try:
        ns = min(max(0, int(query.get("ns", ["0"])[0])), 10**18)
    except ValueError:
        return None
    name = query.get("timer", [""])[0]
    match what:
        case "sleep":
            return Sleep(ns)
        case "timer":
            return Timer(name, ns)
        case "cancel":
            return Cancel(name)
    return None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an invocation failed: AWS's error document and its two most telling fields."""

    error_type: str
    message: str
    document: bytes


def _failure(error_type: str, message: str) -> Failure:
    document = json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()
    return Failure(error_type, message, document)


def failure(request: Request, task_root: str) -> Failure:
    """Read the error document that the runtime client posted; `task_root` is shown as AWS shows it."""
    body = request.body.replace(task_root.encode(), b"/var/task")
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    error_type = document.get("errorType") or request.headers.get("lambda-runtime-function-error-type") or "Unknown"
    return Failure(str(error_type), str(document.get("errorMessage", "")), body)


def exit_failure(status: int | None, request_id: str | None) -> Failure:
    """Say, as Lambda does, that the process ended by itself."""
    prefix = f"RequestId: {request_id} Error: " if request_id else ""
    if not status:
        return _failure("Runtime.ExitError", prefix + "Runtime exited without providing a reason")
    if status < 0:
        names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGTERM: "terminated"}
        try:
            name = names.get(signal.Signals(-status), signal.Signals(-status).name)
        except ValueError:
            name = str(-status)
        return _failure("Runtime.ExitError", f"{prefix}Runtime exited with error: signal: {name}")
    return _failure("Runtime.ExitError", f"{prefix}Runtime exited with error: exit status {status}")


def timeout_failure(seconds: int, request_id: str | None) -> Failure:
    """Say that the function's timeout ended the invocation."""
    return _failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")


def init_timeout_failure(seconds: int) -> Failure:
    """Say that INIT took longer than Lambda allows; the caller never sees it, because INIT is tried again."""
    return _failure("Sandbox.Timedout", f"INIT did not end within {seconds} seconds")


def not_started(why: str) -> Failure:
    """Say that this machine could not start the process; the learner's code is not to blame."""
    return _failure("ServiceException", f"the execution environment could not be started: {why}")


def refused_answer(answer: bytes | None, request_id: str) -> Failure | None:
    """Say what is wrong with the answer to an event, when the runtime asks for the next one; None for nothing."""
    if answer is None:
        return _no_answer(request_id)
    return _too_large(len(answer)) if len(answer) > limits.SYNC_PAYLOAD.value else None


def _no_answer(request_id: str) -> Failure:
    return _failure("Runtime.Unknown", f"RequestId: {request_id} Error: the runtime gave no answer")


def _too_large(size: int) -> Failure:
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limits.SYNC_PAYLOAD.value} bytes)."
    return _failure("Function.ResponseSizeTooLarge", message)


def event(invocation: Invocation, deadline_ms: int, chance: random.Random) -> Response:
    """Hand an event to the runtime."""
    root = f"1-{chance.getrandbits(32):08x}-{chance.getrandbits(96):024x}"
    headers = [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.function.invoked_arn or invocation.function.arn),
        ("Lambda-Runtime-Trace-Id", f"Root={root};Parent={chance.getrandbits(64):016x};Sampled=0"),
    ]
    if invocation.client_context:
        headers.append(("Lambda-Runtime-Client-Context", invocation.client_context))
    return Response(200, tuple(headers), invocation.payload)


def variables(function: FunctionVersion, log_stream: str, initialization: str, chance: random.Random) -> dict[str, str]:
    """Give the environment variables of an environment: the function's own and Lambda's reserved ones."""
    logging = {"AWS_LAMBDA_LOG_FORMAT": function.log_format, "AWS_LAMBDA_LOG_LEVEL": function.application_log_level}
    return {
        **function.environment,
        **(logging if function.log_format == "JSON" else {}),
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_ACCESS_KEY_ID": "ASIA" + "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)),
        "AWS_SECRET_ACCESS_KEY": f"{chance.getrandbits(160):040x}",
        "AWS_SESSION_TOKEN": f"{chance.getrandbits(256):064x}",
    }


def actual_runtime() -> str:
    """Name the Python that really runs behind every `Runtime: python3.x`."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def document(**fields: JSON) -> bytes:
    """Write a JSON document as Lambda does, without blanks."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
