"""Which API a request is for, which of its stages, and which of its routes.

By host, whatever domain follows: `<id>.execute-api.<...>`, `<id>.lambda-url.<...>`, `<bucket>.s3.<...>`. By path, for clients
that cannot choose the host they name: `/_execute-api/<id>/...` and `/_lambda-url/<id>/...`.
Source: Amazon API Gateway developer guide, "Create routes for HTTP APIs" (which route is selected, 2026-11-20).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from labs.cloud.front import Request
from labs.cloud.moto_seams import Gateway, Protocol, Route, Stage

DEFAULT = "$default"
_HOST = re.compile(r"(?P<id>[a-z0-9]+)\.(?P<kind>execute-api|lambda-url)\..+")
_PATH = re.compile(r"/_(?P<kind>execute-api|lambda-url)/(?P<id>[a-z0-9]+)(?P<rest>/.*|)", re.DOTALL)
_BUCKET = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]*?)\.s3[.-].+")


@dataclass(frozen=True, slots=True)
class Address:
    """The id of an API or a function URL, and the path (percent-encoded) that it sees."""

    kind: str  # "execute-api" or "lambda-url"
    id: str
    raw_path: str


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and what its path's variables stand for (as sent)."""

    route: Route
    parameters: Mapping[str, str]


def address(request: Request) -> Address | None:
    """Tell which API a request is for; None for AWS's own services."""
    host = request.headers.get("host", "").lower()
    if match := _HOST.fullmatch(host):
        return Address(match["kind"], match["id"], request.raw_path or "/")
    if match := _PATH.fullmatch(request.raw_path):
        return Address(match["kind"], match["id"].lower(), match["rest"] or "/")
    return None


def path_style(request: Request) -> Request:
    """Put the bucket of a virtual-hosted S3 request into the path, where the store looks for it."""
    match = _BUCKET.fullmatch(request.headers.get("host", "").lower())
    if match is None:
        return request
    path, mark, query = request.target.partition("?")
    headers = {**request.headers, "host": "127.0.0.1"}
    return replace(request, target=f"/{match['bucket']}{path if path != '/' else ''}{mark}{query}", headers=headers)


def stage_of(gateway: Gateway, raw_path: str) -> tuple[Stage, str] | None:
    """Choose the stage, and give the path below it."""
    _, first, *rest = [*raw_path.split("/", 2), "", ""][:3]
    named = gateway.stages.get(unquote(first))
    if named is not None and named.name != DEFAULT:
        return named, "/" + (rest[0] if rest else "")
    default = gateway.stages.get(DEFAULT)
    return None if default is None or gateway.protocol is Protocol.REST else (default, raw_path)


def find(gateway: Gateway, method: str, raw_path: str) -> Match | None:
    """Choose the most specific route: its path first, then a named method before ANY, $default last."""
    best: tuple[tuple[object, ...], Match] | None = None
    segments = _segments(raw_path, gateway.protocol)
    for route in gateway.routes:
        if route.path == DEFAULT:
            weight: tuple[object, ...] = (1,)
            parameters: dict[str, str] | None = {}
        else:
            parameters = _parameters(_segments(route.path, gateway.protocol), segments)
            weight = (0, tuple(_weight(segment) for segment in _segments(route.path, gateway.protocol)), route.method == "ANY")
        if parameters is None or route.method not in (method, "ANY"):
            continue
        if best is None or weight < best[0]:
            best = (weight, Match(route, parameters))
    return best[1] if best else None


def _segments(path: str, protocol: Protocol) -> list[str]:
    # A REST API takes no notice of a slash at the end; an HTTP API does.
    trimmed = path.strip("/") if protocol is Protocol.REST else path[1:]
    return trimmed.split("/")


def _weight(segment: str) -> int:
    return 2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0


def _parameters(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if part.endswith("+}"):
            rest = "/".join(segments[index:])
            return {**found, part[1:-2]: unquote(rest)} if rest else None
        if index >= len(segments):
            return None
        if part.startswith("{") and part.endswith("}"):
            if not segments[index]:
                return None
            found[part[1:-1]] = unquote(segments[index])
        elif part != unquote(segments[index]):
            return None
    return found if len(pattern) == len(segments) else None
