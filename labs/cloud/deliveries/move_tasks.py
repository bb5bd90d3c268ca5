"""Message move tasks: the redrive of a dead-letter queue, which moto does not have.

Source: Amazon SQS API reference, StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask (2026-11-20).
"""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from labs.cloud import limits, moto_seams
from labs.cloud.api_call import ApiCall
from labs.cloud.front import Response
from labs.cloud.kernel import MILLISECOND, SECOND, Kernel
from labs.cloud.moto_seams import UnknownSourceError

if TYPE_CHECKING:
    from labs.cloud.account import Account

_LISTED = 10


def attach(account: "Account") -> None:
    """Let this account's dead-letter queues be redriven."""
    tasks = MoveTasks(account.kernel)
    for operation, perform in (
        ("StartMessageMoveTask", tasks.start),
        ("ListMessageMoveTasks", tasks.list),
        ("CancelMessageMoveTask", tasks.cancel),
    ):
        account.take_over("sqs", operation, perform)


class _Status(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass(slots=True)
class _Task:
    handle: str
    source: str
    destination: str | None
    rate: int | None
    to_move: int
    started_ms: int
    moved: int = 0
    status: _Status = _Status.RUNNING
    failure: str | None = None

    def described(self) -> dict[str, object]:
        fields: dict[str, object] = {
            "TaskHandle": self.handle if self.status is _Status.RUNNING else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": self.started_ms,
        }
        return {name: value for name, value in fields.items() if value is not None}


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class MoveTasks:
    """The tasks of all queues; once a second each moves what its rate allows."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._tasks: list[_Task] = []

    def start(self, call: ApiCall) -> None:
        """Begin to move the messages of a dead-letter queue."""
        _answer(call, self._start)

    def list(self, call: ApiCall) -> None:
        """Describe the latest tasks of a queue, newest first."""
        _answer(call, self._list)

    def cancel(self, call: ApiCall) -> None:
        """Stop a task; what it has moved stays moved."""
        _answer(call, self._cancel)

    def _start(self, asked: Mapping[str, object]) -> dict[str, object]:
        source = _queue(asked, "SourceArn")
        if not moto_seams.is_dead_letter_queue(source):
            raise _RefusedError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        destination = _queue(asked, "DestinationArn") if asked.get("DestinationArn") else None
        rate = None if asked.get("MaxNumberOfMessagesPerSecond") is None else int(str(asked["MaxNumberOfMessagesPerSecond"]))
        if rate is not None and not 1 <= rate <= limits.SQS_MOVES.value:
            raise _RefusedError(
                "InvalidParameterValue",
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. "
                f"Reason: MaxNumberOfMessagesPerSecond must be an integer between 1 and {limits.SQS_MOVES.value}.",
            )
        if any(task.source == source and task.status is _Status.RUNNING for task in self._tasks):
            raise _RefusedError(
                "UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            )
        number = uuid.UUID(int=self._kernel.chance("move-task").getrandbits(128), version=4)
        handle = base64.b64encode(json.dumps({"taskId": str(number), "sourceArn": source}).encode()).decode()
        started = self._kernel.wall_ns // MILLISECOND
        task = _Task(handle, source, destination, rate, moto_seams.visible(source), started)
        self._tasks.append(task)
        self._kernel.after(SECOND, lambda: self._move(task))
        return {"TaskHandle": handle}

    def _move(self, task: _Task) -> None:
        if task.status is not _Status.RUNNING:
            return
        now = min(task.rate or limits.SQS_MOVES.value, task.to_move - task.moved)
        try:
            moved = moto_seams.redrive(task.source, task.destination, now)
        except UnknownSourceError:
            task.status, task.failure = _Status.FAILED, "CouldNotDetermineMessageSource"
            return
        task.moved += moved
        if moved < now or task.moved >= task.to_move:
            task.status = _Status.COMPLETED
        else:
            self._kernel.after(SECOND, lambda: self._move(task))

    def _list(self, asked: Mapping[str, object]) -> dict[str, object]:
        source = _queue(asked, "SourceArn")
        most = min(int(str(asked.get("MaxResults") or 1)), _LISTED)
        found = [task.described() for task in reversed(self._tasks) if task.source == source]
        return {"Results": found[:most]}

    def _cancel(self, asked: Mapping[str, object]) -> dict[str, object]:
        for task in self._tasks:
            if task.handle == asked.get("TaskHandle") and task.status is _Status.RUNNING:
                task.status = _Status.CANCELLED
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise _RefusedError("ResourceNotFoundException", "Task does not exist.")


def _queue(asked: Mapping[str, object], name: str) -> str:
    arn = str(asked.get(name) or "")
    if not moto_seams.queue_exists(arn):
        raise _RefusedError(
            "ResourceNotFoundException", f"The resource that you specified for the {name} parameter doesn't exist."
        )
    return arn


def _answer(call: ApiCall, perform: Callable[[Mapping[str, object]], dict[str, object]]) -> None:
    try:
        asked = json.loads(call.request.body or b"{}")
        status, answer = 200, perform(asked if isinstance(asked, dict) else {})
    except ValueError:
        status, answer = 400, {"__type": "com.amazonaws.sqs#InvalidAddress", "message": "The request is not JSON."}
    except _RefusedError as error:
        status, answer = 400, {"__type": f"com.amazonaws.sqs#{error.code}", "message": error.message}
    call.finish(Response(status, (("Content-Type", "application/x-amz-json-1.0"),), json.dumps(answer).encode()))
