"""A seccomp filter as raw BPF: no libseccomp is needed to take system calls away from this process."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from typing import NamedTuple

# Numbers on (x86_64, aarch64); None where the architecture has no such call. Newer calls share one number.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "chmod": (90, None),
    "chown": (92, None), "chroot": (161, 51), "clock_adjtime": (305, 266), "clock_settime": (227, 112),
    "clone": (56, 220), "clone3": (435, 435), "delete_module": (176, 106), "execve": (59, 221), "execveat": (322, 281),
    "fanotify_init": (300, 262), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchown": (93, 55),
    "fchownat": (260, 54), "file_setattr": (469, 469), "finit_module": (313, 273), "fork": (57, None),
    "fremovexattr": (199, 16), "fsconfig": (431, 431), "fsetxattr": (190, 7), "fsmount": (432, 432),
    "fsopen": (430, 430), "fspick": (433, 433), "futimesat": (261, None), "init_module": (175, 105),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioperm": (173, None),
    "iopl": (172, None), "ioprio_set": (251, 30), "kcmp": (312, 272), "kexec_file_load": (320, 294),
    "kexec_load": (246, 104), "keyctl": (250, 219), "kill": (62, 129), "lchown": (94, None),
    "lookup_dcookie": (212, 18), "lremovexattr": (198, 15), "lsetxattr": (189, 6), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "migrate_pages": (256, 238), "modify_ldt": (154, None), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239), "mq_open": (240, 180),
    "mq_unlink": (241, 181), "msgctl": (71, 187), "msgget": (68, 186), "msgrcv": (70, 188), "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "open_tree_attr": (467, 467), "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "prlimit64": (302, 261), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "quotactl": (179, 60), "quotactl_fd": (443, 443), "reboot": (169, 142),
    "removexattr": (197, 14), "removexattrat": (466, 466), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "semctl": (66, 191), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "sendmmsg": (307, 269), "sendmsg": (46, 211), "sendto": (44, 206),
    "setdomainname": (171, 162), "sethostname": (170, 161), "setns": (308, 268), "setpriority": (141, 140),
    "settimeofday": (164, 170), "setxattr": (188, 5), "setxattrat": (463, 463), "shmat": (30, 196),
    "shmctl": (31, 195), "shmget": (29, 194), "socket": (41, 198), "socketpair": (53, 199), "swapoff": (168, 225),
    "swapon": (167, 224), "syslog": (103, 116), "tgkill": (234, 131), "tkill": (200, 130), "umount2": (166, 39),
    "unshare": (272, 97), "userfaultfd": (323, 282), "utime": (132, None), "utimensat": (280, 88), "utimes": (235, None),
    "vfork": (58, None), "vhangup": (153, 58),
}  # fmt: skip

_DENIED = [
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl",
    "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "memfd_create", "memfd_secret",
    "modify_ldt", "mount", "mount_setattr", "move_mount", "mq_open", "mq_unlink", "msgctl", "msgget", "msgrcv",
    "msgsnd", "name_to_handle_at", "open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open",
    "pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "quotactl_fd",
    "reboot", "request_key", "semctl", "semget", "semop", "semtimedop", "setdomainname", "sethostname", "setns",
    "settimeofday", "shmat", "shmctl", "shmget", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd",
    "vhangup",
]  # fmt: skip
# ENOSYS makes callers fall back: glibc from clone3 (its flags are out of a filter's sight) to clone, others to epoll.
_ABSENT = ["clone3", "io_uring_enter", "io_uring_register", "io_uring_setup"]

# What only the one process that shares the host's namespaces loses.
_DENIED_ON_HOST = [
    "execve", "execveat", "fork", "inotify_init", "inotify_init1", "ioprio_set", "migrate_pages", "move_pages",
    "pidfd_open", "pidfd_send_signal", "process_madvise", "process_mrelease", "setpriority", "vfork",
]  # fmt: skip
_OWN_PROCESS_ONLY = [
    "kill", "prlimit64", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sched_setaffinity", "sched_setattr",
    "sched_setparam", "sched_setscheduler", "tgkill", "tkill",
]  # fmt: skip
# Landlock does not cover these, and they reach any file of the user by path. Pretending success keeps
# shutil.copy() and tarfile working; ENOTSUP is what shutil.copystat() expects where attributes do not exist.
_PRETENDED = [
    "chmod", "chown", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "futimesat", "lchown", "utime",
    "utimensat", "utimes",
]  # fmt: skip
_UNSUPPORTED = [
    "file_setattr", "fremovexattr", "fsetxattr", "lremovexattr", "lsetxattr", "removexattr", "removexattrat",
    "setxattr", "setxattrat",
]  # fmt: skip

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_NEW_NAMESPACES = 0x7E020000
_CLONE_THREAD = 0x10000
_MSG_FASTOPEN = 0x20000000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000


class _Check(NamedTuple):
    """One condition on an argument: masked, it must be (or must not be) one of the values."""

    argument: int
    values: tuple[int, ...]
    wanted: bool = True
    mask: int = 0xFFFFFFFF


def _step(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, k)


def _refuse(number: int, error: int) -> bytes:
    return _step(_EQUAL, number, 0, 1) + _step(_RETURN, _ERRNO | error)


def _guard(number: int, error: int, checks: Iterable[_Check]) -> bytes:
    body = b""
    for check in checks:
        # The kernel truncates each of these arguments to 32 bits, so the low word is the whole truth.
        body += _step(_LOAD, 16 + 8 * check.argument) + _step(_AND, check.mask)
        if check.wanted:
            last = len(check.values)
            body += b"".join(_step(_EQUAL, value, last - i) for i, value in enumerate(check.values))
            body += _step(_RETURN, _ERRNO | error)
        else:
            body += b"".join(_refuse(value, error) for value in check.values)
    body += _step(_RETURN, _ALLOW)
    return _step(_EQUAL, number, 0, len(body) // 8) + body


def _guards(alone: bool) -> list[tuple[str, int, list[_Check]]]:
    rules = [("ioctl", errno.EPERM, [_Check(1, (_TIOCSTI, _TIOCLINUX), wanted=False)])]
    if not alone:
        families = _Check(0, (_AF_UNIX, _AF_INET, _AF_INET6))
        rules.append(("socket", errno.EAFNOSUPPORT, [families]))
        rules.append(("clone", errno.EPERM, [_Check(0, (0,), mask=_NEW_NAMESPACES)]))
        return rules
    # Landlock's port list knows TCP only: no datagrams, no MPTCP or SCTP, no connecting by a first send.
    tcp = [_Check(0, (_AF_INET, _AF_INET6)), _Check(1, (1,), mask=0xF), _Check(2, (0, 6))]
    rules.append(("socket", errno.EAFNOSUPPORT, tcp))
    rules.append(("socketpair", errno.EAFNOSUPPORT, [_Check(0, (_AF_UNIX,))]))
    for name, flags in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
        rules.append((name, errno.EOPNOTSUPP, [_Check(flags, (0,), mask=_MSG_FASTOPEN)]))
    rules.append(("clone", errno.EPERM, [_Check(0, (_CLONE_THREAD,), mask=_CLONE_THREAD)]))
    own = [_Check(0, (os.getpid(),))]
    own_or_zero = [_Check(0, (0, os.getpid()))]
    for name in _OWN_PROCESS_ONLY:
        rules.append((name, errno.EPERM, own if "kill" in name or "queueinfo" in name else own_or_zero))
    return rules


def program(machine: str, *, alone: bool) -> bytes:
    """Return the filter for this machine; alone: one process that shares the host's namespaces."""
    column, architecture = _ARCHITECTURES[machine]
    refused = [(name, errno.EPERM) for name in _DENIED] + [(name, errno.ENOSYS) for name in _ABSENT]
    if alone:
        refused += [(name, errno.EPERM) for name in _DENIED_ON_HOST]
        refused += [(name, 0) for name in _PRETENDED] + [(name, errno.ENOTSUP) for name in _UNSUPPORTED]
    filter_ = _step(_LOAD, 4) + _step(_EQUAL, architecture, 1, 0) + _step(_RETURN, _KILL) + _step(_LOAD, 0)
    if machine == "x86_64":
        filter_ += _step(_AT_LEAST, _X32, 0, 1) + _step(_RETURN, _ERRNO | errno.ENOSYS)
    for name, error in refused:
        number = _NUMBERS[name][column]
        if number is not None:
            filter_ += _refuse(number, error)
    for name, error, checks in _guards(alone):
        number = _NUMBERS[name][column]
        if number is not None:
            filter_ += _guard(number, error, checks)
    return filter_ + _step(_RETURN, _ALLOW)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(*, alone: bool) -> None:
    """Install the filter on this thread and on all that it starts; there is no way back."""
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no seccomp filter for {machine}")
    code = program(machine, alone=alone)
    libc = ctypes.CDLL(None, use_errno=True)
    pointer = ctypes.byref(_Program(len(code) // 8, code))
    set_no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, pointer, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")
