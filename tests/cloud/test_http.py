"""HTTP clients call functions: API Gateway's HTTP and REST APIs with Lambda proxy integration, and function URLs."""

import base64
import http.client
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventModel,
    APIGatewayProxyEventV2Model,
    LambdaFunctionUrlModel,
)

from labs.cloud import Cloud, CloudHost, Kind
from labs.cloud.packing import pack_source
from tests.cloud.conftest import TEMPLATE

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
# Answers with the event that it got, or with what the client asks it to answer.
ECHO = """
import json
def handler(event, context):
    asked = (event.get("queryStringParameters") or {}).get("answer")
    return json.loads(asked) if asked else {"statusCode": 200, "body": json.dumps(event)}
"""


@dataclass(frozen=True)
class Answer:
    """What an HTTP client got."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """Give a header that comes at most once."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1
        return found[0] if found else None


class Client:
    """An ordinary HTTP client, and the means to make APIs for it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def deploy(self, source: str = ECHO, *, timeout: int = 10) -> None:
        """Make `source` the code of the function `f`."""
        package = pack_source(textwrap.dedent(source))
        self.cloud.deploy_package(TEMPLATE.format(timeout=timeout, memory=256), package, name="bench")

    def http_api(self, *routes: str, version: str = "2.0", stage: str = "$default", **api: Any) -> str:
        """Create an HTTP API whose routes all call `f`."""
        settings = api.pop("settings", {})
        id = str(self.cloud.call("apigatewayv2", "CreateApi", Name="a", ProtocolType="HTTP", **api)["ApiId"])
        made = self.cloud.call(
            "apigatewayv2",
            "CreateIntegration",
            ApiId=id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=ARN,
            PayloadFormatVersion=version,
        )
        for route in routes or ("$default",):
            target = f"integrations/{made['IntegrationId']}"
            self.cloud.call("apigatewayv2", "CreateRoute", ApiId=id, RouteKey=route, Target=target)
        self.cloud.call("apigatewayv2", "CreateStage", ApiId=id, StageName=stage, AutoDeploy=True, **settings)
        return id

    def rest_api(self, *routes: tuple[str, str], stage: str = "prod") -> str:
        """Create a REST API, with one (method, path) after another."""
        id = str(self.cloud.call("apigateway", "CreateRestApi", name="r")["id"])
        items: Any = self.cloud.call("apigateway", "GetResources", restApiId=id)["items"]
        known = {"": items[0]["id"]}
        for method, path in routes:
            parent = ""
            for part in path.strip("/").split("/") if path != "/" else ():
                here = f"{parent}/{part}"
                if here not in known:
                    made = self.cloud.call("apigateway", "CreateResource", restApiId=id, parentId=known[parent], pathPart=part)
                    known[here] = made["id"]
                parent = here
            where = {"restApiId": id, "resourceId": known[parent], "httpMethod": method}
            self.cloud.call("apigateway", "PutMethod", authorizationType="NONE", **where)
            self.cloud.call("apigateway", "PutIntegration", type="AWS_PROXY", integrationHttpMethod="POST", uri=URI, **where)
        self.cloud.call("apigateway", "CreateDeployment", restApiId=id, stageName=stage)
        return id

    def ask(
        self,
        id: str,
        target: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        host: str = "execute-api.us-east-1.amazonaws.com",
    ) -> Answer:
        """Send one request to the API's own host name."""
        return self.send(f"{id}.{host}", target, method, body, headers)

    def send(
        self,
        host: str,
        target: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Send one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
            for name, value in [("Host", host), *pairs]:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()


@pytest.fixture
def client(cloud: Cloud) -> Client:
    """Give a client of an instant cloud with the function `f`."""
    made = Client(cloud)
    made.deploy()
    return made


@pytest.fixture(scope="module")
def shared(host: CloudHost) -> Iterator[Client]:
    """Give a client of a cloud for questions that leave nothing behind."""
    with Cloud(seed=7, host=host) as cloud:
        made = Client(cloud)
        made.deploy()
        yield made


@pytest.fixture(scope="module")
def everything(shared: Client) -> str:
    """Give an HTTP API with one route, $default."""
    return shared.http_api()


@pytest.fixture(scope="module")
def rest(shared: Client) -> str:
    """Give a REST API."""
    return shared.rest_api(
        ("GET", "/"), ("GET", "/items/{id}"), ("POST", "/items"), ("GET", "/items/special"), ("ANY", "/all/{proxy+}")
    )


# HTTP APIs: what the function receives
def test_payload_2_0_is_the_documented_document(shared: Client) -> None:
    """API Gateway developer guide: Create AWS Lambda proxy integrations for HTTP APIs (payload format version 2.0)."""
    id = shared.http_api("POST /items/{id}")
    answer = shared.ask(
        id,
        "/items/a%20b?color=red&color=blue&empty=&q=%2F",
        "POST",
        b'{"n": 1}',
        [
            ("Content-Type", "application/json"),
            ("X-Two", "one"),
            ("X-Two", "two"),
            ("Cookie", "a=1; b=2"),
            ("User-Agent", "agent/1"),
        ],
    )
    assert answer.status == 200
    event = answer.json
    APIGatewayProxyEventV2Model(**event)
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /items/{id}")
    assert event["rawPath"] == "/items/a%20b"
    assert event["rawQueryString"] == "color=red&color=blue&empty=&q=%2F"
    assert event["queryStringParameters"] == {"color": "red,blue", "empty": "", "q": "/"}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-two"] == "one,two"
    assert event["headers"]["host"] == f"{id}.execute-api.us-east-1.amazonaws.com"
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
    assert "stageVariables" not in event
    context = event["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/items/a%20b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "agent/1",
    }
    assert (context["stage"], context["apiId"], context["accountId"]) == ("$default", id, "123456789012")
    assert context["domainName"].startswith(f"{context['domainPrefix']}.execute-api.")
    assert context["time"].startswith("02/Jan/2026:09:00:0")
    assert context["timeEpoch"] // 1000 == 1767344400 + int(context["time"][18:20])


def test_what_is_empty_is_left_out_of_payload_2_0(shared: Client, everything: str) -> None:
    """API Gateway developer guide: payload format version 2.0 has no null fields."""
    event = shared.ask(everything, "/").json
    assert not {"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"} & event.keys()


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("text/plain; charset=utf-8", "café".encode(), False),
        ("application/json", b"{}", False),
        ("application/vnd.api+json", b"{}", False),
        ("image/png", b"\x89PNG\r\n", True),
        ("application/octet-stream", b"text all the same", True),
        ("text/plain", b"\xff\xfe", True),
    ],
)
def test_a_binary_body_arrives_as_base64(shared: Client, everything: str, kind: str, body: bytes, encoded: bool) -> None:
    """API Gateway developer guide: HTTP APIs infer base64 from the content type."""
    event = shared.ask(everything, "/", "POST", body, {"Content-Type": kind}).json
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


