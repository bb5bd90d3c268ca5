"""When Lambda refuses an invocation: concurrency, requests per second, scaling rate, each with AWS's reason.

Sources: AWS Lambda developer guide, "Understanding Lambda function scaling", "Configuring reserved concurrency" and "Lambda
scaling behavior"; reasons: AWS SDK service model, ThrottleReason (2026-11-17).
"""

from collections.abc import Callable, Collection

from labs.cloud import limits, moto_seams
from labs.cloud.functions.environment import Environment
from labs.cloud.functions.invocation import ThrottleReason
from labs.cloud.functions.platform import State
from labs.cloud.functions.quotas import Quotas
from labs.cloud.kernel import SECOND
from labs.cloud.moto_seams import FunctionVersion


class Bucket:
    """A rate: so many in a period, refilled all the time, never more than one period's worth."""

    def __init__(self, clock: Callable[[], int], size: int, period_ns: int) -> None:
        self._clock, self._size, self._period = clock, size, period_ns
        # In units of one over the period, so that whole numbers are exact.
        self._level = size * period_ns
        self._at = clock()

    def take(self) -> bool:
        """Take one if there is one."""
        now = self._clock()
        self._level = min(self._size * self._period, self._level + (now - self._at) * self._size)
        self._at = now
        if self._level < self._period:
            return False
        self._level -= self._period
        return True


class Concurrency:
    """Tell whether an invocation may run, given what runs already and what is set aside."""

    def __init__(self, clock: Callable[[], int], quotas: Quotas, provisioned: Callable[[str], int]) -> None:
        self._clock, self._quotas, self._provisioned = clock, quotas, provisioned
        self._requests: dict[tuple[str, int], Bucket] = {}
        self._scaling: dict[str, Bucket] = {}

    def set_aside(self, but: str | None = None) -> int:
        """Give how much concurrency all functions but one have taken out of the common pool."""
        return sum(
            max(moto_seams.reserved(name) or 0, self._provisioned(name)) for name in moto_seams.function_names() if name != but
        )

    def refuse(
        self, function: FunctionVersion, environments: Collection[Environment], *, ahead: bool, idle: bool
    ) -> ThrottleReason | None:
        """Give the reason for not running this invocation now; `ahead`: it has a provisioned environment, `idle`: any."""
        reserved = function.reserved_concurrency
        busy = [one for one in environments if one.state in (State.INIT, State.BUSY) and not one.provisioned]
        if not ahead:
            if reserved is not None:
                own = sum(one.function.name == function.name for one in busy)
                if own >= reserved - self._provisioned(function.name):
                    return ThrottleReason.RESERVED_CONCURRENCY
            else:
                pool = [one for one in busy if moto_seams.reserved(one.function.name) is None]
                if len(pool) >= self._quotas.concurrency - self.set_aside():
                    return ThrottleReason.CONCURRENT_INVOCATIONS
        if not self._request_bucket(function, reserved).take():
            return ThrottleReason.INVOCATION_RATE if reserved is None else ThrottleReason.RESERVED_RATE
        if not idle:
            period = limits.SCALING_WINDOW.value * SECOND
            scaling = self._scaling.setdefault(function.name, Bucket(self._clock, self._quotas.scaling, period))
            if not scaling.take():
                return ThrottleReason.CONCURRENT_INVOCATIONS
        return None

    def _request_bucket(self, function: FunctionVersion, reserved: int | None) -> Bucket:
        rate = self._quotas.account_requests if reserved is None else limits.REQUESTS.value * reserved
        key = ("" if reserved is None else function.name, rate)
        if key not in self._requests:
            self._requests[key] = Bucket(self._clock, rate, SECOND)
        return self._requests[key]
