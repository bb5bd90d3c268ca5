"""The CloudFormation resource types that moto lacks or gets wrong: what creates, updates and deletes each, through the API.

The types are in gateway_types, function_types, messaging_types and schedule_types, a table each. An entry says which API
operations stand behind a type; moto_seams.add_resource_types makes it known to moto's CloudFormation, so that Ref, GetAtt,
Outputs, updates, roll-backs and deletions work as for every other type.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

# What a template says about a resource, with references resolved; values may be strings where the API wants numbers.
Properties = Mapping[str, Any]


class Call(Protocol):
    """Call an operation of AWS's API by its names, with the account and region of the stack."""

    def __call__(self, service: str, operation: str, /, **parameters: object) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as Ref and GetAtt see it."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What stands behind one type. `create` gets a name for what has none; without `update` a change replaces the resource."""

    create: Callable[[Call, str, Properties], Made]
    delete: Callable[[Call, Made, Properties], None]
    update: Callable[[Call, Made, Properties], Made] | None = None
    attributes: Sequence[str] = ()


def given(properties: Properties, *names: str) -> dict[str, Any]:
    """Take the properties that are there."""
    return {name: properties[name] for name in names if name in properties}


def nothing_to_create(call: Call, name: str, properties: Properties) -> Made:
    """Give a name to what leaves nothing behind here: every stage serves its API as it is."""
    return Made(name)


def nothing_to_delete(call: Call, made: Made, properties: Properties) -> None:
    """Leave what goes with its parent."""


def keep(call: Call, made: Made, properties: Properties) -> Made:
    """Leave a resource as it is."""
    return made
