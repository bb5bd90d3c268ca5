"""What a lab page works with: one learner's code, cloud and results of one lab. No page."""

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from labs import checking
from labs.classroom import Journal, JournalError
from labs.cloud import CloudError, CloudGoneError, DeploymentError, Pace
from labs.cloud.functions.sandbox import Tier, probe
from labs.desk import Desk
from labs.model import Lab
from labs.views import StoredObject
from labs.workspace import UnavailableError, Workspace, host

Json = Mapping[str, object]
LONGEST = 300
_RUNTIME = re.compile(r"^ *Runtime: *(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What did not work: the key of a text of the pages, and its parameters."""

    key: str
    params: Mapping[str, object]


@dataclass
class Workbench:
    """One learner at one lab."""

    lab: Lab
    learner: str
    journal: Journal
    desk: Desk
    workspace: Workspace
    _seen: dict[str, list[StoredObject]] = field(default_factory=dict, repr=False)

    # the cloud
    @property
    def run_url(self) -> str:
        """Give the address of the run's events, relative to the app."""
        return self.workspace.events_url

    @property
    def deployed(self) -> bool:
        """Tell whether a living cloud runs exactly what is in the editor."""
        return self.workspace.alive and self.workspace.deployed_source == self.desk.code

    @property
    def records(self) -> Sequence[Json]:
        """Give what happened in the cloud, or in the last one before the app was started again."""
        return self.workspace.records()

    def objects(self, bucket: str) -> list[StoredObject]:
        """List a bucket, asked for once in each run of the page."""
        if bucket not in self._seen:
            self._seen[bucket] = self.workspace.objects(bucket)
        return self._seen[bucket]

    @property
    def newest(self) -> int:
        """Give the id of the newest record, 0 if nothing happened yet."""
        records = self.records
        return int(str(records[-1]["id"])) if records else 0

    def deploy(self) -> Trouble | None:
        """Deploy what is in the editor."""
        return attempt(lambda: self.workspace.deploy(self.desk.code))

    def fresh(self) -> Trouble | None:
        """Throw the cloud away and deploy what is in the editor to a new one."""
        return attempt(lambda: self.workspace.fresh(self.desk.code))

    def upload(self, key: str, body: bytes) -> Trouble | None:
        """Put a file into the bucket that calls the function, after deploying what is in the editor."""
        if not self.deployed and (trouble := self.deploy()):
            return trouble
        return attempt(lambda: self.put(key, body))

    def put(self, key: str, body: bytes) -> None:
        """Put a file into the bucket that calls the function. Raises what the workspace raises."""
        self.workspace.put(key, body)

    def seconds(self) -> float | None:
        """Give the virtual time in seconds, or None without a cloud."""
        clock = self.workspace.clock
        return None if clock is None else clock.now / 1e9

    def set_pace(self, pace: Pace, factor: float) -> Trouble | None:
        """Say how the cloud's time passes."""
        return attempt(lambda: self.workspace.set_pace(pace, factor))

    def step(self) -> Trouble | None:
        """Let one thing happen."""
        return attempt(self.workspace.step)

    # checking
    def check(self) -> Trouble | None:
        """Start to grade what is in the editor."""
        try:
            checking.start(
                self.journal,
                self.learner,
                self.lab,
                self.desk.code,
                draft=self.desk.draft_id(),
                host=host,
            )
        except checking.BusyError:
            return Trouble("ungraded.busy", {})
        except JournalError as error:
            return Trouble(error.key, {"path": error.path})
        return None


def attempt(action: Callable[[], object]) -> Trouble | None:
    """Do something with a cloud; return what went wrong, in words for the learner."""
    try:
        action()
    except DeploymentError as error:
        return Trouble("error.deploy", {"message": str(error)[:LONGEST]})
    except UnavailableError as error:
        return Trouble(error.key, error.params)
    except CloudGoneError:
        return Trouble("error.cloud_gone", {})
    except CloudError as error:
        return Trouble("error.refused", {"code": error.code, "message": error.message[:LONGEST]})
    except JournalError as error:
        return Trouble(error.key, {"path": error.path})
    except OSError:
        return Trouble("error.cloud_start", {})
    return None


def tier() -> Tier:
    """Give how well learners' code is kept away from this machine."""
    return probe().tier


def pythons(lab: Lab) -> tuple[str, str]:
    """Give the runtime that the template asks for, and the Python that really runs."""
    declared = _RUNTIME.search(lab.template.read_text("utf-8"))
    return declared[1] if declared else "", f"Python {platform.python_version()}"


__all__ = ["Trouble", "Workbench", "attempt", "pythons", "tier"]
