"""Faults that a cloud can be told to have: declared, drawn from the cloud's seed, and therefore the same in every run."""

import random
from dataclasses import dataclass

from labs.cloud import moto_seams
from labs.cloud.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one cloud. AWS promises deliveries at least once: a second one is rare there and declared here."""

    twice: float = 0.0  # the share of notifications (S3, standard SNS topics) that arrive a second time
    unavailable: frozenset[str] = frozenset()  # ARNs of endpoints that answer SNS with a server-side error

    def again(self, chance: random.Random) -> bool:
        """Draw whether this delivery happens a second time. Without the fault nothing is drawn."""
        return self.twice > 0 and chance.random() < self.twice


@dataclass(frozen=True, slots=True)
class DeliveredTwice:
    """A standard queue delivers messages once more although they were deleted.

    Source: Amazon SQS developer guide, "At-least-once delivery": a server that stores a copy may be unavailable when a message
    is deleted; the copy is not deleted there, and may be received again. FIFO queues do not do this.
    """

    queue: str | None = None  # the queue's name; None: every standard queue
    share: float = 1.0  # of the messages that are deleted
    at_most: int | None = None


def declare(fault: DeliveredTwice | None, kernel: Kernel) -> None:
    """Let a fault happen from now on; None ends it."""
    if fault is None:
        moto_seams.deletion_misses(None)
        return
    chance = kernel.chance("fault/delivered-twice")
    happened = 0

    def misses(queue_arn: str, message_id: str) -> bool:
        nonlocal happened
        if fault.queue not in (None, queue_arn.rpartition(":")[2]):
            return False
        if (fault.at_most is not None and happened >= fault.at_most) or chance.random() >= fault.share:
            return False
        happened += 1
        return True

    moto_seams.deletion_misses(misses)
