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

_GATEWAY = "Amazon API Gateway developer guide"
HTTP_API_TIMEOUT = Limit(30, "seconds", f"{_GATEWAY}: quotas for HTTP APIs (maximum integration timeout)", "2026-11-20")
REST_API_TIMEOUT = Limit(29, "seconds", f"{_GATEWAY}: quotas for REST APIs (default integration timeout)", "2026-11-20")
API_PAYLOAD = Limit(10_485_760, "bytes", f"{_GATEWAY}: quotas for HTTP APIs and REST APIs (payload size, 10 MB)", "2026-11-20")
API_RATE = Limit(10_000, "requests per second", f"{_GATEWAY}: account-level throttling per Region", "2026-11-20")
API_BURST = Limit(5_000, "requests at once", f"{_GATEWAY}: account-level throttling per Region", "2026-11-20")
TEMPLATE_BODY = Limit(51_200, "bytes", "AWS CloudFormation API reference: CreateStack (TemplateBody)", "2026-11-20")

# AWS gives 1,000 and new accounts less; each environment is a process of some 50 MB here.
ACCOUNT_CONCURRENCY = Limit(10, "concurrent executions", _OURS, "2026-11-20")
KEEP_ALIVE = Limit(600, "seconds", f"{_OURS}; AWS does not publish how long an idle environment is kept", "2026-11-20")
LOG_BYTES_PER_INVOCATION = Limit(262_144, "bytes", _OURS, "2026-11-20")
SPIN_CPU = Limit(3, "processor seconds without an API call, in modelled time", _OURS, "2026-11-20")
STUCK = Limit(3, "real seconds in which every thread sleeps without having asked for anything", _OURS, "2026-11-20")
