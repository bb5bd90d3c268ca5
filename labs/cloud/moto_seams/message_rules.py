"""What SQS refuses to accept as a message, in AWS's words; moto checks less, and counts characters where AWS counts bytes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    SQSException,
    TooManyEntriesInBatchRequest,
)
from moto.sqs.models import Queue

from labs.cloud import limits

_ENTRY_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
# Amazon SQS API reference, SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FIFO_ID = re.compile(r"[\x21-\x7e]{1,128}")


def invalid(text: str) -> SQSException:
    """Make AWS's InvalidParameterValue."""
    return InvalidParameterValue(text)


def check_message(
    queue: Queue,
    body: str,
    attributes: Mapping[str, Any] | None,
    delay: int | None,
    deduplication_id: str | None,
    group_id: str | None,
) -> None:
    """Refuse what this queue does not take."""
    if not body:
        raise MissingParameter("MessageBody")
    if _FORBIDDEN.search(body):
        raise SQSException(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD "
            "| #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    if len(attributes or ()) > limits.SQS_ATTRIBUTES.value:
        most = limits.SQS_ATTRIBUTES.value
        raise invalid(f"Number of message attributes [{len(attributes or ())}] exceeds the allowed maximum [{most}].")
    if size(body, attributes) > queue.maximum_message_size:
        raise invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {queue.maximum_message_size} bytes."
        )
    if delay is not None and not 0 <= int(delay) <= limits.SQS_DELAY.value:
        most = limits.SQS_DELAY.value
        raise invalid(f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= {most}.")
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None and not _FIFO_ID.fullmatch(value):
            raise invalid(
                f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and "
                "punctuation characters. 1 to 128 in length."
            )
    _check_type(queue, delay, deduplication_id, group_id)


def _check_type(queue: Queue, delay: int | None, deduplication_id: str | None, group_id: str | None) -> None:
    if not queue.fifo_queue:
        if deduplication_id is not None:
            raise invalid(
                f"Value {deduplication_id} for parameter MessageDeduplicationId is invalid. "
                "Reason: The request includes a parameter that is not valid for this queue type."
            )
        return
    if group_id is None:
        raise MissingParameter("MessageGroupId")
    if delay:
        raise invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. "
            "Reason: The request include parameter that is not valid for this queue type."
        )
    if deduplication_id is None and not queue.content_based_deduplication:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )


def check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a batch as a whole."""
    if any(not _ENTRY_ID.fullmatch(entry["Id"]) for entry in entries):
        raise InvalidBatchEntryId()
    if len(entries) > limits.SQS_BATCH.value:
        raise TooManyEntriesInBatchRequest(len(entries))
    ids = [entry["Id"] for entry in entries]
    if repeated := next((one for one in ids if ids.count(one) > 1), None):
        raise BatchEntryIdsNotDistinct(repeated)
    length, most = sum(size(entry["MessageBody"], entry["MessageAttributes"]) for entry in entries), limits.SQS_MESSAGE.value
    if length > most:
        raise SQSException(
            "BatchRequestTooLong", f"Batch requests cannot be longer than {most} bytes. You have sent {length} bytes."
        )


def size(body: str, attributes: Mapping[str, Any] | None) -> int:
    """Count the bytes of a message: body, and names, types and values of its attributes."""
    total = len(body.encode())
    for name, value in (attributes or {}).items():
        content = value.get("StringValue") or value.get("BinaryValue") or ""
        total += len(name.encode()) + len(str(value.get("DataType", "")).encode())
        total += len(content) if isinstance(content, bytes) else len(str(content).encode())
    return total
