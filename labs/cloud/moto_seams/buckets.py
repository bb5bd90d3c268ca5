"""Changes of objects in moto's S3, told once each and by AWS's names; and a bucket's notification configuration."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import moto.s3.models
import moto.s3.notifications
import moto.s3.responses

from labs.cloud.changes import Change, NotificationsConfigured, NotificationTarget, ObjectChanged

_MARKER_ETAG = "d41d8cd98f00b204e9800998ecf8427e"  # a delete marker's, the digest of nothing


def cut_buckets(tell: Callable[[Change], None]) -> None:
    """Replace what moto does inside PutObject and DeleteObject by telling of it."""
    # Names of events that may pass while one of moto's functions runs; None lets all but the spurious ones through.
    passing: list[str | None] = [None]

    @contextmanager
    def only(event: str) -> Iterator[None]:
        passing.append(event)
        try:
            yield
        finally:
            passing.pop()

    def send_event(account_id: str, event_name: str, bucket: "moto.s3.models.FakeBucket", key: object) -> None:
        # moto would invoke the function inside PutObject and hand it an event without most of AWS's fields.
        event = str(getattr(event_name, "value", event_name))
        if passing[-1] is None:
            # moto tags every new object, and calls it an event; what callers tag passes below.
            if not event.startswith("s3:ObjectTagging:Put"):
                _tell_of(tell, event, bucket, key)
        elif event == passing[-1]:
            _tell_of(tell, event, bucket, key)

    moto.s3.notifications.send_event = send_event
    moto.s3.notifications.send_test_event = lambda account_id, bucket: tell(_configured(bucket))

    responses, backend = moto.s3.responses.S3Response, moto.s3.models.S3Backend
    tag, complete, delete = responses.put_object_tagging, backend.complete_multipart_upload, backend.delete_object

    def tag_and_tell(self: object) -> object:
        with only("s3:ObjectTagging:Put"):
            return tag(self)

    def complete_and_tell(self: object, *arguments: object, **named: object) -> object:
        # moto puts the object, tells of a Put, and then of a completed upload.
        with only("s3:ObjectCreated:CompleteMultipartUpload"):
            return complete(self, *arguments, **named)

    def delete_and_tell(
        self: "moto.s3.models.S3Backend", bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        # moto is silent about delete markers and about versions, but for the last one.
        bucket = self.get_bucket(bucket_name)
        before = {str(key.version_id): key for key in bucket.keys.getlist(key_name, [])}
        with only("none"):
            found: tuple[bool, dict[str, Any]] = delete(self, bucket_name, key_name, version_id=version_id, bypass=bypass)
        after = {str(key.version_id): key for key in bucket.keys.getlist(key_name, [])}
        for version in before.keys() - after.keys():
            _tell_of(tell, "s3:ObjectRemoved:Delete", bucket, before[version])
        for version in after.keys() - before.keys():
            _tell_of(tell, "s3:ObjectRemoved:DeleteMarkerCreated", bucket, after[version])
        return found

    responses.put_object_tagging = tag_and_tell
    backend.complete_multipart_upload = complete_and_tell
    backend.delete_object = delete_and_tell


def bucket_exists(name: str) -> bool:
    """Tell whether there is a bucket of this name."""
    return any(name in backend.buckets for account in moto.s3.models.s3_backends.values() for backend in account.values())


def is_s3_event(name: str) -> bool:
    """Tell whether S3 has notifications of this name."""
    return name in moto.s3.notifications.S3NotificationEvent.events()


def _tell_of(tell: Callable[[Change], None], event: str, bucket: "moto.s3.models.FakeBucket", key: object) -> None:
    configuration = bucket.notification_configuration
    if configuration is None:
        return
    name = str(getattr(key, "name", ""))
    targets = tuple(
        NotificationTarget(str(rule.id), str(rule.arn))
        for rule in _rules(configuration)
        if rule._event_matches(event) and _key_matches(rule, name)
    )
    if not targets and configuration.event_bridge is None:
        return
    etag = str(getattr(key, "etag", _MARKER_ETAG)).strip('"')
    version = str(getattr(key, "version_id", None) or "null")
    tell(
        ObjectChanged(
            event=event,
            bucket=bucket.name,
            key=name,
            size=int(getattr(key, "size", 0) or 0),
            etag=etag,
            version_id=None if version == "null" else version,
            bucket_arn=bucket.arn,
            region=bucket.region_name,
            targets=targets,
            event_bridge=configuration.event_bridge is not None,
        )
    )


def _rules(configuration: "moto.s3.models.NotificationConfiguration") -> Iterable["moto.s3.models.Notification"]:
    return (*configuration.cloud_function, *configuration.queue, *configuration.topic)


def _key_matches(rule: "moto.s3.models.Notification", key: str) -> bool:
    # moto knows the names of filter rules in lower case only; AWS takes them in any.
    rules = rule.filters["S3Key"]["FilterRule"] if "S3Key" in rule.filters else ()
    wanted = {str(one["Name"]).lower(): str(one["Value"] or "") for one in rules}
    return key.startswith(wanted.get("prefix", "")) and key.endswith(wanted.get("suffix", ""))


def _configured(bucket: "moto.s3.models.FakeBucket") -> NotificationsConfigured:
    configuration = bucket.notification_configuration
    arns = dict.fromkeys(str(rule.arn) for rule in (*configuration.queue, *configuration.topic))
    return NotificationsConfigured(bucket.name, tuple(arns))
