"""The records that an execution environment leaves in the trace."""

from labs.cloud.functions.invocation import Invocation, Status
from labs.cloud.functions.runtime_api import Failure
from labs.cloud.kernel import SECOND
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import JSON, Recorder


class EnvironmentRecords:
    """Write an environment's life down; every method returns the id of its record."""

    def __init__(self, recorder: Recorder, name: str, function: FunctionVersion, *, measured: bool) -> None:
        self._recorder, self._name, self._function = recorder, name, function
        self._durations = "measured" if measured else "modelled"

    def created(self, *, provisioned: bool, cause: int | None) -> int:
        """The environment exists."""
        detail: dict[str, JSON] = {"function": self._function.name, "environment": self._name}
        detail["reason"] = "provisioned" if provisioned else "cold start"
        if self._function.version != "$LATEST":
            detail["version"] = self._function.version
        return self._add(Kind.ENVIRONMENT_CREATED, detail, cause)

    def init_started(self, phase: str, cause: int) -> int:
        """INIT begins, ahead of an invocation or inside one."""
        return self._add(Kind.INIT_STARTED, {} if phase == "init" else {"phase": phase}, cause)

    def init_ended(self, status: Status, ms: float, failure: Failure | None, cause: int) -> int:
        """INIT is over."""
        detail: dict[str, JSON] = {"status": status, "duration_ms": round(ms, 2), "durations": self._durations}
        return self._add(Kind.INIT_ENDED, detail | _error(failure), cause)

    def slept(self, ns: int, request_id: str | None, cause: int) -> int:
        """The function slept."""
        return self._add(Kind.SLEPT, {"seconds": ns / SECOND, "request_id": request_id}, cause)

    def started(self, invocation: Invocation, *, cold: bool) -> int:
        """An invocation begins."""
        detail: dict[str, JSON] = {
            "function": self._function.name,
            "environment": self._name,
            "request_id": invocation.request_id,
            "attempt": invocation.attempt,
            "cold": cold,
            "source": invocation.source,
            "mode": invocation.mode,
        }
        if self._function.version != "$LATEST":
            detail["version"] = self._function.version
        return self._add(Kind.INVOCATION_STARTED, detail, invocation.cause)

    def ended(
        self,
        request_id: str,
        status: Status,
        figures: dict[str, JSON],
        failure: Failure | None,
        measured: dict[str, JSON],
        cause: int,
    ) -> int:
        """An invocation is over."""
        own: dict[str, JSON] = {"function": self._function.name, "environment": self._name, "request_id": request_id}
        detail = {**own, "status": status, **figures, **_error(failure)}
        return self._add(Kind.INVOCATION_ENDED, detail, cause, measured)

    def frozen(self, reset: str | None, cause: int) -> int:
        """The environment waits, frozen; after a reset it has no process."""
        return self._add(Kind.ENVIRONMENT_FROZEN, {} if reset is None else {"reset": reset}, cause)

    def gone(self, reason: str, cause: int | None) -> int:
        """The environment exists no more."""
        return self._add(Kind.ENVIRONMENT_ENDED, {"reason": reason}, cause)

    def _add(self, kind: Kind, detail: dict[str, JSON], cause: int | None, measured: dict[str, JSON] | None = None) -> int:
        return self._recorder.add(kind, self._name, detail, cause=cause, measured=measured).id


def _error(failure: Failure | None) -> dict[str, JSON]:
    return {} if failure is None else {"error_type": failure.error_type, "error_message": failure.message}
