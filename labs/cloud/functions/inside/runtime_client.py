"""Stand in for awslambdaric's native module where it has no wheel; the native one comes first on sys.path.

Same functions, same headers on the wire, same errors. What the native client leaves out when empty is None here too.
"""

import http.client
import os
from collections.abc import Mapping

_API = "/2018-06-01/runtime/invocation"
_ALWAYS = ("Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Invoked-Function-Arn")
_OPTIONAL = (
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Client-Context",
    "Content-Type",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
)

_connection = http.client.HTTPConnection(os.environ.get("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"))
_agent = ""


def initialize_client(user_agent: str) -> None:
    """Remember what to call ourselves."""
    global _agent
    _agent = user_agent


def next() -> tuple[bytes, dict[str, str | int | None]]:
    """Wait for the next event; return it with the headers that the runtime reads."""
    status, answer, body = _request("GET", "/next", None, {})
    if status != 200:
        raise RuntimeError("Failed to get next")
    headers: dict[str, str | int | None] = {name: _text(answer.get(name, "")) for name in _ALWAYS}
    headers |= {name: _text(answer.get(name, "")) or None for name in _OPTIONAL}
    headers["Lambda-Runtime-Deadline-Ms"] = int(answer.get("Lambda-Runtime-Deadline-Ms") or 0)
    return body, headers


def post_invocation_result(invoke_id: str, data: bytes, content_type: str, invocation_id: str | None = None) -> None:
    """Post what the handler returned."""
    if not _post(f"/{invoke_id}/response", data, {"content-type": content_type}, invocation_id):
        raise RuntimeError("Failed to post invocation response")


def post_error(invoke_id: str, error_response_data: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Post what the handler raised."""
    # As bytes, because http.client would refuse the text of most languages here.
    headers: dict[str, str | bytes] = {
        "content-type": "application/json",
        "lambda-runtime-function-xray-error-cause": xray_fault.encode(),
    }
    if not _post(f"/{invoke_id}/error", error_response_data.encode(), headers, invocation_id):
        raise RuntimeError("Failed to post invocation error")


def _text(value: str) -> str:
    # http.client reads headers as Latin-1; Lambda sends UTF-8.
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _post(path: str, data: bytes, headers: Mapping[str, str | bytes], invocation_id: str | None) -> bool:
    extra = {"lambda-runtime-invocation-id": invocation_id} if invocation_id else {}
    status, _, _ = _request("POST", path, data, {**headers, **extra})
    return 200 <= status < 300


def _request(
    method: str, path: str, body: bytes | None, headers: Mapping[str, str | bytes]
) -> tuple[int, http.client.HTTPMessage, bytes]:
    # A connection that the other side closed while it was idle is opened again.
    for attempt in (1, 2):
        try:
            _connection.request(method, _API + path, body, {"user-agent": _agent, "accept": "*/*", **headers})
            response = _connection.getresponse()
            return response.status, response.headers, response.read()
        except (http.client.RemoteDisconnected, http.client.CannotSendRequest, ConnectionError):
            _connection.close()
            if attempt == 2:
                raise
    raise AssertionError("unreachable")
