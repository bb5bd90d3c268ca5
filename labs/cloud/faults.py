"""What goes wrong on purpose: declared in advance, drawn from the seed, so that a run with faults can be repeated."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one cloud. AWS promises deliveries at least once: a second one is rare there and declared here."""

    twice: float = 0.0  # the share of notifications (S3, standard SNS topics) that arrive a second time
    unavailable: frozenset[str] = frozenset()  # ARNs of endpoints that answer SNS with a server-side error

    def again(self, chance: random.Random) -> bool:
        """Draw whether this delivery happens a second time. Without the fault nothing is drawn."""
        return self.twice > 0 and chance.random() < self.twice
