"""S3 calls functions, queues and topics: event notifications.

Source of the event's form: Amazon S3 user guide, "Event message structure" (2026-11-20).
"""

import datetime
import functools
import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from labs.cloud.changes import NotificationsConfigured, NotificationTarget, ObjectChanged
from labs.cloud.deliveries import handover, s3_configuration
from labs.cloud.kinds import Kind
from labs.cloud.latency import S3_NOTIFICATION
from labs.cloud.trace import JSON

if TYPE_CHECKING:
    from labs.cloud.account import Account

_CALLER_IP = "127.0.0.1"
_SUBJECT = "Amazon S3 Notification"  # of what S3 publishes to a topic


def attach(account: "Account") -> None:
    """Let this account's buckets notify functions, queues and topics."""
    notifications = S3Notifications(account)
    # The old operation has the same path as the one that replaced it.
    account.take_over("s3", "PutBucketNotification", s3_configuration.put)
    account.take_over("s3", "PutBucketNotificationConfiguration", s3_configuration.put)
    account.on(ObjectChanged, notifications.object_changed)
    account.on(NotificationsConfigured, notifications.configured)


class S3Notifications:
    """Turn changes of objects into events for those whom the bucket's configuration names."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._kernel, self._recorder = account.kernel, account.recorder
        self._sequence = 0

    def object_changed(self, change: ObjectChanged, cause: int | None) -> None:
        """Notify every matching target, a little later than the change, at least once and in no order."""
        chance = self._kernel.chance("s3-notification")
        self._sequence += 1
        for target in change.targets:
            # An event says when the object changed, not when the target hears of it.
            body = self._event(change, target.configuration)
            deliver = functools.partial(self._deliver, change, target, body, cause)
            self._kernel.after(S3_NOTIFICATION.draw(chance), deliver)
            if self._account.faults.again(self._kernel.chance("fault/s3-twice")):
                self._kernel.after(S3_NOTIFICATION.draw(chance), deliver)

    def configured(self, change: NotificationsConfigured, cause: int | None) -> None:
        """Send every queue and topic of a new configuration a test message."""
        event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": self._time(), "Bucket": change.bucket, **self._ids()}
        body = json.dumps({**event, "RequestId": event.pop("x-amz-request-id"), "HostId": event.pop("x-amz-id-2")}).encode()
        for arn in change.targets:
            deliver = functools.partial(self._hand_over, change.bucket, arn, body, {"event": "TestEvent"}, cause)
            self._kernel.after(S3_NOTIFICATION.draw(self._kernel.chance("s3-test-event")), deliver)

    def _deliver(self, change: ObjectChanged, target: NotificationTarget, body: bytes, cause: int | None) -> None:
        detail: dict[str, JSON] = {
            "event": change.event.removeprefix("s3:"),
            "bucket": change.bucket,
            "key": change.key,
        }
        self._hand_over(change.bucket, target.arn, body, detail, cause)

    def _hand_over(self, bucket: str, arn: str, body: bytes, detail: dict[str, JSON], cause: int | None) -> None:
        """Hand one event over; a target that is gone by now, or does not permit it any more, gets nothing, as on AWS."""
        if handover.refusal(arn, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}") is not None:
            return
        name = handover.resource_name(arn)
        service = arn.split(":")[2]
        told: dict[str, JSON] = {"bucket": bucket, **detail}
        told |= {"lambda": {"function": name}, "sqs": {"to": "queue", "queue": name}, "sns": {"to": "topic", "topic": name}}[
            service
        ]
        record = self._recorder.add(Kind.S3_NOTIFICATION, f"s3:{bucket}", told, cause=cause).id
        if service == "lambda":
            self._account.queue.accept(self._account.functions.find(arn), body, "s3", record)
        elif service == "sqs":
            handover.send_message(self._account, arn, body.decode(), record)
        else:
            handover.publish(self._account, arn, body.decode(), _SUBJECT, record)

    def _time(self) -> str:
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / 1e9, datetime.UTC)
        return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"

    def _ids(self) -> dict[str, str]:
        chance = self._kernel.chance("s3-event")
        return {"x-amz-request-id": f"{chance.getrandbits(64):016X}", "x-amz-id-2": f"{chance.getrandbits(256):064x}"}

    def _event(self, change: ObjectChanged, configuration: str) -> bytes:
        described: dict[str, JSON] = {"key": quote_plus(change.key, safe="/")}
        if not change.event.startswith("s3:ObjectRemoved"):
            described["size"] = change.size
        if change.event != "s3:ObjectRemoved:Delete":
            described["eTag"] = change.etag
        if change.version_id is not None:
            described["versionId"] = change.version_id
        # Hexadecimal and of one length: of two events of one key the later one has the greater sequencer.
        described["sequencer"] = f"{self._kernel.wall_ns // 1000:014X}{self._sequence:06X}"
        record: dict[str, JSON] = {
            "eventVersion": "2.5",
            "eventSource": "aws:s3",
            "awsRegion": change.region,
            "eventTime": self._time(),
            "eventName": change.event.removeprefix("s3:"),
            "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": _CALLER_IP},
            "responseElements": self._ids(),
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
