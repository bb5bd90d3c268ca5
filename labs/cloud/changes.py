"""What the stores tell of: facts that somebody may want to act on. Each is told once, when it has happened."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Something in a store has changed."""


@dataclass(frozen=True, slots=True)
class ObjectChanged(Change):
    """An object was created or removed, and the bucket's notification configuration names functions for it."""

    event: str  # "s3:ObjectCreated:Put"
    bucket: str
    bucket_arn: str
    region: str
    key: str
    size: int
    etag: str
    version_id: str | None
    functions: tuple[tuple[str, str], ...]  # (configuration id, function ARN)


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
