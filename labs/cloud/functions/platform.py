"""What an execution environment stands on, and where it is in its life."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from labs.cloud.caller import Caller
from labs.cloud.front import Front, Request, Response
from labs.cloud.functions.crashes import Crashes
from labs.cloud.functions.sandbox import Tier
from labs.cloud.kernel import Kernel
from labs.cloud.trace import Recorder


class State(StrEnum):
    """Where an environment is in its life."""

    INIT = "init"
    BUSY = "busy"
    IDLE = "idle"
    ENDED = "ended"


class CallAws(Protocol):
    """Carry out an API call now; the answer may come later."""

    def __call__(self, request: Request, caller: Caller, answer: Callable[[Response], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What an environment stands on."""

    kernel: Kernel
    recorder: Recorder
    front: Front
    tier: Tier
    measured: bool
    call_aws: CallAws
    call_latency: Callable[[Request], int]
    crashes: Crashes = field(default_factory=Crashes)
