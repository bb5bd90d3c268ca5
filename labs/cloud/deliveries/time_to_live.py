"""Items whose time to live has passed disappear, some time later, and the stream says who removed them.

Source: Amazon DynamoDB developer guide, "Using time to live (TTL)" and "DynamoDB Streams and time to live" (2026-11).
"""

from typing import TYPE_CHECKING

from labs.cloud import limits, moto_seams
from labs.cloud.changes import StreamGrew, TimeToLiveChanged
from labs.cloud.kernel import SECOND, Entry
from labs.cloud.kinds import Kind
from labs.cloud.trace import JSON

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let this account's tables forget what has expired."""
    account.on(TimeToLiveChanged, Sweeper(account).changed)


class Sweeper:
    """Look through the tables from time to time, for as long as one of them has a time to live."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._next: Entry | None = None

    def changed(self, change: TimeToLiveChanged, cause: int | None) -> None:
        """Start to sweep; the first sweep comes at an instant that follows from the seed."""
        if self._next is None:
            chance = self._account.kernel.chance("time-to-live")
            self._later(chance.randrange(1, limits.TTL_SWEEP.value * SECOND))

    def _later(self, delay: int) -> None:
        self._next = self._account.kernel.after(delay, self._sweep, background=True)

    def _sweep(self) -> None:
        self._next = None
        if moto_seams.expire_items(self._expired):
            self._later(limits.TTL_SWEEP.value * SECOND)

    def _expired(self, table: str, keys: moto_seams.Attributes, grown: StreamGrew | None) -> None:
        named: JSON = {name: str(next(iter(value.values()))) for name, value in keys.items()}
        record = self._account.recorder.add(Kind.ITEM_EXPIRED, f"dynamodb:{table}", {"item_key": named}, cause=None)
        if grown is not None:
            self._account.happened(grown, record.id)
