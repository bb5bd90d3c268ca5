"""moto's own deliveries, cut and replaced by calls of our hooks."""

from collections.abc import Callable

import moto.awslambda.models
import moto.sqs.models
from moto.core.models import default_user_config

from labs.cloud.changes import Change, MappingsChanged, MessageAdded, MessageDead
from labs.cloud.moto_seams.buckets import cut_buckets
from labs.cloud.moto_seams.engine import Moto
from labs.cloud.moto_seams.topics import cut_topics


def cut_deliveries(tell: Callable[[Change], None], engine: Moto) -> None:
    """Replace moto's own deliveries by telling of changes. Done once per process."""
    # With use_docker False `get_backend` answers with the backend that never runs code; the stores are the other one's.
    default_user_config["lambda"]["use_docker"] = True
    moto.awslambda.models.LambdaFunction._invoke_lambda = _refuse_to_invoke

    cut_buckets(tell)
    cut_topics(tell)

    backend = moto.awslambda.models.LambdaBackend
    create, update, delete = (
        backend.create_event_source_mapping,
        backend.update_event_source_mapping,
        backend.delete_event_source_mapping,
    )

    def create_mapping(self: object, spec: dict[str, object]) -> object:
        mapping = create(self, spec)
        # moto's queues call the functions of their mappings inside SendMessage; an empty table keeps them from it.
        for queue in moto.sqs.models.sqs_backends[mapping.account_id][mapping.region].queues.values():
            queue.lambda_event_source_mappings.clear()
        tell(MappingsChanged())
        return mapping

    def update_mapping(self: object, uuid: str, spec: dict[str, object]) -> object:
        mapping = update(self, uuid, spec)
        tell(MappingsChanged())
        return mapping

    def delete_mapping(self: object, uuid: str) -> object:
        mapping = delete(self, uuid)
        tell(MappingsChanged())
        return mapping

    backend.create_event_source_mapping = create_mapping
    backend.update_event_source_mapping = update_mapping
    backend.delete_event_source_mapping = delete_mapping

    add_message = moto.sqs.models.Queue.add_message

    def add_and_tell(self: "moto.sqs.models.Queue", message: "moto.sqs.models.Message") -> None:
        add_message(self, message)
        if message.approximate_receive_count:
            tell(MessageDead(self.queue_arn, message.id, message.approximate_receive_count))
        tell(MessageAdded(self.queue_arn, message.id))

    moto.sqs.models.Queue.add_message = add_and_tell

    receive = moto.sqs.models.SQSBackend.receive_message

    def receive_without_waiting(
        self: "moto.sqs.models.SQSBackend",
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[object]:
        # moto waits on the real clock while virtual time stands still, that is for ever: the account parks the call instead.
        found: list[object] = receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
        if not found and wait_seconds_timeout:
            engine.wait = (self.get_queue(queue_name).queue_arn, int(wait_seconds_timeout))
        return found

    moto.sqs.models.SQSBackend.receive_message = receive_without_waiting


def _refuse_to_invoke(self: object, event: str | None = None) -> tuple[str, bool, str]:
    # Reached by the sources that this cloud does not deliver yet (streams, log subscriptions). Docker must not start.
    raise NotImplementedError("this event source is not simulated")
