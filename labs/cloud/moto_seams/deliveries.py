"""moto's own deliveries, cut and replaced by calls of our hooks."""

from collections.abc import Callable

import moto.awslambda.models
import moto.s3.models
import moto.s3.notifications
from moto.core.models import default_user_config

from labs.cloud.changes import Change, ObjectChanged
from labs.cloud.moto_seams.engine import Moto
from labs.cloud.moto_seams.mappings import replace_mappings
from labs.cloud.moto_seams.messages import replace_messages
from labs.cloud.moto_seams.schedules import cut_schedules
from labs.cloud.moto_seams.tables import cut_streams


def cut_deliveries(tell: Callable[[Change], None], engine: Moto) -> None:
    """Replace moto's own deliveries by telling of changes. Done once per process."""
    # With use_docker False `get_backend` answers with the backend that never runs code; the stores are the other one's.
    default_user_config["lambda"]["use_docker"] = True
    moto.awslambda.models.LambdaFunction._invoke_lambda = _refuse_to_invoke

    def send_event(account_id: str, event_name: str, bucket: "moto.s3.models.FakeBucket", key: object) -> None:
        # moto would invoke the function inside PutObject and hand it an event without most of AWS's fields.
        change = _object_change(str(getattr(event_name, "value", event_name)), bucket, key)
        if change is not None:
            tell(change)

    moto.s3.notifications.send_event = send_event

    replace_mappings(tell)
    replace_messages(tell, engine)
    cut_streams(tell)
    cut_schedules(tell)


def _refuse_to_invoke(self: object, event: str | None = None) -> tuple[str, bool, str]:
    # Reached by the sources that this cloud does not deliver yet (SNS, streams, log subscriptions). Docker must not start.
    raise NotImplementedError("this event source is not simulated")


def _object_change(event: str, bucket: "moto.s3.models.FakeBucket", key: object) -> ObjectChanged | None:
    configuration = bucket.notification_configuration
    if configuration is None:
        return None
    name, etag = str(getattr(key, "name", "")), str(getattr(key, "etag", ""))
    functions = tuple((str(rule.id), str(rule.arn)) for rule in configuration.cloud_function if rule.matches(event, name))
    if not functions:
        return None
    version = getattr(key, "version_id", None)
    return ObjectChanged(
        event=event,
        bucket=bucket.name,
        key=name,
        size=int(getattr(key, "size", 0) or 0),
        etag=etag.strip('"'),
        version_id=str(version) if version and bucket.versioning_status == "Enabled" else None,
        bucket_arn=bucket.arn,
        region=bucket.region_name,
        functions=functions,
    )
