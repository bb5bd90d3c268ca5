"""Every place where we touch moto's internals: what we take from it, and what of its behaviour we replace, and why.

moto keeps the account: control plane and stores. Its deliveries (S3 notifications, SQS to Lambda, Lambda itself) happen
inside the request that causes them, without polling, batching, retry by time or concurrency; they are cut here and made anew
by `labs.cloud.functions` and `labs.cloud.deliveries`. Written against moto 5.2.5; tests/cloud/test_moto_seams.py fails when
moto changes under one of these.
"""

from labs.cloud.moto_seams.buckets import bucket_exists, is_s3_event
from labs.cloud.moto_seams.configuration import (
    code_sizes,
    complete_functions,
    function_names,
    invoke_configs,
    latest,
    reserved,
    runtime_version_arn,
)
from labs.cloud.moto_seams.deliveries import cut_deliveries
from labs.cloud.moto_seams.engine import ACCOUNT, REGION, Moto, VirtualTime, seed
from labs.cloud.moto_seams.functions import (
    FunctionVersion,
    UnknownFunctionError,
    function_version,
    layer_code,
    split_name,
)
from labs.cloud.moto_seams.gateways import Cors, Gateway, Protocol, Route, Stage, Throttle, api, function_url, repair_gateways
from labs.cloud.moto_seams.logs import write_log
from labs.cloud.moto_seams.mappings import QueueMapping, queue_mappings
from labs.cloud.moto_seams.messages import deletion_misses
from labs.cloud.moto_seams.metrics import put_metric
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
from labs.cloud.moto_seams.resource_types import add_resource_types, supported
from labs.cloud.moto_seams.schedules import Schedule, delete_schedule, schedules
from labs.cloud.moto_seams.stacks import MadeResource, roll_back_stacks, stack_failure, stack_resources
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
from labs.cloud.moto_seams.targets import MissingTargetError, target_policy
from labs.cloud.moto_seams.topics import Subscription, subscriptions

__all__ = [
    "ACCOUNT",
    "REGION",
    "Attributes",
    "Cors",
    "FunctionVersion",
    "Gateway",
    "MadeResource",
    "MissingTargetError",
    "Moto",
    "Protocol",
    "QueueMapping",
    "ReceivedMessage",
    "RolePolicies",
    "Route",
    "Schedule",
    "Stage",
    "StreamMapping",
    "StreamRecord",
    "Subscription",
    "Throttle",
    "UnknownFunctionError",
    "UnknownSourceError",
    "VirtualTime",
    "add_resource_types",
    "api",
    "assumed_role",
    "bucket_exists",
    "code_sizes",
    "complete_functions",
    "cut_deliveries",
    "delete_messages",
    "delete_schedule",
    "deletion_misses",
    "expire_items",
    "function_names",
    "function_url",
    "function_version",
    "invoke_configs",
    "is_dead_letter_queue",
    "is_s3_event",
    "latest",
    "layer_code",
    "next_visible_ms",
    "next_visible_ns",
    "put_metric",
    "queue_exists",
    "queue_mappings",
    "receive",
    "redrive",
    "repair_gateways",
    "reserved",
    "resource_policy",
    "role_id",
    "role_policies",
    "roll_back_stacks",
    "runtime_version_arn",
    "schedules",
    "seed",
    "split_name",
    "stack_failure",
    "stack_resources",
    "stream_end",
    "stream_mappings",
    "stream_records",
    "stream_shard_id",
    "subscriptions",
    "supported",
    "target_policy",
    "visibility_timeout",
    "visible",
    "write_log",
]
