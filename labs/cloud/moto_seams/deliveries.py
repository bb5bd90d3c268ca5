"""moto's own deliveries, cut and replaced by calls of our hooks."""

from collections.abc import Callable

import moto.awslambda.models
from moto.core.models import default_user_config

from labs.cloud.changes import Change
from labs.cloud.moto_seams.buckets import cut_buckets
from labs.cloud.moto_seams.engine import Moto
from labs.cloud.moto_seams.mappings import replace_mappings
from labs.cloud.moto_seams.messages import replace_messages
from labs.cloud.moto_seams.schedules import cut_schedules
from labs.cloud.moto_seams.tables import cut_streams
from labs.cloud.moto_seams.topics import cut_topics


def cut_deliveries(tell: Callable[[Change], None], engine: Moto) -> None:
    """Replace moto's own deliveries by telling of changes. Done once per process."""
    # With use_docker False `get_backend` answers with the backend that never runs code; the stores are the other one's.
    default_user_config["lambda"]["use_docker"] = True
    moto.awslambda.models.LambdaFunction._invoke_lambda = _refuse_to_invoke

    cut_buckets(tell)
    cut_topics(tell)

    replace_mappings(tell)
    replace_messages(tell, engine)
    cut_streams(tell)
    cut_schedules(tell)


def _refuse_to_invoke(self: object, event: str | None = None) -> tuple[str, bool, str]:
    # Reached by the sources that this cloud does not deliver yet (streams, log subscriptions). Docker must not start.
    raise NotImplementedError("this event source is not simulated")
