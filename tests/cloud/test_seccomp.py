"""The seccomp filter decides as meant, on both architectures; the program is run by a small interpreter of BPF."""

import errno
import importlib.util
import os
import struct
from pathlib import Path
from types import ModuleType

import pytest

from labs.cloud.functions import sandbox

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _seccomp() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seccomp", Path(sandbox.__file__).parent / "inside" / "seccomp.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECCOMP = _seccomp()


def decide(machine: str, number: int, *arguments: int, alone: bool, architecture: int | None = None) -> int:
    """Run the filter on one system call; return the errno, 0 for pretended success, -1 for allowed, -2 for killed."""
    program: bytes = SECCOMP.program(machine, alone=alone)
    data = struct.pack("=iIQ6Q", number, architecture or _ARCHITECTURES[machine], 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x54:
            accumulator &= value
        elif code in (0x15, 0x35):
            at += yes if (accumulator == value if code == 0x15 else accumulator >= value) else no
        else:
            assert code == 0x06
            verdict: int = {_ALLOW: -1, _KILL: -2}.get(value, value & ~_ERRNO)
            return verdict


@pytest.fixture(params=list(_ARCHITECTURES))
def machine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def number(machine: str, name: str) -> int:
    found: int | None = SECCOMP._NUMBERS[name][list(_ARCHITECTURES).index(machine)]
    assert found is not None, f"{machine} has no {name}"
    return found


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("name", ["ptrace", "mount", "unshare", "bpf", "keyctl", "memfd_create", "shmget", "process_vm_readv"])
def test_denied_everywhere(machine: str, name: str, alone: bool) -> None:
    assert decide(machine, number(machine, name), alone=alone) == errno.EPERM


@pytest.mark.parametrize("name", ["fork", "vfork", "execve", "execveat", "pidfd_open"])
def test_processes_only_with_namespaces(machine: str, name: str) -> None:
    if machine == "aarch64" and name in ("fork", "vfork"):
        assert SECCOMP._NUMBERS[name][list(_ARCHITECTURES).index(machine)] is None, "it has clone only"
        return
    assert decide(machine, number(machine, name), alone=True) == errno.EPERM
    assert decide(machine, number(machine, name), alone=False) == -1


def test_clone_makes_threads_but_no_namespaces(machine: str) -> None:
    clone = number(machine, "clone")
    thread, process, new_user, new_network = 0x3D0F00, 17, 0x10000000, 0x40000000
    assert [decide(machine, clone, flags, alone=True) for flags in (thread, process)] == [-1, errno.EPERM]
    assert [decide(machine, clone, flags, alone=False) for flags in (thread, process)] == [-1, -1]
    assert [decide(machine, clone, flags | 17, alone=False) for flags in (new_user, new_network)] == [errno.EPERM] * 2
    assert decide(machine, number(machine, "clone3"), alone=True) == errno.ENOSYS


def test_sockets(machine: str) -> None:
    unix, inet, inet6, netlink, packet, vsock, stream, datagram, flags, mptcp = 1, 2, 10, 16, 17, 40, 1, 2, 0x80800, 262
    socket = number(machine, "socket")
    no = errno.EAFNOSUPPORT
    for family in (netlink, packet, vsock):
        assert decide(machine, socket, family, stream, alone=False) == no
    for family in (unix, inet, inet6):
        assert decide(machine, socket, family, datagram, alone=False) == -1
    tries = [(inet, stream | flags, 6), (inet6, stream, 0), (inet, datagram, 0), (inet, stream, mptcp), (unix, stream, 0)]
    assert [decide(machine, socket, *arguments, alone=True) for arguments in tries] == [-1, -1, no, no, no]
    assert decide(machine, number(machine, "sendto"), 3, 0, 1, 0x20004000, alone=True) == errno.EOPNOTSUPP
    assert decide(machine, number(machine, "sendto"), 3, 0, 1, 0x4000, alone=True) == -1


def test_signals_reach_the_process_itself_only(machine: str) -> None:
    kill = number(machine, "kill")
    tries = (os.getpid(), os.getppid(), 0, 0xFFFFFFFF)
    assert [decide(machine, kill, pid, 9, alone=True) for pid in tries] == [-1, errno.EPERM, errno.EPERM, errno.EPERM]
    assert decide(machine, number(machine, "prlimit64"), 0, alone=True) == -1
    assert decide(machine, kill, 1, 9, alone=False) == -1


def test_modes_are_pretended_and_terminals_are_left_alone(machine: str) -> None:
    assert decide(machine, number(machine, "fchmodat"), alone=True) == 0
    assert decide(machine, number(machine, "fchmodat"), alone=False) == -1
    ioctl = number(machine, "ioctl")
    assert [decide(machine, ioctl, 0, request, alone=False) for request in (0x5412, 0x5401)] == [errno.EPERM, -1]


def test_other_numberings_are_refused(machine: str) -> None:
    i386 = 0x40000003
    assert decide(machine, 1, alone=False, architecture=i386) == -2
    if machine == "x86_64":
        assert decide(machine, 0x40000000 + 57, alone=True) == errno.ENOSYS
