"""Make the clocks, the waits and the chance of this process follow the cloud's kernel. Runs inside an execution environment.

The kernel shares one page of memory: when it lets this process run it writes the instant, and this process adds what it
consumes. Everything that waits asks the kernel over the Runtime API's connection, so that waiting costs virtual time only.
"""

from __future__ import annotations

import _socket
import _thread
import hashlib
import mmap
import os
import sys
import time
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec

import _time_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import selectors
    import threading

    Ready = list[tuple[selectors.SelectorKey, int]]
    Select = Callable[[selectors.BaseSelector, float | None], Ready]

# Fields of the shared page, 8 bytes each.
WALL, TICKS, SENT, MEASURED, ANCHOR = range(5)
PAGE_SIZE = 4096

# Reading the clock costs this much, so that `while time.time() < end` ends in virtual time too.
READ_COST_NS = 1_000

_real_monotonic_ns = time.monotonic_ns


class Clock:
    """The virtual clock as this process sees it."""

    def __init__(self, descriptor: int) -> None:
        self._page = memoryview(mmap.mmap(descriptor, PAGE_SIZE)).cast("q")
        self._start = self._page[WALL]

    def time_ns(self) -> int:
        page = self._page
        if page[MEASURED]:
            return page[WALL] + _real_monotonic_ns() - page[ANCHOR]
        ticks = page[TICKS] + READ_COST_NS
        page[TICKS] = ticks
        return page[WALL] + ticks - page[SENT]

    def sending(self) -> None:
        """Note how much has been consumed up to a request that is about to be sent."""
        self._page[SENT] = self._page[TICKS]

    def elapsed_ns(self) -> int:
        return self.time_ns() - self._start


class Kernel:
    """Ask the kernel to wait. Each thread has a connection of its own, because each may wait on its own."""

    def __init__(self, address: str, clock: Clock) -> None:
        host, _, port = address.partition(":")
        self._clock = clock
        self._address = (host, int(port))
        self._local = _thread._local()

    def another(self) -> Kernel:
        """Give a second line to the kernel, for a thread whose first one is waiting."""
        return Kernel(":".join(map(str, self._address)), self._clock)

    def ask(self, path: str) -> None:
        """Send a request and return when the kernel answers."""
        connection = self.send(path)
        self.receive(connection)

    def send(self, path: str) -> _socket.socket:
        """Send a request and return the connection on which the answer will come."""
        connection = getattr(self._local, "connection", None)
        if connection is None or self._local.pid != os.getpid():
            connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            connection.connect(self._address)
            connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            self._local.connection, self._local.pid = connection, os.getpid()
        self._clock.sending()
        connection.send(f"POST {path} HTTP/1.1\r\nHost: clock\r\nContent-Length: 0\r\n\r\n".encode())
        return connection

    def receive(self, connection: _socket.socket) -> None:
        """Wait for the answer."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(4096)
            if not piece:
                # The cloud is closing; there is nobody left to wait for.
                os._exit(0)
            answer += piece


class Chance:
    """A stream of bytes that follows from the seed, in place of the machine's entropy."""

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()
        self._blocks = 0
        self._left = b""

    def urandom(self, size: int) -> bytes:
        while len(self._left) < size:
            self._left += hashlib.sha512(self._seed + b"/" + str(self._blocks).encode()).digest()
            self._blocks += 1
        taken, self._left = self._left[:size], self._left[size:]
        return taken


class _AfterImport:
    """Patch a module when the learner's code first imports it; importing it here would lengthen every cold start."""

    def __init__(self, patches: dict[str, Callable[[types.ModuleType], None]]) -> None:
        self._patches = patches
        for name in list(patches):
            if name in sys.modules:
                patches.pop(name)(sys.modules[name])

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        patch = self._patches.pop(name, None)
        if patch is None:
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((found for found in others if found is not None), None)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            run(module)
            patch(module)

        vars(spec.loader)["exec_module"] = exec_module
        return spec


def install(clock_fd: int, runtime_address: str, seed: int) -> None:
    """Patch this process. Called once, before the learner's code is imported."""
    clock = Clock(clock_fd)
    kernel, chance = Kernel(runtime_address, clock), Chance(seed)
    _patch_time(clock, kernel)
    os.urandom = chance.urandom
    sys.meta_path.insert(
        0,
        _AfterImport(
            {
                "random": lambda module: _patch_random(module, seed),
                "socket": lambda module: _patch_socket(module, clock),
                "threading": lambda module: _patch_threading(module, kernel),
                "selectors": lambda module: _patch_selectors(module, kernel),
            }
        ),
    )


