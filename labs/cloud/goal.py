"""A run of a cloud that somebody waits for."""

from collections.abc import Callable
from dataclasses import dataclass

from labs.cloud.kernel import RunEnd


@dataclass(slots=True)
class Goal:
    """A run that somebody waits for."""

    until: int
    stop_when_idle: bool
    actions_left: int
    done: Callable[[RunEnd], None]
