"""Gradings under way in this app: each on a thread of its own, a few at a time, kept in the journal when done. No page."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from labs.classroom import Entry, Journal, JournalError
from labs.cloud import CloudHost
from labs.cloud.trace import JSON
from labs.grading import CheckResult, Reason, Result, Status, grade_source
from labs.grading.submission import HANDLER, UnreadableError, pack
from labs.model import Lab

AT_ONCE = os.cpu_count() or 2
MOST_WAITING = 60  # threads; each only waits for its grader process

_log = logging.getLogger(__name__)
_turn = threading.BoundedSemaphore(AT_ONCE)
_lock = threading.Lock()
_jobs: "dict[tuple[str, str], Checking]" = {}


@dataclass
class Checking:
    """One grading: what has been found so far, and the result when there is one."""

    lab: Lab
    begun: bool = False
    found: list[CheckResult] = field(default_factory=list)
    result: Result | None = None
    broken: str | None = None  # where even the grader could not be started
    fault: JournalError | None = None  # the result is there but could not be kept

    @property
    def running(self) -> bool:
        """Tell whether there is no verdict yet."""
        return self.result is None and self.broken is None


class BusyError(Exception):
    """Too many gradings wait already."""


def of(learner: str, lab: Lab) -> Checking | None:
    """Return the newest grading of a learner's lab since the app was started."""
    return _jobs.get((learner, lab.id))


def start(
    journal: Journal, learner: str, lab: Lab, source: str, *, draft: int | None, host: Callable[[], CloudHost | None]
) -> Checking:
    """Grade a text. One grading at a time per learner and lab: while one runs, it is returned. Raises BusyError."""
    key = (learner, lab.id)
    with _lock:
        running = _jobs.get(key)
        if running is not None and running.running:
            return running
        if sum(job.running for job in _jobs.values()) >= MOST_WAITING:
            raise BusyError
        job = _jobs[key] = Checking(lab)
    threading.Thread(target=_run, args=(job, journal, learner, source, draft, host), name="checking", daemon=True).start()
    return job


def _run(
    job: Checking, journal: Journal, learner: str, source: str, draft: int | None, host: Callable[[], CloudHost | None]
) -> None:
    result = None
    try:
        if draft is not None:
            with contextlib.suppress(JournalError):
                journal.keep_draft(learner, draft)
        with _turn:
            job.begun = True
            result = grade_source(job.lab, source, host=host(), on_progress=job.found.append)
        keep(journal, learner, result, draft)
    except JournalError as error:
        job.fault = error
    except Exception as error:
        _log.exception("the grading of %s failed", job.lab.id)
        job.broken = type(error).__name__
    job.result = result


def keep(journal: Journal, learner: str, result: Result, draft: int | None) -> Entry:
    """Write a result into the journal; only a verdict has points."""
    points: dict[str, JSON] = {"points": result.score} if result.status is Status.GRADED else {}
    return journal.save_result(learner, result.lab, {**result.to_json(), **points}, draft=draft)


def last(journal: Journal, learner: str, lab: Lab) -> Result | None:
    """Return the newest result: of the grading that has just ended, or out of the journal."""
    job = of(learner, lab)
    if job is not None and job.result is not None:
        return job.result
    entries = journal.results(learner, lab.id)
    data = entries[-1].data if entries else None
    if not isinstance(data, dict):
        return None
    try:
        return Result.from_json(data)
    except (KeyError, ValueError):
        return None  # of another version of this project


def digest(source: str) -> str | None:
    """Return what `Result.submission` is for a text, or None for one that cannot be graded."""
    try:
        return pack({HANDLER: source.encode("utf-8", "surrogatepass")}).digest
    except UnreadableError:
        return None


__all__ = ["BusyError", "Checking", "Reason", "digest", "keep", "last", "of", "start"]
