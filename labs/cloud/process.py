"""The process of one cloud: a loop over sockets and agenda on one thread.

`python -m labs.cloud` starts one; `labs.cloud.host` forks it from a warm parent instead.
"""

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from labs.cloud import cloudformation, moto_seams, wire
from labs.cloud.account import Account
from labs.cloud.caller import OUTSIDE, Caller
from labs.cloud.control import Control
from labs.cloud.front import Front, Reply, Request, Response, bind
from labs.cloud.functions.quotas import Quotas
from labs.cloud.functions.sandbox import Tier
from labs.cloud.goal import Goal
from labs.cloud.kernel import Kernel, LivePace, Pace, RunEnd
from labs.cloud.limits import ACCOUNT_CONCURRENCY, ASYNC_RETRY_BASE, SCALING
from labs.cloud.local_client import LocalClients
from labs.cloud.warm import Warm

_STEPS_BETWEEN_LOOKS = 16
_LOOK_EVERY = 0.25  # real seconds between looks at the clock while nothing is due


@dataclass(frozen=True, slots=True)
class Settings:
    """How a cloud is started."""

    seed: int = 0
    pace: Pace = Pace.INSTANT
    factor: float = 1.0
    measured: bool = False
    port: int = 0
    tier: int = 0
    epoch_ns: int = 0
    concurrency: int = ACCOUNT_CONCURRENCY.value
    retry_base_s: float = float(ASYNC_RETRY_BASE.value)
    scaling: int = SCALING.value

    def to_json(self) -> bytes:
        """Write the settings."""
        return wire.dumps(asdict(self))

    @classmethod
    def from_json(cls, data: bytes) -> "Settings":
        """Read the settings."""
        fields = wire.loads(data)
        if not isinstance(fields, dict):
            raise ValueError("settings are a JSON object")
        return cls(**{**fields, "pace": Pace(fields["pace"])})


