"""What moto's API Gateway (REST and HTTP APIs) and Lambda's function URLs store, in one form for the data plane."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import moto.apigateway.models
import moto.apigatewayv2.models
import moto.awslambda.models
import moto.awslambda.responses

_FUNCTION = re.compile(r"arn:[^:]+:lambda:.+?:function:[^/]+")
_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
DEFAULT = "$default"


class Protocol(StrEnum):
    """What speaks to the client."""

    HTTP = "http"
    REST = "rest"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Throttle:
    """Requests per second on average, and at once."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Cors:
    """A CORS configuration; empty where it says nothing."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its variables, and throttles by route key ("*" for all routes)."""

    name: str
    variables: Mapping[str, str]
    throttles: Mapping[str, Throttle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A route and what answers it: a function, or (REST) a mock. `key` is "GET /items/{id}" or "$default"."""

    method: str  # "ANY" for all
    path: str
    target: str | None  # integration URI with a function's ARN in it
    version: str = "2.0"
    timeout_ms: int | None = None
    mock: Mapping[str, object] | None = None
    resource_id: str = ""
    key_required: bool = False
    authorization: str = "NONE"

    @property
    def key(self) -> str:
        """Name the route."""
        return DEFAULT if self.path == DEFAULT else f"{self.method} {self.path}"

    def function_arn(self, variables: Mapping[str, str]) -> str | None:
        """Give the ARN of the function that answers, with the stage's variables filled in."""
        filled = _VARIABLE.sub(lambda match: variables.get(match.group(1), ""), self.target or "")
        match = _FUNCTION.search(filled)
        return match.group(0) if match else None


@dataclass(frozen=True, slots=True)
class Gateway:
    """One API, or one function URL, as its clients see it."""

    protocol: Protocol
    id: str
    account: str
    region: str
    stages: Mapping[str, Stage]
    routes: tuple[Route, ...]
    cors: Cors | None = None
    binary_types: tuple[str, ...] = ()
    disabled: bool = False

    @property
    def domain(self) -> str:
        """Name the host that AWS would serve it from."""
        if self.protocol is Protocol.URL:
            return f"{self.id}.lambda-url.{self.region}.on.aws"
        return f"{self.id}.execute-api.{self.region}.amazonaws.com"


def repair_gateways() -> None:
    """Let moto store what AWS stores where it does not. Done once per process."""
    config = moto.awslambda.models.FunctionUrlConfig
    make_url = config.__init__

    def make_url_with_slash(self: Any, function: object, config: dict[str, object]) -> None:
        # AWS's function URLs end with a slash; clients append paths to them.
        make_url(self, function, config)
        self.url = self.url.rstrip("/") + "/"

    config.__init__ = make_url_with_slash

    responses = moto.awslambda.responses.LambdaResponse
    create_url = responses.create_function_url_config

    def create_url_of_alias(self: Any) -> Any:
        # moto takes no notice of the alias that a URL leads to.
        answer = create_url(self)
        qualifier = self.querystring.get("Qualifier", [None])[0]
        if qualifier:
            function = self.backend.get_function(self.path.split("/")[-2])
            function.url_config.target = f"{function.function_arn}:{qualifier}"
        return answer

    responses.create_function_url_config = create_url_of_alias

    rest = moto.apigateway.models.RestAPI
    patch = rest.apply_patch_operations

    def patch_media_types(self: Any, patch_operations: list[dict[str, Any]]) -> None:
        # AWS takes a binary media type from the path (`/binaryMediaTypes/image~1png`), moto from a value that nobody sends.
        for operation in patch_operations:
            _, _, kind = operation["path"].partition("/binaryMediaTypes/")
            if kind and not operation.get("value"):
                operation["value"] = kind.replace("~1", "/").replace("~0", "~")
        patch(self, patch_operations)

    rest.apply_patch_operations = patch_media_types


def api(id: str) -> Gateway | None:
    """Find a REST or HTTP API by its id, in any account."""
    for account, region, backend in _backends(moto.apigatewayv2.models.apigatewayv2_backends):
        if id in backend.apis:
            return _http(backend.apis[id], account, region)
    for account, region, backend in _backends(moto.apigateway.models.apigateway_backends):
        if id in backend.apis:
            return _rest(backend.apis[id], account, region)
    return None


def function_url(id: str) -> Gateway | None:
    """Find a function URL by the first label of its host."""
    for account, region, backend in _backends(moto.awslambda.models.lambda_backends):
        for versions in backend._lambdas._functions.values():
            function = versions["latest"]
            config = function.url_config
            if config is not None and config.url.startswith(f"https://{id}."):
                target = getattr(config, "target", None) or function.function_arn
                kind = str(config.config.get("AuthType") or "NONE")
                route = Route("ANY", DEFAULT, str(target), authorization=kind)
                cors = _cors(config.config.get("Cors"))
                return Gateway(Protocol.URL, id, account, region, {DEFAULT: Stage(DEFAULT, {})}, (route,), cors)
    return None


def _backends(table: Any) -> Iterator[tuple[str, str, Any]]:
    """Give what there is. Asking moto for an account or a region makes one, so it is not asked."""
    for account in list(table):
        for region in list(table[account]):
            yield account, region, table[account][region]


def _http(found: Any, account: str, region: str) -> Gateway:
    routes = []
    for route in found.routes.values():
        integration = found.integrations.get(str(route.target or "").rpartition("/")[2])
        method, _, path = route.route_key.partition(" ")
        target = (
            integration.integration_uri if integration and str(integration.integration_type).upper() == "AWS_PROXY" else None
        )
        routes.append(
            Route(
                method="ANY" if route.route_key == DEFAULT else method,
                path=path or DEFAULT,
                target=target,
                version=str(integration.payload_format_version or "1.0") if integration else "2.0",
                timeout_ms=integration.timeout_in_millis if integration else None,
                authorization=str(route.authorization_type or "NONE"),
            )
        )
    stages = {name: Stage(name, stage.stage_variables or {}, _http_throttles(stage)) for name, stage in found.stages.items()}
    disabled = str(found.disable_execute_api_endpoint).lower() == "true"
    return Gateway(
        Protocol.HTTP, found.api_id, account, region, stages, tuple(routes), _cors(found.cors_configuration), disabled=disabled
    )


def _http_throttles(stage: Any) -> dict[str, Throttle]:
    settings = {"*": stage.default_route_settings or {}, **(stage.route_settings or {})}
    throttles = {}
    for key, value in settings.items():
        given = {str(name).lower(): number for name, number in value.items()}
        rate, burst = given.get("throttlingratelimit"), given.get("throttlingburstlimit")
        if rate is not None and burst is not None:
            throttles[key] = Throttle(float(rate), int(burst))
    return throttles


def _cors(configuration: Any) -> Cors | None:
    if not configuration:
        return None
    given = {str(name).lower(): value for name, value in configuration.items()}

    def listed(name: str) -> tuple[str, ...]:
        return tuple(str(item) for item in given.get(name) or ())

    age = given.get("maxage")
    return Cors(
        listed("alloworigins"),
        listed("allowmethods"),
        listed("allowheaders"),
        listed("exposeheaders"),
        None if age is None else int(age),
        str(given.get("allowcredentials", False)).lower() == "true",
    )


def _rest(found: Any, account: str, region: str) -> Gateway:
    routes = []
    for resource in found.resources.values():
        for method, described in resource.resource_methods.items():
            integration = described.method_integration
            kind = str(integration.integration_type).upper() if integration else ""
            routes.append(
                Route(
                    method=method,
                    path=resource.get_path(),
                    target=integration.uri if kind == "AWS_PROXY" else None,
                    version="1.0",
                    timeout_ms=int(integration.timeout_in_millis) if integration and integration.timeout_in_millis else None,
                    mock=_mock(integration) if kind == "MOCK" else None,
                    resource_id=resource.id,
                    key_required=str(described.api_key_required).lower() == "true",
                    authorization=str(described.authorization_type or "NONE"),
                )
            )
    stages = {
        str(name): Stage(str(name), stage.variables or {}, _rest_throttles(stage)) for name, stage in found.stages.items()
    }
    return Gateway(
        Protocol.REST,
        found.id,
        account,
        region,
        stages,
        tuple(routes),
        binary_types=tuple(found.binaryMediaTypes or ()),
        disabled=str(found.disableExecuteApiEndpoint).lower() == "true",
    )


def _rest_throttles(stage: Any) -> dict[str, Throttle]:
    throttles = {}
    for path, value in (stage.method_settings or {}).items():
        rate, burst = value.get("throttlingRateLimit"), value.get("throttlingBurstLimit")
        if rate is not None and burst is not None and float(rate) >= 0:
            resource, _, method = path.rpartition("/")
            key = "*" if resource == "*" else f"{method} /{resource.replace('~1', '/').strip('/')}"
            throttles[key] = Throttle(float(rate), int(burst))
    return throttles


def _mock(integration: Any) -> Mapping[str, object]:
    """Give the one answer of a mock: its status, headers and body."""
    for status, response in (integration.integration_responses or {}).items():
        headers = {
            name.rpartition(".")[2]: str(value).strip("'")
            for name, value in (response.response_parameters or {}).items()
            if name.startswith("method.response.header.")
        }
        body = next(iter((response.response_templates or {}).values()), "") or ""
        return {"status": int(status), "headers": headers, "body": str(body).strip()}
    return {"status": 200, "headers": {}, "body": ""}
