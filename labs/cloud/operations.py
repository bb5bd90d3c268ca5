"""Tell which AWS operation an HTTP request is, from the SDK's own service models."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl

import botocore.exceptions
import botocore.loaders

from labs.cloud.front import Request
from labs.cloud.trace import JSON

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/[0-9]+/([^/,\s]+)/([^/,\s]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Operation:
    """One AWS API call: service, operation, the resource it is about, and the few parameters that a trace shows."""

    service: str
    name: str
    resource: str
    detail: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Route:
    name: str
    pattern: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    needs_query: frozenset[str]
    needs_headers: frozenset[str]


def identify(request: Request) -> Operation:
    """Tell which operation this is. What no model knows is named by its HTTP method and path."""
    service = _service(request)
    if service == "apigateway" and request.path.startswith("/v2/"):
        service = "apigatewayv2"  # signed alike
    target = request.headers.get("x-amz-target")
    if target is not None:
        return _json_operation(service, target, request.body)
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        return Operation(service, form.get("Action", "?"), service, _query_detail(form))
    query = request.query
    best: tuple[int, _Route, re.Match[str]] | None = None
    for route in _routes(service).get(request.method, ()):
        match = route.pattern.fullmatch(request.path)
        if (
            match is None
            or not all((name, query.get(name)) == (name, value) for name, value in route.query)
            or not route.needs_query <= query.keys()
            or not route.needs_headers <= request.headers.keys()
        ):
            continue
        weight = 10 * len(route.query) + len(route.needs_query) + len(route.needs_headers)
        if best is None or weight > best[0]:
            best = (weight, route, match)
    if best is None:
        return Operation(service, f"{request.method} {request.path}", service)
    return _rest_operation(service, best[1].name, best[2].groupdict())


def access_key(request: Request) -> str | None:
    """Give the access key id that signed the request."""
    match = _CREDENTIAL.search(request.headers.get("authorization", ""))
    return match.group(1) if match else None


def _service(request: Request) -> str:
    match = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if match:
        return match.group(3).lower()
    scope = parse_qs(request.query_string).get("X-Amz-Credential", [""])[0].split("/")
    return scope[3].lower() if len(scope) == 5 else "s3"


def _json_operation(service: str, target: str, body: bytes) -> Operation:
    name = target.rpartition(".")[2]
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        parameters = {}
    if not isinstance(parameters, dict):
        parameters = {}
    detail: dict[str, JSON] = {}
    resource = service
    if isinstance(table := parameters.get("TableName"), str):
        detail["table"] = table.rpartition("/")[2]
        resource = f"dynamodb:{detail['table']}"
        key = parameters.get("Key")
        if isinstance(key, dict):
            detail["item_key"] = _plain_key(key)
    queue = parameters.get("QueueUrl") or parameters.get("QueueName")
    if service == "sqs" and isinstance(queue, str):
        detail["queue"] = queue.rstrip("/").rpartition("/")[2]
        resource = f"sqs:{detail['queue']}"
    return Operation(service, name, resource, detail)


def _plain_key(key: Mapping[str, object]) -> dict[str, JSON]:
    return {
        name: next((str(inner) for inner in value.values()), "") if isinstance(value, dict) else str(value)
        for name, value in key.items()
    }


def _query_detail(form: Mapping[str, str]) -> dict[str, JSON]:
    return {"stack": form["StackName"]} if "StackName" in form else {}


def _rest_operation(service: str, name: str, labels: Mapping[str, str]) -> Operation:
    detail: dict[str, JSON] = {}
    resource = service
    if bucket := labels.get("Bucket"):
        detail["bucket"] = bucket
        resource = f"s3:{bucket}"
        if key := labels.get("Key"):
            detail["key"] = key
    if function := labels.get("FunctionName"):
        detail["function"] = function.rpartition(":function:")[2]
        resource = f"lambda:{detail['function']}"
    return Operation(service, name, resource, detail)


@functools.cache
def _routes(service: str) -> dict[str, list[_Route]]:
    try:
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
    except botocore.exceptions.UnknownServiceError:
        return {}
    routes: dict[str, list[_Route]] = {}
    for name, operation in model["operations"].items():
        path, _, query = operation["http"]["requestUri"].partition("?")
        shape = model["shapes"].get(operation.get("input", {}).get("shape", ""), {})
        needed = [(member, shape["members"][member]) for member in shape.get("required", ())]
        routes.setdefault(operation["http"]["method"], []).append(
            _Route(
                name,
                _pattern(path),
                frozenset(parse_qsl(query, keep_blank_values=True)),
                frozenset(m.get("locationName", n) for n, m in needed if m.get("location") == "querystring"),
                frozenset(m.get("locationName", n).lower() for n, m in needed if m.get("location") == "header"),
            )
        )
    return routes


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{([^}]+)\}", path)
    expression = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            expression += re.escape(piece)
        elif piece.endswith("+"):
            expression += f"(?P<{_name(piece[:-1])}>.+)"
        else:
            expression += f"(?P<{_name(piece)}>[^/]+)"
    return re.compile(expression + "/?", re.DOTALL)


def _name(label: str) -> str:
    return re.sub(r"\W", "_", label)


def preload() -> None:
    """Read the models whose operations are told apart by their paths."""
    for service in ("s3", "lambda"):
        _routes(service)
