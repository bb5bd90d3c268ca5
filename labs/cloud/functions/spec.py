"""What an execution environment is made of, and how well it is kept away from the machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Tier(IntEnum):
    """How well a learner's code is kept away from the machine."""

    PLAIN = 0
    CONFINED = 1
    ISOLATED = 2


@dataclass(frozen=True, slots=True)
class TierReport:
    """The best tier that works here, why no better one does, and what would help."""

    tier: Tier
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Spec:
    """What an execution environment is made of."""

    task_root: Path
    handler: str
    environment: Mapping[str, str]
    memory_mb: int
    tmp_mb: int
    hash_seed: int
    clock_fd: int | None  # None leaves time and chance real
    seed: int
    layers: tuple[Path, ...] = ()


class SandboxError(Exception):
    """A sandbox cannot be started; the message says why."""