def test_payload_1_0_of_an_http_api(shared: Client) -> None:
    """API Gateway developer guide: payload format version 1.0 of HTTP APIs."""
    id = shared.http_api("GET /items/{id}", version="1.0")
    event = shared.ask(id, "/items/7?a=1&a=2", headers=[("X-Two", "one"), ("X-Two", "two")]).json
    APIGatewayProxyEventModel(**event)
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/items/{id}", "/items/7")
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert (event["headers"]["X-Two"], event["multiValueHeaders"]["X-Two"]) == ("two", ["one", "two"])


# HTTP APIs: routes and stages
@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
        ("PUT", "/both", "PUT /both"),
        ("GET", "/both", "ANY /both"),
        ("GET", "/", "$default"),
        ("GET", "/both/", "ANY /{proxy+}"),
    ],
)
def test_the_most_specific_route_is_chosen(shared: Client, method: str, path: str, route: str) -> None:
    """API Gateway developer guide: Routing API requests (its own table of examples)."""
    if not hasattr(shared, "routed"):
        shared.routed = shared.http_api(  # type: ignore[attr-defined]
            "$default",
            "ANY /{proxy+}",
            "GET /pets/{proxy+}",
            "GET /pets/dog/{id}",
            "GET /pets/dog/1",
            "ANY /both",
            "PUT /both",
        )
    assert shared.ask(shared.routed, path, method).json["routeKey"] == route  # type: ignore[attr-defined]


