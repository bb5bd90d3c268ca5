"""A warm parent that forks clouds: what takes seconds to import is imported once.

The parent has one thread, no connections and no travelled clock, so that a fork of it is a fresh process. It is started by
`CloudHost` and ends with its owner.
"""

import array
import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import Self

_PROJECT = Path(__file__).resolve().parent.parent.parent
_READY = b"ready\n"
_MESSAGE = 64 * 1024


class CloudHost:
    """Own the warm parent. Use it as a context manager; clouds started from it live on until their own owner ends them.

    A process that inherits the descriptor of another one's share() uses the same warm parent with `join`.
    """

    def __init__(self, *, join: int | None = None) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = join is not None
        if join is not None:
            self._socket = socket.socket(fileno=join)
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "labs.cloud", "host", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=_PROJECT,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Give the process id of the warm parent, or None when it is another process's."""
        return None if self._process is None else self._process.pid

    @property
    def alive(self) -> bool:
        """Tell whether the warm parent still runs; of another process's it is not known and taken for granted."""
        return self._process is None or self._process.poll() is None

    def ended(self, within: float) -> bool:
        """Tell whether the warm parent has ended, or does so within that many seconds."""
        if self._process is None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return not self.alive

    def share(self) -> int:
        """Give a descriptor to pass on to another process; wait for the warm parent to be ready. Raises OSError."""
        with self._lock:
            self._await_ready()
            return self._socket.fileno()

    def fork(self, settings: bytes, lifeline: socket.socket) -> None:
        """Start a cloud that will talk over `lifeline`. Raises OSError when the parent is gone."""
        with self._lock:
            self._await_ready()
            self._socket.sendmsg([settings], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [lifeline.fileno()]))])

    def _await_ready(self) -> None:
        if not self._ready:
            if self._socket.recv(64) != _READY:
                raise OSError("the cloud host ended before it was ready")
            self._ready = True

    def close(self) -> None:
        """End the warm parent, or let go of another process's."""
        self._socket.close()
        if self._process is None:
            return
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Forked:
    """A cloud that the warm parent forked: no child of ours, so that nobody else can see to it that it ends."""

    def __init__(self, pid: int) -> None:
        self._descriptor: int | None = None
        # A process id may belong to another process by the time we need it; a descriptor of one does not.
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._descriptor = os.pidfd_open(pid)

    def end(self, within: float) -> None:
        """Wait until it has ended, as it does when its owner lets go of it; kill one that does not (a stopped or stuck one)."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None or sys.platform != "linux":
            return
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        if not ended.poll(within * 1000):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            ended.poll(within * 1000)
        os.close(descriptor)


def clean_environment() -> dict[str, str]:
    """Give the environment of a cloud's process: nothing of the owner's but what Python and temporary files need."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV") if name in os.environ}
    own = {
        # A fork keeps its parent's hash seed; the order of sets in moto must not differ from run to run.
        "PYTHONHASHSEED": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "TZ": "UTC",
    }
    return {**kept, **own}


def main(descriptor: int) -> None:
    """Import everything, then fork a cloud for every message until the owner is gone."""
    from labs.cloud.process import Settings, serve
    from labs.cloud.warm import Warm

    owner = socket.socket(fileno=descriptor)
    warm = Warm()
    # The owner decides when clouds end, not the Ctrl-C that it gets too; ended clouds leave no zombies.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError):
        owner.send(_READY)
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(owner, _MESSAGE, 1)
        except OSError:
            return
        if not message:
            return
        lifeline = socket.socket(fileno=descriptors[0])
        if os.fork() == 0:
            owner.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            status = 1
            try:
                serve(Settings.from_json(message), lifeline, warm)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        lifeline.close()
