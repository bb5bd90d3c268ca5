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

_SQS = "Amazon SQS developer guide"
_SCALING = f"{_DOCS}: scaling behavior for Amazon SQS event source mappings"
SQS_MESSAGE = Limit(
    1_048_576, "bytes of a message with its attributes, and of a batch", f"{_SQS}: message quotas", "2026-11-20"
)
SQS_BATCH = Limit(10, "messages per batch request", f"{_SQS}: message quotas", "2026-11-20")
SQS_ATTRIBUTES = Limit(10, "attributes of a message", f"{_SQS}: message quotas", "2026-11-20")
SQS_DELAY = Limit(900, "seconds", f"{_SQS}: message quotas", "2026-11-20")
SQS_VISIBILITY = Limit(43_200, "seconds", f"{_SQS}: visibility timeout", "2026-11-20")
SQS_IN_FLIGHT = Limit(120_000, "messages received and neither deleted nor visible again", f"{_SQS}: queue quotas", "2026-11-20")
SQS_DEDUPLICATION = Limit(300, "seconds", f"{_SQS}: using the message deduplication ID", "2026-11-20")
SQS_PURGE = Limit(60, "seconds between two purges of a queue", "Amazon SQS API reference: PurgeQueue", "2026-11-20")
SQS_MOVES = Limit(
    500, "messages per second of a move task at most", "Amazon SQS API reference: StartMessageMoveTask", "2026-11-20"
)
SQS_POLLERS = Limit(5, "concurrent batches at first", _SCALING, "2026-11-20")
SQS_POLLERS_PER_MINUTE = Limit(300, "more concurrent batches per minute of backlog", _SCALING, "2026-11-20")
SQS_POLLERS_MOST = Limit(1_250, "concurrent batches", _SCALING, "2026-11-20")
SQS_QUIET = Limit(60, "seconds without a message that count as low traffic", f"{_OURS}; AWS does not publish it", "2026-11-20")
SQS_THROTTLE_BACKOFF = Limit(1, "seconds before a throttled batch is tried again; doubled each time", _OURS, "2026-11-20")
SQS_WINDOW = Limit(300, "seconds of batching window", "AWS SDK service model, Lambda CreateEventSourceMapping", "2026-11-17")
SQS_UNWINDOWED = Limit(
    10, "messages of a batch that needs no window", f"{_DOCS}: Lambda parameters for Amazon SQS", "2026-11-20"
)
MAPPING_SETTLES = Limit(3, "seconds", f"{_OURS}; AWS: it may take several seconds", "2026-11-20")
SQS_POLLERS_QUIET = Limit(2, "concurrent batches when traffic is low", _SCALING, "2026-11-20")

_STREAMS = f"{_DOCS}: Process DynamoDB records with Lambda"
_TABLES = "Amazon DynamoDB developer guide"
STREAM_POLLS = Limit(4, "polls per second of a shard", f"{_STREAMS}", "2026-11-20")
STREAM_RETENTION = Limit(86_400, "seconds", f"{_TABLES}: Change data capture for DynamoDB Streams", "2026-11-20")
SHARD_ITERATOR_LIFE = Limit(900, "seconds", "Amazon DynamoDB Streams API reference: GetShardIterator", "2026-11-20")
STREAM_RETRY_FIRST = Limit(
    1, "seconds", "this project; AWS retries a failed stream batch with backoff, without figures", "2026-11-20"
)
STREAM_RETRY_LAST = Limit(
    60, "seconds", "this project; AWS retries a failed stream batch with backoff, without figures", "2026-11-20"
)
TTL_SWEEP = Limit(600, "seconds", "this project; AWS: within a few days of expiry, typically much sooner", "2026-11-20")
TTL_OLDEST = Limit(157_680_000, "seconds (five years)", f"{_TABLES}: Using time to live (TTL)", "2026-11-20")

_EVENTS = "Amazon EventBridge user guide: How EventBridge retries delivering events"
SCHEDULE_RETRIES = Limit(185, "retries", _EVENTS, "2026-11-20")
SCHEDULE_EVENT_AGE = Limit(86_400, "seconds", _EVENTS, "2026-11-20")
SCHEDULE_RETRY_FIRST = Limit(1, "seconds", "this project; AWS: exponential backoff and jitter, without figures", "2026-11-20")
SCHEDULE_RETRY_LAST = Limit(600, "seconds", "this project; AWS: exponential backoff and jitter, without figures", "2026-11-20")

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

_GATEWAY = "Amazon API Gateway developer guide"
HTTP_API_TIMEOUT = Limit(30, "seconds", f"{_GATEWAY}: quotas for HTTP APIs (maximum integration timeout)", "2026-11-20")
REST_API_TIMEOUT = Limit(29, "seconds", f"{_GATEWAY}: quotas for REST APIs (default integration timeout)", "2026-11-20")
API_PAYLOAD = Limit(10_485_760, "bytes", f"{_GATEWAY}: quotas for HTTP APIs and REST APIs (payload size, 10 MB)", "2026-11-20")
API_RATE = Limit(10_000, "requests per second", f"{_GATEWAY}: account-level throttling per Region", "2026-11-20")
API_BURST = Limit(5_000, "requests at once", f"{_GATEWAY}: account-level throttling per Region", "2026-11-20")
TEMPLATE_BODY = Limit(51_200, "bytes", "AWS CloudFormation API reference: CreateStack (TemplateBody)", "2026-11-20")

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
INVOCATION_CPU = Limit(20, "processor seconds of one invocation, in modelled time", _OURS, "2026-11-20")
STUCK = Limit(3, "real seconds in which every thread sleeps without having asked for anything", _OURS, "2026-11-20")
