"""The Invoke operation: AWS's answers to a caller of the Lambda API.

Source: AWS SDK service model, Lambda Invoke (2026-11-17), and AWS Lambda API reference, Invoke (2026-11-20).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labs.cloud import limits
from labs.cloud.api_call import ApiCall
from labs.cloud.front import Request, Response
from labs.cloud.functions.asynchronous import AsynchronousQueue
from labs.cloud.functions.invocation import Invocation, Mode, Outcome, ThrottleReason
from labs.cloud.functions.runtime_api import document
from labs.cloud.functions.service import Functions
from labs.cloud.moto_seams import FunctionVersion, UnknownFunctionError, split_name

if TYPE_CHECKING:
    from labs.cloud.account import Account

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
JSON_HEADER = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller of Invoke asked for, checked."""

    function: FunctionVersion
    payload: bytes
    kind: str
    tail: bool
    client_context: str | None


def attach(account: "Account") -> None:
    """Let this account's functions be invoked."""

    def invoke(api_call: ApiCall) -> None:
        checked = check(account.functions, api_call.request)
        if isinstance(checked, Response):
            api_call.finish(checked)
            return
        accepted = Response({"Event": 202, "DryRun": 204}.get(checked.kind, 200))
        record = api_call.recorded(accepted)
        perform(checked, account.functions, account.queue, record, api_call.answer)

    account.take_over("lambda", "Invoke", invoke)


def check(functions: Functions, request: Request) -> Call | Response:
    """Check an Invoke request; a Response is the refusal."""
    match = _PATH.fullmatch(request.path)
    name = match.group(1) if match else ""
    kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
    if kind not in ("RequestResponse", "Event", "DryRun"):
        return refusal(400, "InvalidParameterValueException", f"Value '{kind}' at 'invocationType' is not valid")
    limit = limits.ASYNC_PAYLOAD.value if kind == "Event" else limits.SYNC_PAYLOAD.value
    if len(request.body) > limit:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        return refusal(413, "RequestTooLargeException", message)
    qualifier = request.query.get("Qualifier")
    inside = split_name(name)[1]
    if inside and qualifier and inside != qualifier:
        message = "The derived qualifier from the function name does not match the specified qualifier."
        return refusal(400, "InvalidParameterValueException", message)
    try:
        function = functions.find(name, qualifier)
    except UnknownFunctionError as error:
        return refusal(404, "ResourceNotFoundException", f"Function not found: {error.arn}")
    payload = request.body or b"{}"
    try:
        json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        return refusal(400, "InvalidRequestContentException", message)
    tail = request.headers.get("x-amz-log-type") == "Tail"
    return Call(function, payload, kind, tail, request.headers.get("x-amz-client-context"))


def perform(call: Call, functions: Functions, queue: AsynchronousQueue, cause: int, answer: Callable[[Response], None]) -> None:
    """Carry out a checked Invoke; a synchronous one is answered when the function has ended."""
    if call.kind == "DryRun":
        answer(Response(204))
        return
    if call.kind == "Event":
        request_id = queue.accept(call.function, call.payload, "invoke", cause, call.client_context)
        answer(Response(202, (("x-amzn-RequestId", request_id),)))
        return
    invocation = Invocation(
        call.function,
        functions.request_id(),
        call.payload,
        "invoke",
        Mode.REQUEST_RESPONSE,
        cause,
        lambda outcome: answer(_answered(call, invocation.request_id, outcome)),
        client_context=call.client_context,
    )
    reason = functions.start(invocation)
    if reason is not None:
        answer(throttled(reason))


def _answered(call: Call, request_id: str, outcome: Outcome) -> Response:
    headers = [
        JSON_HEADER,
        ("x-amzn-RequestId", request_id),
        ("X-Amz-Executed-Version", call.function.version),
    ]
    if outcome.failed:
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    if call.tail:
        headers.append(("X-Amz-Log-Result", outcome.log_tail.decode()))
    return Response(200, tuple(headers), outcome.payload)


def throttled(reason: ThrottleReason) -> Response:
    """Give Lambda's answer to a caller whom it throttles."""
    body = document(Reason=reason, Type="User", message="Rate Exceeded.")
    return Response(429, (JSON_HEADER, ("x-amzn-ErrorType", "TooManyRequestsException"), ("Retry-After", "1")), body)


def refusal(status: int, code: str, message: str) -> Response:
    """Give Lambda's error answer."""
    return Response(status, (JSON_HEADER, ("x-amzn-ErrorType", code)), document(Type="User", Message=message, message=message))
