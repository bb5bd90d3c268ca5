"""S3 calls functions: event notifications.

Source of the event's form: Amazon S3 user guide, "Event message structure" (2026-11-20).
"""

import datetime
import functools
import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from labs.cloud.changes import ObjectChanged
from labs.cloud.functions.asynchronous import AsynchronousQueue
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import Kernel
from labs.cloud.kinds import Kind
from labs.cloud.latency import S3_NOTIFICATION
from labs.cloud.moto_seams import UnknownFunctionError
from labs.cloud.trace import JSON, Recorder

if TYPE_CHECKING:
    from labs.cloud.account import Account

_CALLER_IP = "127.0.0.1"


def attach(account: "Account") -> None:
    """Let this account's buckets notify functions."""
    notifications = S3Notifications(account.kernel, account.recorder, account.functions, account.queue)
    account.on(ObjectChanged, notifications.object_changed)


class S3Notifications:
    """Turn changes of objects into asynchronous events for functions."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions, queue: AsynchronousQueue) -> None:
        self._kernel, self._recorder, self._functions, self._queue = kernel, recorder, functions, queue
        self._sequence = 0

    def object_changed(self, change: ObjectChanged, cause: int | None) -> None:
        """Notify every matching function, a little later than the change."""
        chance = self._kernel.chance("s3-notification")
        self._sequence += 1
        for configuration, function_arn in change.functions:
            # An event says when the object changed, not when the function hears of it.
            deliver = functools.partial(self._deliver, change, function_arn, self._event(change, configuration), cause)
            self._kernel.after(S3_NOTIFICATION.draw(chance), deliver)

    def _deliver(self, change: ObjectChanged, function_arn: str, body: bytes, cause: int | None) -> None:
        """Hand one event to Lambda's queue; a function that is gone by now gets nothing, as on AWS."""
        try:
            function = self._functions.find(function_arn)
        except UnknownFunctionError:
            return
        detail: dict[str, JSON] = {
            "event": change.event.removeprefix("s3:"),
            "bucket": change.bucket,
            "key": change.key,
            "function": function.name,
        }
        record = self._recorder.add(Kind.S3_NOTIFICATION, f"s3:{change.bucket}", detail, cause=cause)
        self._queue.accept(function, body, "s3", record.id)

    def _event(self, change: ObjectChanged, configuration: str) -> bytes:
        chance = self._kernel.chance("s3-event")
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / 1e9, datetime.UTC)
        described: dict[str, JSON] = {"key": quote_plus(change.key, safe="/")}
        if not change.event.startswith("s3:ObjectRemoved"):
            described |= {"size": change.size, "eTag": change.etag}
        if change.version_id is not None:
            described["versionId"] = change.version_id
        described["sequencer"] = f"{self._kernel.wall_ns // 1000:014X}{self._sequence:04X}"
        record: dict[str, JSON] = {
            "eventVersion": "2.5",
            "eventSource": "aws:s3",
            "awsRegion": change.region,
            "eventTime": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "eventName": change.event.removeprefix("s3:"),
            "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": _CALLER_IP},
            "responseElements": {
                "x-amz-request-id": f"{chance.getrandbits(64):016X}",
                "x-amz-id-2": f"{chance.getrandbits(256):064x}",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": change.bucket,
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": change.bucket_arn,
                },
                "object": described,
            },
        }
        return json.dumps({"Records": [record]}).encode()
