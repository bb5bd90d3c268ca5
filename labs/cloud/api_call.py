"""One API call on its way: who asks what, and how it is recorded and answered."""

from collections.abc import Callable
from dataclasses import dataclass

from labs.cloud.caller import Caller
from labs.cloud.front import Request, Response
from labs.cloud.operations import Operation


@dataclass(slots=True)
class ApiCall:
    """A call of an operation that may be carried out by the store, or taken over by a service of ours."""

    request: Request
    operation: Operation
    caller: Caller
    answer: Callable[[Response], None]  # may be used much later
    ask: Callable[["ApiCall"], Response]
    record: Callable[["ApiCall", Response], int]
    seen: Callable[[Response], Response] = lambda response: response  # what the caller may see of the store's answer
    wait: tuple[str, int] | None = None  # the queue and the seconds that a long poll would wait, after ask_store()

    def ask_store(self) -> Response:
        """Let moto carry the call out; what it changed is acted upon when the call is recorded."""
        return self.ask(self)

    def recorded(self, response: Response) -> int:
        """Record the call with this answer, without giving it yet; return the record's id."""
        return self.record(self, response)

    def finish(self, response: Response) -> None:
        """Record the call and answer it."""
        self.record(self, response)
        self.answer(response)
