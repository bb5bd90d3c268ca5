"""The AWS SDK inside the cloud's own process: for deployments, and for owners that do without the SDK."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import botocore
import botocore.awsrequest
import botocore.client
import botocore.config
import botocore.exceptions
import botocore.model
import botocore.session

from labs.cloud.caller import DEPLOYMENT, Caller
from labs.cloud.front import Request, Response
from labs.cloud.moto_seams import REGION

if TYPE_CHECKING:
    from labs.cloud.process import CloudProcess


class OperationFailed(Exception):
    """AWS refused; `code` and `message` are its own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Clients:
    """SDK clients that are not connected to anything yet; making them takes long, so a warm parent makes them."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._clients: dict[str, botocore.client.BaseClient] = {}

    def get(self, service: str) -> "botocore.client.BaseClient":
        """Give the client of a service. Raises OperationFailed for one that AWS does not have."""
        if service not in self._clients:
            try:
                self._clients[service] = self._session.create_client(
                    service,
                    region_name=REGION,
                    endpoint_url="http://127.0.0.1:4566",
                    aws_access_key_id="AKIAOUTSIDEOUTSIDE00",
                    aws_secret_access_key="outside",
                    config=botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
                )
            except botocore.exceptions.BotoCoreError as error:
                raise OperationFailed("UnknownService", str(error), 400) from error
        return self._clients[service]

    def ask(self, service: str, operation: str, answer: Callable[[Request], Response]) -> None:
        """Call an operation without parameters, answered by `answer`, and leave the client unconnected."""
        client = self.get(service)

        def send(request: "botocore.awsrequest.AWSPreparedRequest", **event: object) -> "botocore.awsrequest.AWSResponse":
            return aws_response(request, answer(plain_request(request)))

        client.meta.events.register("before-send", send, unique_id="ask")
        getattr(client, botocore.xform_name(operation))()
        client.meta.events.unregister("before-send", send, unique_id="ask")


class _Body(io.BytesIO):
    """A response body as urllib3 gives it."""

    def stream(self, **options: object) -> Iterator[bytes]:
        while data := self.read(1 << 16):
            yield data


class LocalClients:
    """SDK clients whose requests go to the account without a socket."""

    def __init__(self, process: "CloudProcess", clients: Clients) -> None:
        self._process, self._clients = process, clients
        self._connected: set[str] = set()
        self._caller: str | None = None

    def call(
        self, service: str, operation: str, parameters: Mapping[str, object], *, deployment: bool = False
    ) -> dict[str, object]:
        """Call an operation by its AWS name ("PutObject"). Raises OperationFailed."""
        client = self._clients.get(service)
        if service not in self._connected:
            self._connected.add(service)
            client.meta.events.register("before-send", self._send)
        method = getattr(client, botocore.xform_name(operation), None)
        if method is None:
            raise OperationFailed("UnknownOperationException", f"{service} has no operation {operation}", 400)
        self._caller = DEPLOYMENT if deployment else None
        try:
            result: dict[str, object] = method(**parameters)
        except botocore.exceptions.ClientError as error:
            described = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            raise OperationFailed(described.get("Code", "?"), described.get("Message", str(error)), status) from error
        except botocore.exceptions.BotoCoreError as error:
            raise OperationFailed("ParamValidation", str(error), 400) from error
        return {
            name: value.read() if hasattr(value, "read") else value
            for name, value in result.items()
            if name != "ResponseMetadata"
        }

    def shaped(self, service: str, operation: str, parameters: Mapping[str, object]) -> dict[str, object]:
        """Give parameters the types that an operation wants, and leave out what it does not know: templates are lax."""
        model = self._clients.get(service).meta.service_model.operation_model(operation)
        found = _shaped(model.input_shape, parameters) if model.input_shape is not None else {}
        return found if isinstance(found, dict) else {}

    def _send(self, request: "botocore.awsrequest.AWSPreparedRequest", **event: object) -> "botocore.awsrequest.AWSResponse":
        answers: list[Response] = []
        asked = plain_request(request)
        if self._caller is None:
            self._process.call(asked, answers.append)
        else:
            self._process.account.call(asked, Caller(self._caller, None), answers.append)
        if not answers and not self._process.wait_for(lambda: bool(answers)):
            raise OperationFailed("CloudPaused", "the cloud's time stands still, so this call cannot end", 503)
        return aws_response(request, answers[0])


def _shaped(shape: "botocore.model.Shape", value: object) -> object:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return {name: _shaped(shape.members[name], inner) for name, inner in value.items() if name in shape.members}
    if kind == "list" and isinstance(value, list | tuple):
        return [_shaped(shape.member, inner) for inner in value]
    if kind == "map" and isinstance(value, Mapping):
        return {str(name): _shaped(shape.value, inner) for name, inner in value.items()}
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else value
    if kind in ("float", "double") and isinstance(value, str):
        return float(value)
    return value


def aws_response(request: "botocore.awsrequest.AWSPreparedRequest", response: Response) -> "botocore.awsrequest.AWSResponse":
    """Give an answer of ours the form that the SDK expects of its HTTP library."""
    headers = {name.lower(): value for name, value in response.headers}
    return botocore.awsrequest.AWSResponse(request.url, response.status, headers, _Body(response.body))


def plain_request(request: "botocore.awsrequest.AWSPreparedRequest") -> Request:
    """Give a request that the SDK has signed the form in which it would arrive over a socket."""
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    headers.setdefault("host", parts.netloc)
    return Request(request.method, target or "/", headers, bytes(body))
