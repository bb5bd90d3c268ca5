"""The life of one learner's cloud in one lab: started when it is needed, replaced when it died, written down as it goes."""

import datetime
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from labs.classroom import JournalError
from labs.cloud import Cloud, CloudGoneError, CloudSlowError, Pace, RunEnd
from labs.cloud.connections import PATIENCE
from labs.cloud.packing import pack_source
from labs.house import Deployed, House, Line, UnavailableError
from labs.model import Lab
from labs.recording import JsonRecord, Kept, Recording, Snapshot

IDLE = 20 * 60.0  # real seconds without use after which a cloud is closed
_QUIET, _LONGEST_WAIT, _TRY_AGAIN = 2.0, 15.0, 30.0  # real seconds around saving
_INSTANT_LIMIT = 3600.0  # virtual seconds that one action may take at the instant pace
_GONE, _UNUSED, _SLOW, _NOT_STARTED = "error.cloud_gone", "error.cloud_idle", "error.cloud_slow", "error.cloud_start"

_log = logging.getLogger(__name__)
T = TypeVar("T")


class LearnerCloud:
    """Own at most one cloud at a time, and the record of it. Safe to use from many threads."""

    def __init__(self, house: House, learner: str, lab: Lab) -> None:
        self.learner, self.lab = learner, lab
        self.pace, self.factor = Pace(lab.pace), 1.0
        self.error: str | None = None  # the message id of what became of the cloud, until there is another one
        self.not_saved: str | None = None  # the message id of why the journal does not take this run
        self.end: RunEnd | None = None
        self.used = time.monotonic()
        self.watchers = 0
        self._house = house
        self._turn = threading.RLock()  # one start, deployment or end at a time
        self._state = threading.Lock()
        self._saving = threading.Lock()
        self._cloud: Cloud | None = None
        self._number = 0
        self._kept = self._last_run()
        self._recording = Recording(self._kept.records)
        self._outputs, self._epoch_ns, self._source = self._kept.outputs, self._kept.epoch_ns, self._kept.source
        self._unsaid: str | None = None
        self._slow_until = self._save_after = 0.0
        self._stirring = False  # something may have happened that is not known here
        self._listeners: list[Callable[[], None]] = []

    def _last_run(self) -> Kept:
        try:
            return Kept.from_json(self._house.journal().last_run(self.learner, self.lab.id))
        except JournalError:
            return Kept()
        except (ValueError, TypeError):
            _log.exception("the last run of %s could not be read", self.lab.id)
            return Kept()

    def act(self, do: Callable[[Cloud], T]) -> T:
        """Do something in the cloud; start one if there is none. Raises UnavailableError, once, when it has ended."""
        for _ in range(3):
            with self._turn:
                cloud = self.present()
                if cloud is None:
                    if notice := self.take_notice():
                        raise UnavailableError(notice)
                    self.start(self.last_source())
                    continue
            try:
                result = do(cloud)
                self._settle(cloud)
            except CloudSlowError as error:
                raise self._slow() from error
            except CloudGoneError:
                self._let_go(cloud, _GONE)
                continue  # to say so, or to go to the new cloud if another tab has started over meanwhile
            self._stirring = True
            self._awake()
            return result
        raise UnavailableError(_GONE)

    def read(self, look: Callable[[Cloud], T], nothing: T) -> T:
        """Look at the cloud; `nothing` when there is none that answers."""
        cloud = self._cloud
        if cloud is None or time.monotonic() < self._slow_until:
            return nothing
        try:
            return look(cloud)
        except CloudSlowError:
            self._slow()
        except CloudGoneError:
            self._let_go(cloud, _GONE)
        return nothing

    def take_notice(self) -> str | None:
        """Give the message that the cloud has ended, once, unless a refused action has told it."""
        notice, self._unsaid = self._unsaid, None
        return notice

    def _settle(self, cloud: Cloud) -> None:
        if self.pace is Pace.INSTANT:
            self.end = cloud.run(limit=_INSTANT_LIMIT)

    def _slow(self) -> UnavailableError:
        self.error = _SLOW
        # Each look would cost a page that long again.
        self._slow_until = time.monotonic() + PATIENCE
        return UnavailableError(_SLOW, seconds=round(PATIENCE))

    def _awake(self) -> None:
        self._slow_until = 0.0
        if self.error == _SLOW:
            self.error = None

    def present(self) -> Cloud | None:
        """Give the cloud if there is one."""
        self.used = time.monotonic()
        self.check()
        return self._cloud

    def check(self) -> None:
        """Find out whether the cloud is still there."""
        cloud = self._cloud
        if cloud is not None and cloud.ended:
            self._let_go(cloud, _GONE)

    def deploy(self, source: str) -> Deployed:
        """Make this the function's code: in place, so that data and clock go on, or in a new cloud where there is none.

        Raises DeploymentError, UnavailableError or BusyError.
        """
        with self._turn:
            cloud = self.present()
            if cloud is not None:
                try:
                    deployed = self._package(cloud, source)
                    self._source, self._outputs, self._stirring = source, deployed.outputs, True
                    self._settle(cloud)
                    self._awake()
                    return deployed
                except CloudSlowError as error:
                    raise self._slow() from error
                except CloudGoneError:
                    self._let_go(cloud, _GONE)
            return self.start(source)

    def fresh(self, source: str | None = None) -> Deployed:
        """Start over: a new, empty cloud with this code, or with the code that ran last. Raises as deploy() does."""
        with self._turn:
            self.used = time.monotonic()
            self._close(None)
            deployed = self.start(self.last_source() if source is None else source)
            self._unsaid = None
            return deployed

    def last_source(self) -> str:
        """Give the code that ran last, else the learner's draft, else what the lab starts from."""
        if self._source is not None:
            return self._source
        try:
            draft = self._house.journal().draft(self.learner, self.lab.id)
        except JournalError:
            draft = None
        return self.lab.start if draft is None or draft.code is None else draft.code

    def _package(self, cloud: Cloud, source: str) -> Deployed:
        template = self.lab.template.read_text(encoding="utf-8")
        stack = cloud.deploy_package(template, pack_source(source), name=self.lab.id.replace("_", "-"))
        return Deployed(stack.record, stack.outputs, started=False)

    def start(self, source: str) -> Deployed:
        """Start a cloud with this code where there is none; the caller holds the turn."""
        self._house.admit(self)
        cloud: Cloud | None = None
        try:
            cloud = self._house.hosts.start(seed=self.lab.seeds[0], durations=self.lab.durations)
            deployed = self._package(cloud, source)
            epoch_ns = cloud.clock.epoch_ns
            cloud.set_pace(self.pace, factor=self.factor)
            self._settle(cloud)
        except BaseException as error:
            if cloud is not None:
                cloud.close()
            self._house.release(self)
            if isinstance(error, OSError | CloudGoneError | CloudSlowError):
                _log.warning("a cloud could not be started: %s", error)
                raise UnavailableError(_NOT_STARTED) from error
            raise
        with self._state:
            self._number = self._recording.begin()
            self._cloud, self._epoch_ns, self.error = cloud, epoch_ns, None
            self._source, self._outputs = source, deployed.outputs
            self._stirring, self._slow_until = True, 0.0
        self._tell()
        return Deployed(deployed.record, deployed.outputs, started=True)

    def _let_go(self, cloud: Cloud, reason: str | None) -> None:
        with self._state:
            if self._cloud is not cloud:
                return
            self._cloud, self._stirring = None, False
            self.error = self._unsaid = reason
        self.save()
        cloud.close()
        self._house.release(self)
        self._tell()

    def _close(self, reason: str | None) -> None:
        cloud = self._cloud
        if cloud is not None:
            self.refresh()
            self._let_go(cloud, reason)

    def close(self) -> None:
        """End the cloud; what happened is saved."""
        with self._turn:
            self._close(None)

    def close_unused(self, seconds: float) -> bool:
        """End the cloud if nobody has used it for so long; tell whether there is none any more."""
        if time.monotonic() - self.used < seconds or not self._turn.acquire(blocking=False):
            return self._cloud is None
        try:
            if time.monotonic() - self.used >= seconds:
                self._close(_UNUSED)
            return self._cloud is None
        finally:
            self._turn.release()

    def snapshot(self) -> Snapshot:
        """Give the records that are known here, without asking the cloud."""
        return self._recording.snapshot()

    def refresh(self) -> None:
        """Ask the cloud for the records that are not known here."""
        with self._state:
            number = self._number
        after = self.snapshot().last
        nothing: list[JsonRecord] = []
        self._recording.learn(number, self.read(lambda cloud: [r.to_json() for r in cloud.records(after=after)], nothing))

    def learn(self, number: int, records: Sequence[JsonRecord]) -> None:
        """Take in what a watcher has heard."""
        self._stirring |= self._recording.learn(number, records)
        self._awake()

    @property
    def line(self) -> Line | None:
        """Say where the present cloud can be watched."""
        with self._state:
            return None if self._cloud is None else Line(self._number, self._cloud.control_path)

    @property
    def gone(self) -> bool:
        """Tell whether the cloud has ended and no other has been asked for."""
        with self._state:
            return self._cloud is None and self.error in (_GONE, _UNUSED)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from any thread, whenever a cloud starts or ends."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Stop calling it."""
        self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def save(self) -> None:
        """Write the run into the journal if it has anything new; `not_saved` names the message when that fails."""
        with self._saving:
            if not self._recording.unsaved():
                return
            snapshot = self.snapshot()
            run = Kept(self._source, self._outputs, self._epoch_ns, snapshot.records, datetime.datetime.now(datetime.UTC))
            try:
                self._house.journal().save_run(self.learner, self.lab.id, run.to_json())
            except JournalError as error:
                _log.warning("a run was not saved: %s", error)
                self.not_saved, self._save_after = error.key, time.monotonic() + _TRY_AGAIN
            else:
                self._recording.saved(snapshot)
                self.not_saved = None

    def tend(self) -> None:
        """Do what nobody waits for: notice the end of the cloud, close an unused one, save what is new."""
        self.check()
        self.close_unused(IDLE)
        now = time.monotonic()
        if self._stirring and now > self._slow_until:
            clock = self.read(lambda cloud: cloud.clock, None)
            self.refresh()
            self._stirring = clock is not None and not clock.idle and clock.pace is not Pace.PAUSED
        if now > self._save_after and self._recording.unsaved(quiet=_QUIET, longest=_LONGEST_WAIT):
            self.save()
