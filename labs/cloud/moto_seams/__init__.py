"""Every place where we touch moto's internals: what we take from it, and what of its behaviour we replace, and why.

moto keeps the account: control plane and stores. Its deliveries (S3 notifications, SQS to Lambda, Lambda itself) happen
inside the request that causes them, without polling, batching, retry by time or concurrency; they are cut here and made anew
by `labs.cloud.functions` and `labs.cloud.deliveries`. Written against moto 5.2.5; tests/cloud/test_moto_seams.py fails when
moto changes under one of these.
"""

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
    QueueMapping,
    UnknownFunctionError,
    function_version,
    layer_code,
    queue_mappings,
    split_name,
)
from labs.cloud.moto_seams.logs import write_log
from labs.cloud.moto_seams.metrics import put_metric
from labs.cloud.moto_seams.queues import (
    ReceivedMessage,
    delete_messages,
    next_visible_ms,
    receive,
    visibility_timeout,
)

__all__ = [
    "ACCOUNT",
    "REGION",
    "FunctionVersion",
    "Moto",
    "QueueMapping",
    "ReceivedMessage",
    "UnknownFunctionError",
    "VirtualTime",
    "code_sizes",
    "complete_functions",
    "cut_deliveries",
    "delete_messages",
    "function_names",
    "function_version",
    "invoke_configs",
    "latest",
    "layer_code",
    "next_visible_ms",
    "put_metric",
    "queue_mappings",
    "receive",
    "reserved",
    "runtime_version_arn",
    "seed",
    "split_name",
    "visibility_timeout",
    "write_log",
]
