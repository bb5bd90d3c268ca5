"""One AWS account inside one process: every API call passes here, and everything that follows from it is put on the agenda."""

import functools
import json
import posixpath
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from labs.cloud import latency, moto_seams, operations
from labs.cloud.caller import DEPLOYMENT, Caller
from labs.cloud.deliveries.s3 import S3Notifications
from labs.cloud.deliveries.sqs import QueueMappings
from labs.cloud.front import Front, Request, Response
from labs.cloud.functions import invoke_api
from labs.cloud.functions.asynchronous import AsynchronousQueue
from labs.cloud.functions.environment import Platform
from labs.cloud.functions.sandbox import Tier
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import SECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.operations import Operation
from labs.cloud.stack import Stack
from labs.cloud.trace import JSON, Recorder

Answer = Callable[[Response], None]
_OUTSIDE_IP = "127.0.0.1"

# moto's own endpoints are no part of AWS: they show and wipe the whole state without asking who calls.
_NOT_AWS = ("/moto-api", "/latest/meta-data", "/latest/api", "/latest/dynamic", "/latest/user-data")


class Account:
    """Kernel, stores, functions and deliveries of one account."""

    def __init__(
        self, kernel: Kernel, front: Front, moto: moto_seams.Moto, *, tier: Tier, measured: bool, workspace: Path
    ) -> None:
        self.kernel = kernel
        self.recorder = Recorder(lambda: kernel.now)
        self._moto = moto
        platform = Platform(kernel, self.recorder, front, tier, measured, self.call, self._latency)
        self.functions = Functions(platform, workspace)
        self._queue = AsynchronousQueue(kernel, self.recorder, self.functions)
        self._s3 = S3Notifications(kernel, self.recorder, self.functions, self._queue)
        self._mappings = QueueMappings(kernel, self.recorder, self.functions)
        # What an API call that is under way has changed; its record does not exist yet.
        self._effects: list[Callable[[int | None], None]] | None = None
        self._long_polls: dict[str, list[Callable[[], None]]] = {}
        moto_seams.cut_deliveries(self, self._moto)

    def call(self, request: Request, caller: Caller, answer: Answer) -> None:
        """Carry out an API call at this instant."""
        if posixpath.normpath("/" + request.path.lstrip("/")).startswith(_NOT_AWS):
            answer(_not_aws(request.path))
            return
        request = without_moto_headers(request)
        operation = operations.identify(request)
        if invoke_api.is_invoke(request):
            self._invoke(request, operation, caller, answer)
            return
        response = self._ask_moto(request)
        wait = self._moto.wait
        if wait is not None and response.status == 200:
            self._park(request, caller, answer, *wait)
            return
        self._record_call(operation, request, caller, response)
        answer(response)

    def _invoke(self, request: Request, operation: Operation, caller: Caller, answer: Answer) -> None:
        call = invoke_api.check(self.functions, request)
        if isinstance(call, Response):
            self._record_call(operation, request, caller, call)
            answer(call)
            return
        accepted = Response({"Event": 202, "DryRun": 204}.get(call.kind, 200))
        record = self._record_call(operation, request, caller, accepted)
        invoke_api.perform(call, self.functions, self._queue, record, answer)

    def _ask_moto(self, request: Request) -> Response:
        self._effects = []
        try:
            return self._moto.answer(request)
        except Exception as error:
            # moto raises on requests that AWS refuses; the account must outlive them.
            message = f"the emulated service failed on this request: {type(error).__name__}: {error}"
            body = json.dumps({"__type": "InternalFailure", "message": message}).encode()
            return Response(500, (("Content-Type", "application/json"), ("x-amzn-ErrorType", "InternalFailure")), body)

    def _record_call(self, operation: Operation, request: Request, caller: Caller, response: Response) -> int:
        if caller.name == DEPLOYMENT:
            self._take_effect(None)
            return 0
        detail: dict[str, JSON] = {
            "service": operation.service,
            "operation": operation.name,
            "by": caller.name,
            "status": response.status,
            "error": _error_code(response),
            **operation.detail,
        }
        size = max(len(request.body), len(response.body)) if operation.service == "s3" else 0
        if size:
            detail["size"] = size
        if caller.request_id is not None:
            detail["request_id"] = caller.request_id
        record = self.recorder.add(Kind.API_CALL, operation.resource, detail, cause=caller.cause)
        self._take_effect(record.id)
        return record.id

    def _take_effect(self, cause: int | None) -> None:
        effects, self._effects = self._effects or [], None
        for effect in effects:
            effect(cause)

    def deployed(self, stack: Stack) -> int:
        """Record a deployment; the calls that it was made of are not shown one by one."""
        resources: list[JSON] = [
            {"logical_id": one.logical_id, "type": one.type, "physical_id": one.physical_id} for one in stack.resources
        ]
        return self.recorder.add(Kind.DEPLOYED, f"stack:{stack.name}", {"resources": resources}, cause=None).id

    def _latency(self, request: Request) -> int:
        service = operations.identify(request).service
        return latency.of_call(service, len(request.body), self.kernel.chance(f"latency/{service}"))

    # long polls
    def _park(self, request: Request, caller: Caller, answer: Answer, queue_arn: str, seconds: int) -> None:
        """Answer a long poll when a message comes, or empty when its time is over."""
        again = functools.partial(self._poll_again, request, caller, answer)
        waiting = self._long_polls.setdefault(queue_arn, [])

        def once() -> None:
            if once in waiting:
                waiting.remove(once)
                self.kernel.cancel(timer)
                again()

        def give_up() -> None:
            if once in waiting:
                waiting.remove(once)
                again()

        waiting.append(once)
        timer = self.kernel.after(seconds * SECOND, give_up)
        hidden = moto_seams.next_visible_ms(queue_arn)
        if hidden is not None:
            self.kernel.at(round(hidden * 1_000_000) - self.kernel.epoch_ns, once)

    def _poll_again(self, request: Request, caller: Caller, answer: Answer) -> None:
        response = self._ask_moto(request)
        self._record_call(operations.identify(request), request, caller, response)
        answer(response)

    # what moto's stores tell us (moto_seams.Hooks); what follows has the API call's record as its cause
    def object_changed(self, account: str, event: str, bucket: str, target: moto_seams.ObjectChange) -> None:
        """See moto_seams.Hooks."""
        self._follow(lambda cause: self._s3.object_changed(event, bucket, target, _OUTSIDE_IP, cause))

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """See moto_seams.Hooks."""
        self._follow(lambda cause: self._message_added(queue_arn, message_id, cause))

    def _follow(self, effect: Callable[[int | None], None]) -> None:
        if self._effects is None:
            effect(None)
        else:
            self._effects.append(effect)

    def _message_added(self, queue_arn: str, message_id: str, cause: int | None) -> None:
        self._mappings.message_added(queue_arn, message_id, cause)
        for poll in list(self._long_polls.get(queue_arn, ())):
            self.kernel.after(0, poll)

    def message_dead(self, queue_arn: str, message_id: str, receive_count: int) -> None:
        """See moto_seams.Hooks."""
        self._mappings.message_dead(queue_arn, message_id, receive_count)

    def mappings_changed(self) -> None:
        """See moto_seams.Hooks."""
        self.kernel.after(0, self._mappings.refresh)

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


def _error_code(response: Response) -> str | None:
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
