"""A running execution environment: its two doors, its output, its life and its end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from labs.cloud.functions import processes


class Sandboxed:
    """A started execution environment: one process and all that it starts."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        first: int | None,
        doors: tuple[socket.socket, socket.socket],
        output: int,
        private: contextlib.ExitStack,
    ) -> None:
        self.pid = process.pid
        self.aws, self.runtime = doors
        self.output = output
        self._process = process
        self._first = first  # process 1 of the sandbox, which belongs to bubblewrap
        self._first_fd = None
        if first is not None:
            with contextlib.suppress(ProcessLookupError):
                self._first_fd = os.pidfd_open(first)
        self._private = private
        self._status: int | None = None
        self._killed = False
        self._cpu_ns = 0

    def freeze(self) -> None:
        """Stop every process, as Lambda does between invocations."""
        processes.stop(self._tree)

    def thaw(self) -> None:
        """Let every process go on."""
        processes.resume(self._tree)

    def exit_status(self) -> int | None:
        """Return how the learner's process ended, as subprocess.returncode does; None while it runs."""
        if self._status is None and not self._killed and self._ended():
            if self._first is None and self._process.returncode is None:
                # What it leaves behind in its group can be addressed only until it is reaped.
                self._kill_group()
            self._reap()
        return self._status

    def cpu_ns(self) -> int:
        """Return the processor time used so far."""
        # A process that has ended is known in ticks only; the sum must not run backwards for that.
        self._cpu_ns = max(self._cpu_ns, processes.cpu_ns(self._tree()))
        return self._cpu_ns

    def memory_bytes(self) -> int:
        """Return the resident memory in use."""
        return processes.memory_bytes(self._tree())

    def threads(self) -> int:
        """Return the number of threads."""
        return processes.threads(self._tree())

    def idle(self) -> bool:
        """Tell whether all threads sleep, and slept for the last millisecond."""
        return processes.idle(self._tree)

    def kill(self) -> None:
        """End everything, and remove what it had; safe to repeat."""
        if self._killed:
            return
        if self.exit_status() is None:
            if self._first is None:
                processes.kill(self._tree)
                self._kill_group()
            elif self._first_fd is not None:
                # The kernel ends all of a process namespace before its process 1 counts as gone.
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._first_fd, signal.SIGKILL)
            self._reap()
        self._killed = True
        for door in (self.aws, self.runtime):
            door.close()
        os.close(self.output)
        if self._first_fd is not None:
            os.close(self._first_fd)
        self._private.close()

    def _tree(self) -> list[int]:
        """Return the learner's processes; bubblewrap's two do nothing of their own."""
        if self._status is not None:
            return []
        if self._first is not None:
            return processes.descendants(self._first)
        return [self.pid, *processes.descendants(self.pid)]

    def _ended(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _reap(self) -> None:
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        # Bubblewrap reports a death by signal n as 128 + n, the way a shell does.
        through_bubblewrap = self._first is not None and 128 < status <= 128 + signal.NSIG
        self._status = 128 - status if through_bubblewrap else status

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def remove(folder: Path) -> None:
    """Remove a folder, whatever access modes were left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, names, _ in os.walk(folder):
            for name in names:
                if not os.path.islink(os.path.join(path, name)):
                    os.chmod(os.path.join(path, name), 0o700)
        shutil.rmtree(folder, ignore_errors=True)
