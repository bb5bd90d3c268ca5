"""HTTP clients call functions: API Gateway (HTTP and REST APIs, Lambda proxy integration) and Lambda function URLs.

A request waits in virtual time for its function, like a synchronous Invoke. Sources: see http_events and http_answers.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labs.cloud import limits, moto_seams
from labs.cloud.caller import Caller
from labs.cloud.deliveries import http_answers, http_routes
from labs.cloud.deliveries.http_events import Arrival, event
from labs.cloud.front import Request, Response
from labs.cloud.functions import invoke_api
from labs.cloud.functions.invocation import Outcome
from labs.cloud.functions.service import Functions, synchronous
from labs.cloud.kernel import MILLISECOND, SECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import Gateway, Protocol, Route, Stage, Throttle, UnknownFunctionError
from labs.cloud.trace import JSON, Recorder

if TYPE_CHECKING:
    from labs.cloud.account import Account

Answer = Callable[[Response], None]
_SOURCES = {Protocol.HTTP: "apigateway", Protocol.REST: "apigateway", Protocol.URL: "function-url"}


def attach(account: "Account") -> None:
    """Let HTTP clients reach this account's APIs and function URLs."""
    moto_seams.repair_gateways()
    account.answer_first(HttpFront(account.kernel, account.recorder, account.functions).answer)


