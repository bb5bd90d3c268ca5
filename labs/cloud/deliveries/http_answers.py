"""What a client gets: the function's answer in HTTP, or API Gateway's own words when there is none.

Sources: as for http_events; AWS Lambda developer guide, "Handling Lambda errors with an API Gateway API" (500 when Lambda
refuses, 502 for a function error or a malformed answer); Amazon API Gateway developer guide, "Configure CORS for HTTP APIs" and
"Return binary media from a Lambda proxy integration" (2026-11-20).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from labs.cloud.deliveries.http_events import is_binary
from labs.cloud.front import Request, Response
from labs.cloud.moto_seams import Cors, Gateway, Protocol

Headers = list[tuple[str, str]]
_JSON = ("Content-Type", "application/json")
# API Gateway and Lambda set these themselves.
_OWN = {"connection", "content-length", "transfer-encoding", "date", "server"}


class MalformedAnswerError(Exception):
    """A function answered with something that is no HTTP answer."""


def refusal(protocol: Protocol, status: int, message: str, error: str = "") -> Response:
    """Give an error in the words of the front; `error` is its type where AWS names one."""
    # A REST API's errors have a space after the colon, except those that the edge itself gives; clients compare.
    if protocol is Protocol.URL:
        body = json.dumps({"Message": message}, separators=(",", ":"))
    elif protocol is Protocol.REST and status >= 500:
        body = json.dumps({"message": message})
    else:
        body = json.dumps({"message": message}, separators=(",", ":"))
    headers = (_JSON, ("x-amzn-ErrorType", error)) if error else (_JSON,)
    return Response(status, headers, body.encode())


def broken(protocol: Protocol) -> Response:
    """Answer for a function that failed or answered nonsense."""
    if protocol is Protocol.REST:
        return refusal(protocol, 502, "Internal server error", "InternalServerErrorException")
    if protocol is Protocol.URL:
        return Response(502, (("Content-Type", "text/plain"),), b"Internal Server Error")
    return refusal(protocol, 500, "Internal Server Error")


def timed_out(protocol: Protocol) -> Response:
    """Answer for a function that takes longer than the integration may."""
    if protocol is Protocol.REST:
        return refusal(protocol, 504, "Endpoint request timed out", "InternalServerErrorException")
    return refusal(protocol, 503, "Service Unavailable")


def answer(gateway: Gateway, version: str, request: Request, payload: bytes) -> Response:
    """Read a function's answer. Raises MalformedAnswerError."""
    try:
        found = json.loads(payload)
    except ValueError as error:
        raise MalformedAnswerError("not JSON") from error
    if version != "1.0" and not (isinstance(found, dict) and "statusCode" in found):
        return Response(200, (_JSON,), found.encode() if isinstance(found, str) else payload)
    if not isinstance(found, dict):
        raise MalformedAnswerError("not an object")
    status = _status(found.get("statusCode"))
    headers = _headers(found, version)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(
            ("Content-Type", "text/plain;charset=UTF-8" if gateway.protocol is Protocol.HTTP else "application/json")
        )
    body = found.get("body")
    if body is None:
        body = ""
    if not isinstance(body, str):
        raise MalformedAnswerError("the body is no string")
    content = body.encode()
    if found.get("isBase64Encoded") is True and _decodes(gateway, request):
        try:
            content = base64.b64decode(body, validate=False)
        except (binascii.Error, ValueError) as error:
            raise MalformedAnswerError("the body is not base64") from error
    return Response(status, tuple(headers), content)


def _decodes(gateway: Gateway, request: Request) -> bool:
    """Tell whether base64 is undone: always, but by a REST API only for a client that accepts a binary media type first."""
    if gateway.protocol is not Protocol.REST:
        return True
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return is_binary(gateway, accepted)


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise MalformedAnswerError("statusCode is no HTTP status")
    return value


def _headers(found: Mapping[str, Any], version: str) -> Headers:
    headers: Headers = []
    many = found.get("multiValueHeaders") if version == "1.0" else None
    if many is not None:
        if not isinstance(many, dict) or not all(isinstance(values, list) for values in many.values()):
            raise MalformedAnswerError("multiValueHeaders is no object of lists")
        headers += [(str(name), _text(value)) for name, values in many.items() for value in values]
    single = found.get("headers")
    if single is not None:
        if not isinstance(single, dict):
            raise MalformedAnswerError("headers is no object")
        # A header that is in both stays as multiValueHeaders has it, beside the single value if that is another.
        headers += [pair for name, value in single.items() if (pair := (str(name), _text(value))) not in headers]
    cookies = found.get("cookies") if version != "1.0" else None
    if cookies is not None:
        if not isinstance(cookies, list):
            raise MalformedAnswerError("cookies is no list")
        headers += [("Set-Cookie", _text(cookie)) for cookie in cookies]
    for name, value in headers:
        if not name or any(character in "\r\n\0: " for character in name) or any(one in "\r\n\0" for one in value):
            raise MalformedAnswerError("a header with a line break")
    return [(name, value) for name, value in headers if name.lower() not in _OWN]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedAnswerError("a header's value is no string")


def is_preflight(request: Request) -> bool:
    """Tell whether a browser asks what it may ask."""
    return request.method == "OPTIONS" and "origin" in request.headers and "access-control-request-method" in request.headers


def preflight(cors: Cors, request: Request, status: int) -> Response:
    """Answer a preflight request; no function hears of it."""
    headers = _allowed(cors, request)
    if headers:
        headers += [
            (name, ",".join(values))
            for name, values in (("access-control-allow-methods", cors.methods), ("access-control-allow-headers", cors.headers))
            if values
        ]
        if cors.max_age is not None:
            headers.append(("access-control-max-age", str(cors.max_age)))
    return Response(status, tuple(headers))


def with_cors(cors: Cors, request: Request, response: Response) -> Response:
    """Put the configured CORS headers in the place of whatever the function said about it."""
    kept = [(name, value) for name, value in response.headers if not name.lower().startswith("access-control-")]
    return Response(response.status, (*kept, *_allowed(cors, request)), response.body)


def _allowed(cors: Cors, request: Request) -> Headers:
    origin = request.headers.get("origin")
    if origin is None or not any(_matches(pattern, origin) for pattern in cors.origins):
        return []
    everybody = "*" in cors.origins and not cors.credentials
    headers: Headers = [("access-control-allow-origin", "*" if everybody else origin)]
    if not everybody:
        headers.append(("vary", "Origin"))
    if cors.credentials:
        headers.append(("access-control-allow-credentials", "true"))
    if cors.exposed:
        headers.append(("access-control-expose-headers", ",".join(cors.exposed)))
    return headers


def _matches(pattern: str, origin: str) -> bool:
    return origin.startswith(pattern[:-1]) if pattern.endswith("*") else pattern.rstrip("/") == origin
