"""Grade a submission: a grader process of its own, a wall-clock limit, and a verdict only where every check has one."""

import contextlib
import datetime
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from labs.cloud import CloudHost
from labs.grading import grader, submission
from labs.grading.result import CheckResult, Reason, Result, conclude
from labs.grading.submission import Submission, UnreadableError
from labs.model import Lab, load

TIMEOUT = 120.0  # real seconds; a grading takes a few, and code that never ends costs 3 a check
_LONGEST_MESSAGE = 10_000_000  # bytes
_SHOWN = 4000  # bytes of the grader's own output, for the log

Progress = Callable[[CheckResult], None]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Findings:
    checks: list[CheckResult] = field(default_factory=list)
    reason: Reason | None = None
    tier: int | None = None
    ended: bool = False


def grade(
    lab: Lab | Path,
    code: Path,
    *,
    seed: int | None = None,
    host: CloudHost | None = None,
    timeout: float = TIMEOUT,
    on_progress: Progress = lambda result: None,
) -> Result:
    """Grade a file or a folder. `host` is a warm one to start clouds from; `on_progress` hears of every finished check."""
    try:
        read: Submission | UnreadableError = submission.read(code)
    except UnreadableError as error:
        read = error
    return _grade(lab, read, seed, host, timeout, on_progress)


def grade_source(
    lab: Lab | Path,
    source: str,
    *,
    seed: int | None = None,
    host: CloudHost | None = None,
    timeout: float = TIMEOUT,
    on_progress: Progress = lambda result: None,
) -> Result:
    """Grade the text of a handler.py."""
    try:
        read: Submission | UnreadableError = submission.pack({submission.HANDLER: source.encode("utf-8", "surrogatepass")})
    except UnreadableError as error:
        read = error
    return _grade(lab, read, seed, host, timeout, on_progress)


def _grade(
    lab: Lab | Path,
    read: Submission | UnreadableError,
    seed: int | None,
    host: CloudHost | None,
    timeout: float,
    on_progress: Progress,
) -> Result:
    lab = load(lab) if isinstance(lab, Path) else lab
    seed = secrets.randbelow(2**31) if seed is None else seed
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    if isinstance(read, UnreadableError):
        findings = _Findings(reason=read.reason)
    else:
        findings = _run(lab, read, seed, host, timeout, on_progress)
    return conclude(
        lab,
        findings.checks,
        findings.reason,
        seed=seed,
        tier=findings.tier,
        submission=None if isinstance(read, UnreadableError) else read.digest,
        started=started,
        duration=time.monotonic() - clock,
    )


def _run(lab: Lab, read: Submission, seed: int, host: CloudHost | None, timeout: float, on_progress: Progress) -> _Findings:
    deadline = time.monotonic() + timeout
    findings = _Findings()
    try:
        shared = -1 if host is None else host.share()
    except OSError:
        findings.reason = Reason("grading.cloud_gone")
        return findings
    # A socket, because unlike a pipe it cannot be opened through another process's /proc/<pid>/fd.
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as package, tempfile.TemporaryFile() as said:
        package.write(read.package)
        package.seek(0)
        process = subprocess.Popen(
            [*grader.COMMAND, str(lab.folder.resolve()), str(seed), str(theirs.fileno()), str(shared)],
            stdin=package,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=grader.environment(),
            pass_fds=[descriptor for descriptor in (theirs.fileno(), shared) if descriptor >= 0],
            start_new_session=True,
        )
        theirs.close()
        try:
            _listen(ours, deadline, findings, on_progress)
        except TimeoutError:
            findings.reason = Reason("grading.too_slow", {"seconds": round(timeout)})
        finally:
            # Its clouds end when they notice that their owner is gone.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not findings.ended and findings.reason is None:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _SHOWN))
            _log.error("the grader of %s ended early; it said:\n%s", lab.id, said.read().decode("utf-8", "replace"))
            findings.reason = Reason("grading.grader_failed", {"error": f"exit status {process.returncode}"})
    return findings


def _listen(channel: socket.socket, deadline: float, findings: _Findings, on_progress: Progress) -> None:
    """Read findings until the grader has said all, or is gone. Raises TimeoutError."""
    buffer = b""
    while not findings.ended:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(left)
        data = channel.recv(1 << 16)
        buffer += data
        if not data or len(buffer) > _LONGEST_MESSAGE:
            return
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            _take(json.loads(line), findings, on_progress)


def _take(message: dict[str, dict[str, object]], findings: _Findings, on_progress: Progress) -> None:
    if "check" in message:
        check = CheckResult.from_json(message["check"])
        findings.checks.append(check)
        on_progress(check)
        return
    reason, tier = message["end"]["reason"], message["end"]["tier"]
    findings.reason = None if reason is None else Reason.from_json(reason)
    findings.tier = tier if isinstance(tier, int) else None
    findings.ended = True