@dataclass(slots=True)
class _Bucket:
    """Tokens that requests take, refilled at a steady rate of virtual time."""

    tokens: float
    at: int

    def take(self, throttle: Throttle, now: int) -> bool:
        """Take a token if there is one."""
        self.tokens = min(float(throttle.burst), self.tokens + (now - self.at) / SECOND * throttle.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class _Exchange:
    """A request under way: its record, and the answer that is given once."""

    request: Request
    gateway: Gateway
    record: int
    started_at: int
    reply: Answer
    answered: bool = False


class HttpFront:
    """Everything that is called by its own host name."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions) -> None:
        self._kernel, self._recorder, self._functions = kernel, recorder, functions
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def answer(self, request: Request, caller: Caller, reply: Answer) -> bool:
        """Answer a request for an API or a function URL; False when it is for something else."""
        address = http_routes.address(request)
        if address is None:
            return False
        found = moto_seams.api(address.id) if address.kind == "execute-api" else moto_seams.function_url(address.id)
        detail: dict[str, JSON] = {
            "service": address.kind,
            "api": address.id,
            "method": request.method,
            "path": address.raw_path,
            "by": caller.name,
        }
        if found is None or found.disabled:
            gateway = Gateway(Protocol.REST, address.id, "", "", {}, ())
            exchange = self._begin(request, gateway, address.kind, detail, caller, reply)
            self._end(exchange, http_answers.refusal(Protocol.REST, 403, "Forbidden", "ForbiddenException"), exchange.record)
            return True
        place = http_routes.stage_of(found, address.raw_path)
        match = http_routes.find(found, request.method, place[1]) if place else None
        if place:
            detail["stage"] = place[0].name
        if match:
            detail["route"] = match.route.key
        exchange = self._begin(request, found, address.kind, detail, caller, reply)
        refused = self._refused(exchange, place, match)
        if refused is not None:
            self._end(exchange, refused, exchange.record)
        elif place and match:
            self._invoke(exchange, self._arrival(request, found, place[0], place[1], match))
        return True

    def _begin(
        self, request: Request, gateway: Gateway, kind: str, detail: dict[str, JSON], caller: Caller, reply: Answer
    ) -> _Exchange:
        if caller.request_id is not None:
            detail["request_id"] = caller.request_id
        record = self._recorder.add(Kind.HTTP_REQUEST, f"{kind}:{gateway.id}", detail, cause=caller.cause)
        return _Exchange(request, gateway, record.id, self._kernel.now, reply)

    def _refused(
        self, exchange: _Exchange, place: tuple[Stage, str] | None, match: http_routes.Match | None
    ) -> Response | None:
        """Give the answer of the front itself, if it has one: no such route, too many requests, a preflight, a mock."""
        request, gateway = exchange.request, exchange.gateway
        limit = limits.SYNC_PAYLOAD if gateway.protocol is Protocol.URL else limits.API_PAYLOAD
        if len(request.body) > limit.value:
            return http_answers.refusal(gateway.protocol, 413, _TOO_LARGE[gateway.protocol])
        if gateway.cors is not None and place is not None and http_answers.is_preflight(request):
            return http_answers.preflight(gateway.cors, request, 200 if gateway.protocol is Protocol.URL else 204)
        if place is None and gateway.protocol is Protocol.REST:
            return http_answers.refusal(gateway.protocol, 403, "Forbidden", "ForbiddenException")
        if place is None or match is None:
            if gateway.protocol is Protocol.REST:
                return http_answers.refusal(
                    gateway.protocol, 403, "Missing Authentication Token", "MissingAuthenticationTokenException"
                )
            return http_answers.refusal(gateway.protocol, 404, "Not Found")
        if not self._admitted(gateway, place[0], match.route):
            error = "TooManyRequestsException" if gateway.protocol is Protocol.REST else ""
            return http_answers.refusal(gateway.protocol, 429, "Too Many Requests", error)
        return _unauthorised(gateway.protocol, match.route, request) or _mocked(match.route)

    def _admitted(self, gateway: Gateway, stage: Stage, route: Route) -> bool:
        """Take a token of the route, or of the stage where the route has no throttle of its own."""
        if gateway.protocol is Protocol.URL:
            return True
        throttle = stage.throttles.get(route.key) or stage.throttles.get("*")
        throttle = throttle or Throttle(limits.API_RATE.value, limits.API_BURST.value)
        key = (gateway.id, stage.name, route.key)
        bucket = self._buckets.setdefault(key, _Bucket(throttle.burst, self._kernel.now))
        return bucket.take(throttle, self._kernel.now)

    def _arrival(self, request: Request, gateway: Gateway, stage: Stage, raw_path: str, match: http_routes.Match) -> Arrival:
        chance = self._kernel.chance("http-request")
        wall = self._kernel.wall_ns
        return Arrival(
            request,
            gateway,
            stage,
            match.route,
            raw_path,
            match.parameters,
            request_id=self._functions.request_id(),
            extended_id="".join(chance.choices(_LETTERS, k=15)) + "=",
            trace_id=f"Root=1-{wall // 1_000_000_000:08x}-{chance.getrandbits(96):024x}",
            wall_ns=wall,
        )

    def _invoke(self, exchange: _Exchange, arrival: Arrival) -> None:
        gateway, route = arrival.gateway, arrival.route
        try:
            function = self._functions.find(route.function_arn(arrival.stage.variables) or "")
        except UnknownFunctionError:
            # Lambda refuses the invocation, which a client of the API must not learn anything about.
            self._end(exchange, _lambda_refused(gateway.protocol), exchange.record)
            return
        payload = json.dumps(event(arrival), ensure_ascii=False).encode()
        if len(payload) > limits.SYNC_PAYLOAD.value:
            self._end(exchange, http_answers.refusal(gateway.protocol, 413, _TOO_LARGE[gateway.protocol]), exchange.record)
            return
        timer = None
        if gateway.protocol is not Protocol.URL:
            usual = limits.REST_API_TIMEOUT if gateway.protocol is Protocol.REST else limits.HTTP_API_TIMEOUT
            wait = min(route.timeout_ms or usual.value * 1000, usual.value * 1000) * MILLISECOND
            late = http_answers.timed_out(gateway.protocol)
            timer = self._kernel.after(wait, lambda: self._end(exchange, late, exchange.record))

        def done(outcome: Outcome) -> None:
            if timer is not None:
                self._kernel.cancel(timer)
            self._end(exchange, self._read(arrival, outcome), outcome.record)

        source = _SOURCES[gateway.protocol]
        reason = self._functions.start(synchronous(self._functions, function, payload, source, exchange.record, done))
        if reason is not None:
            if timer is not None:
                self._kernel.cancel(timer)
            throttled = gateway.protocol is Protocol.URL
            self._end(exchange, invoke_api.throttled(reason) if throttled else _throttled(gateway.protocol), exchange.record)

    def _read(self, arrival: Arrival, outcome: Outcome) -> Response:
        if outcome.failed:
            return http_answers.broken(arrival.gateway.protocol)
        try:
            return http_answers.answer(arrival.gateway, arrival.route.version, arrival.request, outcome.payload)
        except http_answers.MalformedAnswerError:
            return http_answers.broken(arrival.gateway.protocol)

    def _end(self, exchange: _Exchange, response: Response, cause: int) -> None:
        """Answer the client, once; a function that ends after its time-out is heard by nobody."""
        if exchange.answered:
            return
        exchange.answered = True
        gateway = exchange.gateway
        if gateway.cors is not None and not http_answers.is_preflight(exchange.request):
            response = http_answers.with_cors(gateway.cors, exchange.request, response)
        kind = "lambda-url" if gateway.protocol is Protocol.URL else "execute-api"
        detail: dict[str, JSON] = {
            "status": response.status,
            "request": exchange.record,
            "method": exchange.request.method,
            "duration_ms": (self._kernel.now - exchange.started_at) / MILLISECOND,
        }
        self._recorder.add(Kind.HTTP_RESPONSE, f"{kind}:{gateway.id}", detail, cause=cause)
        exchange.reply(response)


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TOO_LARGE = {
    Protocol.HTTP: "Request Entity Too Large",
    Protocol.REST: "Request Too Long",
    Protocol.URL: f"Request must be smaller than {limits.SYNC_PAYLOAD.value} bytes for the InvokeFunction operation",
}


def _unauthorised(protocol: Protocol, route: Route, request: Request) -> Response | None:
    """Refuse a request without credentials where the route wants some; what they say is not examined here."""
    if route.authorization == "NONE" or "authorization" in request.headers:
        return None
    if protocol is Protocol.REST:
        if route.authorization == "AWS_IAM":
            return http_answers.refusal(protocol, 403, "Missing Authentication Token", "MissingAuthenticationTokenException")
        return http_answers.refusal(protocol, 401, "Unauthorized", "UnauthorizedException")
    if route.authorization == "AWS_IAM":
        return http_answers.refusal(protocol, 403, "Forbidden", "AccessDeniedException")
    return http_answers.refusal(protocol, 401, "Unauthorized")


def _mocked(route: Route) -> Response | None:
    if route.mock is None:
        return None
    given = route.mock["headers"]
    headers = tuple((str(name), str(value)) for name, value in given.items()) if isinstance(given, dict) else ()
    body = str(route.mock["body"]).encode()
    return Response(int(str(route.mock["status"])), (("Content-Type", "application/json"), *headers), body)


def _lambda_refused(protocol: Protocol) -> Response:
    if protocol is Protocol.REST:
        return http_answers.refusal(protocol, 500, "Internal server error", "InternalServerErrorException")
    return http_answers.broken(protocol)


def _throttled(protocol: Protocol) -> Response:
    """Answer when Lambda throttles: a REST API says 500, an HTTP API 503."""
    if protocol is Protocol.REST:
        return _lambda_refused(protocol)
    return http_answers.refusal(protocol, 503, "Service Unavailable")
