"""How many batches of a queue Lambda handles at once.

Source: AWS Lambda developer guide, "Configuring scaling behavior for SQS event source mappings" and "Backoff strategy for
failed invocations" (2026-11-20): five at first, 300 more per minute as long as messages remain, at most 1,250; fewer after
failures and throttles; as few as two when traffic is low, unless a maximum concurrency is set.
"""

from dataclasses import dataclass

from labs.cloud import limits
from labs.cloud.kernel import SECOND

_STEP = 60 * SECOND // limits.SQS_POLLERS_PER_MINUTE.value  # one more batch each


@dataclass(slots=True)
class Scaling:
    """The number of concurrent batches of one mapping, as it changes with time."""

    level: int = limits.SQS_POLLERS.value
    rising_since: int | None = None  # while messages remain
    quiet_since: int | None = None  # while there are none

    def limit(self, now: int, maximum: int | None) -> int:
        """Give the number of batches that may be handled at once."""
        return min(self._level(now), self._most(maximum))

    def more_at(self, now: int, maximum: int | None) -> int | None:
        """Tell when there will be room for one more batch; None when there will not."""
        if self.rising_since is None or self._level(now) >= self._most(maximum):
            return None
        return now + _STEP - (now - self.rising_since) % _STEP

    def saturated(self, now: int) -> None:
        """Note that messages remain although as many batches as possible are being handled."""
        if self.rising_since is None:
            self.rising_since = now

    def found(self, now: int, maximum: int | None) -> None:
        """Note that there are messages."""
        if self.quiet_since is not None:
            if maximum is None and now - self.quiet_since >= limits.SQS_QUIET.value * SECOND:
                self.level = limits.SQS_POLLERS_QUIET.value
            self.quiet_since = None

    def empty(self, now: int) -> None:
        """Note that there are no messages: back to the start."""
        if self.quiet_since is None:
            self.level, self.rising_since, self.quiet_since = limits.SQS_POLLERS.value, None, now

    def failed(self, now: int, maximum: int | None) -> None:
        """Note that a batch failed or was throttled: half as many from here on."""
        self.level = max(limits.SQS_POLLERS_QUIET.value, self.limit(now, maximum) // 2)
        self.rising_since = None

    def _level(self, now: int) -> int:
        return self.level + (0 if self.rising_since is None else (now - self.rising_since) // _STEP)

    @staticmethod
    def _most(maximum: int | None) -> int:
        return min(limits.SQS_POLLERS_MOST.value, limits.ACCOUNT_CONCURRENCY.value, maximum or limits.SQS_POLLERS_MOST.value)
