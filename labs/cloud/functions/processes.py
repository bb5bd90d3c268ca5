"""Look at, stop and continue the processes of a tree: through /proc on Linux, through ps elsewhere."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

Find = Callable[[], list[int]]

# Some kernels are built without this file; ps then serves for the tree, as it does where there is no /proc.
_HAS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()
_HAS_PROC = Path("/proc/self/statm").exists()
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
_STOP_WITHIN = 0.2  # seconds; a process in an uninterruptible wait stops later, and computes nothing until then
_SAMPLES_APART = 0.001
_PAUSE = 0.0001


def children(pid: int) -> list[int]:
    """Return the processes that this one started or adopted."""
    if not _HAS_CHILDREN:
        return [row.pid for row in _ps() if row.parent == pid]
    found: list[int] = []
    for task in _tasks(pid):
        found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    return found


def descendants(pid: int) -> list[int]:
    """Return all processes below this one."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def stop(find: Find) -> None:
    """Stop a tree; look again until nothing of it is new."""
    known: set[int] = set()
    running: set[int] = set()
    deadline = time.monotonic() + _STOP_WITHIN
    while True:
        new = [pid for pid in find() if pid not in known]
        # What sleeps stops before it runs again, however late the machine wakes it; what runs may yet fork.
        running |= {pid for pid in new if "R" in _states(pid)}
        _signal({*new, *running}, signal.SIGSTOP)
        known.update(new)
        running = {pid for pid in running if any(state not in "TtZX" for state in _states(pid))}
        if not (new or running) or time.monotonic() > deadline:
            return
        if running:
            time.sleep(_PAUSE)


def resume(find: Find) -> None:
    """Let a stopped tree go on."""
    _signal(find(), signal.SIGCONT)


def kill(find: Find) -> None:
    """Kill a tree; stopped first, it cannot outrun the search."""
    stop(find)
    _signal(find(), signal.SIGKILL)


def cpu_ns(pids: Collection[int]) -> int:
    """Return the processor time of these processes and of their children that have ended."""
    if not _HAS_PROC:
        return sum(row.cpu_ns for row in _ps() if row.pid in pids)
    total = 0
    for pid in pids:
        # The clock of another process, as clock_getcpuclockid(3) makes it; /proc counts in ticks of 10 ms.
        try:
            total += time.clock_gettime_ns(~pid << 3 | 2)
        except OSError:
            continue
        fields = _stat(pid)
        if fields:
            total += (int(fields[13]) + int(fields[14])) * _TICK_NS
    return total


def memory_bytes(pids: Collection[int]) -> int:
    """Return the resident memory of these processes."""
    if not _HAS_PROC:
        return sum(row.memory for row in _ps() if row.pid in pids)
    return sum(int(fields[1]) * _PAGE for pid in pids if (fields := _read(f"/proc/{pid}/statm").split()))


def threads(pids: Collection[int]) -> int:
    """Return the number of threads of these processes."""
    return sum(len(_tasks(pid)) for pid in pids) if _HAS_PROC else len(pids)


def idle(find: Find) -> bool:
    """Tell whether there are threads, every one sleeps, and none ran between two looks."""
    first = _sample(find())
    if not first:
        return False
    time.sleep(_SAMPLES_APART)
    return _sample(find()) == first


def _sample(pids: list[int]) -> list[tuple[str, ...]] | None:
    """Return what changes when a thread runs; None when one is not asleep."""
    if not _HAS_PROC:
        rows = [row for row in _ps() if row.pid in pids]
        return [(str(row.pid), str(row.cpu_ns)) for row in rows] if all(row.state in "SIZ" for row in rows) else None
    sample: list[tuple[str, ...]] = []
    for pid in pids:
        for task in _tasks(pid):
            status = _read(f"/proc/{pid}/task/{task}/status")
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            state = fields.get("State", "X")[0]
            if state in "ZX":
                continue
            if state != "S":
                return None
            sample.append((task, fields["voluntary_ctxt_switches"], fields["nonvoluntary_ctxt_switches"]))
    return sample


def _signal(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _states(pid: int) -> list[str]:
    if not _HAS_PROC:
        return [row.state for row in _ps() if row.pid == pid]
    return [fields[0] for task in _tasks(pid) if (fields := _stat(pid, task))]


def _tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stat(pid: int, task: str | None = None) -> list[str]:
    """Return the fields of a stat file from the state on; the name before it may hold spaces and brackets."""
    path = f"/proc/{pid}/stat" if task is None else f"/proc/{pid}/task/{task}/stat"
    return _read(path).rpartition(")")[2].split()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class _Row(NamedTuple):
    pid: int
    parent: int
    memory: int
    cpu_ns: int
    state: str


def _ps() -> list[_Row]:
    command = ["ps", "-axo", "pid=,ppid=,rss=,time=,state="]
    rows = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, parent, kilobytes, spent, state = line.split()[:5]
        rows.append(_Row(int(pid), int(parent), int(kilobytes) * 1024, _duration_ns(spent), state[0]))
    return rows


def _duration_ns(text: str) -> int:
    """Read [days-][hours:]minutes:seconds[.hundredths]."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return round((int(days or 0) * 86400 + seconds) * 1e9)
