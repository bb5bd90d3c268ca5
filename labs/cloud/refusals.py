"""How AWS refuses, in each of its protocols."""

import json
from html import escape

from labs.cloud.front import Request, Response


def error_code(response: Response) -> str | None:
    """Read AWS's error code out of an answer in any of its protocols."""
    if response.status < 400:
        return None
    headers = {name.lower(): value for name, value in response.headers}
    if code := headers.get("x-amzn-errortype"):
        return code.partition(":")[0]
    body = response.body.decode("utf-8", "replace")
    if "<Code>" in body:
        return body.partition("<Code>")[2].partition("</Code>")[0]
    try:
        document = json.loads(body)
    except ValueError:
        return str(response.status)
    kind = document.get("__type") or document.get("code") if isinstance(document, dict) else None
    return str(kind).rpartition("#")[2] if kind else str(response.status)


def in_protocol(request: Request, response: Response) -> Response:
    """Give an error in the caller's own protocol: moto's CloudFormation passes on errors of services that speak another."""
    if response.status < 400 or not response.body.startswith(b"{"):
        return response
    if "x-www-form-urlencoded" not in request.headers.get("content-type", ""):
        return response
    try:
        document = json.loads(response.body)
    except ValueError:
        return response
    return query_error(response.status, str(document.get("__type")), str(document.get("message") or document.get("Message")))


def query_error(status: int, code: str, message: str) -> Response:
    """Refuse as the services with the Query protocol do (SNS, IAM, STS, CloudFormation)."""
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code.rpartition('#')[2])}</Code>"
        f"<Message>{escape(message)}</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return Response(status, (("Content-Type", "text/xml"),), body.encode())
