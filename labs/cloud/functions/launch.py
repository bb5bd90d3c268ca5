"""Start an interpreter with stage 1 in it, in bubblewrap or on the host, and write down what stage 1 has to know."""

import contextlib
import functools
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from labs.cloud.functions import bubblewrap
from labs.cloud.functions.bubblewrap import INSIDE, LANGUAGE, LAYER, RUNTIME, TASK
from labs.cloud.functions.sandboxed import remove
from labs.cloud.functions.spec import SandboxError, Spec, Tier

_AWS_PORT, _RUNTIME_PORT = 4566, 9001  # in a network of its own; on the host's the ports are drawn
_BACKLOG = 64
_PROCESSES = 1024  # Lambda's own limit, of processes and threads
_PROCESSES_OF_USER = 8192  # without a user namespace, whatever else the user runs counts too

# What a Python process opens beside its own files, and may where Landlock is all that limits it.
_READABLE = [
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/localtime", "/etc/hosts", "/proc/self"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu", "/dev/random", "/dev/urandom"),
]
_WRITABLE = ["/dev/null", "/dev/zero", "/dev/full"]


@dataclass(frozen=True, slots=True)
class Launch:
    """A started interpreter that waits for its configuration."""

    process: subprocess.Popen[bytes]
    first: int | None  # process 1 of the sandbox; 0 when there was none
    doors: tuple[socket.socket, ...]  # for AWS and for the Runtime API; empty when stage 1 will open and send them
    config: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where things are, on the host or as the environment sees them."""

    prefix: Path
    executable: Path
    packages: Path
    inside: Path
    task: Path
    layer: Path | None
    temporary: Path


def isolated(spec: Spec, control: int, output: int) -> Launch:
    """Start in bubblewrap, with everything where AWS has it."""
    host = _host(spec, Path("/tmp"))
    if not host.executable.is_relative_to(host.prefix):
        raise SandboxError(f"this Python is not below its own prefix: {host.executable}, {host.prefix}")
    name = host.executable.relative_to(host.prefix)
    prefix = LANGUAGE if bubblewrap.relocates(host.prefix, host.executable) else host.prefix
    layer = LAYER if host.layer is not None else None
    there = replace(host, prefix=prefix, executable=prefix / name, packages=RUNTIME, inside=INSIDE, task=TASK, layer=layer)
    mounts = {prefix: host.prefix, RUNTIME: host.packages, INSIDE: host.inside, TASK: host.task}
    if host.layer is not None:
        mounts[LAYER] = host.layer
    room = bubblewrap.Room(mounts, _bare_environment(spec, there), spec.tmp_mb * 1024 * 1024)
    command = _command(there, Tier.ISOLATED, control)
    process, first = bubblewrap.spawn(room, command, _inherited(spec, control), output)
    config = _config(spec, there, Tier.ISOLATED, (_AWS_PORT, _RUNTIME_PORT))
    config |= {
        "user": (bubblewrap.UID, bubblewrap.GID) if room.drops_root else None,
        "processes": _PROCESSES,
        "readable": ["/"],
        "writable": [*_WRITABLE, "/tmp", "/dev/shm"],
    }
    return Launch(process, first, (), config)


def on_host(spec: Spec, tier: Tier, control: int, output: int, private: contextlib.ExitStack) -> Launch:
    """Start among the host's own processes; what has to be removed in the end goes to `private`."""
    here = _host(spec, Path(tempfile.mkdtemp(prefix="serverless-lab-")))
    private.callback(remove, here.temporary)
    doors = tuple(private.enter_context(socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)) for _ in range(2))
    own = [here.prefix, here.packages, here.inside, here.task, *spec.layers]
    config = _config(spec, here, tier, (doors[0].getsockname()[1], doors[1].getsockname()[1]))
    config |= {
        "user": None,
        "processes": _PROCESSES_OF_USER,
        "readable": [*_READABLE, *map(str, own)],
        "writable": [*_WRITABLE, str(here.temporary)],
    }
    process = subprocess.Popen(
        _command(here, tier, control),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env=_bare_environment(spec, here),
        pass_fds=_inherited(spec, control),
        start_new_session=True,
    )
    return Launch(process, None, doors, config)


def _host(spec: Spec, temporary: Path) -> _Places:
    prefix, executable, packages = _python()
    inside = Path(__file__).resolve().parent / "inside"
    layer = spec.layers[0].resolve() if spec.layers else None
    return _Places(prefix, executable, packages, inside, spec.task_root.resolve(), layer, temporary)


@functools.cache
def _python() -> tuple[Path, Path, Path]:
    """Find the interpreter behind the virtual environment, and the folder that has the runtime client and boto3."""
    prefix = Path(sys.base_prefix).resolve()
    executable = prefix / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if not executable.exists():
        executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    found = importlib.util.find_spec("awslambdaric")
    if found is None or found.origin is None:
        raise SandboxError("awslambdaric is not installed: install requirements.txt")
    return prefix, executable, Path(found.origin).resolve().parent.parent


def _command(places: _Places, tier: Tier, control: int) -> list[str]:
    # No site module: its .pth files are the machine's, not Lambda's, and would run before the confinement.
    flags = ["-S", "-B"] if tier is Tier.PLAIN else ["-S"]
    return [str(places.executable), *flags, str(places.inside / "stage1.py"), str(control)]


def _inherited(spec: Spec, control: int) -> list[int]:
    return [control] if spec.clock_fd is None else [control, spec.clock_fd]


def _bare_environment(spec: Spec, places: _Places) -> dict[str, str]:
    """Return what the interpreter starts with; nothing of the learner may act before the confinement."""
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": os.defpath,
        "LD_LIBRARY_PATH": f"{places.prefix}/lib",
        "PYTHONPATH": str(places.packages),
        "PYTHONHASHSEED": str(spec.hash_seed),
    }


def _config(spec: Spec, places: _Places, tier: Tier, ports: tuple[int, int]) -> dict[str, object]:
    libraries = f"/lib64:/usr/lib64:{places.packages}:{places.packages}/lib:{places.task}:{places.task}/lib"
    opt = places.layer or LAYER
    environment = {
        **_bare_environment(spec, places),
        "PATH": f"{places.prefix}/bin:/usr/local/bin:/usr/bin/:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": f"{places.prefix}/lib:{libraries}:{opt}/lib",
        **({} if tier is Tier.ISOLATED else {"TMPDIR": str(places.temporary)}),
        **spec.environment,
        "LAMBDA_TASK_ROOT": str(places.task),
        "LAMBDA_RUNTIME_DIR": str(places.packages),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[0]}",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{ports[1]}",
    }
    return {
        "tier": tier.value,
        "handler": spec.handler,
        "environment": environment,
        "task_root": str(places.task),
        "layer": str(places.layer) if places.layer is not None else None,
        "memory_mb": spec.memory_mb,
        "file_mb": spec.tmp_mb,
        "ports": ports,
        "clock_fd": spec.clock_fd,
        "seed": spec.seed,
    }
