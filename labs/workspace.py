"""A learner's place in a lab, and all of them in this process: one journal, one warm parent of clouds, one housekeeper.

Pages and routes call journal() and workspaces(); both are made when they are first asked for and closed by close().
"""

import contextlib
import datetime
import logging
import mimetypes
import os
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from labs import views
from labs.classroom import Journal
from labs.classroom.names import clean_id
from labs.cloud import Cloud, CloudHost, Pace
from labs.cloud.cloud import Clock
from labs.cloud.connections import PATIENCE
from labs.hosts import Hosts
from labs.house import BusyError, Deployed, House, UnavailableError
from labs.learner_cloud import LearnerCloud
from labs.model import Lab
from labs.recording import JsonRecord
from labs.uploads import Uploads
from labs.views import LogLine, StoredObject

__all__ = ["BusyError", "Deployed", "UnavailableError", "Workspace", "Workspaces", "close", "host", "journal", "workspaces"]

_CLOUD_MEMORY = 128 * 1024 * 1024  # bytes of memory in this machine for each cloud and the environments in it
_GRACE = 60.0  # real seconds without use after which a cloud may have to make room for another learner's
_FORGET = 12 * 3600.0  # real seconds without use after which a workspace without a cloud is forgotten
_TEND_EVERY = 1.0
_CLOSED_AT_ONCE = 16

_log = logging.getLogger(__name__)


class Workspace(LearnerCloud):
    """What a learner does and sees in a lab. Safe to use from many threads; all their tabs share one."""

    def __init__(self, house: House, learner: str, lab: Lab) -> None:
        super().__init__(house, learner, lab)
        self.run_id = secrets.token_urlsafe(16)
        self.uploads = Uploads()

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
        """Give the stack's outputs; those of the last run where there is no cloud."""
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
        return self.read(lambda cloud: cloud.clock, None)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is left to happen."""
        clock = self.clock
        return clock is None or clock.idle

    # actions
    def put(self, name: str, body: bytes) -> None:
        """Upload an object to the lab's Photos bucket. Raises CloudError or UnavailableError."""
        kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"

        def upload(cloud: Cloud) -> None:
            cloud.call("s3", "PutObject", Bucket=self._outputs["Photos"], Key=name, Body=body, ContentType=kind)

        self.act(upload)

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, object]:
        """Call an AWS operation; it is part of what happens. Raises CloudError or UnavailableError."""
        return self.act(lambda cloud: cloud.call(service, operation, **parameters))

    def set_pace(self, pace: Pace, factor: float = 1.0) -> None:
        """Say how time meets the wall clock, in this cloud and the next."""
        self.pace, self.factor = Pace(pace), factor
        if self._cloud is not None:
            self.act(lambda cloud: cloud.set_pace(self.pace, factor=self.factor))

    def step(self) -> None:
        """Let things happen until there is one more record; without a cloud nothing does."""
        if self._cloud is not None:
            self.act(Cloud.step)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass; without a cloud none does."""
        if self._cloud is not None:
            self.act(lambda cloud: cloud.advance(seconds))

    # looking; without a cloud there is nothing to see, and no error
    def records(self) -> tuple[JsonRecord, ...]:
        """Give all records as JSON objects: of the cloud, of the one that ended last, or of the last run in the journal."""
        self.refresh()
        return self.snapshot().records

    def objects(self, bucket: str) -> list[StoredObject]:
        """List a bucket's objects by key."""
        nothing: list[StoredObject] = []
        return self.read(lambda cloud: views.objects(cloud, bucket), nothing)

    def items(self, table: str) -> list[dict[str, object]]:
        """List a table's items as plain values."""
        nothing: list[dict[str, object]] = []
        return self.read(lambda cloud: views.items(cloud, table), nothing)

    def logs(self) -> list[LogLine]:
        """List the lines in CloudWatch Logs, in order; without a cloud, what functions printed in the recorded run."""
        found = self.read(views.logs, None)
        return views.recorded_logs(self.snapshot().records, self._epoch_ns) if found is None else found

    def object(self, bucket: str, key: str) -> bytes | None:
        """Read an object; None for one that is not there, or larger than 25 MB."""
        return self.read(lambda cloud: views.object_bytes(cloud, bucket, key), None)

    def take_upload(self, id: str) -> tuple[str, bytes] | None:
        """Give the name and content of a file that the upload route has taken in, once."""
        upload = self.uploads.take(id)
        return None if upload is None else (upload.name, upload.body)


