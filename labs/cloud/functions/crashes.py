"""Declared faults of execution environments: one crashes right after a given API call has taken effect."""

from dataclasses import dataclass

from labs.cloud import operations
from labs.cloud.front import Request


@dataclass(frozen=True, slots=True)
class CrashAfter:
    """The environment of a function dies when this call of its has been carried out, and before it hears the answer.

    `occurrence` counts the function's calls of this operation from 1, over all its environments; each fault happens once.
    """

    function: str
    service: str
    operation: str
    occurrence: int = 1


class Crashes:
    """Know which faults are declared, and count what they depend on."""

    def __init__(self) -> None:
        self._crashes: list[CrashAfter] = []
        self._seen: dict[tuple[str, str, str], int] = {}

    def declare(self, fault: CrashAfter) -> None:
        """Let a fault happen from now on; what happened before does not count."""
        self._crashes.append(fault)
        self._seen.setdefault((fault.function, fault.service, fault.operation), 0)

    def after(self, function: str, request: Request) -> bool:
        """Tell whether the environment that made this call dies of it. Ask once per call."""
        if not self._crashes:
            return False
        operation = operations.identify(request)
        what = (function, operation.service, operation.name)
        if what not in self._seen:
            return False
        self._seen[what] += 1
        due = CrashAfter(*what, self._seen[what])
        if due not in self._crashes:
            return False
        self._crashes.remove(due)
        return True
