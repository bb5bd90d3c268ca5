"""The kinds of records that an AWS account leaves in the trace."""

from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    DEPLOYED = "deployed"
    API_CALL = "api.call"
    HTTP_REQUEST = "http.request"
    HTTP_RESPONSE = "http.response"
    S3_NOTIFICATION = "s3.notification"
    EVENT_QUEUED = "event.queued"
    EVENT_DROPPED = "event.dropped"
    RETRY_SCHEDULED = "retry.scheduled"
    ENVIRONMENT_CREATED = "environment.created"
    ENVIRONMENT_FROZEN = "environment.frozen"
    ENVIRONMENT_ENDED = "environment.ended"
    INIT_STARTED = "init.started"
    INIT_ENDED = "init.ended"
    INVOCATION_STARTED = "invocation.started"
    INVOCATION_ENDED = "invocation.ended"
    INVOCATION_THROTTLED = "invocation.throttled"
    LOG_LINE = "log.line"
    SLEPT = "slept"
    BATCH_RECEIVED = "batch.received"
    BATCH_DELETED = "batch.deleted"
    BATCH_FAILED = "batch.failed"
    MESSAGE_DEAD = "message.dead"
