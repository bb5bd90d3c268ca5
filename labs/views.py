"""What is in a cloud, read for those who watch: nothing here leaves a trace in it."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from labs.cloud import Cloud, CloudError
from labs.cloud.trace import JSON

LARGEST_OBJECT = 25 * 1024 * 1024  # bytes that are handed on whole
_MOST = 1000  # objects, items or lines that a page shows


class StoredObject(TypedDict):
    """One object of a bucket."""

    key: str
    size: int
    modified: datetime.datetime


class LogLine(TypedDict):
    """One line of CloudWatch Logs."""

    at: datetime.datetime
    message: str
    stream: str


def objects(cloud: Cloud, bucket: str) -> list[StoredObject]:
    """List a bucket by key; nothing for one that does not exist."""
    try:
        page = cloud.look("s3", "ListObjectsV2", Bucket=bucket, MaxKeys=_MOST)
    except CloudError:
        return []
    return [
        StoredObject(key=str(entry["Key"]), size=int(str(entry["Size"])), modified=modified)
        for entry in _mappings(page.get("Contents"))
        if isinstance(modified := entry["LastModified"], datetime.datetime)
    ]


def object_bytes(cloud: Cloud, bucket: str, key: str) -> bytes | None:
    """Read an object; None for one that does not exist or is too large to be handed on."""
    try:
        head = cloud.look("s3", "HeadObject", Bucket=bucket, Key=key)
        if int(str(head.get("ContentLength", 0))) > LARGEST_OBJECT:
            return None
        body = cloud.look("s3", "GetObject", Bucket=bucket, Key=key).get("Body")
    except CloudError:
        return None
    return body if isinstance(body, bytes) else None


def items(cloud: Cloud, table: str) -> list[dict[str, object]]:
    """List a table's items as plain values; nothing for one that does not exist."""
    try:
        page = cloud.look("dynamodb", "Scan", TableName=table, Limit=_MOST, ConsistentRead=True)
    except CloudError:
        return []
    return [{str(name): plain(value) for name, value in item.items()} for item in _mappings(page.get("Items"))]


def logs(cloud: Cloud) -> list[LogLine]:
    """List the latest lines that functions and the platform wrote, in order."""
    try:
        groups = cloud.look("logs", "DescribeLogGroups", logGroupNamePrefix="/aws/lambda/")
        lines = [line for group in _mappings(groups.get("logGroups")) for line in _lines(cloud, str(group["logGroupName"]))]
    except CloudError:
        return []
    return sorted(lines, key=lambda line: line["at"])[-_MOST:]


def _lines(cloud: Cloud, group: str) -> Iterator[LogLine]:
    for event in _mappings(cloud.look("logs", "FilterLogEvents", logGroupName=group).get("events")):
        at = datetime.datetime.fromtimestamp(int(str(event["timestamp"])) / 1000, datetime.UTC)
        yield LogLine(at=at, message=str(event["message"]).rstrip("\n"), stream=str(event["logStreamName"]))


def recorded_logs(records: Sequence[Mapping[str, JSON]], epoch_ns: int) -> list[LogLine]:
    """List the log lines of a recording, whose cloud is gone."""
    lines = []
    for record in records:
        detail = record["detail"]
        if record["kind"] == "log.line" and isinstance(detail, Mapping):
            at = datetime.datetime.fromtimestamp((epoch_ns + int(str(record["t"]))) / 1e9, datetime.UTC)
            lines.append(LogLine(at=at, message=str(detail["message"]), stream=str(record["resource"])))
    return lines[-_MOST:]


def plain(value: object) -> object:
    """Turn DynamoDB's {"N": "3"} into 3, and so on."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return _number(str(inner))
        case "NS" if isinstance(inner, list):
            return [_number(str(each)) for each in inner]
        case "L" if isinstance(inner, list):
            return [plain(each) for each in inner]
        case "M" if isinstance(inner, Mapping):
            return {str(name): plain(each) for name, each in inner.items()}
        case "NULL":
            return None
    return inner


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
