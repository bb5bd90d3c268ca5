"""What the owner of a cloud may ask of its process, beside AWS's own API: HTTP with JSON over a private Unix socket."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from labs.cloud import wire
from labs.cloud.front import Reply, Request, Response
from labs.cloud.goal import Goal
from labs.cloud.kernel import SECOND, Pace, RunEnd
from labs.cloud.local_client import LocalClients, OperationFailed
from labs.cloud.stack import DeploymentError, deploy

if TYPE_CHECKING:
    from labs.cloud.process import CloudProcess

_RUN_LIMIT = 7 * 24 * 3600 * SECOND  # a poison message without a dead-letter queue would be retried for four days
_ACTION_LIMIT = 2_000_000
_WAIT = 25.0  # real seconds after which a waiting reader is answered in any case


class Control:
    """Answer the owner."""

    def __init__(self, process: "CloudProcess", clients: LocalClients) -> None:
        self._process, self._clients = process, clients
        self._waiting: list[tuple[int, int, float, Reply]] = []
        self._routes: dict[str, Callable[[Mapping[str, object], Reply], None]] = {
            "/state": self._state,
            "/trace": self._trace,
            "/watch": self._watch,
            "/run": self._run,
            "/advance": self._advance,
            "/step": self._step,
            "/pace": self._pace,
            "/call": self._call,
            "/deploy": self._deploy,
        }
        self._last_pace = 0
        self._idle = True

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request of the owner."""
        route = self._routes.get(request.path)
        body = wire.loads(request.body or b"{}")
        if route is None or not isinstance(body, dict):
            reply.send(Response(404))
            return
        try:
            route(body, reply)
        except Exception as error:
            # A fault of ours in one request must not take the learner's account away.
            traceback.print_exc()
            if not reply.sent:
                self._send(
                    reply, {"code": "InternalFailure", "message": f"{type(error).__name__}: {error}", "status": 500}, 500
                )

    def _send(self, reply: Reply, value: object, status: int = 200) -> None:
        reply.send(Response(status, (("Content-Type", "application/json"),), wire.dumps(value)))

    def state(self) -> dict[str, object]:
        """Describe the clock and what is left to happen."""
        process = self._process
        return {
            "now": process.kernel.now,
            "epoch_ns": process.kernel.epoch_ns,
            "pace": process.pace,
            "factor": process.factor,
            "idle": not process.kernel.busy,
            "port": process.port,
            "records": len(process.account.recorder.since(0)),
            "tier": process.settings.tier,
            "seed": process.settings.seed,
        }

    def _state(self, body: Mapping[str, object], reply: Reply) -> None:
        self._send(reply, self.state())

    def _trace(self, body: Mapping[str, object], reply: Reply) -> None:
        records = self._process.account.recorder.since(_integer(body, "after"))
        self._send(reply, {"records": [record.to_json() for record in records], "state": self.state()})

    def _watch(self, body: Mapping[str, object], reply: Reply) -> None:
        """Answer as soon as there is news: records after `after`, another pace, or nothing left to happen."""
        pace = _integer(body, "pace_version")
        self._waiting.append((_integer(body, "after"), pace, time.monotonic() + _WAIT, reply))
        self.tell_waiting()

    def tell_waiting(self) -> None:
        """Answer the watchers for whom there is news."""
        # That nothing is left to happen is news too, and leaves no record.
        idle, self._idle = self._idle, not self._process.kernel.busy
        self._last_pace += self._idle and not idle
        if not self._waiting:
            return
        known = len(self._process.account.recorder.since(0))
        left = []
        for after, pace, deadline, reply in self._waiting:
            if reply.gone:
                continue
            if known > after or pace != self._last_pace or time.monotonic() > deadline:
                records = self._process.account.recorder.since(after)
                self._send(
                    reply,
                    {
                        "records": [record.to_json() for record in records],
                        "state": self.state(),
                        "pace_version": self._last_pace,
                    },
                )
            else:
                left.append((after, pace, deadline, reply))
        self._waiting = left

    def _run(self, body: Mapping[str, object], reply: Reply) -> None:
        limit = min(_integer(body, "limit_ns") or _RUN_LIMIT, 100 * 365 * 24 * 3600 * SECOND)
        self._goal(self._process.kernel.now + limit, True, reply)

    def _advance(self, body: Mapping[str, object], reply: Reply) -> None:
        self._goal(self._process.kernel.now + _integer(body, "ns"), False, reply)

    def _goal(self, until: int, stop_when_idle: bool, reply: Reply) -> None:
        def done(end: RunEnd) -> None:
            self._send(reply, {"end": end, "state": self.state()})

        self._process.run(Goal(until, stop_when_idle, _ACTION_LIMIT, done))

    def _step(self, body: Mapping[str, object], reply: Reply) -> None:
        """Let things happen until the trace has one more record."""
        recorder = self._process.account.recorder
        known = len(recorder.since(0))
        while len(recorder.since(0)) == known and self._process.kernel.busy:
            self._process.kernel.step()
        self._last_pace += 1
        self._send(reply, {"state": self.state()})

    def _pace(self, body: Mapping[str, object], reply: Reply) -> None:
        factor = float(str(body.get("factor", 1.0)))
        if not 0.01 <= factor <= 100_000:
            self._send(reply, {"message": f"a factor of {factor} is not between 0.01 and 100000"}, 400)
            return
        self._process.set_pace(Pace(str(body["pace"])), factor)
        self._last_pace += 1
        self._send(reply, {"state": self.state()})

    def _call(self, body: Mapping[str, object], reply: Reply) -> None:
        """Carry out an AWS operation with the SDK on this side, for owners that do without it."""
        parameters = body.get("parameters", {})
        if not isinstance(parameters, dict):
            self._send(reply, {"code": "ValidationException", "message": "parameters are an object"}, 400)
            return

        try:
            service, operation = str(body["service"]), str(body["operation"])
            result = self._clients.call(service, operation, parameters, deployment=body.get("unseen") is True)
        except OperationFailed as failure:
            self._send(reply, {"code": failure.code, "message": failure.message, "status": failure.status}, 400)
            return
        self._send(reply, {"result": result})

    def _deploy(self, body: Mapping[str, object], reply: Reply) -> None:
        package = body["package"]
        if not isinstance(package, bytes):
            self._send(reply, {"message": "the package is a zip archive"}, 400)
            return
        try:
            stack = deploy(self._clients, str(body["name"]), str(body["template"]), package)
        except DeploymentError as error:
            self._send(reply, {"message": str(error)}, 400)
            return
        record = self._process.account.deployed(stack)
        self._send(reply, {"name": stack.name, "outputs": dict(stack.outputs), "record": record})


def _integer(body: Mapping[str, object], name: str) -> int:
    value = body.get(name, 0)
    return value if isinstance(value, int) else 0
