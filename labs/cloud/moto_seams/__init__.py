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
    QueueMapping,
    UnknownFunctionError,
    function_version,
    queue_mappings,
)
from labs.cloud.moto_seams.gateways import Cors, Gateway, Protocol, Route, Stage, Throttle, api, function_url, repair_gateways
from labs.cloud.moto_seams.logs import write_log
from labs.cloud.moto_seams.queues import (
    ReceivedMessage,
    delete_messages,
    next_visible_ms,
    receive,
    visibility_timeout,
)
from labs.cloud.moto_seams.resource_types import add_resource_types, supported
from labs.cloud.moto_seams.stacks import MadeResource, roll_back_stacks, stack_failure, stack_resources

__all__ = [
    "ACCOUNT",
    "REGION",
    "Cors",
    "FunctionVersion",
    "Gateway",
    "MadeResource",
    "Moto",
    "Protocol",
    "QueueMapping",
    "ReceivedMessage",
    "Route",
    "Stage",
    "Throttle",
    "UnknownFunctionError",
    "VirtualTime",
    "add_resource_types",
    "api",
    "cut_deliveries",
    "delete_messages",
    "function_url",
    "function_version",
    "next_visible_ms",
    "queue_mappings",
    "receive",
    "repair_gateways",
    "roll_back_stacks",
    "seed",
    "stack_failure",
    "stack_resources",
    "supported",
    "visibility_timeout",
    "write_log",
]
