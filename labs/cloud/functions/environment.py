"""One execution environment: INIT, then one invocation at a time, frozen in between, until it is reclaimed.

Source: AWS Lambda developer guide, "Lambda runtime environment lifecycle" (2026-11-20). An INIT that fails is tried again under
the function's own timeout, as part of the invocation that waits for it; an environment whose process crashed or ran out of time
is reset, and initialises again inside the next invocation (suppressed init).
"""

import functools
from collections.abc import Callable
from pathlib import Path

from labs.cloud import latency, limits
from labs.cloud.caller import Caller, role_session
from labs.cloud.front import Reply, Response
from labs.cloud.functions import runtime_api
from labs.cloud.functions.guest import Guest
from labs.cloud.functions.invocation import Invocation, Outcome, Status
from labs.cloud.functions.logs import EnvironmentLog
from labs.cloud.functions.platform import Platform, State
from labs.cloud.functions.platform_log import PlatformLog, Report
from labs.cloud.functions.records import EnvironmentRecords
from labs.cloud.functions.sandbox import SandboxError
from labs.cloud.functions.segment import Arrived, Stop
from labs.cloud.kernel import MILLISECOND, SECOND, Entry
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import JSON

ON_DEMAND, PROVISIONED = "on-demand", "provisioned-concurrency"


