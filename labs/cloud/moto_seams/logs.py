"""CloudWatch Logs, as Lambda writes to it."""

from collections.abc import Sequence

import moto.logs.models

from labs.cloud.moto_seams.engine import ACCOUNT, REGION


def write_log(group: str, stream: str, wall_ms: int, messages: Sequence[str]) -> None:
    """Append lines to a log stream of CloudWatch Logs, creating group and stream as Lambda does."""
    backend = moto.logs.models.logs_backends[ACCOUNT][REGION]
    backend.ensure_log_group(group)
    if stream not in backend.groups[group].streams:
        backend.groups[group].create_log_stream(stream)
    backend.put_log_events(group, stream, [{"timestamp": wall_ms, "message": message} for message in messages])