class CloudProcess:
    """Own one account and let its time pass at the pace asked for."""

    def __init__(self, settings: Settings, lifeline: socket.socket, warm: Warm) -> None:
        self.settings = settings
        self.kernel = Kernel(seed=settings.seed, epoch_ns=settings.epoch_ns)
        moto_seams.seed(settings.seed)
        self._time = moto_seams.VirtualTime(settings.epoch_ns)
        self.kernel.on_move(self._time.move)
        self.front = Front()
        self.workspace = Path(tempfile.mkdtemp(prefix="serverless-lab-"))
        self.account = Account(
            self.kernel,
            self.front,
            warm.moto,
            tier=Tier(settings.tier),
            measured=settings.measured,
            workspace=self.workspace / "code",
            quotas=Quotas(settings.concurrency, settings.retry_base_s, settings.scaling),
        )
        self.pace = settings.pace
        self._live = LivePace(self.kernel, settings.factor)
        self._inbox: deque[Callable[[], None]] = deque()
        self._unanswered = 0
        self._goals: deque[Goal] = deque()
        self._closing = False
        self.steps = 0
        listening = bind(settings.port)
        self.port = int(listening.getsockname()[1])
        self.front.listen(listening, self._outside_request)
        clients = LocalClients(self, warm.clients)
        cloudformation.attach(self.account, clients)
        self.control = Control(self, clients)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control_path = self.workspace / "control"
        control.bind(str(self.control_path))
        control.listen(16)
        self.front.listen(control, lambda request, reply: self._inbox.append(lambda: self.control.handle(request, reply)))
        self._lifeline = lifeline
        lifeline.setblocking(False)
        self.front.watch(lifeline, self._owner_gone, write=False)

    def announce(self) -> None:
        """Tell the owner where to find us."""
        self._lifeline.send(wire.dumps({"port": self.port, "control": str(self.control_path), "pid": os.getpid()}) + b"\n")

    def _owner_gone(self, mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            if not self._lifeline.recv(1024):
                self.stop()

    def stop(self) -> None:
        """Leave the loop."""
        self._closing = True

    def _outside_request(self, request: Request, reply: Reply) -> None:
        # Only noted here: an environment may be running, and what comes from outside happens between two actions.
        self._inbox.append(lambda: self.call(request, reply.send))

    def call(self, request: Request, send: Callable[[Response], None]) -> None:
        """Carry out an API call from outside at the current instant."""
        self._unanswered += 1

        def answer(response: Response) -> None:
            self._unanswered -= 1
            send(response)

        self.account.call(request, Caller(OUTSIDE, None), answer)

    def wait_for(self, answered: Callable[[], bool]) -> bool:
        """Let time pass at the present pace until an answer is there; False when it cannot come because time stands still."""
        if self.pace is Pace.PAUSED:
            return answered()
        while not answered() and not self._closing:
            if self._inbox:
                # The owner is heard meanwhile: it may pause the clock and let it run again, or have an answer of its own.
                self._hear()
                continue
            if self.pace is Pace.INSTANT and self.kernel.next_at() is None:
                return False
            self.control.tell_waiting()
            self._unanswered += 1
            wait = self._pass_time()
            self.control.tell_waiting()
            self.front.poll(wait)
            self._unanswered -= 1
        return answered()

    def run(self, goal: Goal) -> None:
        """Let time pass towards a goal, as fast as possible."""
        self._goals.append(goal)

    def set_pace(self, pace: Pace, factor: float) -> None:
        """Change how time meets the wall clock from here on."""
        self.pace = pace
        self._live = LivePace(self.kernel, factor)

    @property
    def factor(self) -> float:
        """Give the virtual seconds per real second of a live pace."""
        return self._live.factor

    def loop(self) -> None:
        """Serve until the owner is gone."""
        while not self._closing:
            while self._inbox:
                self._hear()
            wait = self._pass_time()
            self.control.tell_waiting()
            self.front.poll(wait)

    def _hear(self) -> None:
        """Do what comes from outside: at this instant, not at the one when we last looked at the clock."""
        if self.pace is Pace.LIVE and not self._goals:
            upcoming, target = self.kernel.next_at(), self._live.target()
            if upcoming is None or upcoming > target:
                self.kernel.move_to(target)
        self._inbox.popleft()()

    def _pass_time(self) -> float | None:
        """Let some of the agenda happen; return how long the sockets may be waited for (None: until something comes)."""
        if self._goals:
            self._towards(self._goals[0])
            return 0
        if self.pace is Pace.LIVE:
            return self._keep_up()
        if self.pace is Pace.INSTANT and self._unanswered and self.kernel.next_at() is not None:
            self._step()
            return 0
        return None

    def _step(self) -> None:
        self.steps += 1
        self.kernel.step()

    def _towards(self, goal: Goal) -> None:
        for _ in range(_STEPS_BETWEEN_LOOKS):
            end = self._end_of(goal)
            if end is not None:
                self._goals.popleft()
                if end is RunEnd.IDLE and not goal.stop_when_idle:
                    self.kernel.move_to(goal.until)
                self._live = LivePace(self.kernel, self._live.factor)
                goal.done(end)
                return
            self._step()
            goal.actions_left -= 1
            if self._inbox:
                return

    def _end_of(self, goal: Goal) -> RunEnd | None:
        upcoming = self.kernel.next_at()
        if goal.stop_when_idle:
            if not self.kernel.busy:
                return RunEnd.IDLE
            if upcoming is None or upcoming > goal.until:
                return RunEnd.LIMIT
        elif upcoming is None or upcoming > goal.until:
            return RunEnd.IDLE
        return RunEnd.LIMIT if goal.actions_left <= 0 else None

    def _keep_up(self) -> float | None:
        upcoming = self.kernel.next_at()
        target = self._live.target()
        if upcoming is not None and upcoming <= target:
            self._step()
            return 0
        self.kernel.move_to(target)
        return _LOOK_EVERY if upcoming is None else min(_LOOK_EVERY, self._live.wait_seconds(upcoming))

    def close(self) -> None:
        """Leave nothing behind."""
        self.account.close()
        self.front.close()
        shutil.rmtree(self.workspace, ignore_errors=True)


def serve(settings: Settings, lifeline: socket.socket, warm: Warm) -> None:
    """Be a cloud until the owner is gone."""
    # Ctrl-C goes to the whole terminal; the owner decides when a cloud ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = CloudProcess(settings, lifeline, warm)
    signal.signal(signal.SIGTERM, lambda number, frame: process.stop())
    try:
        process.announce()
        process.loop()
    finally:
        process.close()
