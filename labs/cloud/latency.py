"""How long things take in modelled time: deterministic draws around orders of magnitude that AWS or users publish.

These are a model for teaching, not a measurement of AWS: the ratios matter (DynamoDB is faster than S3, a cold start dwarfs
both). `measured` time takes the real duration of the learner's code instead and keeps only the service latencies.
"""

import random
from dataclasses import dataclass

from labs.cloud.kernel import MICROSECOND, MILLISECOND


@dataclass(frozen=True, slots=True)
class Latency:
    """A log-normal latency: median in milliseconds, sigma of its logarithm, and what the median leans on."""

    median_ms: float
    sigma: float
    source: str

    def draw(self, chance: random.Random) -> int:
        """Draw one latency in whole virtual microseconds, given as nanoseconds."""
        factor = min(max(chance.lognormvariate(0.0, self.sigma), 0.25), 6.0)
        return max(1, round(self.median_ms * factor * MILLISECOND / MICROSECOND)) * MICROSECOND


_SERVICES = {
    "dynamodb": Latency(5, 0.25, "Amazon DynamoDB documentation: single-digit millisecond performance (2026-11)"),
    "s3": Latency(25, 0.35, "Amazon S3 user guide: first-byte latencies of 100-200 ms at most for small objects (2026-11)"),
    "sqs": Latency(10, 0.30, "model: between DynamoDB and S3 (2026-11)"),
    "lambda": Latency(15, 0.30, "model: between DynamoDB and S3 (2026-11)"),
}
_OTHER = Latency(15, 0.30, "model: between DynamoDB and S3 (2026-11)")

INIT = Latency(180, 0.20, "AWS Lambda docs: cold starts from under 100 ms to over 1 s (2026-11)")
INVOKE_OVERHEAD = Latency(1.5, 0.20, "model: runtime overhead of one invocation (2026-11)")
S3_NOTIFICATION = Latency(
    300, 0.40, "Amazon S3 user guide: notifications typically arrive in seconds, can take a minute (2026-11)"
)
SNS_DELIVERY = Latency(30, 0.30, "Amazon SNS FAQ and model: typically under 30 ms from Publish to delivery (2026-11)")
ASYNC_QUEUE = Latency(20, 0.30, "model: Lambda's internal queue (2026-11)")
SQS_POLL = Latency(40, 0.40, "model: a long-polling poller sees a message within tens of milliseconds (2026-11)")


def of_call(service: str, size: int, chance: random.Random) -> int:
    """Draw the latency of one API call that moves `size` bytes, in nanoseconds."""
    per_byte_ns = 10  # about 100 MB/s, an order of magnitude for one connection
    return _SERVICES.get(service, _OTHER).draw(chance) + size * per_byte_ns
