"""A batch of messages: the event that a function receives, the messages that a filter keeps, and the failures that it answers.

Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS", "Implementing partial batch responses", "Properly filtering
Amazon SQS messages" (2026-11-20).
"""

import base64
import json
from collections.abc import Collection, Mapping, Sequence

from labs.cloud.moto_seams import QueueMapping, ReceivedMessage
from labs.cloud.patterns import Pattern
from labs.cloud.trace import JSON


def event_record(message: ReceivedMessage, queue_arn: str) -> dict[str, JSON]:
    """Give one message the form in which Lambda hands it to a function."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            **{name: value for name, value in message.system.items() if name == "AWSTraceHeader"},
            "SentTimestamp": str(message.sent),
            "SenderId": message.sender,
            "ApproximateFirstReceiveTimestamp": str(message.first_received),
            **message.system,
        },
        "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: object) -> dict[str, JSON]:
    fields: dict[str, object] = dict(value) if isinstance(value, dict) else {}
    found: dict[str, JSON] = {}
    if isinstance(text := fields.get("StringValue"), str):
        found["stringValue"] = text
    binary = fields.get("BinaryValue")
    if isinstance(binary, bytes):
        found["binaryValue"] = base64.b64encode(binary).decode()
    elif isinstance(binary, str):
        found["binaryValue"] = binary
    found |= {"stringListValues": [], "binaryListValues": [], "dataType": str(fields.get("DataType", "String"))}
    return found


def wanted(record: Mapping[str, JSON], patterns: Sequence[Pattern]) -> bool:
    """Tell whether one of the filters lets a message through; without filters every message is wanted."""
    if not patterns:
        return True
    body: object = record["body"]
    try:
        parsed = json.loads(str(body))
    except ValueError:
        parsed = None
    structured = isinstance(parsed, (dict, list))
    event = {**record, "body": parsed if structured else body}
    # A filter on fields of the body never lets plain text through, whatever it says of those fields.
    return any(pattern.matches(event) for pattern in patterns if structured or not isinstance(pattern.source.get("body"), dict))


def failures(mapping: QueueMapping, batch: Collection[str], payload: bytes) -> set[str]:
    """Read a partial batch response, given the ids of the batch; an answer that is none fails the whole batch."""
    everything = set(batch)
    if not mapping.partial_responses:
        return set()
    try:
        answer = json.loads(payload)
    except ValueError:
        return everything
    if answer is None or answer == {}:
        return set()
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else everything
    if named is None:
        return set()
    if not isinstance(named, list):
        return everything
    failed = {str(one.get("itemIdentifier")) if isinstance(one, dict) else "" for one in named}
    return failed if failed <= everything else everything
