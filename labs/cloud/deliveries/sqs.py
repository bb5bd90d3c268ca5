"""Queues call functions: event source mappings poll, invoke synchronously, and delete what succeeded.

Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS" and the pages below it (2026-11-20).
"""

from typing import TYPE_CHECKING

from labs.cloud import moto_seams
from labs.cloud.changes import MappingsChanged, MessageAdded, MessageDead
from labs.cloud.deliveries.queue_poller import Poller
from labs.cloud.functions.service import Functions
from labs.cloud.kernel import Kernel
from labs.cloud.kinds import Kind
from labs.cloud.trace import JSON, Recorder

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let this account's event source mappings poll queues."""
    mappings = QueueMappings(account.kernel, account.recorder, account.functions)
    account.on(MappingsChanged, mappings.mappings_changed)
    account.on(MessageDead, mappings.message_dead)
    account.on(MessageAdded, mappings.message_added)


class QueueMappings:
    """All event source mappings of queues: one poller each."""

    def __init__(self, kernel: Kernel, recorder: Recorder, functions: Functions) -> None:
        self._kernel, self._recorder, self._functions = kernel, recorder, functions
        self._pollers: dict[str, Poller] = {}
        # The record that put a message where it is now: the send, or the failed batch that gave it back.
        self._causes: dict[str, int] = {}

    def mappings_changed(self, change: MappingsChanged, cause: int | None) -> None:
        """Start, change and stop pollers, once the call that changed the mappings is over."""
        self._kernel.after(0, self._refresh)

    def _refresh(self) -> None:
        mappings = {mapping.uuid: mapping for mapping in moto_seams.queue_mappings()}
        for uuid in self._pollers.keys() - mappings.keys():
            self._pollers.pop(uuid).stop()
        for uuid, mapping in mappings.items():
            if uuid in self._pollers:
                self._pollers[uuid].mapping = mapping
            else:
                self._pollers[uuid] = Poller(self._causes, self._kernel, self._recorder, self._functions, mapping)
            self._pollers[uuid].wake()

    def message_added(self, change: MessageAdded, cause: int | None) -> None:
        """Tell the pollers of a queue that there is something to receive."""
        if cause is not None:
            self._causes[change.message_id] = cause
        for poller in self._pollers.values():
            if poller.mapping.queue_arn == change.queue_arn:
                poller.wake()

    def message_dead(self, change: MessageDead, cause: int | None) -> None:
        """Record that a message has been moved to a dead-letter queue."""
        name = change.queue_arn.rpartition(":")[2]
        detail: dict[str, JSON] = {
            "id": change.message_id,
            "receive_count": change.receive_count,
            "dead_letter_queue": name,
        }
        cause = self._causes.get(change.message_id, cause)
        record = self._recorder.add(Kind.MESSAGE_DEAD, f"sqs:{name}", detail, cause=cause)
        self._causes[change.message_id] = record.id
