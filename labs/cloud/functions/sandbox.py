"""Start execution environments as processes that cannot reach what is not theirs, as well as this machine allows."""

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from labs.cloud.functions import bubblewrap, launch
from labs.cloud.functions.sandboxed import Sandboxed
from labs.cloud.functions.spec import SandboxError, Spec, Tier, TierReport

__all__ = ["SandboxError", "Sandboxed", "Spec", "Tier", "TierReport", "probe", "start", "why_not"]

_STAGE_1_WITHIN = 20.0  # seconds
_OUTPUT_SHOWN = 4096  # bytes

INSTALL_BUBBLEWRAP = "Install bubblewrap: `sudo apt install bubblewrap` (or dnf, pacman, zypper, apk)."
ALLOW_NAMESPACES = (
    "bubblewrap may not create namespaces. On Ubuntu 23.10 or later, write an AppArmor profile for /usr/bin/bwrap that"
    " has `userns,` and load it with apparmor_parser; in a container, allow user namespaces."
)
USE_LINUX = "Use Linux, or a Linux machine inside WSL 2 or a virtual machine, with bubblewrap installed."
SEE_REASON = "Mend what the reason says and run `python -m labs doctor` again."


def start(spec: Spec, tier: Tier) -> Sandboxed:
    """Start an execution environment; it dies with the thread that started it.

    Returns when the confinement is complete, as the learner's code begins to be imported. Raises SandboxError.
    """
    if len(spec.layers) > 1:
        raise SandboxError("more than one layer: merge them into one folder first")
    for folder in (spec.task_root, *spec.layers):
        if not folder.is_dir():
            raise SandboxError(f"not a folder: {folder}")
    with contextlib.ExitStack() as undo:
        output, output_end = os.pipe()
        undo.callback(os.close, output)
        os.set_blocking(output, False)
        private = undo.enter_context(contextlib.ExitStack())
        control, theirs = socket.socketpair()
        with control:
            try:
                if tier is Tier.ISOLATED:
                    started = launch.isolated(spec, theirs.fileno(), output_end)
                else:
                    started = launch.on_host(spec, tier, theirs.fileno(), output_end, private)
            except (OSError, subprocess.SubprocessError) as error:
                raise SandboxError(f"cannot start: {error}") from error
            finally:
                theirs.close()
                os.close(output_end)
            undo.callback(_abandon, started)
            try:
                control.settimeout(_STAGE_1_WITHIN)
                control.sendall(json.dumps(started.config).encode() + b"\n")
                report, doors = _report(control)
            except OSError as error:
                raise SandboxError(_said(output) or f"stage 1 did not report: {error}") from error
        doors = doors or list(started.doors)
        for door in doors:
            private.enter_context(door)
        if "error" in report or len(doors) != 2:
            raise SandboxError(str(report.get("error") or _said(output) or "stage 1 ended without a report"))
        undo.pop_all()
    return Sandboxed(started.process, started.first, (doors[0], doors[1]), output, private)


@functools.cache
def probe() -> TierReport:
    """Find the best tier that works on this machine, by running it."""
    failures: dict[Tier, str] = {}
    for tier in (Tier.ISOLATED, Tier.CONFINED):
        reason = why_not(tier)
        if reason is None:
            break
        failures[tier] = reason
    best = Tier(Tier.ISOLATED - len(failures))
    why = "; ".join(f"tier {tier.value}: {reason}" for tier, reason in failures.items())
    return TierReport(best, why, _advice(failures[Tier.ISOLATED]) if failures else "")


@functools.cache
def why_not(tier: Tier) -> str | None:
    """Run an environment up to its first request; return why that failed, or None."""
    if tier is Tier.PLAIN:
        return None
    if sys.platform != "linux":
        return f"{sys.platform} has neither namespaces nor Landlock"
    if tier is Tier.ISOLATED and bubblewrap.program() is None:
        return "bubblewrap is not installed"
    with tempfile.TemporaryDirectory(prefix="serverless-lab-") as folder:
        Path(folder).chmod(0o755)
        Path(folder, "handler.py").write_text("def handler(event, context):\n    return None\n")
        spec = Spec(Path(folder), "handler.handler", {}, 128, 16, 0, None, 0)
        try:
            sandboxed = start(spec, tier)
        except SandboxError as error:
            return str(error).strip()
        try:
            sandboxed.runtime.settimeout(_STAGE_1_WITHIN)
            sandboxed.runtime.accept()[0].close()
        except OSError as error:
            return _said(sandboxed.output).strip() or f"no request came: {error}"
        finally:
            sandboxed.kill()
    return None


def _advice(reason: str) -> str:
    if sys.platform != "linux":
        return USE_LINUX
    if "not installed" in reason:
        return INSTALL_BUBBLEWRAP
    if any(sign in reason for sign in ("uid map", "RTM_NEWADDR", "namespace", "Operation not permitted")):
        return ALLOW_NAMESPACES
    return SEE_REASON


def _report(control: socket.socket) -> tuple[dict[str, object], list[socket.socket]]:
    """Read what stage 1 has to say: its listening sockets, if it opened them, and then a line."""
    text = b""
    doors: list[socket.socket] = []
    while not text.endswith(b"}\n"):
        piece, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        doors += [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if not piece:
            raise ConnectionResetError("it has ended")
        text += piece
    report: dict[str, object] = json.loads(text)
    return report, doors


def _abandon(started: launch.Launch) -> None:
    started.process.kill()
    started.process.wait()


def _said(output: int) -> str:
    """Return what was printed, for a message."""
    deadline = time.monotonic() + 0.2
    text = b""
    while time.monotonic() < deadline and len(text) < _OUTPUT_SHOWN:
        try:
            piece = os.read(output, _OUTPUT_SHOWN)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        if not piece:
            break
        text += piece
    return text.decode("utf-8", "replace")
