"""Which IAM actions on which resources an API call needs.

Source: AWS service authorization reference, "Actions, resources, and condition keys" of S3, DynamoDB, SQS, SNS, Lambda, STS and
others (2026-11-20).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from labs.cloud.front import Request
from labs.cloud.moto_seams import ACCOUNT, REGION
from labs.cloud.operations import Operation

Needed = tuple[str, str]  # action, resource

_PREFIXES = {"dynamodbstreams": "dynamodb", "monitoring": "cloudwatch", "email": "ses"}
_NO_PERMISSION_NEEDED = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}

_S3_OBJECT = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "SelectObjectContent": "GetObject",
    "PutObject": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObject": "DeleteObject",
}
_S3_BUCKET = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
}


def needed(request: Request, operation: Operation) -> list[Needed]:
    """List what a call needs; all of it must be allowed."""
    if (operation.service, operation.name) in _NO_PERMISSION_NEEDED:
        return []
    try:
        return _needed(request, operation)
    except (AttributeError, TypeError):
        # A request whose parameters have no such form is refused by the service itself, if its caller gets that far.
        return [(f"{_PREFIXES.get(operation.service, operation.service)}:{operation.name}", "*")]


def _needed(request: Request, operation: Operation) -> list[Needed]:
    match operation.service:
        case "s3":
            return list(_s3(request, operation))
        case "dynamodb":
            return list(_dynamodb(operation.name, _json(request)))
        case "sqs":
            return [_sqs(operation.name, _parameters(request))]
        case "sns":
            return [_sns(operation.name, _parameters(request))]
        case "lambda":
            return [_lambda(request, operation)]
    return [_other(operation, _parameters(request))]


def _json(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _parameters(request: Request) -> Mapping[str, Any]:
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    return _json(request)


def _s3(request: Request, operation: Operation) -> Iterator[Needed]:
    name, bucket = operation.name, operation.detail.get("bucket")
    key = operation.detail.get("key")
    if bucket is None:
        yield ("s3:ListAllMyBuckets" if name == "ListBuckets" else f"s3:{name}"), "*"
        return
    arn = f"arn:aws:s3:::{bucket}"
    if name == "DeleteObjects":
        for one in re.findall(r"<Key>(.*?)</Key>", request.body.decode("utf-8", "replace"), re.DOTALL):
            yield "s3:DeleteObject", f"{arn}/{one}"
        return
    if key is None:
        yield f"s3:{_S3_BUCKET.get(name, name)}", arn
        return
    action = _S3_OBJECT.get(name, name)
    if "versionId" in request.query and action in ("GetObject", "DeleteObject"):
        action += "Version"
    yield f"s3:{action}", f"{arn}/{key}"
    if source := request.headers.get("x-amz-copy-source"):
        yield "s3:GetObject", f"arn:aws:s3:::{unquote(source).partition('?')[0].lstrip('/')}"


def _table(name: Any, index: Any = None) -> str:
    text = str(name)
    arn = text if text.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{text}"
    return f"{arn}/index/{index}" if index else arn


_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(name: str, parameters: Mapping[str, Any]) -> Iterator[Needed]:
    if name in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters.get("TransactItems", ()):
            for kind, action in item.items():
                yield f"dynamodb:{_TRANSACTION.get(kind, kind)}", _table(action.get("TableName"))
    elif name in ("BatchGetItem", "BatchWriteItem"):
        for table in parameters.get("RequestItems", {}):
            yield f"dynamodb:{name}", _table(table)
    elif "TableName" in parameters:
        yield f"dynamodb:{name}", _table(parameters["TableName"], parameters.get("IndexName"))
    else:
        found = parameters.get("ResourceArn") or parameters.get("StreamArn") or parameters.get("ShardIterator")
        yield f"dynamodb:{name}", str(found or "*").partition("|")[0]


def _sqs(name: str, parameters: Mapping[str, Any]) -> Needed:
    queue = parameters.get("QueueUrl") or parameters.get("QueueName")
    resource = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{str(queue).rstrip('/').rpartition('/')[2]}" if queue else "*"
    return f"sqs:{name.removesuffix('Batch')}", resource


def _sns(name: str, parameters: Mapping[str, Any]) -> Needed:
    found = parameters.get("TopicArn") or parameters.get("TargetArn") or parameters.get("ResourceArn")
    if found is None and (subscription := parameters.get("SubscriptionArn")):
        found = str(subscription).rpartition(":")[0]
    if found is None and name == "CreateTopic":
        found = f"arn:aws:sns:{REGION}:{ACCOUNT}:{parameters.get('Name')}"
    return f"SNS:{name.removesuffix('Batch')}", str(found or "*")


def _lambda(request: Request, operation: Operation) -> Needed:
    name = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}.get(operation.name, operation.name)
    function = operation.detail.get("function")
    if function is None:
        return f"lambda:{name}", "*"
    qualifier = request.query.get("Qualifier")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return f"lambda:{name}", f"{arn}:{qualifier}" if qualifier else arn


_ARN_PARAMETERS = ("ResourceArn", "ResourceARN", "StreamArn", "RoleArn", "SecretId", "stateMachineArn", "Arn", "ShardIterator")


def _other(operation: Operation, parameters: Mapping[str, Any]) -> Needed:
    action = f"{_PREFIXES.get(operation.service, operation.service)}:{operation.name}"
    for name in _ARN_PARAMETERS:
        if str(value := parameters.get(name, "")).startswith("arn:"):
            return action, str(value).partition("|")[0]
    return action, "*"
