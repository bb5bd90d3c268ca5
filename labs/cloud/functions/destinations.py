"""Where the end of an asynchronous event is told: destinations on success and on failure, and the dead-letter queue.

Sources: AWS Lambda developer guide, "Capturing records of Lambda asynchronous invocations" and its section on dead-letter
queues (2026-11-20).
"""

import datetime
import json
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from labs.cloud.caller import SERVICE, Caller
from labs.cloud.front import Request, Response
from labs.cloud.functions.asynchronous import SUCCESS, AsynchronousQueue, Event
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import Kernel
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import REGION, FunctionVersion, UnknownFunctionError
from labs.cloud.trace import JSON, Recorder

if TYPE_CHECKING:
    from labs.cloud.account import Account

_ERROR_MESSAGE = 1024  # bytes of ErrorMessage, as documented for dead-letter queues
_THROTTLED = "Rate Exceeded."

Call = Callable[[Request, Caller, Callable[[Response], None]], None]


def attach(account: "Account") -> None:
    """Let this account's asynchronous events end somewhere."""
    told = Destinations(account.kernel, account.recorder, account.functions, account.queue, account.call)
    account.queue.settled = told.settled


class Destinations:
    """Send what became of events to where their functions want it."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions, queue: AsynchronousQueue, call: Call) -> None:
        self._kernel, self._recorder, self._functions, self._queue, self._call = kernel, recorder, functions, queue, call

    def settled(self, event: Event, function: FunctionVersion, condition: str, cause: int) -> None:
        """Tell the end of an event."""
        target = function.on_success if condition == SUCCESS else function.on_failure
        if target is not None:
            self._send(target, event, function, condition, cause)
        if condition != SUCCESS and function.dead_letter_arn is not None:
            self._bury(function.dead_letter_arn, event, function, cause)

    def _send(self, target: str, event: Event, function: FunctionVersion, condition: str, cause: int) -> None:
        record = self._told(event, function, target, condition, cause)
        document = self._document(event, function, condition)
        body = json.dumps(document, ensure_ascii=False)
        service = target.split(":")[2]
        if service == "lambda":
            self._invoke(target, body, record)
        elif service == "events":
            self._ask(_put_events(target, function, body, condition), record)
        elif service == "s3":
            self._ask(self._put_object(target, function, body), record)
        elif service == "sns":
            self._ask(_publish(target, body, {}), record)
        else:
            self._ask(_send_message(target, body, {}), record)

    def _bury(self, target: str, event: Event, function: FunctionVersion, cause: int) -> None:
        """Put the event itself into the dead-letter queue, with what was wrong as attributes."""
        record = self._told(event, function, target, "dead letter", cause)
        ran = event.outcome is not None
        message = (event.outcome.error_message or "") if event.outcome is not None else _THROTTLED
        attributes = {
            "RequestID": ("String", event.request_id),
            "ErrorCode": ("Number", "200" if ran else "429"),
            "ErrorMessage": ("String", message.encode()[:_ERROR_MESSAGE].decode("utf-8", "ignore") or "-"),
        }
        make = _publish if target.split(":")[2] == "sns" else _send_message
        self._ask(make(target, event.payload.decode("utf-8", "replace"), attributes), record)

    def _told(self, event: Event, function: FunctionVersion, target: str, condition: str, cause: int) -> int:
        service, name = target.split(":")[2], target.rpartition(":")[2]
        detail: dict[str, JSON] = {
            "request_id": event.request_id,
            "condition": condition,
            "destination": f"{service}:{name}",
        }
        return self._recorder.add(Kind.DESTINATION_SENT, f"lambda:{function.name}", detail, cause=cause).id

    def _ask(self, request: Request, record: int) -> None:
        self._call(request, Caller(SERVICE, record), lambda response: self._failed(response, record))

    def _failed(self, response: Response, record: int) -> None:
        """Leave a trace of a destination that refused; Lambda does not try again."""
        if response.status >= 400:
            sent = self._recorder.get(record)
            detail: dict[str, JSON] = {**sent.detail, "error": f"HTTP {response.status}"}
            self._recorder.add(Kind.DESTINATION_SENT, sent.resource, detail, cause=record)

    def _invoke(self, target: str, body: str, record: int) -> None:
        try:
            self._queue.accept(self._functions.find(target), body.encode(), "lambda", record)
        except UnknownFunctionError:
            self._failed(Response(404), record)

    def _document(self, event: Event, function: FunctionVersion, condition: str) -> dict[str, JSON]:
        document: dict[str, JSON] = {
            "version": "1.0",
            "timestamp": _stamp(self._kernel),
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": _qualified(function),
                "condition": condition,
                "approximateInvokeCount": event.invoked,
            },
            "requestPayload": json.loads(event.payload),
        }
        if event.outcome is not None:
            context: dict[str, JSON] = {"statusCode": 200, "executedVersion": event.version}
            if event.outcome.failed:
                context["functionError"] = "Unhandled"
            document["responseContext"] = context
            document["responsePayload"] = _loaded(event.outcome.payload)
        return document

    def _put_object(self, target: str, function: FunctionVersion, body: str) -> Request:
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / 1e9, datetime.UTC)
        draw = uuid.UUID(int=self._kernel.chance("destination").getrandbits(128), version=4)
        key = f"aws/lambda/async/{function.name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{draw}"
        return _request("s3", "PUT", f"/{target.rpartition(':')[2]}/{quote(key)}", {}, body)


def _qualified(function: FunctionVersion) -> str:
    return function.invoked_arn if function.qualifier else f"{function.invoked_arn}:$LATEST"


def _loaded(payload: bytes) -> JSON:
    try:
        found: JSON = json.loads(payload)
    except ValueError:
        found = payload.decode("utf-8", "replace")
    return found


def _stamp(kernel: Kernel) -> str:
    now = datetime.datetime.fromtimestamp(kernel.wall_ns / 1e9, datetime.UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"


# The calls that Lambda makes, in the form in which any caller makes them
def _request(service: str, method: str, target: str, headers: Mapping[str, str], body: str) -> Request:
    credential = f"AWS4-HMAC-SHA256 Credential=AKIALAMBDALAMBDA0000/20260101/{REGION}/{service}/aws4_request"
    known = {"host": f"{service}.{REGION}.amazonaws.com", "authorization": credential}
    return Request(method, target, {**known, **headers}, body.encode())


def _send_message(target: str, body: str, attributes: Mapping[str, tuple[str, str]]) -> Request:
    *_, account, name = target.split(":")
    message: dict[str, JSON] = {
        "QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{account}/{name}",
        "MessageBody": body,
    }
    if attributes:
        message["MessageAttributes"] = {
            key: {"DataType": kind, "StringValue": value} for key, (kind, value) in attributes.items()
        }
    headers = {"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"}
    return _request("sqs", "POST", "/", headers, json.dumps(message, ensure_ascii=False))


def _publish(target: str, body: str, attributes: Mapping[str, tuple[str, str]]) -> Request:
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": target, "Message": body}
    for index, (key, (kind, value)) in enumerate(attributes.items(), 1):
        entry = f"MessageAttributes.entry.{index}"
        form |= {f"{entry}.Name": key, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}
    return _request("sns", "POST", "/", {"content-type": "application/x-www-form-urlencoded"}, urlencode(form))


def _put_events(target: str, function: FunctionVersion, body: str, condition: str) -> Request:
    entry: dict[str, JSON] = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {'Success' if condition == SUCCESS else 'Failure'}",
        "Resources": [_qualified(function), target],
        "Detail": body,
        "EventBusName": target,
    }
    headers = {"x-amz-target": "AWSEvents.PutEvents", "content-type": "application/x-amz-json-1.1"}
    return _request("events", "POST", "/", headers, json.dumps({"Entries": [entry]}, ensure_ascii=False))
