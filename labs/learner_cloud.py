"""One learner's cloud in one lab: started when it is needed, shared by all their tabs, written down before it is gone."""

import datetime
import logging
import mimetypes
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from labs import views
from labs.classroom import Journal, JournalError
from labs.cloud import Cloud, CloudGoneError, CloudSlowError, Pace, RunEnd
from labs.cloud.cloud import Clock, pack_source
from labs.cloud.connections import PATIENCE
from labs.hosts import Hosts
from labs.model import Lab
from labs.recording import JsonRecord, Kept, Recording, Snapshot
from labs.uploads import Upload, Uploads
from labs.views import LogLine, StoredObject

IDLE = 20 * 60.0  # real seconds without use after which a cloud is closed
_QUIET, _LONGEST_WAIT, _TRY_AGAIN = 2.0, 15.0, 30.0  # real seconds around saving
_INSTANT_LIMIT = 3600.0  # virtual seconds that one action may take at the instant pace

_log = logging.getLogger(__name__)
T = TypeVar("T")


class UnavailableError(CloudGoneError):
    """There is no cloud to act on; `key` and `params` are the message for the learner. Trying again starts a new one."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key, self.params = key, params


class BusyError(UnavailableError):
    """This machine runs as many clouds as it can."""

    def __init__(self) -> None:
        super().__init__("error.cloud_busy")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment: its trace record, the stack's outputs, and whether a new cloud was started for it."""

    record: int
    outputs: Mapping[str, str]
    started: bool


@dataclass(frozen=True, slots=True)
class Line:
    """Where a cloud can be watched."""

    number: int
    control_path: str


class House(Protocol):
    """What workspaces share."""

    hosts: Hosts

    def journal(self) -> Journal:
        """Give the journal. Raises JournalError."""

    def admit(self, workspace: "Workspace") -> None:
        """Make room for a cloud. Raises BusyError."""

    def release(self, workspace: "Workspace") -> None:
        """Give the room back."""


