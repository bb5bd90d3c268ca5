"""One execution environment: INIT, then one invocation at a time, frozen in between, until it is reclaimed or breaks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from labs.cloud import latency, limits
from labs.cloud.caller import Caller, role_session
from labs.cloud.front import Front, Reply, Request, Response
from labs.cloud.functions import runtime_api
from labs.cloud.functions.guest import Grounds, Guest
from labs.cloud.functions.invocation import Invocation, Outcome, Status
from labs.cloud.functions.logs import EnvironmentLog
from labs.cloud.functions.runtime_api import Failure
from labs.cloud.functions.sandbox import Tier
from labs.cloud.functions.segment import Arrived, Stop
from labs.cloud.kernel import MILLISECOND, SECOND, Entry, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import JSON, Recorder


class State(StrEnum):
    """Where an environment is in its life."""

    INIT = "init"
    BUSY = "busy"
    IDLE = "idle"
    ENDED = "ended"


class CallAws(Protocol):
    """Carry out an API call now; the answer may come later."""

    def __call__(self, request: Request, caller: Caller, answer: Callable[[Response], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What an environment stands on."""

    kernel: Kernel
    recorder: Recorder
    front: Front
    tier: Tier
    measured: bool
    call_aws: CallAws
    call_latency: Callable[[Request], int]


