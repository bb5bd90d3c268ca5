"""What the stores tell of: facts that somebody may want to act on. Each is told once, when it has happened."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Something in a store has changed."""


@dataclass(frozen=True, slots=True)
class NotificationTarget:
    """A function, queue or topic that a bucket notifies, and the configuration that says so."""

    configuration: str
    arn: str


@dataclass(frozen=True, slots=True)
class ObjectChanged(Change):
    """An object was created or removed, and the bucket's notification configuration asks to be told."""

    event: str  # "s3:ObjectCreated:Put"
    bucket: str
    bucket_arn: str
    region: str
    key: str
    size: int
    etag: str
    version_id: str | None
    targets: tuple[NotificationTarget, ...]
    event_bridge: bool = False  # also for the default event bus, whatever the targets


@dataclass(frozen=True, slots=True)
class NotificationsConfigured(Change):
    """A bucket was told to notify these queues and topics."""

    bucket: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessagePublished(Change):
    """A topic accepted a message. Attributes are as SNS writes them: type and value, bytes in base64."""

    topic_arn: str
    message_id: str
    message: str
    subject: str | None
    attributes: Mapping[str, tuple[str, str]]
    structured: bool  # the message holds one text per protocol
    group: str | None = None
    deduplication: str | None = None
    sequence_number: str | None = None


@dataclass(frozen=True, slots=True)
class MessageAdded(Change):
    """A queue has a new message."""

    queue_arn: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MessageDead(Change):
    """A message was moved to a dead-letter queue, whose ARN this is."""

    queue_arn: str
    message_id: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class MappingsChanged(Change):
    """An event source mapping was created, updated or deleted."""


@dataclass(frozen=True, slots=True)
class StreamGrew(Change):
    """A table's stream has a new record."""

    stream_arn: str
    sequence: int


@dataclass(frozen=True, slots=True)
class TimeToLiveChanged(Change):
    """Time to live was switched on or off for a table."""


@dataclass(frozen=True, slots=True)
class SchedulesChanged(Change):
    """A rule or a schedule was created, updated or deleted."""
