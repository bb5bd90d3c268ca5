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
INIT_AHEAD = Limit(
    130, "seconds, or the function's timeout if that is longer", f"{_DOCS}: Lambda runtime environment lifecycle", "2026-11-20"
)
ASYNC_RETRY_BASE = Limit(60, "seconds", f"{_DOCS}: error handling for asynchronous invocation (1 minute, then 2)", "2026-11-20")
THROTTLE_BACKOFF_FIRST = Limit(1, "seconds", f"{_DOCS}: error handling for asynchronous invocation", "2026-11-20")
THROTTLE_BACKOFF_LAST = Limit(300, "seconds", f"{_DOCS}: error handling for asynchronous invocation", "2026-11-20")
RECURSION = Limit(16, "invocations", f"{_DOCS}: recursive loop detection (approximately 16)", "2026-11-20")
SQS_POLLERS = Limit(5, "concurrent batches", f"{_DOCS}: scaling behavior for Amazon SQS event source mappings", "2026-11-20")

# AWS gives 1,000 and new accounts less; each environment is a process of some 50 MB here.
ACCOUNT_CONCURRENCY = Limit(10, "concurrent executions", _OURS, "2026-11-20")
# Of AWS's 1,000, 100 have to stay unreserved; a smaller account keeps the same tenth.
DEFAULT_CONCURRENCY = Limit(1_000, "concurrent executions", f"{_DOCS}: Lambda quotas", "2026-11-20")
UNRESERVED = Limit(100, "of 1,000 concurrent executions", f"{_DOCS}: configuring reserved concurrency", "2026-11-20")
SCALING = Limit(1_000, "new environments per function in 10 seconds", f"{_DOCS}: Lambda scaling behavior", "2026-11-20")
SCALING_WINDOW = Limit(10, "seconds", f"{_DOCS}: Lambda scaling behavior", "2026-11-20")
REQUESTS = Limit(10, "requests per second for each unit of concurrency", f"{_DOCS}: understanding concurrency", "2026-11-20")
ENVIRONMENT_VARIABLES = Limit(4_096, "bytes", f"{_DOCS}: Lambda quotas", "2026-11-20")
LAYERS = Limit(5, "layers", f"{_DOCS}: Lambda quotas", "2026-11-20")
CODE_STORAGE = Limit(80_530_636_800, "bytes", f"{_DOCS}: Lambda quotas (75 GB)", "2026-11-20")
CODE_UNZIPPED = Limit(262_144_000, "bytes", f"{_DOCS}: Lambda quotas (250 MB)", "2026-11-20")
CODE_ZIPPED = Limit(52_428_800, "bytes", f"{_DOCS}: Lambda quotas (50 MB)", "2026-11-20")
TIMEOUT = Limit(900, "seconds", f"{_DOCS}: Lambda quotas", "2026-11-20")
MEMORY = Limit(10_240, "MB", f"{_DOCS}: Lambda quotas", "2026-11-20")
MEMORY_LEAST = Limit(128, "MB", f"{_DOCS}: Lambda quotas", "2026-11-20")
LOG_TAIL = Limit(4_096, "bytes", "AWS SDK service model, Lambda Invoke", "2026-11-17")
KEEP_ALIVE = Limit(600, "seconds", f"{_OURS}; AWS does not publish how long an idle environment is kept", "2026-11-20")
LOG_BYTES_PER_INVOCATION = Limit(262_144, "bytes", _OURS, "2026-11-20")
SPIN_CPU = Limit(3, "processor seconds without an API call, in modelled time", _OURS, "2026-11-20")
STUCK = Limit(3, "real seconds in which every thread sleeps without having asked for anything", _OURS, "2026-11-20")
