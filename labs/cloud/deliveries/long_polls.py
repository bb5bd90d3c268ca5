"""Long polls: a ReceiveMessage that waits is answered when a message comes, or empty when its time is over."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from labs.cloud import moto_seams
from labs.cloud.api_call import ApiCall
from labs.cloud.changes import MessageAdded
from labs.cloud.kernel import SECOND, Kernel

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let clients of this account wait in virtual time."""
    polls = LongPolls(account.kernel)
    account.take_over("sqs", "ReceiveMessage", polls.receive)
    account.on(MessageAdded, polls.message_added)


class LongPolls:
    """The calls that wait, by queue."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    def receive(self, call: ApiCall) -> None:
        """Ask the store once, and keep the call when it found nothing and may wait."""
        response = call.ask_store()
        if call.wait is None or response.status != 200:
            call.finish(response)
        else:
            self._park(call, *call.wait)

    def _park(self, call: ApiCall, queue_arn: str, seconds: int) -> None:
        waiting = self._waiting.setdefault(queue_arn, [])

        def once() -> None:
            if once in waiting:
                waiting.remove(once)
                self._kernel.cancel(timer)
                call.finish(call.ask_store())

        waiting.append(once)
        timer = self._kernel.after(seconds * SECOND, once)
        hidden = moto_seams.next_visible_ns(queue_arn)
        if hidden is not None:
            self._kernel.at(hidden - self._kernel.epoch_ns, once)

    def message_added(self, change: MessageAdded, cause: int | None) -> None:
        """Wake those who wait for this queue."""
        for poll in list(self._waiting.get(change.queue_arn, ())):
            self._kernel.after(0, poll)