class Workspace:
    """What a learner does in a lab. Safe to use from many threads."""

    def __init__(self, house: House, learner: str, lab: Lab) -> None:
        self.learner, self.lab = learner, lab
        self.run_id = secrets.token_urlsafe(16)
        self.pace, self.factor = Pace(lab.pace), 1.0
        self.error: str | None = None
        self.not_saved: str | None = None
        self.end: RunEnd | None = None
        self.used = time.monotonic()
        self.watchers = 0
        self.uploads = Uploads()
        self._house = house
        self._kept = self._last_run()
        self._recording = Recording(self._kept.records)
        self._turn = threading.RLock()  # one start, deployment or end at a time
        self._state = threading.Lock()
        self._saving = threading.Lock()
        self._cloud: Cloud | None = None
        self._number = 0
        self._outputs: Mapping[str, str] = self._kept.outputs
        self._epoch_ns = self._kept.epoch_ns
        self._source = self._kept.source
        self._unsaid: str | None = None
        self._slow_until = 0.0
        self._save_after = 0.0
        self._stirring = False
        self._listeners: list[Callable[[], None]] = []

    def _last_run(self) -> Kept:
        try:
            return Kept.from_json(self._house.journal().last_run(self.learner, self.lab.id))
        except JournalError:
            return Kept()
        except (ValueError, TypeError):
            _log.exception("the last run of %s could not be read", self.lab.id)
            return Kept()

    # what it is like
    @property
    def alive(self) -> bool:
        """Tell whether there is a cloud."""
        cloud = self._cloud
        return cloud is not None and not cloud.ended

    @property
    def error_params(self) -> Mapping[str, object]:
        """Give what the message `error` has to be filled with."""
        return {"seconds": round(PATIENCE)} if self.error == "error.cloud_slow" else {}

    @property
    def deployed_source(self) -> str | None:
        """Give the code that the cloud runs, or None without a cloud."""
        return self._source if self.alive else None

    @property
    def outputs(self) -> Mapping[str, str]:
        """Give the stack's outputs, of the last run where there is no cloud."""
        return self._outputs

    @property
    def kept_at(self) -> datetime.datetime | None:
        """Give the time at which the run was saved that records() shows, or None for one of this process."""
        return self._kept.at if self._number == 0 else None

    @property
    def events_url(self) -> str:
        """Give the address of the events' WebSocket, relative to the app. It changes with each cloud, so that views reopen."""
        return f"api/runs/{self.run_id}/events?cloud={self._number}"

    @property
    def clock(self) -> Clock | None:
        """Give the state of the cloud's time, or None without a cloud."""
        return self._read(lambda cloud: cloud.clock, None)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is left to happen."""
        clock = self.clock
        return clock is None or clock.idle

    def take_notice(self) -> str | None:
        """Give the message that the cloud has ended, once, unless a refused action has told it."""
        notice, self._unsaid = self._unsaid, None
        return notice

    # actions
    def deploy(self, source: str) -> Deployed:
        """Make this the function's code: in place, so that data and clock go on, or in a new cloud where there is none.

        Raises DeploymentError, UnavailableError or BusyError.
        """
        with self._turn:
            cloud = self._present()
            if cloud is not None:
                try:
                    return self._update(cloud, source)
                except CloudSlowError as error:
                    raise self._slow() from error
                except CloudGoneError:
                    self._lost(cloud)
            return self._start(source)

    def fresh(self, source: str | None = None) -> Deployed:
        """Start over: a new, empty cloud with this code, or with the code that ran last. Raises as deploy() does."""
        with self._turn:
            self._close(None)
            deployed = self._start(self._last_source() if source is None else source)
            self._unsaid = None
            return deployed

    def put(self, name: str, body: bytes) -> None:
        """Upload an object to the lab's Photos bucket. Raises CloudError or UnavailableError."""
        kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"

        def upload(cloud: Cloud) -> None:
            cloud.call("s3", "PutObject", Bucket=self._outputs["Photos"], Key=name, Body=body, ContentType=kind)

        self._act(upload)

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, object]:
        """Call an AWS operation; it is part of what happens. Raises CloudError or UnavailableError."""
        return self._act(lambda cloud: cloud.call(service, operation, **parameters))

    def set_pace(self, pace: Pace, factor: float = 1.0) -> None:
        """Say how time meets the wall clock, in this cloud and the next."""
        self.pace, self.factor = Pace(pace), factor
        if self._cloud is not None:
            self._act(lambda cloud: cloud.set_pace(self.pace, factor=factor))

    def step(self) -> None:
        """Let things happen until there is one more record; without a cloud nothing does."""
        if self._cloud is not None:
            self._act(Cloud.step)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass; without a cloud none does."""
        if self._cloud is not None:
            self._act(lambda cloud: cloud.advance(seconds))

    # looking; without a cloud there is nothing to see, and no error
    def snapshot(self) -> Snapshot:
        """Give the records that are known here, without asking the cloud."""
        return self._recording.snapshot()

    def records(self) -> tuple[JsonRecord, ...]:
        """Give all records as JSON objects: of the cloud, of the one that ended last, or of the last run in the journal."""
        self._refresh()
        return self._recording.snapshot().records

    def objects(self, bucket: str) -> list[StoredObject]:
        """List a bucket's objects by key."""
        return self._read(lambda cloud: views.objects(cloud, bucket), [])

    def object(self, bucket: str, key: str) -> bytes | None:
        """Read an object; None for one that is not there, or larger than 25 MB."""
        return self._read(lambda cloud: views.object_bytes(cloud, bucket, key), None)

    def items(self, table: str) -> list[dict[str, object]]:
        """List a table's items as plain values."""
        return self._read(lambda cloud: views.items(cloud, table), [])

    def logs(self) -> list[LogLine]:
        """List the lines in CloudWatch Logs, in order; without a cloud, what functions printed in the recorded run."""
        found = self._read(views.logs, None)
        return views.recorded_logs(self.snapshot().records, self._epoch_ns) if found is None else found

    def take_upload(self, id: str) -> tuple[str, bytes] | None:
        """Give the name and content of a file that the upload route has taken in, once."""
        upload: Upload | None = self.uploads.take(id)
        return None if upload is None else (upload.name, upload.body)

    # the cloud's life
    def _present(self) -> Cloud | None:
        self.used = time.monotonic()
        cloud = self._cloud
        if cloud is not None and cloud.ended:
            self._lost(cloud)
            return None
        return cloud

    def _act(self, do: Callable[[Cloud], T]) -> T:
        for _ in range(2):
            with self._turn:
                cloud = self._present()
                if cloud is None:
                    if notice := self.take_notice():
                        raise UnavailableError(notice)
                    self._start(self._last_source())
                    continue
            try:
                result = do(cloud)
                self._settle(cloud)
            except CloudSlowError as error:
                raise self._slow() from error
            except CloudGoneError as error:
                if self._lost(cloud):
                    raise UnavailableError(self.take_notice() or "error.cloud_gone") from error
                continue  # another tab has started over meanwhile: this goes to the new cloud
            self._stirring, self._slow_until = True, 0.0
            if self.error == "error.cloud_slow":
                self.error = None
            return result
        raise UnavailableError("error.cloud_gone")

    def _read(self, look: Callable[[Cloud], T], nothing: T) -> T:
        self.used = time.monotonic()
        cloud = self._cloud
        if cloud is None or self.used < self._slow_until:
            return nothing
        try:
            return look(cloud)
        except CloudSlowError:
            self._slow()
        except CloudGoneError:
            self._lost(cloud)
        return nothing

    def _settle(self, cloud: Cloud) -> None:
        if self.pace is Pace.INSTANT:
            self.end = cloud.run(limit=_INSTANT_LIMIT)

    def _slow(self) -> UnavailableError:
        self.error = "error.cloud_slow"
        # Each look would cost a page that long again.
        self._slow_until = time.monotonic() + PATIENCE
        return UnavailableError(self.error, **self.error_params)

    def _last_source(self) -> str:
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

    def _update(self, cloud: Cloud, source: str) -> Deployed:
        deployed = self._package(cloud, source)
        self._source, self._outputs, self._stirring = source, deployed.outputs, True
        self._settle(cloud)
        return deployed

    def _start(self, source: str) -> Deployed:
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
                raise UnavailableError("error.cloud_start") from error
            raise
        with self._state:
            self._number = self._recording.begin()
            self._cloud, self._epoch_ns, self.error = cloud, epoch_ns, None
            self._source, self._outputs = source, deployed.outputs
            self._stirring, self._slow_until = True, 0.0
        self._tell()
        return Deployed(deployed.record, deployed.outputs, started=True)

    def _lost(self, cloud: Cloud) -> bool:
        """Note that a cloud has ended by itself; False when it is not ours any more."""
        return self._let_go(cloud, "error.cloud_gone")

    def _let_go(self, cloud: Cloud, reason: str | None) -> bool:
        with self._state:
            if self._cloud is not cloud:
                return False
            self._cloud, self.error, self._stirring = None, reason, False
            self._unsaid = reason
        self.save()
        cloud.close()
        self._house.release(self)
        self._tell()
        return True

    def _close(self, reason: str | None) -> None:
        cloud = self._cloud
        if cloud is not None:
            self._refresh()
            self._let_go(cloud, reason)

    def close(self, reason: str | None = None, *, unused_for: float = 0.0, wait: bool = True) -> bool:
        """End the cloud, unless it has been used within so many seconds. What happened is saved."""
        if not self._turn.acquire(blocking=wait):
            return False
        try:
            if time.monotonic() - self.used < unused_for:
                return False
            used = self.used
            self._close(reason)
            self.used = used
            return True
        finally:
            self._turn.release()

    # records come from whoever asks the cloud first: a watcher, a page, the housekeeping
    @property
    def line(self) -> Line | None:
        """Say where the present cloud can be watched."""
        with self._state:
            return None if self._cloud is None else Line(self._number, self._cloud.control_path)

    @property
    def gone(self) -> bool:
        """Tell whether there was a cloud in this process and it has ended."""
        with self._state:
            return self._cloud is None and self._number > 0

    def learn(self, number: int, records: list[JsonRecord]) -> None:
        """Take in what a watcher has heard."""
        if self._recording.learn(number, records):
            self._stirring = True
        self._slow_until = 0.0

    def check(self) -> None:
        """Find out whether the cloud is still there."""
        cloud = self._cloud
        if cloud is not None and cloud.ended:
            self._lost(cloud)

    def _refresh(self) -> None:
        with self._state:
            number = self._number
        known = self._recording.snapshot().last

        def fetch(cloud: Cloud) -> list[JsonRecord]:
            return [record.to_json() for record in cloud.records(after=known)]

        if fresh := self._read(fetch, []):
            self._recording.learn(number, fresh)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from any thread, whenever a cloud starts or ends."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Stop calling it."""
        self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    # keeping
    def save(self) -> None:
        """Write the run into the journal if it has anything new; `not_saved` names the message when that fails."""
        with self._saving:
            if not self._recording.unsaved():
                return
            snapshot = self._recording.snapshot()
            now = datetime.datetime.now(datetime.UTC)
            run = Kept(self._source, self._outputs, self._epoch_ns, snapshot.records, now)
            try:
                self._house.journal().save_run(self.learner, self.lab.id, run.to_json())
            except JournalError as error:
                _log.warning("a run was not saved: %s", error)
                self.not_saved = error.key
                self._save_after = time.monotonic() + _TRY_AGAIN
            else:
                self._recording.saved(snapshot)
                self.not_saved = None

    def tend(self) -> None:
        """Do what nobody waits for: notice the end of the cloud, close an unused one, save what is new."""
        now = time.monotonic()
        self.uploads.expire(now)
        self.check()
        if self._cloud is not None and now - self.used > IDLE:
            self.close("error.cloud_idle", unused_for=IDLE, wait=False)
        if self._stirring and now > self._slow_until:
            used = self.used
            clock = self.clock
            self._refresh()
            self.used = used
            self._stirring = clock is not None and not clock.idle and clock.pace is not Pace.PAUSED
        if now > self._save_after and self._recording.unsaved(quiet=_QUIET, longest=_LONGEST_WAIT):
            self.save()
