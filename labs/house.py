"""What workspaces share with each other and say to those who use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from labs.classroom import Journal
from labs.cloud import CloudGoneError
from labs.hosts import Hosts

if TYPE_CHECKING:
    from labs.learner_cloud import LearnerCloud


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

    def admit(self, guest: "LearnerCloud") -> None:
        """Make room for a cloud. Raises BusyError."""

    def release(self, guest: "LearnerCloud") -> None:
        """Take the room back."""
