"""The process inside an environment, as the kernel sees it: it is let go, it runs until it waits, and then it asks."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from labs.cloud.front import Reply, Request, Response
from labs.cloud.functions.clock_page import ClockPage
from labs.cloud.functions.logs import EnvironmentLog
from labs.cloud.functions.platform import Platform
from labs.cloud.functions.sandbox import Spec, start
from labs.cloud.functions.segment import Arrived, Stop, run_until_blocked
from labs.cloud.kernel import SECOND, Entry
from labs.cloud.limits import INVOCATION_CPU
from labs.cloud.moto_seams import FunctionVersion

_MB = 1024 * 1024
_MOST_CPU = INVOCATION_CPU.value * SECOND
_DONE = Response(200)


class Guest:
    """Run one process in turns with everything else. `asks` hears what it asked for when it stopped, and why it stopped."""

    def __init__(
        self,
        grounds: Platform,
        function: FunctionVersion,
        package: Path,
        layers: tuple[Path, ...],
        environment: Mapping[str, str],
        seed: int,
        log: EnvironmentLog,
        asks: Callable[[list[Arrived], Stop], None],
    ) -> None:
        self._kernel, self._front, self._measured = grounds.kernel, grounds.front, grounds.measured
        self._log, self._asks = log, asks
        self._memory_limit = function.memory_mb * _MB
        self._arrived: list[Arrived] = []
        self._waiting = 0  # requests that have no answer yet
        self._timers: dict[str, tuple[Entry, Reply]] = {}
        self._pending: list[Entry] = []
        self.closed = False
        self._cpu_at_start = 0
        self.memory_mb = 0  # the most seen
        self.stopped: Stop | None = None  # why it will never ask again
        self._page = ClockPage(measured=grounds.measured)
        self._page.start(self._kernel.wall_ns)
        spec = Spec(
            task_root=package,
            handler=function.handler,
            environment=environment,
            memory_mb=function.memory_mb,
            tmp_mb=function.tmp_mb,
            hash_seed=seed,
            clock_fd=self._page.descriptor,
            seed=seed,
            layers=layers,
        )
        self._process = start(spec, grounds.tier)
        self._listeners = (
            self._front.listen(self._process.runtime, self._hear(aws=False)),
            self._front.listen(self._process.aws, self._hear(aws=True)),
        )
        os.set_blocking(self._process.output, False)
        self._front.watch(self._process.output, self._read_output, write=False)

    def _hear(self, *, aws: bool) -> Callable[[Request, Reply], None]:
        return lambda request, reply: self._arrived.append(Arrived(request, reply, aws))

    def _read_output(self, mask: int) -> None:
        try:
            data = os.read(self._process.output, 1 << 16)
        except BlockingIOError:
            return
        if data:
            self._log.feed(data)
        else:
            self._front.forget(self._process.output)

    def begin(self) -> None:
        """Start a new account of processor time: an invocation begins."""
        self._cpu_at_start = self._process.cpu_ns()

    def go(self, *answers: tuple[Reply, Response], extra: int = 0, limit: int) -> None:
        """Give answers, let the process run until it waits for us, and put what it asked for on the agenda.

        `extra` virtual nanoseconds are added to what it consumed; `limit` bounds its real time where that counts.
        """
        # The instant first: the process reads the clock as soon as it has its answer.
        self._page.start(self._kernel.wall_ns)
        for reply, response in answers:
            self._waiting -= 1
            reply.send(response)
        stop = run_until_blocked(
            self._front,
            self._process,
            self._arrived,
            waiting=self._waiting,
            real_limit_ns=limit if self._measured else None,
            memory_limit=self._memory_limit,
        )
        self.memory_mb = max(self.memory_mb, -(-self._process.memory_bytes() // _MB))
        elapsed = self._page.elapsed(sent=any(item.aws for item in self._arrived)) + extra
        arrived, self._arrived = sorted(self._arrived, key=lambda item: item.order), []
        if stop is Stop.BLOCKED and not self._measured and self.cpu_ns() > _MOST_CPU:
            # A loop of tiny waits never computes for long, and never ends either.
            stop = Stop.SPINNING
        if stop in (Stop.SPINNING, Stop.STUCK):
            # Nothing that it does can be seen any more; its deadline is on the agenda.
            self._process.freeze()
            self.stopped = stop
            return
        self._waiting += len(arrived)
        self.later(elapsed, lambda: self._ask(arrived, stop))

    def _ask(self, arrived: list[Arrived], stop: Stop) -> None:
        self._log.flush(final=False)
        self._asks(arrived, stop)

    def later(self, ns: int, action: Callable[[], None]) -> Entry:
        """Do something for this process after `ns`, unless it has ended by then."""
        self._pending = [entry for entry in self._pending if not entry.cancelled]
        self._pending.append(self._kernel.after(ns, action))
        return self._pending[-1]

    # waits with a time-out, which may end before it
    def set_timer(self, name: str, ns: int, reply: Reply, ring: Callable[[Reply, Response], None]) -> None:
        """Answer `reply` after `ns`, unless the timer is cancelled before."""

        def over() -> None:
            del self._timers[name]
            ring(reply, _DONE)

        self._timers[name] = (self.later(ns, over), reply)

    def cancelled_timer(self, name: str) -> tuple[tuple[Reply, Response], ...]:
        """Take a timer away and give what its thread is to be told."""
        if name not in self._timers:
            return ()
        entry, reply = self._timers.pop(name)
        self._kernel.cancel(entry)
        return ((reply, _DONE),)

    # the process itself
    def freeze(self) -> None:
        """Stop it where it is."""
        self._process.freeze()

    def thaw(self) -> None:
        """Let it go on when it is let go."""
        self._process.thaw()

    def cpu_ns(self) -> int:
        """Give the processor time used since begin()."""
        return self._process.cpu_ns() - self._cpu_at_start

    def exit_status(self) -> int | None:
        """Tell how it ended; None while it runs."""
        return self._process.exit_status()

    def close(self) -> None:
        """End it and leave nothing behind."""
        if not self.closed:
            self.closed = True
            for entry in self._pending:
                self._kernel.cancel(entry)
            self._front.forget(self._process.output)
            for listener in self._listeners:
                listener.close()
            self._process.kill()
            self._page.close()
