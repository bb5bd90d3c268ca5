"""Confine this process for good: identity, resource limits and Landlock. System calls are the business of seccomp.py.

Landlock limits files and TCP ports. It also keeps a process from looking into any process outside its domain, which
namespaces alone do not: bubblewrap's own process 1 is visible in the sandbox.
"""

import _thread
import contextlib
import ctypes
import errno
import os
import resource
import stat
import struct
import sys
import types
from collections.abc import Iterable, Iterator

_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE, _SET_SUBREAPER = 1, 4, 36
_CAPABILITY_VERSION_3 = 0x20080522
_MEGABYTE = 1024 * 1024
_HEADROOM = 128 * _MEGABYTE  # the interpreter, boto3 and ten threads need this much beside the function's own memory
_THREAD_STACK = 2 * _MEGABYTE  # a stack counts as data in full, used or not: with 8 MB, 30 threads would be too many


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def become(uid: int, gid: int) -> None:
    """Give up being root, on which neither file modes nor RLIMIT_NPROC would have any effect."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # The change of user made /proc/self unreadable, where subprocess looks for descriptors to close.
    _prctl(_SET_DUMPABLE, 1)
    drop_capabilities()


def drop_capabilities() -> None:
    """Give up the powers of root, for a process that has to keep its name."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    if libc.capset(header, bytes(24)):
        raise OSError(ctypes.get_errno(), "cannot drop capabilities")


def follow_parent() -> None:
    """Die with the parent, and adopt what daemonises itself below, so that it can be found and killed."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, 9)
    _prctl(_SET_SUBREAPER, 1)


def limit(memory_mb: int, file_mb: int, processes: int, *, required: bool) -> None:
    """Limit what the process may take; the memory limit is a backstop behind the watcher outside."""
    data = memory_mb * _MEGABYTE + _HEADROOM
    wanted = [
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, file_mb * _MEGABYTE),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
    ]
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            # macOS refuses some of them.
            if required:
                raise
    _thread.stack_size(_THREAD_STACK)


@contextlib.contextmanager
def _without_unused_imports() -> Iterator[None]:
    # landlockpy's test helper imports dataclasses and pathlib, its search for libc imports subprocess: 12 ms of every
    # cold start, for nothing, and the learner's own imports of them would look free.
    stubs = {name: types.ModuleType(name) for name in ("landlockpy.testing", "ctypes.util")}
    setattr(stubs["ctypes.util"], "find_library", lambda name: None)  # noqa: B010
    sys.modules.update(stubs)
    setattr(ctypes, "util", stubs["ctypes.util"])  # noqa: B010
    try:
        yield
    finally:
        delattr(ctypes, "util")
        for name in stubs:
            del sys.modules[name]


def landlock(readable: Iterable[str], writable: Iterable[str], ports: Iterable[int] | None) -> int:
    """Allow only these paths and, unless None, only connections to these TCP ports. Returns the kernel's ABI, 0 for none."""
    with _without_unused_imports():
        from landlockpy import AccessFS, AccessNet, Ruleset, Scope, abi_version

        abi: int = abi_version()
        if ports is not None and abi < 4:
            raise OSError(errno.ENOSYS, f"Landlock ABI {abi} cannot limit connections; Linux 6.7 or later can")
        if abi == 0:
            return 0
        reads = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.EXECUTE
        for_files = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.EXECUTE | AccessFS.TRUNCATE | AccessFS.IOCTL_DEV
        network = AccessNet.NONE
        if ports is not None:
            network = AccessNet.BIND_TCP | AccessNet.CONNECT_TCP | AccessNet.BIND_UDP | AccessNet.CONNECT_SEND_UDP
        scope = Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET
        with Ruleset(handled_net=network, scoped=scope) as rules:
            for paths, access in ((readable, reads), (writable, rules.handled_fs)):
                for path in paths:
                    try:
                        mode = os.stat(path).st_mode
                    except OSError as error:
                        if error.errno in (errno.ENOENT, errno.EACCES):
                            continue
                        raise
                    rules.allow_path(path, access if stat.S_ISDIR(mode) else access & for_files)
            for port in ports or ():
                rules.allow_port(port, AccessNet.CONNECT_TCP)
            rules.restrict()
    return abi
