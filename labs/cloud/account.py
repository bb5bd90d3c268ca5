"""One AWS account inside one process: every API call passes here, and everything that follows from it is put on the agenda."""

import json
import posixpath
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from labs.cloud import authorization, latency, moto_seams, operations
from labs.cloud.api_call import ApiCall
from labs.cloud.caller import DEPLOYMENT, SERVICE, Caller, Principal, role_session
from labs.cloud.changes import Change
from labs.cloud.deliveries import http, http_routes, long_polls, move_tasks, s3, schedule, sns, sqs, streams, time_to_live
from labs.cloud.faults import Faults
from labs.cloud.front import Front, Request, Response
from labs.cloud.functions import control_plane, destinations, invoke_api, metrics, provisioned
from labs.cloud.functions.asynchronous import AsynchronousQueue
from labs.cloud.functions.platform import Platform
from labs.cloud.functions.quotas import Quotas
from labs.cloud.functions.sandbox import Tier
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import Kernel
from labs.cloud.kinds import Kind
from labs.cloud.refusals import error_code, in_protocol
from labs.cloud.stack import Stack
from labs.cloud.trace import JSON, Recorder

C = TypeVar("C", bound=Change)

# Answers a request that is no call of an AWS API (a client of a learner's own API); False leaves it to others.
AnswerFirst = Callable[[Request, Caller, Callable[[Response], None]], bool]

# What acts when something changes, and what carries operations out itself. A new source is one more of these.
SERVICES = (
    *(control_plane, invoke_api, destinations, provisioned, metrics),
    *(s3, sns, sqs, long_polls, move_tasks, streams, time_to_live, schedule, http),
)

# moto's own endpoints are no part of AWS: they show and wipe the whole state without asking who calls.
_NOT_AWS = ("/moto-api", "/latest/meta-data", "/latest/api", "/latest/dynamic", "/latest/user-data")


