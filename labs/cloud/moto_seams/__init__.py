"""Every place where we touch moto's internals: what we take from it, and what of its behaviour we replace, and why.

moto keeps the account: control plane and stores. Its deliveries (S3 notifications, SQS to Lambda, Lambda itself) happen
inside the request that causes them, without polling, batching, retry by time or concurrency; they are cut here and made anew
by `labs.cloud.functions` and `labs.cloud.deliveries`. Written against moto 5.2.5; tests/cloud/test_moto_seams.py fails when
moto changes under one of these.
"""

from labs.cloud.moto_seams.deliveries import cut_deliveries
from labs.cloud.moto_seams.engine import ACCOUNT, REGION, Moto, VirtualTime, seed
from labs.cloud.moto_seams.functions import (
    FunctionVersion,
    UnknownFunctionError,
    function_version,
)
from labs.cloud.moto_seams.logs import write_log
from labs.cloud.moto_seams.mappings import QueueMapping, queue_mappings
from labs.cloud.moto_seams.messages import deletion_misses
from labs.cloud.moto_seams.policies import RolePolicies, assumed_role, resource_policy, role_id, role_policies
from labs.cloud.moto_seams.queues import (
    ReceivedMessage,
    UnknownSourceError,
    delete_messages,
    is_dead_letter_queue,
    next_visible_ns,
    queue_exists,
    receive,
    redrive,
    visibility_timeout,
    visible,
)
from labs.cloud.moto_seams.schedules import Schedule, delete_schedule, schedules
from labs.cloud.moto_seams.tables import (
    Attributes,
    StreamMapping,
    StreamRecord,
    expire_items,
    stream_end,
    stream_mappings,
    stream_records,
    stream_shard_id,
)

__all__ = [
    "ACCOUNT",
    "REGION",
    "Attributes",
    "FunctionVersion",
    "Moto",
    "QueueMapping",
    "ReceivedMessage",
    "RolePolicies",
    "Schedule",
    "StreamMapping",
    "StreamRecord",
    "UnknownFunctionError",
    "UnknownSourceError",
    "VirtualTime",
    "assumed_role",
    "cut_deliveries",
    "delete_messages",
    "delete_schedule",
    "deletion_misses",
    "expire_items",
    "function_version",
    "is_dead_letter_queue",
    "next_visible_ns",
    "queue_exists",
    "queue_mappings",
    "receive",
    "redrive",
    "resource_policy",
    "role_id",
    "role_policies",
    "schedules",
    "seed",
    "stream_end",
    "stream_mappings",
    "stream_records",
    "stream_shard_id",
    "visibility_timeout",
    "visible",
    "write_log",
]
