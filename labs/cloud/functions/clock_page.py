"""The page of memory that a cloud shares with one execution environment: what time it is, and how much it used."""

import mmap
import os
import tempfile
import time

# The same layout as in inside/virtual_time.py, which cannot be imported here: 8-byte fields.
_WALL, _TICKS, _MEASURED, _ANCHOR = range(4)
_SIZE = 4096


class ClockPage:
    """Write the instant before the environment runs; read what it consumed when it has stopped."""

    def __init__(self, *, measured: bool) -> None:
        self.descriptor = _anonymous_file()
        os.ftruncate(self.descriptor, _SIZE)
        self._memory = mmap.mmap(self.descriptor, _SIZE)
        self._fields = memoryview(self._memory).cast("q")
        self._fields[_MEASURED] = int(measured)
        self._measured = measured

    def start(self, wall_ns: int) -> None:
        """Set the instant at which the environment goes on."""
        self._fields[_WALL] = wall_ns
        self._fields[_TICKS] = 0
        self._fields[_ANCHOR] = time.monotonic_ns()

    def elapsed(self) -> int:
        """Give the virtual nanoseconds since start(): real ones when measured, those of clock readings otherwise."""
        if self._measured:
            return time.monotonic_ns() - self._fields[_ANCHOR]
        # The learner's process can write here; it may speed its own clock up, but not stop it or turn it back.
        return max(0, self._fields[_TICKS])

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