class Account:
    """Kernel, stores, functions and deliveries of one account."""

    def __init__(
        self,
        kernel: Kernel,
        front: Front,
        moto: moto_seams.Moto,
        *,
        tier: Tier,
        measured: bool,
        workspace: Path,
        quotas: Quotas,
    ) -> None:
        self.kernel = kernel
        self.faults = Faults()
        self.recorder = Recorder(lambda: kernel.now)
        self._moto = moto
        platform = Platform(kernel, self.recorder, front, tier, measured, self.call, self._latency)
        self.functions = Functions(platform, workspace, quotas)
        self.crashes = platform.crashes
        self.queue = AsynchronousQueue(kernel, self.recorder, self.functions)
        self._taken_over: dict[tuple[str, str], Callable[[ApiCall], None]] = {}
        self._first: list[AnswerFirst] = []
        self._listeners: dict[type[Change], list[Callable[[Any, int | None], None]]] = {}
        # What an API call that is under way has changed; its record does not exist yet.
        self._changes: list[Change] | None = None
        moto_seams.cut_deliveries(self._changed, moto)
        for service in SERVICES:
            service.attach(self)

    def take_over(self, service: str, operation: str, perform: Callable[[ApiCall], None]) -> None:
        """Carry out an operation ourselves instead of leaving it to the store."""
        self._taken_over[service, operation] = perform

    def answer_first(self, answer: AnswerFirst) -> None:
        """Ask this before a request is taken for a call of an AWS API."""
        self._first.append(answer)

    def on(self, kind: type[C], act: Callable[[C, int | None], None]) -> None:
        """Act on changes of a kind; they come with the record that caused them, if there is one."""
        self._listeners.setdefault(kind, []).append(act)

    def happened(self, change: Change, cause: int | None) -> None:
        """Tell of a change that no API call made."""
        self._act(change, cause)

    def call(self, request: Request, caller: Caller, answer: Callable[[Response], None]) -> None:
        """Carry out an API call at this instant."""
        if any(first(request, caller, answer) for first in self._first):
            return
        if posixpath.normpath("/" + request.path.lstrip("/")).startswith(_NOT_AWS):
            answer(_not_aws(request.path))
            return
        request = http_routes.path_style(without_moto_headers(request))
        operation = operations.identify(request)
        call = ApiCall(request, operation, caller, answer, self._ask_store, self._record)
        principal = self._principal(request, caller)
        if operation.service == "sts" and operation.name == "GetCallerIdentity":
            call.finish(authorization.identity(principal))
            return
        if principal is not None:
            wall_ns = self.kernel.wall_ns
            refused = authorization.denial(request, operation, principal, wall_ns)
            if refused is not None:
                call.finish(refused)
                return
            call.seen = lambda response: authorization.hidden(request, operation, principal, wall_ns, response)
        perform = self._taken_over.get((operation.service, operation.name))
        if perform is not None:
            perform(call)
        else:
            call.finish(call.ask_store())

    @staticmethod
    def _principal(request: Request, caller: Caller) -> Principal | None:
        """Tell whom policies bind: the caller, or the role that it has assumed since."""
        key = operations.access_key(request)
        assumed = None if key is None else moto_seams.assumed_role(key)
        return caller.principal if assumed is None else role_session(*assumed)

    def _ask_store(self, call: ApiCall) -> Response:
        # A call that is kept waiting is not recorded yet; what it changed all the same must not be forgotten.
        self._act_on_changes(None)
        self._changes = []
        try:
            response = in_protocol(call.request, self._moto.answer(call.request))
        except Exception as error:
            # moto raises on requests that AWS refuses; the account must outlive them.
            message = f"the emulated service failed on this request: {type(error).__name__}: {error}"
            body = json.dumps({"__type": "InternalFailure", "message": message}).encode()
            response = Response(500, (("Content-Type", "application/json"), ("x-amzn-ErrorType", "InternalFailure")), body)
        call.wait = self._moto.wait
        return call.seen(response)

    def _record(self, call: ApiCall, response: Response) -> int:
        request, operation, caller = call.request, call.operation, call.caller
        if caller.name in (DEPLOYMENT, SERVICE):
            self._act_on_changes(caller.cause)
            return caller.cause or 0
        detail: dict[str, JSON] = {
            "service": operation.service,
            "operation": operation.name,
            "by": caller.name,
            "status": response.status,
            "error": error_code(response),
            **operation.detail,
        }
        size = max(len(request.body), len(response.body)) if operation.service == "s3" else 0
        if size:
            detail["size"] = size
        if caller.request_id is not None:
            detail["request_id"] = caller.request_id
        record = self.recorder.add(Kind.API_CALL, operation.resource, detail, cause=caller.cause)
        self._act_on_changes(record.id)
        return record.id

    def _changed(self, change: Change) -> None:
        if self._changes is None:
            self._act(change, None)
        else:
            self._changes.append(change)

    def _act_on_changes(self, cause: int | None) -> None:
        changes, self._changes = self._changes or [], None
        for change in changes:
            self._act(change, cause)

    def _act(self, change: Change, cause: int | None) -> None:
        for act in self._listeners.get(type(change), ()):
            act(change, cause)

    def deployed(self, stack: Stack) -> int:
        """Record a deployment; the calls that it was made of are not shown one by one."""
        resources: list[JSON] = [
            {"logical_id": one.logical_id, "type": one.type, "physical_id": one.physical_id} for one in stack.resources
        ]
        return self.recorder.add(Kind.DEPLOYED, f"stack:{stack.name}", {"resources": resources}, cause=None).id

    def _latency(self, request: Request) -> int:
        service = operations.identify(request).service
        return latency.of_call(service, len(request.body), self.kernel.chance(f"latency/{service}"))

    def close(self) -> None:
        """End every environment."""
        self.functions.close()


def without_moto_headers(request: Request) -> Request:
    """Take away the headers by which moto lets a caller choose whose account it acts on."""
    if not any(name.startswith("x-moto") for name in request.headers):
        return request
    return replace(request, headers={name: value for name, value in request.headers.items() if not name.startswith("x-moto")})


def _not_aws(path: str) -> Response:
    body = f"<Error><Code>NoSuchKey</Code><Message>{path} is not part of AWS</Message></Error>".encode()
    return Response(404, (("Content-Type", "application/xml"),), body)