def test_a_greedy_variable_takes_the_rest_of_the_path(shared: Client) -> None:
    """API Gateway developer guide: greedy path variables."""
    id = shared.http_api("GET /files/{proxy+}")
    assert shared.ask(id, "/files/a/b%20c/d").json["pathParameters"] == {"proxy": "a/b c/d"}
    assert shared.ask(id, "/files/").status == 404


def test_no_route_is_404(shared: Client) -> None:
    """API Gateway developer guide: Routing API requests ({"message":"Not Found"})."""
    id = shared.http_api("GET /here")
    for method, path in (("GET", "/there"), ("POST", "/here"), ("GET", "/here/")):
        answer = shared.ask(id, path, method)
        assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
        assert answer.header("content-type") == "application/json"


def test_a_named_stage_is_the_first_part_of_the_path(shared: Client) -> None:
    """API Gateway developer guide: Stages for HTTP APIs; stage variables."""
    variables = {"StageVariables": {"table": "t1"}}
    id = shared.http_api("GET /items", stage="prod", settings=variables)
    event = shared.ask(id, "/prod/items").json
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/prod/items", "prod")
    assert event["stageVariables"] == {"table": "t1"}
    assert shared.ask(id, "/items").status == 404


def test_any_domain_leads_to_the_api_and_a_path_does_where_no_host_can_be_chosen(shared: Client, everything: str) -> None:
    """Users of local clouds name hosts under localhost; browsers and urllib cannot always choose one."""
    for host in (
        "execute-api.us-east-1.amazonaws.com",
        "execute-api.localhost.localstack.cloud:4566",
        "execute-api.us-east-1.localhost.localstack.cloud:4566",
        "execute-api.localhost",
    ):
        assert shared.ask(everything, "/x", host=host).json["rawPath"] == "/x", host
    answer = shared.send(f"127.0.0.1:{shared.cloud.port}", f"/_execute-api/{everything}/x/y?a=b")
    assert (answer.json["rawPath"], answer.json["rawQueryString"]) == ("/x/y", "a=b")
    assert answer.json["headers"]["host"] == f"{everything}.execute-api.us-east-1.amazonaws.com"
    assert shared.ask("nosuchapi1").status == 403


# HTTP APIs: what the client receives
@pytest.mark.parametrize(
    ("returned", "status", "kind", "body"),
    [
        ({"hello": "world"}, 200, "application/json", b'{"hello": "world"}'),
        ("plain", 200, "application/json", b"plain"),
        ([1, 2], 200, "application/json", b"[1, 2]"),
        (None, 200, "application/json", b"null"),
        ({"statusCode": 201}, 201, "text/plain;charset=UTF-8", b""),
        ({"statusCode": "202", "body": "x", "headers": {"Content-Type": "text/html"}}, 202, "text/html", b"x"),
        ({"statusCode": 200, "body": "/w==", "isBase64Encoded": True}, 200, "text/plain;charset=UTF-8", b"\xff"),
        ({"statusCode": 200, "body": {"no": "text"}}, 500, "application/json", b'{"message":"Internal Server Error"}'),
        ({"statusCode": 1000}, 500, "application/json", b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "headers": ["no"]}, 500, "application/json", b'{"message":"Internal Server Error"}'),
        (
            {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b"}},
            500,
            "application/json",
            b'{"message":"Internal Server Error"}',
        ),
    ],
)
def test_answers_in_payload_format_2_0(
    shared: Client, everything: str, returned: object, status: int, kind: str, body: bytes
) -> None:
    """API Gateway developer guide: Lambda function response format for format 2.0; a malformed answer is an error."""
    from urllib.parse import quote

    # `null` and the like reach the handler as texts, which it reads.
    answer = shared.ask(everything, f"/?answer={quote(json.dumps(returned))}")
    assert (answer.status, answer.header("content-type"), answer.body) == (status, kind, body)