class Workspaces:
    """Every workspace of this process. Give it a journal to use instead of the one in the data folder."""

    def __init__(self, *, most_clouds: int | None = None, journal: Journal | None = None) -> None:
        self.hosts = Hosts()
        self.most_clouds = _room() if most_clouds is None else most_clouds
        self._journal = journal
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._by_place: dict[tuple[str, str], Workspace] = {}
        self._by_run: dict[str, Workspace] = {}
        self._guests: set[LearnerCloud] = set()
        self._ending = threading.Event()
        self._housekeeper = threading.Thread(target=self._tend, name="workspaces", daemon=True)
        self._housekeeper.start()

    def journal(self) -> Journal:
        """Give the journal, opened when it is first needed. Raises JournalError, and tries again the next time."""
        with self._opening:
            if self._journal is None:
                self._journal = Journal.open()
            return self._journal

    def open(self, learner: str, lab: Lab) -> Workspace:
        """Give a learner's workspace in a lab. Starts no cloud. Raises ValueError for what cannot be a learner's id."""
        place = (clean_id(learner), lab.id)
        found = self._by_place.get(place)
        if found is None:
            made = Workspace(self, learner, lab)
            with self._lock:
                found = self._by_place.setdefault(place, made)
                self._by_run[found.run_id] = found
        found.used = time.monotonic()
        return found

    def by_run(self, run_id: str) -> Workspace | None:
        """Find a workspace by its run id."""
        return self._by_run.get(run_id)

    @property
    def clouds(self) -> int:
        """Count the clouds that run."""
        return len(self._guests)

    def admit(self, guest: LearnerCloud) -> None:
        """Make room for a cloud, if need be by closing one that nobody uses or watches. Raises BusyError."""
        while True:
            with self._lock:
                if guest in self._guests or len(self._guests) < self.most_clouds:
                    self._guests.add(guest)
                    return
                unused = sorted((other for other in self._guests if not other.watchers), key=lambda other: other.used)
            if not any(other.close_unused(_GRACE) for other in unused):
                raise BusyError

    def release(self, guest: LearnerCloud) -> None:
        """Take the room back."""
        with self._lock:
            self._guests.discard(guest)

    def _tend(self) -> None:
        while not self._ending.wait(_TEND_EVERY):
            for workspace in list(self._by_place.values()):
                try:
                    workspace.tend()
                    workspace.uploads.expire(time.monotonic())
                except Exception:
                    _log.exception("a workspace of %s could not be tended", workspace.lab.id)
            self._forget()

    def _forget(self) -> None:
        with self._lock:
            for place, workspace in list(self._by_place.items()):
                unused = time.monotonic() - workspace.used > _FORGET
                if unused and not workspace.watchers and workspace not in self._guests:
                    del self._by_place[place], self._by_run[workspace.run_id]

    def close(self) -> None:
        """Save every run and end every cloud."""
        self._ending.set()
        self.hosts.close()  # first, so that no page starts another cloud
        self._housekeeper.join(2 * PATIENCE)
        with ThreadPoolExecutor(_CLOSED_AT_ONCE) as closers:
            for closing in [closers.submit(workspace.close) for workspace in list(self._by_place.values())]:
                with contextlib.suppress(Exception):
                    closing.result()
        with self._opening:
            if self._journal is not None:
                self._journal.close()


def _room() -> int:
    if wanted := os.environ.get("SERVERLESS_LAB_CLOUDS"):
        return max(1, int(wanted))
    return max(4, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _CLOUD_MEMORY)


_making = threading.Lock()
_workspaces: Workspaces | None = None


def workspaces() -> Workspaces:
    """Give this process's workspaces, made when they are first asked for."""
    global _workspaces
    with _making:
        if _workspaces is None:
            _workspaces = Workspaces()
        return _workspaces


def journal() -> Journal:
    """Give this process's journal. Raises JournalError."""
    return workspaces().journal()


def host() -> CloudHost:
    """Give this process's warm parent of clouds, for graders. Raises OSError."""
    return workspaces().hosts.host()


def close() -> None:
    """Close everything; what is asked for later is made anew."""
    global _workspaces
    with _making:
        ending, _workspaces = _workspaces, None
    if ending is not None:
        ending.close()
