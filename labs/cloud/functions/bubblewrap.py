"""Start a command in bubblewrap: mounts, processes, users and a network of its own, and of the host what it needs."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The paths of AWS's own Python runtime, so that tracebacks and sys.path read as they do there.
LANGUAGE = Path("/var/lang")
RUNTIME = Path("/var/runtime")
TASK = Path("/var/task")
LAYER = Path("/opt")
INSIDE = Path("/var/rapid")

UID, GID = 993, 990  # who the function is on AWS
_NOBODY = 65534  # who it is outside when the host is run by root
_SHARED_MEMORY_BYTES = 4 * 1024 * 1024
_FILES = {
    "/etc/passwd": f"sbx_user1051:x:{UID}:{GID}::/home/sbx_user1051:/sbin/nologin\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
}


@dataclass(frozen=True, slots=True)
class Room:
    """What a sandbox has in it."""

    mounts: Mapping[Path, Path]  # where it appears: what it is; all read-only
    environment: Mapping[str, str]
    tmp_bytes: int

    @property
    def drops_root(self) -> bool:
        """Tell whether the command has to give up being the host's root.

        RLIMIT_NPROC does not bind root, so root becomes nobody; that needs files that everybody may read, which is what
        Lambda asks of a deployment package too.
        """
        if os.geteuid() != 0 or not _nobody_exists():
            return False
        return all(source.stat().st_mode & 0o005 == 0o005 for source in self.mounts.values())


@functools.cache
def program() -> str | None:
    """Find bubblewrap."""
    return shutil.which("bwrap")


def spawn(room: Room, command: Sequence[str], pass_fds: Sequence[int], output: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start the command; return bubblewrap's process and the id of the sandbox's process 1."""
    drop = room.drops_root
    with contextlib.ExitStack() as stack:

        def keep(descriptor: int) -> int:
            stack.callback(os.close, descriptor)
            return descriptor

        info, info_end = os.pipe()
        go_end, go = map(keep, os.pipe())
        keep(info)
        files = {path: keep(_memory_file(text.encode())) for path, text in _FILES.items()}
        arguments = [*_arguments(room, files), "--info-fd", str(info_end)]
        if drop:
            # The command keeps the power to change its user, and uses it up by becoming nobody.
            arguments += ["--userns-block-fd", str(go_end), "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            arguments += ["--uid", str(UID), "--gid", str(GID), "--disable-userns"]
        # As a file, because the arguments of a process can be read by any other.
        listed = keep(_memory_file(b"".join(os.fsencode(argument) + b"\0" for argument in arguments)))
        try:
            process = subprocess.Popen(
                [program() or "bwrap", "--args", str(listed), "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                # The sandbox can read bwrap's own environment, whatever is cleared for the command.
                env={"PATH": os.defpath},
                pass_fds=[listed, info_end, go_end, *files.values(), *pass_fds],
                start_new_session=True,
            )
        finally:
            os.close(info_end)
        first = _first_process(info)
        if first and drop:
            try:
                _map_users(first)
            except OSError:
                process.kill()
                process.wait()
                raise
            os.write(go, b"\n")
        return process, first


@functools.cache
def relocates(prefix: Path, executable: Path) -> bool:
    """Tell whether this Python works when its prefix is mounted where AWS has it."""
    room = Room({LANGUAGE: prefix}, {"LD_LIBRARY_PATH": f"{LANGUAGE}/lib"}, 0)
    command = [str(LANGUAGE / executable.relative_to(prefix)), "-S", "-c", _RELOCATED.format(LANGUAGE)]
    read, write = os.pipe()
    try:
        process, _ = spawn(room, command, [], write)
        return process.wait(timeout=20) == 0
    finally:
        os.close(read)
        os.close(write)


_RELOCATED = "import ctypes, json, _socket, ssl, sys; sys.exit(sys.prefix != '{}')"


def _arguments(room: Room, files: Mapping[str, int]) -> list[str]:
    namespaces = ["user", "pid", "net", "ipc", "uts", "cgroup-try"]
    arguments = [f"--unshare-{name}" for name in namespaces]
    arguments += ["--hostname", "lambda", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    arguments += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            arguments += ["--ro-bind", str(path), str(path)]
    # Folders that bubblewrap makes on its way to a target are closed to all but root.
    shown = [Path("/etc", name) for name in ("ld.so.cache", "ssl/certs", "localtime")]
    above = {folder for target in (*room.mounts, *map(Path, files), *shown) for folder in target.parents}
    for folder in sorted(above - {Path("/")}):
        if not folder.is_relative_to("/usr"):
            arguments += ["--perms", "0755", "--dir", str(folder)]
    for path in shown:
        arguments += ["--ro-bind-try", str(path), str(path)]
    for target, source in room.mounts.items():
        arguments += ["--ro-bind", str(source), str(target)]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for place, size in (("/dev/shm", _SHARED_MEMORY_BYTES), ("/tmp", room.tmp_bytes)):
        if size:
            arguments += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    for name, descriptor in files.items():
        arguments += ["--perms", "0444", "--file", str(descriptor), name]
    arguments += ["--remount-ro", "/", "--remount-ro", "/dev"]
    for name, value in room.environment.items():
        arguments += ["--setenv", name, value]
    return arguments


def _memory_file(data: bytes) -> int:
    descriptor = os.memfd_create("bwrap")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _first_process(info: int) -> int:
    """Read the id of the sandbox's process 1; 0 when bubblewrap could not make one."""
    data = b""
    while b"}" not in data:
        piece = os.read(info, 4096)
        if not piece:
            return 0
        data += piece
    found: dict[str, int] = json.loads(data)
    return found["child-pid"]


def _map_users(pid: int) -> None:
    # Root stays root while the mounts are made, which it may need to be to reach them; nobody is whom the command becomes.
    for kind, inside, outside in (("uid", UID, os.geteuid()), ("gid", GID, os.getegid())):
        Path(f"/proc/{pid}/{kind}_map").write_text(f"0 {outside} 1\n{inside} {_NOBODY} 1\n")


@functools.cache
def _nobody_exists() -> bool:
    """Tell whether this process could make somebody nobody: a container may know one user only."""
    for kind in ("uid", "gid"):
        ranges = [list(map(int, line.split())) for line in Path(f"/proc/self/{kind}_map").read_text().splitlines()]
        if not any(first <= _NOBODY < first + count for first, _, count in ranges):
            return False
    return True