def test_cookies_and_headers_of_an_answer(shared: Client, everything: str) -> None:
    """API Gateway developer guide: cookies become set-cookie headers."""
    from urllib.parse import quote

    returned = {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"], "headers": {"X-Number": 5, "X-Truth": True}}
    answer = shared.ask(everything, f"/?answer={quote(json.dumps(returned))}")
    assert [value for name, value in answer.headers if name.lower() == "set-cookie"] == ["a=1; Secure", "b=2"]
    assert (answer.header("x-number"), answer.header("x-truth")) == ("5", "true")


def test_an_exception_is_500_and_nothing_of_it_is_told(client: Client) -> None:
    """AWS Lambda developer guide: Handling errors with an API Gateway API."""
    client.deploy("def handler(event, context):\n    raise ValueError('secret')\n")
    for version in ("1.0", "2.0"):
        answer = client.ask(client.http_api(version=version))
        assert (answer.status, answer.body) == (500, b'{"message":"Internal Server Error"}')


def test_a_function_that_is_gone_is_an_internal_error(client: Client) -> None:
    """AWS Lambda developer guide: if Lambda rejects the invocation, API Gateway answers 500."""
    id, rest = client.http_api(), client.rest_api(("GET", "/"))
    client.cloud.call("lambda", "DeleteFunction", FunctionName="f")
    assert (client.ask(id).status, client.ask(id).json) == (500, {"message": "Internal Server Error"})
    assert (client.ask(rest, "/prod").status, client.ask(rest, "/prod").json) == (500, {"message": "Internal server error"})


def test_a_slow_function_is_not_waited_for(client: Client) -> None:
    """API Gateway developer guide: quotas (30 s for HTTP APIs, 29 s for REST APIs); the function goes on."""
    client.deploy("import time\ndef handler(event, context):\n    time.sleep(40)\n    return 'late'\n", timeout=60)
    id, rest = client.http_api(), client.rest_api(("GET", "/"))
    for asked, path, status, body, wait in (
        (id, "/", 503, b'{"message":"Service Unavailable"}', 30_000),
        (rest, "/prod", 504, b'{"message": "Endpoint request timed out"}', 29_000),
    ):
        answer = client.ask(asked, path)
        assert (answer.status, answer.body) == (status, body)
        assert client.cloud.trace.of(Kind.HTTP_RESPONSE)[-1].detail["duration_ms"] == wait
    client.cloud.run()
    ended = client.cloud.trace.of(Kind.INVOCATION_ENDED)
    assert [record.detail["status"] for record in ended] == ["success", "success"]
    assert len(client.cloud.trace.of(Kind.HTTP_RESPONSE)) == 2


def test_an_integration_may_be_given_less_time(client: Client) -> None:
    """API Gateway API reference: TimeoutInMillis of an integration."""
    client.deploy("import time\ndef handler(event, context):\n    time.sleep(5)\n", timeout=60)
    id = client.http_api()
    integrations: Any = client.cloud.call("apigatewayv2", "GetIntegrations", ApiId=id)["Items"]
    client.cloud.call(
        "apigatewayv2",
        "UpdateIntegration",
        ApiId=id,
        IntegrationId=integrations[0]["IntegrationId"],
        TimeoutInMillis=2000,
    )
    assert client.ask(id).status == 503
    assert client.cloud.trace.of(Kind.HTTP_RESPONSE)[-1].detail["duration_ms"] == 2000


def test_too_large_a_request_is_413(shared: Client, everything: str, rest: str) -> None:
    """API Gateway developer guide: quotas (payload size 10 MB); Lambda takes 6 MB of it."""
    body = b"x" * (10 * 1024 * 1024 + 1)
    answer = shared.ask(everything, "/", "POST", body, {"Content-Type": "text/plain"})
    assert (answer.status, answer.body) == (413, b'{"message":"Request Entity Too Large"}')
    answer = shared.ask(rest, "/prod/items", "POST", body[: 7 * 1024 * 1024], {"Content-Type": "text/plain"})
    assert (answer.status, answer.json) == (413, {"message": "Request Too Long"})


def test_a_throttled_function(client: Client) -> None:
    """AWS Lambda developer guide: Lambda's refusal is 500 at a REST API; an HTTP API is unavailable, a URL says 429."""
    client.cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    id, rest = client.http_api(), client.rest_api(("GET", "/"))
    assert (client.ask(id).status, client.ask(id).json) == (503, {"message": "Service Unavailable"})
    assert (client.ask(rest, "/prod").status, client.ask(rest, "/prod").json) == (500, {"message": "Internal server error"})
    made = client.cloud.call("lambda", "CreateFunctionUrlConfig", FunctionName="f", AuthType="NONE")
    answer = client.send(str(made["FunctionUrl"]).removeprefix("https://").rstrip("/"))
    assert (answer.status, answer.json["Reason"]) == (429, "ReservedFunctionConcurrentInvocationLimitExceeded")


def test_a_route_is_throttled_by_a_token_bucket(client: Client) -> None:
    """API Gateway developer guide: Throttle requests to your HTTP APIs (token bucket of burst and rate, 429)."""
    settings = {"DefaultRouteSettings": {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0}}
    id = client.http_api(settings=settings)
    client.ask(id)  # the cold start takes part of a second
    client.cloud.advance(10)
    assert [client.ask(id).status for _ in range(4)] == [200, 200, 429, 429]
    assert client.ask(id).json == {"message": "Too Many Requests"}
    client.cloud.advance(1)
    assert [client.ask(id).status for _ in range(2)] == [200, 429]


# HTTP APIs: CORS
CORS = {
    "AllowOrigins": ["https://shop.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type"],
    "ExposeHeaders": ["x-total"],
    "MaxAge": 600,
    "AllowCredentials": True,
}


def test_a_preflight_is_answered_without_a_route_and_without_a_function(client: Client) -> None:
    """API Gateway developer guide: Configure CORS for HTTP APIs."""
    id = client.http_api("GET /items", CorsConfiguration=CORS)
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = client.ask(id, "/items", "OPTIONS", headers=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-origin") == "https://shop.example"
    assert answer.header("access-control-allow-methods") == "GET,POST"
    assert answer.header("access-control-allow-headers") == "content-type"
    assert answer.header("access-control-max-age") == "600"
    assert answer.header("access-control-allow-credentials") == "true"
    assert not client.cloud.trace.of(Kind.INVOCATION_STARTED)
    foreign = client.ask(id, "/items", "OPTIONS", headers={**asked, "Origin": "https://other.example"})
    assert foreign.header("access-control-allow-origin") is None


def test_the_api_s_cors_replaces_the_function_s(client: Client) -> None:
    """API Gateway developer guide: with CORS configured, the integration's CORS headers are ignored."""
    from urllib.parse import quote

    id = client.http_api(CorsConfiguration=CORS)
    returned = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*", "X-Total": "1"}}
    path = f"/?answer={quote(json.dumps(returned))}"
    answer = client.ask(id, path, headers={"Origin": "https://shop.example"})
    assert answer.header("access-control-allow-origin") == "https://shop.example"
    assert (answer.header("access-control-expose-headers"), answer.header("x-total")) == ("x-total", "1")
    assert client.ask(id, path, headers={"Origin": "https://other"}).header("access-control-allow-origin") is None
    open_to_all = client.http_api(CorsConfiguration={"AllowOrigins": ["*"]})
    assert client.ask(open_to_all, headers={"Origin": "https://x"}).header("access-control-allow-origin") == "*"


def test_without_cors_the_function_answers_preflights(shared: Client, everything: str) -> None:
    """API Gateway developer guide: without a CORS configuration OPTIONS is a method like any other."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert shared.ask(everything, "/", "OPTIONS", headers=asked).json["requestContext"]["http"]["method"] == "OPTIONS"


# REST APIs
def test_a_rest_api_s_document(shared: Client, rest: str) -> None:
    """API Gateway developer guide: Input format of a Lambda function for proxy integration."""
    headers = [("X-Two", "one"), ("X-Two", "two"), ("User-Agent", "agent/1")]
    event = shared.ask(rest, "/prod/items/a%20b?c=1&c=2&e=", headers=headers).json
    APIGatewayProxyEventModel(**event)
    assert "version" not in event
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/items/{id}", "/items/a b", "GET")
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"c": "2", "e": ""}
    assert event["multiValueQueryStringParameters"] == {"c": ["1", "2"], "e": [""]}
    assert (event["headers"]["X-Two"], event["multiValueHeaders"]["X-Two"]) == ("two", ["one", "two"])
    assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == (None, False, None)
    context = event["requestContext"]
    assert (context["stage"], context["resourcePath"], context["path"]) == ("prod", "/items/{id}", "/prod/items/a b")
    assert context["identity"]["userAgent"] == "agent/1"
    assert len(context["requestId"]) == 36
    plain = shared.ask(rest, "/prod/items/special").json
    assert (plain["resource"], plain["pathParameters"], plain["queryStringParameters"]) == ("/items/special", None, None)
    assert shared.ask(rest, "/prod/").json["resource"] == "/"
    greedy = shared.ask(rest, "/prod/all/a/b/", "DELETE").json
    assert (greedy["pathParameters"], greedy["httpMethod"]) == ({"proxy": "a/b"}, "DELETE")


@pytest.mark.parametrize(
    ("method", "target", "message"),
    [
        ("GET", "/prod/nothing", "Missing Authentication Token"),
        ("DELETE", "/prod/items", "Missing Authentication Token"),
        ("GET", "/prod/all", "Missing Authentication Token"),
        ("GET", "/other/items/1", "Forbidden"),
        ("GET", "/", "Forbidden"),
    ],
)
def test_a_rest_api_without_such_a_method_is_403(shared: Client, rest: str, method: str, target: str, message: str) -> None:
    """API Gateway developer guide: gateway response MISSING_AUTHENTICATION_TOKEN for an unsupported method or resource."""
    answer = shared.ask(rest, target, method)
    assert (answer.status, answer.json) == (403, {"message": message})


@pytest.mark.parametrize(
    "returned", [{"message": "no status"}, "text", None, {"statusCode": 200, "body": {"a": 1}}, {"statusCode": "abc"}]
)
def test_a_malformed_answer_is_502_at_a_rest_api(client: Client, returned: object) -> None:
    """API Gateway developer guide: output in another format is 502 Bad Gateway."""
    client.deploy(f"def handler(event, context):\n    return {returned!r}\n")
    id = client.rest_api(("GET", "/"))
    answer = client.ask(id, "/prod")
    assert (answer.status, answer.body) == (502, b'{"message": "Internal server error"}')
    assert answer.header("x-amzn-errortype") == "InternalServerErrorException"


def test_multi_value_headers_of_a_rest_answer(shared: Client, rest: str) -> None:
    """API Gateway developer guide: multiValueHeaders are merged with headers."""
    from urllib.parse import quote

    returned = {"statusCode": 200, "headers": {"X-One": "1"}, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}
    answer = shared.ask(rest, f"/prod?answer={quote(json.dumps(returned))}")
    assert [value for name, value in answer.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert (answer.header("x-one"), answer.header("content-type")) == ("1", "application/json")


def test_a_rest_api_decodes_base64_only_for_its_binary_media_types(client: Client) -> None:
    """API Gateway developer guide: Return binary media from a Lambda proxy integration."""
    client.deploy("def handler(event, context):\n    return {'statusCode': 200, 'body': '/w==', 'isBase64Encoded': True}\n")
    id = client.rest_api(("GET", "/"))
    assert client.ask(id, "/prod", headers={"Accept": "image/png"}).body == b"/w=="
    operations = [{"op": "add", "path": "/binaryMediaTypes/image~1png"}]
    client.cloud.call("apigateway", "UpdateRestApi", restApiId=id, patchOperations=operations)
    assert client.ask(id, "/prod", headers={"Accept": "image/png,*/*"}).body == b"\xff"


# function URLs
def test_a_function_url_s_document_and_answers(client: Client) -> None:
    """AWS Lambda developer guide: Invoking Lambda function URLs."""
    from urllib.parse import quote

    made = client.cloud.call("lambda", "CreateFunctionUrlConfig", FunctionName="f", AuthType="NONE")
    url = str(made["FunctionUrl"])
    assert url.startswith("https://")
    assert url.endswith(".lambda-url.us-east-1.on.aws/")
    host = url.removeprefix("https://").rstrip("/")
    event = client.send(host, "/a/b?x=1", "PUT", b"hello", {"Content-Type": "text/plain"}).json
    LambdaFunctionUrlModel(**event)
    assert (event["rawPath"], event["routeKey"], event["body"]) == ("/a/b", "$default", "hello")
    context = event["requestContext"]
    assert (context["accountId"], context["stage"], context["apiId"]) == ("anonymous", "$default", host.split(".")[0])
    id = host.split(".")[0]
    local = client.send(f"{id}.lambda-url.us-east-1.localhost.localstack.cloud:4566", f"/?answer={quote('[1]')}")
    assert (local.header("content-type"), local.body) == ("application/json", b"[1]")
    assert client.send("127.0.0.1", f"/_lambda-url/{id}/x").json["rawPath"] == "/x"
    client.deploy("def handler(event, context):\n    raise ValueError\n")
    assert client.send(host).status == 502
    assert client.send(f"{'0' * 32}.lambda-url.us-east-1.on.aws").status == 403


def test_a_function_url_with_iam_wants_a_signature(client: Client) -> None:
    """AWS Lambda developer guide: AuthType AWS_IAM of function URLs."""
    made = client.cloud.call("lambda", "CreateFunctionUrlConfig", FunctionName="f", AuthType="AWS_IAM")
    answer = client.send(str(made["FunctionUrl"]).removeprefix("https://").rstrip("/"))
    assert (answer.status, answer.json) == (403, {"Message": "Forbidden"})


# the trace
def test_a_request_is_the_root_of_what_it_causes(client: Client) -> None:
    """design.md 3: causality is exact because everything passes through one kernel."""
    client.cloud.call("s3", "CreateBucket", Bucket="notes")
    client.deploy("""
        import boto3
        s3 = boto3.client("s3")
        def handler(event, context):
            s3.put_object(Bucket="notes", Key="n", Body=b"1")
            return {"ok": True}
    """)
    id = client.http_api("POST /notes")
    assert client.ask(id, "/notes", "POST").json == {"ok": True}
    trace = client.cloud.trace
    (request,), (response,) = trace.of(Kind.HTTP_REQUEST), trace.of(Kind.HTTP_RESPONSE)
    assert (request.resource, request.cause) == (f"execute-api:{id}", None)
    assert (request.detail["method"], request.detail["path"], request.detail["route"]) == ("POST", "/notes", "POST /notes")
    (put,) = [record for record in trace.of(Kind.API_CALL) if record.detail["operation"] == "PutObject"]
    chain, at = [], put.cause
    while at is not None:
        chain.append(trace[at - 1].kind)
        at = trace[at - 1].cause
    assert chain == [Kind.INVOCATION_STARTED, Kind.HTTP_REQUEST]
    assert (response.detail["status"], response.detail["request"]) == (200, request.id)
    assert trace[(response.cause or 0) - 1].kind == Kind.INVOCATION_ENDED


def test_requests_are_the_same_from_run_to_run(host: CloudHost) -> None:
    """The same seed gives the same events, request ids included, whatever port the cloud got."""

    def run(seed: int) -> str:
        with Cloud(seed=seed, host=host) as cloud:
            one = Client(cloud)
            one.deploy("def handler(event, context):\n    print(event)\n    return {}\n")
            id = one.http_api("GET /x")
            one.send(f"127.0.0.1:{cloud.port}", f"/_execute-api/{id}/x")
            one.ask(id, "/y")
            return cloud.trace.hash()

    assert run(3) == run(3) != run(4)


def test_a_handler_written_with_powertools_resolvers_runs_unchanged(client: Client) -> None:
    """Powertools for AWS Lambda (Python): event handler for API Gateway HTTP API, REST API and function URL."""
    source = """
        from aws_lambda_powertools import Logger
        from aws_lambda_powertools.event_handler import RESOLVER
        from aws_lambda_powertools.event_handler.exceptions import NotFoundError
        app = RESOLVER()
        logger = Logger(service="todos")
        @app.get("/todos/<id>")
        def todo(id):
            if id == "0":
                raise NotFoundError("no such todo")
            return {"id": id, "mine": app.current_event.get_query_string_value("mine", "no")}
        @app.post("/todos")
        def create():
            return {"made": app.current_event.json_body["title"]}, 201
        def handler(event, context):
            return app.resolve(event, context)
    """
    make: dict[str, Callable[[], tuple[str, str]]] = {
        "APIGatewayHttpResolver": lambda: (client.http_api("ANY /{proxy+}", stage="dev"), "/dev"),
        "APIGatewayRestResolver": lambda: (client.rest_api(("ANY", "/{proxy+}")), "/prod"),
    }
    for resolver, api in make.items():
        client.deploy(source.replace("RESOLVER", resolver))
        id, base = api()
        assert client.ask(id, f"{base}/todos/7?mine=yes").json == {"id": "7", "mine": "yes"}, resolver
        made = client.ask(id, f"{base}/todos", "POST", b'{"title": "tea"}', {"Content-Type": "application/json"})
        assert (made.status, made.json) == (201, {"made": "tea"})
        assert client.ask(id, f"{base}/todos/0").status == 404
        assert client.ask(id, f"{base}/nothing").json["message"] == "Not found"


# S3 by host
def test_a_bucket_is_found_by_its_host_name(cloud: Cloud) -> None:
    """Amazon S3 user guide: Virtual hosting of buckets."""
    client = Client(cloud)
    cloud.call("s3", "CreateBucket", Bucket="my.photos")
    key = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAOUTSIDEOUTSIDE00/20260102/us-east-1/s3/aws4_request"}
    for host in ("my.photos.s3.amazonaws.com", "my.photos.s3.us-east-1.localhost.localstack.cloud:4566"):
        assert client.send(host, "/a%20b.txt", "PUT", b"12", key).status == 200
        assert client.send(host, "/a%20b.txt", headers=key).body == b"12"
        assert b"<Key>a b.txt</Key>" in client.send(host, "/?list-type=2", headers=key).body
    calls = [record.detail for record in cloud.trace.of(Kind.API_CALL)]
    assert (calls[1]["operation"], calls[1]["bucket"], calls[1]["key"]) == ("PutObject", "my.photos", "a b.txt")