class Environment:
    """Own one process and what it is doing."""

    def __init__(
        self, platform: Platform, function: FunctionVersion, number: int, package: Path, invocation: Invocation
    ) -> None:
        self._platform, self._kernel = platform, platform.kernel
        self.function = function
        self._task_root = str(package)
        self.name = f"environment:{function.name}/{number}"
        self.state = State.INIT
        self.last_used = 0
        self._invocation: Invocation | None = invocation
        self._held: list[tuple[Reply, Response]] = []  # answers that came while it was frozen
        self._next: Reply | None = None
        self._answer: bytes | None = None
        self._failure: Failure | None = None
        self._deadline: Entry | None = None
        self._keep_alive: Entry | None = None
        self._started_at = self._kernel.now
        self._init_ms: float | None = None
        self.on_end: Callable[[Environment], None] = lambda environment: None
        chance = self._kernel.chance(self.name)
        record = self._record(
            Kind.ENVIRONMENT_CREATED,
            {"function": function.name, "environment": self.name, "reason": "cold start"},
            invocation.cause,
        )
        self._phase = self._record(Kind.INIT_STARTED, {}, record)
        stream_id = f"{chance.getrandbits(128):032x}"
        self._log = EnvironmentLog(self._kernel, platform.recorder, function, self.name, str(package), stream_id)
        self._log.begin(None, self._phase)
        variables = runtime_api.variables(function, self._log.stream, chance)
        grounds = Grounds(self._kernel, platform.front, platform.tier, platform.measured)
        self._guest = Guest(grounds, function, package, variables, chance.getrandbits(32), self._log, self._asked)
        self._deadline = self._kernel.after(limits.INIT.value * SECOND, self._init_timed_out)
        self._go(extra=0 if platform.measured else latency.INIT.draw(chance))

    # what the process asks for
    def _go(self, *answers: tuple[Reply, Response], extra: int = 0) -> None:
        limit = max(0, self._deadline.at - self._kernel.now) if self._deadline else 0
        self._guest.go(*answers, extra=extra, limit=limit)

    def _asked(self, arrived: list[Arrived], stop: Stop) -> None:
        for item in arrived:
            if item.aws:
                self._call(item)
            else:
                self._runtime_call(item)
        if stop is Stop.EXITED:
            self._broken(runtime_api.exit_failure(self._guest.exit_status(), self._request_id()))
        elif stop is Stop.OUT_OF_MEMORY:
            self._broken(runtime_api.exit_failure(-9, self._request_id()))

    def _reply(self, reply: Reply, response: Response) -> None:
        if self.state is State.IDLE:
            self._held.append((reply, response))
        elif self.state is not State.ENDED:
            self._go((reply, response))

    def _call(self, item: Arrived) -> None:
        principal = role_session(self.function.role, self.function.name)
        caller = Caller(self.name, self._phase, self._request_id(), principal)

        def arrive() -> None:
            self._platform.call_aws(item.request, caller, lambda response: self._reply(item.reply, response))

        self._guest.later(self._platform.call_latency(item.request), arrive)

    # the Runtime API
    def _runtime_call(self, item: Arrived) -> None:
        request, reply = item.request, item.reply
        match runtime_api.parse(request):
            case runtime_api.Next():
                self._ready(reply)
            case runtime_api.Answer(request_id) if request_id == self._request_id():
                self._answer = request.body
                self._reply(reply, runtime_api.ACCEPTED)
            case runtime_api.Error(request_id) if request_id in (None, self._request_id()):
                self._failure = runtime_api.failure(request, self._task_root)
                self._reply(reply, runtime_api.ACCEPTED)
            case runtime_api.Sleep(ns):
                self._guest.later(ns, lambda: self._slept(ns, reply))
            case runtime_api.Timer(name, ns):
                self._guest.set_timer(name, ns, reply, self._reply)
            case runtime_api.Cancel(name):
                self._go(*self._guest.cancelled_timer(name), (reply, runtime_api.DONE))
            case _:
                self._reply(reply, runtime_api.REFUSED)

    def _slept(self, ns: int, reply: Reply) -> None:
        self._record(Kind.SLEPT, {"seconds": ns / SECOND, "request_id": self._request_id()}, self._phase)
        self._reply(reply, runtime_api.DONE)

    def _ready(self, reply: Reply) -> None:
        """Handle `GET next`: INIT has ended, or an invocation has."""
        self._next = reply
        invocation = self._invocation
        if self.state is State.INIT:
            self._init_ended(Status.SUCCESS, None)
            if invocation is not None:
                self._begin(invocation, cold=True)
        elif invocation is not None:
            if self._failure is not None:
                self._finish(Status.ERROR, self._failure)
            elif self._answer is None:
                self._finish(Status.ERROR, runtime_api.no_answer(invocation.request_id))
            elif len(self._answer) > limits.SYNC_PAYLOAD.value:
                self._finish(Status.ERROR, runtime_api.too_large(len(self._answer)))
            else:
                self._finish(Status.SUCCESS, None)

    def _init_ended(self, status: Status, failure: Failure | None) -> None:
        self._log.flush(final=True)
        if self._deadline is not None:
            self._kernel.cancel(self._deadline)
            self._deadline = None
        self._init_ms = (self._kernel.now - self._started_at) / MILLISECOND
        detail: dict[str, JSON] = {
            "status": status,
            "duration_ms": round(self._init_ms, 2),
            "durations": "measured" if self._platform.measured else "modelled",
        }
        if failure is not None:
            detail |= {"error_type": failure.error_type, "error_message": failure.message}
        self._record(Kind.INIT_ENDED, detail, self._phase)

    # invocations
    def invoke(self, invocation: Invocation) -> None:
        """Run an event in this idle environment."""
        if self.state is not State.IDLE or self._next is None:
            raise RuntimeError(f"{self.name} is {self.state}")
        if self._keep_alive is not None:
            self._kernel.cancel(self._keep_alive)
        self._guest.thaw()
        self._begin(invocation, cold=False)

    def _begin(self, invocation: Invocation, *, cold: bool) -> None:
        self.state, self._invocation = State.BUSY, invocation
        self._answer = self._failure = None
        self._started_at = self._kernel.now
        self._guest.begin()
        self._phase = self._record(
            Kind.INVOCATION_STARTED,
            {
                "function": self.function.name,
                "environment": self.name,
                "request_id": invocation.request_id,
                "attempt": invocation.attempt,
                "cold": cold,
                "source": invocation.source,
                "mode": invocation.mode,
            },
            invocation.cause,
        )
        self._log.begin(invocation.request_id, self._phase)
        self._log.platform(f"START RequestId: {invocation.request_id} Version: {self.function.version}")
        timeout = self.function.timeout * SECOND
        self._deadline = self._kernel.after(timeout, self._timed_out)
        answers, self._held = self._held, []
        if self._next is not None:
            deadline_ms = (self._kernel.wall_ns + timeout) // MILLISECOND
            answers.append((self._next, runtime_api.event(invocation, deadline_ms, self._kernel.chance("trace-id"))))
            self._next = None
        overhead = latency.INVOKE_OVERHEAD.draw(self._kernel.chance(self.name))
        self._go(*answers, extra=0 if self._platform.measured else overhead)

    def _finish(self, status: Status, failure: Failure | None) -> None:
        invocation, self._invocation = self._invocation, None
        if invocation is None:
            return
        if self._deadline is not None:
            self._kernel.cancel(self._deadline)
            self._deadline = None
        self._log.flush(final=True)
        duration = (self._kernel.now - self._started_at) / MILLISECOND
        report = runtime_api.Report(
            invocation.request_id, duration, self._init_ms, self.function.memory_mb, self._guest.memory_mb, status, failure
        )
        self._log.platform(*report.lines(self._kernel.wall_ns))
        detail: dict[str, JSON] = {
            "function": self.function.name,
            "environment": self.name,
            "request_id": invocation.request_id,
            "status": status,
            "duration_ms": round(duration, 2),
            "billed_ms": report.billed_ms,
        }
        if failure is not None:
            detail |= {"error_type": failure.error_type, "error_message": failure.message}
        if self._guest.stopped is not None:
            detail["stopped"] = self._guest.stopped
        cpu_ms = self._guest.cpu_ns() / MILLISECOND
        measured: dict[str, JSON] = {"max_memory_mb": self._guest.memory_mb, "cpu_ms": round(cpu_ms, 1)}
        self._init_ms = None
        record = self._record(Kind.INVOCATION_ENDED, detail, self._phase, measured)
        payload = failure.document if failure is not None else (self._answer or b"null")
        outcome = Outcome(
            status,
            payload,
            failure.error_type if failure else None,
            failure.message if failure else None,
            self._log.tail(),
            record,
        )
        if self._next is not None:
            self._rest(record)
        self._kernel.after(0, lambda: invocation.done(outcome))

    def _rest(self, cause: int) -> None:
        self.state, self.last_used = State.IDLE, self._kernel.now
        self._guest.freeze()
        self._record(Kind.ENVIRONMENT_FROZEN, {}, cause)
        keep = limits.KEEP_ALIVE.value * SECOND
        self._keep_alive = self._kernel.after(keep, lambda: self.end("idle", cause), background=True)

    # how it breaks
    def _timed_out(self) -> None:
        self._deadline = None
        failure = runtime_api.timeout_failure(self.function.timeout, self._request_id())
        self._log.flush(final=True)
        self._finish(Status.TIMEOUT, failure)
        self.end("timeout", self._phase)

    def _init_timed_out(self) -> None:
        self._deadline = None
        self._broken(runtime_api.init_timeout_failure(limits.INIT.value, self._request_id()), Status.TIMEOUT)

    def _broken(self, exited: Failure, status: Status = Status.CRASH) -> None:
        # A failing import posts its error document and then exits; the document says more than the exit.
        failure = self._failure or exited
        if self._failure is not None:
            status = Status.ERROR
        invocation = self._invocation
        if self.state is State.INIT:
            self._init_ended(status, failure)
            if invocation is not None:
                self.state = State.BUSY
                self._begin_without_process(invocation)
        self._finish(status, failure)
        self.end("crash" if status is not Status.TIMEOUT else "timeout", self._phase)

    def _begin_without_process(self, invocation: Invocation) -> None:
        """Record the invocation that a failed INIT takes down with it."""
        self._started_at = self._kernel.now
        detail: dict[str, JSON] = {
            "function": self.function.name,
            "environment": self.name,
            "request_id": invocation.request_id,
            "attempt": invocation.attempt,
            "cold": True,
            "source": invocation.source,
            "mode": invocation.mode,
        }
        self._phase = self._record(Kind.INVOCATION_STARTED, detail, invocation.cause)

    def end(self, reason: str, cause: int | None) -> None:
        """Stop the process for good."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        for entry in (self._deadline, self._keep_alive):
            if entry is not None:
                self._kernel.cancel(entry)
        self._guest.close()
        self._record(Kind.ENVIRONMENT_ENDED, {"reason": reason}, cause)
        self.on_end(self)

    # small things
    def _request_id(self) -> str | None:
        return self._invocation.request_id if self._invocation is not None and self.state is not State.INIT else None

    def _record(self, kind: Kind, detail: dict[str, JSON], cause: int | None, measured: dict[str, JSON] | None = None) -> int:
        return self._platform.recorder.add(kind, self.name, detail, cause=cause, measured=measured).id
