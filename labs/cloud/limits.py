"""Lambda's and our own limits and defaults, each with its source and date. Nothing else in the cloud states such a number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One number, its unit and where it comes from."""

    value: int
    unit: str
    source: str
    as_of: str


_DOCS = "AWS Lambda developer guide"
_OURS = "this project"

SYNC_PAYLOAD = Limit(6_291_456, "bytes", "AWS SDK service model, Lambda Invoke", "2026-11-17")
ASYNC_PAYLOAD = Limit(1_048_576, "bytes", "AWS SDK service model, Lambda Invoke", "2026-11-17")
INIT = Limit(10, "seconds", f"{_DOCS}: Lambda runtime environment lifecycle", "2026-11-20")
ASYNC_RETRY_BASE = Limit(60, "seconds", f"{_DOCS}: error handling for asynchronous invocation (1 minute, then 2)", "2026-11-20")
THROTTLE_BACKOFF_FIRST = Limit(1, "seconds", f"{_DOCS}: error handling for asynchronous invocation", "2026-11-20")
THROTTLE_BACKOFF_LAST = Limit(300, "seconds", f"{_DOCS}: error handling for asynchronous invocation", "2026-11-20")
RECURSION = Limit(16, "invocations", f"{_DOCS}: recursive loop detection (approximately 16)", "2026-11-20")
SQS_POLLERS = Limit(5, "concurrent batches", f"{_DOCS}: scaling behavior for Amazon SQS event source mappings", "2026-11-20")

_SNS = "Amazon SNS developer guide"
SNS_MESSAGE = Limit(262_144, "bytes, attributes included", f"{_SNS}: Amazon SNS message publishing (256 KB)", "2026-11-20")
SNS_SUBJECT = Limit(100, "characters", "AWS SDK service model, SNS Publish", "2026-11-17")
SNS_RAW_ATTRIBUTES = Limit(10, "message attributes", f"{_SNS}: Amazon SNS raw message delivery", "2026-11-20")
SNS_DEDUPLICATION = Limit(300, "seconds", f"{_SNS}: message deduplication for FIFO topics", "2026-11-20")
SNS_FILTER_KEYS = Limit(5, "keys of a filter policy", f"{_SNS}: filter policy constraints", "2026-11-20")
SNS_FILTER_COMBINATIONS = Limit(150, "combinations of values", f"{_SNS}: filter policy constraints", "2026-11-20")
SNS_FILTER_NUMBER = Limit(
    1_000_000_000, "largest number in a filter policy", f"{_SNS}: filter policy constraints", "2026-11-20"
)
_RETRIES = f"{_SNS}: message delivery retries, AWS managed endpoints (100,015 attempts in 23 days)"
SNS_RETRIES_IMMEDIATE = Limit(3, "retries without delay", _RETRIES, "2026-11-20")
SNS_RETRIES_PRE_BACKOFF = Limit(2, "retries, 1 s apart", _RETRIES, "2026-11-20")
SNS_RETRIES_BACKOFF = Limit(10, "retries, from 1 s to 20 s apart, exponentially", _RETRIES, "2026-11-20")
SNS_RETRIES_POST_BACKOFF = Limit(100_000, "retries, 20 s apart", _RETRIES, "2026-11-20")
SNS_RETRY_LEAST = Limit(1, "seconds between retries", _RETRIES, "2026-11-20")
SNS_RETRY_MOST = Limit(20, "seconds between retries", _RETRIES, "2026-11-20")

# AWS gives 1,000 and new accounts less; each environment is a process of some 50 MB here.
ACCOUNT_CONCURRENCY = Limit(10, "concurrent executions", _OURS, "2026-11-20")
KEEP_ALIVE = Limit(600, "seconds", f"{_OURS}; AWS does not publish how long an idle environment is kept", "2026-11-20")
LOG_BYTES_PER_INVOCATION = Limit(262_144, "bytes", _OURS, "2026-11-20")
SPIN_CPU = Limit(3, "processor seconds without an API call, in modelled time", _OURS, "2026-11-20")
STUCK = Limit(3, "real seconds in which every thread sleeps without having asked for anything", _OURS, "2026-11-20")
