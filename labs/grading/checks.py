"""What a lab's test_lab.py says: which function is which check, and what the learner got wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, TypeVar

from labs.cloud.trace import JSON, Record

_LONGEST = 1000  # characters of one parameter; learners' code decides some of them
_DEEPEST = 4

Function = TypeVar("Function", bound=Callable[..., None])


class Misstep(Exception):
    """The learner's code is wrong: the message to show, its parameters, and the record that proves it."""

    def __init__(self, message_id: str, params: Mapping[str, JSON], record: int | None) -> None:
        super().__init__(f"{message_id} {dict(params)}")
        self.message_id, self.params, self.record = message_id, params, record


def check(id: str) -> Callable[[Function], Function]:
    """Mark a test function as the check of this id in lab.toml, which has its title and points."""

    def mark(function: Function) -> Function:
        vars(function)["check_id"] = id
        return function

    return mark


def check_of(function: object) -> str | None:
    """Give the check id of a test function, or None for one without."""
    id = getattr(function, "__dict__", {}).get("check_id")
    return id if isinstance(id, str) else None


def fail(message_id: str, record: Record | int | None = None, **params: object) -> NoReturn:
    """Say what the learner got wrong: a message of the lab's messages.*.toml, its parameters, and the record to look at."""
    id = record.id if isinstance(record, Record) else record
    raise Misstep(message_id, {name: as_json(value) for name, value in params.items()}, id)


def as_json(value: object, deep: int = 0) -> JSON:
    """Give a value as JSON of bounded size, whatever it was."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    if deep < _DEEPEST:
        if isinstance(value, Mapping):
            return {str(name): as_json(inner, deep + 1) for name, inner in list(value.items())[:100]}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [as_json(inner, deep + 1) for inner in value[:100]]
    return as_json(str(value))