class Environment:
    """Own one process at a time and what it is doing. Without an invocation it is initialised ahead (provisioned)."""

    def __init__(
        self,
        platform: Platform,
        function: FunctionVersion,
        number: int,
        package: Path,
        layers: tuple[Path, ...],
        invocation: Invocation | None,
        cause: int | None,
    ) -> None:
        self._platform, self._kernel = platform, platform.kernel
        self.function = function
        self._package, self._layers = package, layers
        self.name = f"environment:{function.name}/{number}"
        self.provisioned = invocation is None
        self.state = State.INIT
        self.last_used = 0
        self._invocation = invocation
        self._held: list[tuple[Reply, Response]] = []  # answers that came while it was frozen
        self._next: Reply | None = None
        self._answer: bytes | None = None
        self._failure: runtime_api.Failure | None = None
        self._deadline: Entry | None = None
        self._keep_alive: Entry | None = None
        self._init_phase: str | None = None  # "init", or "invoke" when it is part of an invocation
        self._started_at = self._init_at = self._kernel.now
        self._init_ms: float | None = None
        self.on_end: Callable[[Environment], None] = lambda environment: None
        self._chance = self._kernel.chance(self.name)
        how = PROVISIONED if self.provisioned else ON_DEMAND
        self._records = EnvironmentRecords(platform.recorder, self.name, function, measured=platform.measured)
        created = self._records.created(provisioned=self.provisioned, cause=cause)
        stream_id = f"{self._chance.getrandbits(128):032x}"
        self._log = EnvironmentLog(self._kernel, platform.recorder, function, self.name, str(package), stream_id)
        self._says = PlatformLog(self._kernel, function, self._log, how)
        self._variables = runtime_api.variables(function, self._log.stream, how, self._chance)
        self._log.begin(None, created)
        self._says.init_start()
        self._initialise("init", created)

    # the process, and what it asks for
    def _initialise(self, phase: str, cause: int) -> None:
        """Start a process: ahead of an invocation, or inside one."""
        self._init_phase, self._init_at = phase, self._kernel.now
        started = self._records.init_started(phase, cause)
        if phase == "init":
            self._phase = self._log.cause = started
            limit = max(limits.INIT_AHEAD.value, self.function.timeout) if self.provisioned else limits.INIT.value
            self._deadline = self._kernel.after(limit * SECOND, self._timed_out)
        files, seed = (self._package, self._layers), self._chance.getrandbits(32)
        try:
            self._guest = Guest(self._platform, self.function, *files, self._variables, seed, self._log, self._asked)
        except SandboxError as error:
            if phase == "init":
                raise
            self._init_phase = None
            self._finish(Status.CRASH, runtime_api.not_started(str(error)), "crash")
            return
        self._go(extra=0 if self._platform.measured else latency.INIT.draw(self._chance))

    def _go(self, *answers: tuple[Reply, Response], extra: int = 0) -> None:
        limit = max(0, self._deadline.at - self._kernel.now) if self._deadline else 0
        self._guest.go(*answers, extra=extra, limit=limit)

    def _asked(self, arrived: list[Arrived], stop: Stop) -> None:
        for item in arrived:
            if item.aws:
                self._call(item)
            else:
                self._runtime_call(item)
        if stop in (Stop.EXITED, Stop.OUT_OF_MEMORY):
            status = self._guest.exit_status() if stop is Stop.EXITED else -9
            self._broken(runtime_api.exit_failure(status, self._request_id()))

    def _reply(self, guest: Guest, reply: Reply, response: Response) -> None:
        if guest is not self._guest or guest.closed:
            return  # it was for a process that is gone
        if self.state is State.IDLE:
            self._held.append((reply, response))
        elif self.state is not State.ENDED:
            self._go((reply, response))

    def _call(self, item: Arrived) -> None:
        principal = role_session(self.function.role, self.function.name)
        caller = Caller(self.name, self._phase, self._request_id(), principal)
        guest = self._guest

        def answered(response: Response) -> None:
            crashes = self._platform.crashes.after(self.function.name, item.request)
            if crashes and guest is self._guest and self.state in (State.INIT, State.BUSY):
                self._broken(runtime_api.exit_failure(-9, self._request_id()))
            else:
                self._reply(guest, item.reply, response)

        guest.later(self._platform.call_latency(item.request), lambda: self._platform.call_aws(item.request, caller, answered))

    def _runtime_call(self, item: Arrived) -> None:
        """Answer a call of the Runtime API."""
        request, guest = item.request, self._guest
        reply = functools.partial(self._reply, guest)
        match runtime_api.parse(request):
            case runtime_api.Next():
                self._ready(item.reply)
            case runtime_api.Answer(request_id) if request_id == self._request_id():
                self._answer = request.body
                reply(item.reply, runtime_api.ACCEPTED)
            case runtime_api.Error(request_id) if request_id in (None, self._request_id()):
                self._failure = runtime_api.failure(request, str(self._package))
                reply(item.reply, runtime_api.ACCEPTED)
            case runtime_api.Sleep(ns):
                guest.later(ns, lambda: self._slept(ns, item.reply))
            case runtime_api.Timer(name, ns):
                guest.set_timer(name, ns, item.reply, reply)
            case runtime_api.Cancel(name):
                self._go(*guest.cancelled_timer(name), (item.reply, runtime_api.DONE))
            case _:
                reply(item.reply, runtime_api.REFUSED)

    def _slept(self, ns: int, reply: Reply) -> None:
        self._records.slept(ns, self._request_id(), self._phase)
        self._reply(self._guest, reply, runtime_api.DONE)

    def _ready(self, reply: Reply) -> None:
        """Handle `GET next`: INIT has ended, or an invocation has."""
        self._next = reply
        invocation, phase = self._invocation, self._init_phase
        if phase is not None:
            self._init_ended(Status.SUCCESS, None)
            if phase == "invoke":
                self._hand_over()
            elif invocation is not None:
                self._begin(invocation, cold=True)
            else:
                self._init_ms = None
                self._rest(self._phase)
        elif invocation is not None:
            failure = self._failure or runtime_api.refused_answer(self._answer, invocation.request_id)
            self._finish(Status.SUCCESS if failure is None else Status.ERROR, failure)

    def _init_ended(self, status: Status, failure: runtime_api.Failure | None) -> None:
        self._log.flush(final=True)
        phase, self._init_phase = self._init_phase or "init", None
        ms = (self._kernel.now - self._init_at) / MILLISECOND
        if phase == "init":
            self._cancel(self._deadline)
            self._init_ms = ms if status is Status.SUCCESS else None
        self._says.init_report(ms, phase, status, failure)
        self._records.init_ended(status, ms, failure, self._phase)

    # invocations
    def invoke(self, invocation: Invocation) -> None:
        """Run an event in this idle environment."""
        if self.state is not State.IDLE:
            raise RuntimeError(f"{self.name} is {self.state}")
        self._cancel(self._keep_alive)
        if not self._guest.closed:
            self._guest.thaw()
        self._begin(invocation, cold=self._guest.closed)

    def _begin(self, invocation: Invocation, *, cold: bool) -> None:
        self.state, self._invocation = State.BUSY, invocation
        self._answer = self._failure = None
        self._started_at = self._kernel.now
        self._phase = self._records.started(invocation, cold=cold)
        self._log.begin(invocation.request_id, self._phase)
        self._says.start(invocation.request_id)
        self._deadline = self._kernel.after(self.function.timeout * SECOND, self._timed_out)
        if self._guest.closed:
            self._initialise("invoke", self._phase)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the waiting process its event."""
        self._guest.begin()
        answers, self._held = self._held, []
        if self._next is not None and self._invocation is not None and self._deadline is not None:
            deadline_ms = (self._kernel.epoch_ns + self._deadline.at) // MILLISECOND
            answers.append((self._next, runtime_api.event(self._invocation, deadline_ms, self._kernel.chance("trace-id"))))
            self._next = None
        overhead = latency.INVOKE_OVERHEAD.draw(self._chance)
        self._go(*answers, extra=0 if self._platform.measured else overhead)

    def _finish(self, status: Status, failure: runtime_api.Failure | None, broken: str | None = None) -> None:
        """Report the end of an invocation; `broken` says what has become of the process, if it is lost."""
        invocation, self._invocation = self._invocation, None
        if invocation is None:
            return
        self._cancel(self._deadline)
        self._log.flush(final=True)
        duration = (self._kernel.now - self._started_at) / MILLISECOND
        memory, most, lost = self.function.memory_mb, self._guest.memory_mb, broken is not None
        report = Report(invocation.request_id, duration, self._init_ms, memory, most, status, failure, lost)
        self._says.report(report)
        figures: dict[str, JSON] = {"duration_ms": round(duration, 2), "billed_ms": report.billed_ms}
        if self._guest.stopped is not None:
            figures["stopped"] = self._guest.stopped
        measured: dict[str, JSON] = {"max_memory_mb": most, "cpu_ms": round(self._guest.cpu_ns() / MILLISECOND, 1)}
        self._init_ms = None
        record = self._records.ended(invocation.request_id, status, figures, failure, measured, self._phase)
        payload = failure.document if failure is not None else (self._answer or b"null")
        kind, message = (failure.error_type, failure.message) if failure is not None else (None, None)
        outcome = Outcome(status, payload, kind, message, self._log.tail(), record)
        self._rest(record, broken)
        self._kernel.after(0, lambda: invocation.done(outcome))

    def _rest(self, cause: int, broken: str | None = None) -> None:
        self.state, self.last_used = State.IDLE, self._kernel.now
        if broken is None:
            self._guest.freeze()
        else:
            self._reset()
        self._records.frozen(broken, cause)
        if not self.provisioned:
            keep = limits.KEEP_ALIVE.value * SECOND
            self._keep_alive = self._kernel.after(keep, lambda: self.end("idle", cause), background=True)

    # how it breaks
    def _reset(self) -> None:
        self._guest.close()
        self._held, self._next = [], None

    def _timed_out(self) -> None:
        """Handle the end of the time that INIT or the invocation has."""
        self._deadline = None
        failure = runtime_api.timeout_failure(self.function.timeout, self._request_id())
        if self._init_phase == "init":
            failure = runtime_api.init_timeout_failure(limits.INIT.value)
        self._broken(failure, Status.TIMEOUT)

    def _broken(self, exited: runtime_api.Failure, status: Status = Status.CRASH) -> None:
        # A failing import posts its error document and then exits; the document says more than the exit.
        failure = exited
        if self._failure is not None and status is not Status.TIMEOUT:
            failure, status = self._failure, Status.ERROR
        self._failure = None
        phase, invocation = self._init_phase, self._invocation
        if phase is not None:
            self._init_ended(status, failure)
        if phase == "init":
            self._reset()
            if invocation is None:
                self.end("crash", self._phase)
            else:
                self._begin(invocation, cold=True)
        else:
            self._log.flush(final=True)
            self._finish(status, failure, "timeout" if status is Status.TIMEOUT else "crash")

    def end(self, reason: str, cause: int | None) -> None:
        """Stop the process for good. Without extensions SHUTDOWN gives it no time at all: it is killed."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self._cancel(self._deadline, self._keep_alive)
        self._guest.close()
        self._records.gone(reason, cause)
        self.on_end(self)

    # small things
    def _cancel(self, *entries: Entry | None) -> None:
        for entry in entries:
            if entry is not None:
                self._kernel.cancel(entry)

    def _request_id(self) -> str | None:
        return self._invocation.request_id if self._invocation is not None and self.state is not State.INIT else None
