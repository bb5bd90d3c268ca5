"""The documents that functions receive from API Gateway and from function URLs.

Sources: Amazon API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs" (payload format versions 1.0
and 2.0) and "Lambda proxy integrations in API Gateway" (REST APIs); AWS Lambda developer guide, "Invoking Lambda function
URLs" (2026-11-20).
"""

import base64
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from labs.cloud.front import Request
from labs.cloud.moto_seams import Gateway, Protocol, Route, Stage
from labs.cloud.trace import JSON

_CALLER_IP = "127.0.0.1"
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
# What says how a request travelled says nothing about what it is.
_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection", "expect"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that has found its route."""

    request: Request
    gateway: Gateway
    stage: Stage
    route: Route
    raw_path: str  # below the stage, percent-encoded
    parameters: Mapping[str, str]
    request_id: str
    extended_id: str
    trace_id: str
    wall_ns: int


def event(arrival: Arrival) -> dict[str, JSON]:
    """Make the document in the payload format that the route asks for."""
    return _version_1(arrival) if arrival.route.version == "1.0" else _version_2(arrival)


def _version_2(arrival: Arrival) -> dict[str, JSON]:
    request, gateway, stage = arrival.request, arrival.gateway, arrival.stage
    path = _full_path(arrival)
    headers: dict[str, str] = {}
    cookies: list[JSON] = []
    for name, value in _lines(arrival):
        lower = name.lower()
        if lower == "cookie":
            cookies += [piece.strip() for piece in value.split(";") if piece.strip()]
        else:
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    found: dict[str, JSON] = {
        "version": "2.0",
        "routeKey": arrival.route.key,
        "rawPath": path,
        "rawQueryString": request.query_string,
    }
    if cookies:
        found["cookies"] = cookies
    found["headers"] = dict(sorted(headers.items()))
    if request.query_string:
        found["queryStringParameters"] = {name: ",".join(values) for name, values in _query(request).items()}
    found["requestContext"] = {
        "accountId": "anonymous" if gateway.protocol is Protocol.URL else gateway.account,
        "apiId": gateway.id,
        "domainName": gateway.domain,
        "domainPrefix": gateway.id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": _CALLER_IP,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": arrival.request_id if gateway.protocol is Protocol.URL else arrival.extended_id,
        "routeKey": arrival.route.key,
        "stage": stage.name,
        "time": _clf(arrival.wall_ns),
        "timeEpoch": arrival.wall_ns // 1_000_000,
    }
    if arrival.parameters:
        found["pathParameters"] = dict(arrival.parameters)
    if stage.variables:
        found["stageVariables"] = dict(stage.variables)
    body, encoded = _body(arrival)
    if body is not None:
        found["body"] = body
    found["isBase64Encoded"] = encoded
    return found


def _version_1(arrival: Arrival) -> dict[str, JSON]:
    request, gateway, stage, route = arrival.request, arrival.gateway, arrival.stage, arrival.route
    headers: dict[str, list[str]] = {}
    for name, value in _lines(arrival):
        headers.setdefault(name, []).append(value)
    query = _query(request)
    body, encoded = _body(arrival)
    path = unquote(_full_path(arrival)) if gateway.protocol is Protocol.HTTP else unquote(arrival.raw_path)
    identity: dict[str, JSON] = dict.fromkeys(
        (
            "accessKey",
            "accountId",
            "apiKey",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
        )
    )
    identity |= {"sourceIp": _CALLER_IP, "user": None, "userAgent": request.headers.get("user-agent"), "userArn": None}
    context: dict[str, JSON] = {
        "accountId": gateway.account,
        "apiId": gateway.id,
        "domainName": gateway.domain,
        "domainPrefix": gateway.id,
        "extendedRequestId": arrival.extended_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": unquote(f"/{stage.name}{arrival.raw_path}" if gateway.protocol is Protocol.REST else _full_path(arrival)),
        "protocol": "HTTP/1.1",
        "requestId": arrival.request_id if gateway.protocol is Protocol.REST else arrival.extended_id,
        "requestTime": _clf(arrival.wall_ns),
        "requestTimeEpoch": arrival.wall_ns // 1_000_000,
        "resourceId": route.resource_id or route.key,
        "resourcePath": route.path,
        "stage": stage.name,
    }
    found: dict[str, JSON] = {
        "resource": route.path,
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": {name: list(values) for name, values in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": {name: list(values) for name, values in query.items()} or None,
        "requestContext": context,
        "pathParameters": dict(arrival.parameters) or None,
        "stageVariables": dict(stage.variables) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }
    return {"version": "1.0", **found} if gateway.protocol is Protocol.HTTP else found


def _full_path(arrival: Arrival) -> str:
    """Give the path as HTTP APIs and function URLs show it: with the stage, unless it is the default one."""
    stage = arrival.stage.name
    return arrival.raw_path if stage == "$default" else f"/{stage}{arrival.raw_path}"


def _lines(arrival: Arrival) -> Iterable[tuple[str, str]]:
    """Give the header lines as API Gateway passes them on; the host is the API's own, whatever name it was reached by."""
    request = arrival.request
    kept = [(name, value) for name, value in request.lines or tuple(request.headers.items()) if name.lower() not in _HOP]
    port, scheme = ("443", "https")
    return [
        *((name, value) for name, value in kept if name.lower() != "host"),
        ("Host", arrival.gateway.domain),
        ("X-Amzn-Trace-Id", arrival.trace_id),
        ("X-Forwarded-For", _CALLER_IP),
        ("X-Forwarded-Port", port),
        ("X-Forwarded-Proto", scheme),
    ]


def _query(request: Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _body(arrival: Arrival) -> tuple[str | None, bool]:
    """Give the body as a JSON string can carry it, and whether that is base64."""
    body = arrival.request.body
    if not body:
        return None, False
    kind = arrival.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if arrival.gateway.protocol is Protocol.REST:
        binary = is_binary(arrival.gateway, kind)
    else:
        binary = bool(kind) and not kind.startswith(_TEXT) and not kind.endswith(("+json", "+xml"))
    if not binary:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            if arrival.gateway.protocol is Protocol.REST:
                return body.decode("utf-8", "replace"), False
    return base64.b64encode(body).decode(), True


def is_binary(gateway: Gateway, media_type: str) -> bool:
    """Tell whether a REST API treats a media type as binary."""
    return any(one == "*/*" or one.lower() == media_type for one in gateway.binary_types)


def _clf(wall_ns: int) -> str:
    return f"{datetime.datetime.fromtimestamp(wall_ns // 1_000_000_000, datetime.UTC):%d/%b/%Y:%H:%M:%S +0000}"
