"""The page of memory that a cloud shares with one execution environment: what time it is, and how much it used."""

import mmap
import os
import tempfile
import time

# The same layout as in inside/virtual_time.py, which cannot be imported here: 8-byte fields.
_WALL, _TICKS, _SENT, _MEASURED, _ANCHOR = range(5)
_SIZE = 4096
_MOST = 3_600_000_000_000  # ns; no segment of modelled time is longer, whatever the learner's process writes


class ClockPage:
    """Write the instant before the environment runs; read what it consumed when it has stopped.

    In modelled time the environment counts its clock readings and never starts over, and notes the count before it sends a
    request: what it does between sending and waiting races with us, so it must not be counted by when we look.
    """

    def __init__(self, *, measured: bool) -> None:
        self.descriptor = _anonymous_file()
        os.ftruncate(self.descriptor, _SIZE)
        self._memory = mmap.mmap(self.descriptor, _SIZE)
        self._fields = memoryview(self._memory).cast("q")
        self._fields[_MEASURED] = int(measured)
        self._measured = measured
        self._counted = 0

    def start(self, wall_ns: int) -> None:
        """Set the instant at which the environment goes on."""
        self._fields[_WALL] = wall_ns
        self._fields[_ANCHOR] = time.monotonic_ns()

    def elapsed(self, *, sent: bool) -> int:
        """Give the virtual nanoseconds consumed since the last time, up to its last request (`sent`) or up to now."""
        if self._measured:
            return time.monotonic_ns() - self._fields[_ANCHOR]
        count = self._fields[_SENT if sent else _TICKS]
        self._fields[_SENT] = count
        # The learner's process can write here: it may make its own clock fast, but not turn it back or stop the cloud.
        elapsed = min(max(0, count - self._counted), _MOST)
        self._counted = max(self._counted, count)
        return elapsed

    def close(self) -> None:
        """Give the memory back."""
        self._fields.release()
        self._memory.close()
        os.close(self.descriptor)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("clock")
    descriptor, path = tempfile.mkstemp()
    os.unlink(path)
    return descriptor