def _patch_time(clock: Clock, kernel: Kernel) -> None:
    # The C half of time-machine swaps the clock functions of `time` and `datetime` in place, for every module that has
    # already bound them. Its Python half would cost 200 ms of every cold start; all it needs is this stack.
    stand_in = types.ModuleType("time_machine")
    stand_in.__dict__.update(traveller_stack=[clock], _time_machine=_time_machine)
    sys.modules["time_machine"] = stand_in
    _time_machine.patch()
    if abs(time.time_ns() - clock.time_ns()) > 10**9:
        raise RuntimeError("virtual time did not take hold: has time-machine changed?")

    def monotonic_ns() -> int:
        return 1_000_000_000_000 + clock.elapsed_ns()

    def monotonic() -> float:
        return monotonic_ns() / 1e9

    def sleep(seconds: float, /) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if seconds == 0:
            # Only lets other threads run. As an entry on the agenda it would take no time there, and a loop of it for ever.
            os.sched_yield()
            clock.time_ns()
            return
        kernel.ask(f"/clock/sleep?ns={round(seconds * 1e9)}")

    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, monotonic)
        setattr(time, f"{name}_ns", monotonic_ns)
    vars(time)["sleep"] = sleep


def _patch_random(module: types.ModuleType, seed: int) -> None:
    native_seed = module.Random.seed

    def seed_from_cloud(self: object, a: object = None, version: int = 2) -> None:
        native_seed(self, int.from_bytes(os.urandom(32), "big") if a is None else a, version)

    vars(module)["_urandom"] = os.urandom
    module.Random.seed = seed_from_cloud
    module.seed(seed)


def _patch_socket(module: types.ModuleType, clock: Clock) -> None:
    native_send, native_sendall = _socket.socket.send, _socket.socket.sendall

    def send(self: _socket.socket, data: bytes, flags: int = 0, /) -> int:
        clock.sending()
        return native_send(self, data, flags)

    def sendall(self: _socket.socket, data: bytes, flags: int = 0, /) -> None:
        clock.sending()
        native_sendall(self, data, flags)

    module.socket.send, module.socket.sendall = send, sendall

    # The SDK's own time-outs would fire in real time while the kernel is paused or busy with somebody else.
    def settimeout(self: _socket.socket, value: float | None, /) -> None:
        _socket.socket.settimeout(self, 0.0 if value == 0 else None)

    module.socket.settimeout = settimeout
    vars(module)["setdefaulttimeout"] = lambda value, /: None


def _patch_threading(module: types.ModuleType, kernel: Kernel) -> None:
    # Condition is under Event.wait, Queue.get, Future.result and Semaphore.acquire; with a time-out each would wait in
    # real time. A helper thread sleeps in virtual time instead and wakes the waiter.
    native_wait = module.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        if timeout is None or timeout <= 0:
            waited: bool = native_wait(self, timeout)
            return waited
        state = {"timed_out": False, "done": False}
        ready = _thread.allocate_lock()
        ready.acquire()
        number = next(numbers)

        def alarm() -> None:
            connection = kernel.send(f"/clock/timer?ns={round(timeout * 1e9)}&timer={number}")
            ready.release()
            kernel.receive(connection)
            if state["done"]:
                return
            with self:
                if not state["done"]:
                    state["timed_out"] = True
                    self.notify_all()

        _thread.start_new_thread(alarm, ())
        ready.acquire()
        native_wait(self)
        state["done"] = True
        if not state["timed_out"]:
            kernel.ask(f"/clock/cancel?timer={number}")
        return not state["timed_out"]

    numbers = iter(range(1, sys.maxsize))
    module.Condition.wait = wait
    vars(module)["_time"] = time.monotonic


def _patch_selectors(module: types.ModuleType, kernel: Kernel) -> None:
    # asyncio sleeps in select(timeout). Wait for the first of: a real event, or the kernel's answer to a virtual timer.
    import select as native

    numbers = iter(range(1, sys.maxsize))

    def virtual(select: Select) -> Select:
        def wait(self: selectors.BaseSelector, timeout: float | None = None) -> Ready:
            found = select(self, 0)
            if found or (timeout is not None and timeout <= 0):
                return found
            if timeout is None:
                return select(self, None)
            number = next(numbers)
            connection = kernel.send(f"/clock/timer?ns={round(timeout * 1e9)}&timer=select{number}")
            poller = native.poll()
            poller.register(connection.fileno(), native.POLLIN)
            for key in self.get_map().values():
                events = (native.POLLIN if key.events & 1 else 0) | (native.POLLOUT if key.events & 2 else 0)
                poller.register(key.fileobj if isinstance(key.fileobj, int) else key.fileobj.fileno(), events)
            ready = {descriptor for descriptor, _ in poller.poll()}
            if connection.fileno() not in ready:
                kernel.another().ask(f"/clock/cancel?timer=select{number}")
            kernel.receive(connection)
            return select(self, 0)

        return wait

    for name in ("EpollSelector", "PollSelector", "SelectSelector", "KqueueSelector", "DevpollSelector"):
        selector = getattr(module, name, None)
        if selector is not None:
            selector.select = virtual(selector.select)
