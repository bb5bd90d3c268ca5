"""What subscribers of a topic receive: the event of a function, the notification in a queue, or the bare message."""

import base64
import datetime
import json

from labs.cloud.changes import MessagePublished
from labs.cloud.moto_seams import Subscription
from labs.cloud.trace import JSON

# The signature is random bytes and its certificate is none of AWS's: nobody can forge or verify it here.
_CERTIFICATE = "SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem"


def text_for(message: MessagePublished, protocol: str) -> str:
    """Give the text for a protocol: a structured message has one for each, and a default."""
    if not message.structured:
        return message.message
    texts = json.loads(message.message)
    return str(texts.get(protocol, texts["default"]))


def body(message: MessagePublished, text: str, subscription: Subscription, wall_ns: int, signature: str) -> str:
    """Write what one subscriber receives."""
    if subscription.protocol == "lambda":
        return json.dumps({"Records": [_record(message, text, subscription, wall_ns, signature)]})
    if subscription.raw:
        return text
    described = _common(message, text, wall_ns)
    if message.subject is None:
        del described["Subject"]
    urls = _urls(message, subscription)
    if message.sequence_number is not None:
        described |= {"SequenceNumber": message.sequence_number, "UnsubscribeURL": urls[1]}
    else:
        described |= {"SignatureVersion": "1", "Signature": signature, "SigningCertURL": urls[0], "UnsubscribeURL": urls[1]}
    if message.attributes:
        described["MessageAttributes"] = _attributes(message)
    return json.dumps(described, indent=2, separators=(",", " : "), ensure_ascii=False)


def raw_attributes(message: MessagePublished) -> dict[str, tuple[str, str | bytes]]:
    """Give the message's attributes as attributes of the queue's message."""
    return {
        name: (kind, base64.b64decode(value) if kind.startswith("Binary") else value)
        for name, (kind, value) in message.attributes.items()
    }


def _record(message: MessagePublished, text: str, subscription: Subscription, wall_ns: int, signature: str) -> dict[str, JSON]:
    certificate, unsubscribe = _urls(message, subscription)
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": {
            **_common(message, text, wall_ns),
            "SignatureVersion": "1",
            "Signature": signature,
            "SigningCertUrl": certificate,
            "UnsubscribeUrl": unsubscribe,
            "MessageAttributes": _attributes(message),
        },
    }


def _common(message: MessagePublished, text: str, wall_ns: int) -> dict[str, JSON]:
    now = datetime.datetime.fromtimestamp(wall_ns / 1e9, datetime.UTC)
    return {
        "Type": "Notification",
        "MessageId": message.message_id,
        "TopicArn": message.topic_arn,
        "Subject": message.subject,
        "Message": text,
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
    }


def _attributes(message: MessagePublished) -> dict[str, JSON]:
    return {name: {"Type": kind, "Value": value} for name, (kind, value) in message.attributes.items()}


def _urls(message: MessagePublished, subscription: Subscription) -> tuple[str, str]:
    host = f"https://sns.{message.topic_arn.split(':')[3]}.amazonaws.com"
    return f"{host}/{_CERTIFICATE}", f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
