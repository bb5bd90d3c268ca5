"""moto's CloudFormation: what becomes of a stack when a resource fails, and what a change set leaves behind.

moto stops in the middle and forgets the outputs of stacks that came from a change set. AWS rolls back, says so in the stack's
status, and names the resource in its events.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import moto.cloudformation.models
import moto.cloudformation.parsing
import moto.cloudformation.responses
import moto.iam.models


class ResourceFailedError(Exception):
    """One resource of a stack could not be made."""

    def __init__(self, logical_id: str, type: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id, self.type, self.reason = logical_id, type, reason


@dataclass(frozen=True, slots=True)
class MadeResource:
    """One resource of a stack, with its properties as they were resolved."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]


def stack_resources(account: str, region: str, name: str) -> list[MadeResource]:
    """Give the resources that a stack has, with every reference in their properties resolved."""
    stack = _stack(account, region, name)
    made = []
    for logical_id, document in stack.resource_map._resource_json_map.items() if stack is not None else ():
        resource = stack.resource_map._parsed_resources.get(logical_id)
        if resource is not None:
            properties = moto.cloudformation.parsing.clean_json(document.get("Properties") or {}, stack.resource_map)
            physical = str(getattr(resource, "physical_resource_id", "") or "")
            made.append(MadeResource(logical_id, document["Type"], physical, properties))
    return made


def stack_failure(account: str, region: str, name: str) -> str | None:
    """Say which resource a stack failed at and why; None for one that is as its template says."""
    stack = _stack(account, region, name)
    if stack is None or ("ROLLBACK" not in stack.status and "FAILED" not in stack.status):
        return None
    for event in reversed(stack.events):
        if event.resource_status.endswith("_FAILED") and event.logical_resource_id != stack.name:
            return f"{event.logical_resource_id}: {event.resource_status_reason}"
    return str(stack.status)


def _stack(account: str, region: str, name: str) -> Any:
    backend = moto.cloudformation.models.cloudformation_backends[account][region]
    found = [stack for id, stack in backend.stacks.items() if name in (id, stack.name)]
    return found[-1] if found else None


def roll_back_stacks() -> None:
    """Let stacks end as AWS's do. Done once per process."""
    parsing, models = moto.cloudformation.parsing, moto.cloudformation.models
    create, update = parsing.parse_and_create_resource, parsing.parse_and_update_resource

    def create_resource(logical_id: str, resource_json: Any, *arguments: Any, **named: Any) -> Any:
        with _naming(logical_id, resource_json):
            return create(logical_id, resource_json, *arguments, **named)

    def update_resource(logical_id: str, resource_json: Any, resources_map: Any, **named: Any) -> Any:
        before = resources_map._parsed_resources.get(logical_id)
        if before is None:
            return create_resource(logical_id, resource_json, resources_map, **named)
        with _naming(logical_id, resource_json):
            # For a type that moto cannot update it gives nothing, and the stack would lose what it has.
            return update(logical_id, resource_json, resources_map, **named) or before

    delete = parsing.ResourceMap._delete_resource

    def delete_resource(self: Any, parsed_resource: Any, resource_json: Any) -> None:
        with _naming(str(getattr(parsed_resource, "logical_resource_id", "?")), resource_json):
            if isinstance(parsed_resource, moto.iam.models.Role):
                # CloudFormation attached the role's managed policies, so it detaches them.
                backend = moto.iam.models.iam_backends[parsed_resource.account_id][parsed_resource.partition]
                for arn in list(parsed_resource.managed_policies):
                    backend.detach_role_policy(arn, parsed_resource.name)
            delete(self, parsed_resource, resource_json)

    parsing.ResourceMap._delete_resource = delete_resource
    parsing.parse_and_create_resource = create_resource
    parsing.parse_and_update_resource = update_resource

    make, change, remove = models.Stack.create_resources, models.Stack.update, models.CloudFormationBackend.delete_stack

    def create_resources(self: Any) -> None:
        try:
            make(self)
        except ResourceFailedError as failure:
            _event(self, failure, "CREATE_FAILED")
            self._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=_following(failure, "create"))
            with contextlib.suppress(Exception):
                self.resource_map.delete()
            # moto makes what is missing whenever somebody looks at a stack.
            self.resource_map._resource_json_map = {}
            self.output_map._output_json_map = {}
            self.status = "ROLLBACK_COMPLETE"
            self._add_stack_event("ROLLBACK_COMPLETE")

    def update_stack(self: Any, template: Any, role_arn: Any = None, parameters: Any = None, tags: Any = None) -> None:
        before = self.template, dict(self.resource_map.input_parameters)
        try:
            change(self, template, role_arn, parameters, tags)
        except ResourceFailedError as failure:
            _event(self, failure, "UPDATE_FAILED")
            self._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=_following(failure, "update"))
            self.template = before[0]
            self._parse_template()
            with contextlib.suppress(Exception):
                self.resource_map.update(self.template_dict, before[1])
            self.output_map = self._create_output_map()
            self.status = "UPDATE_ROLLBACK_COMPLETE"
            self._add_stack_event("UPDATE_ROLLBACK_COMPLETE")

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        if change_set.change_set_type == "CREATE":
            stack.template, stack.parameters = change_set.template, change_set.parameters
            stack._parse_template()
            stack.resource_map = stack._create_resource_map()
            stack.resource_map.cross_stack_resources = self.exports
            stack.output_map = stack._create_output_map()
            stack._add_stack_event("CREATE_IN_PROGRESS", resource_status_reason="User Initiated")
            stack.create_resources()
        else:
            stack.update(change_set.template, change_set.role_arn, change_set.parameters, change_set.tags)
        change_set.execution_status = "EXECUTE_COMPLETE"
        for export in stack.exports:
            self.exports[export.name] = export

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        stack = self.stacks.get(name_or_stack_id)
        try:
            remove(self, name_or_stack_id)
        except Exception as error:
            # Called once more by itself, with the stack's id, for a stack that was named.
            if stack is None:
                return
            self.stacks[stack.stack_id] = stack
            failure = error if isinstance(error, ResourceFailedError) else ResourceFailedError(stack.name, "?", _said(error))
            _event(stack, failure, "DELETE_FAILED")
            stack.status = "DELETE_FAILED"

    responses = moto.cloudformation.responses.CloudFormationResponse
    make_change_set = responses.create_change_set

    def create_change_set(self: Any) -> Any:
        # A change set without changes is made, and says so; only UpdateStack refuses it.
        self._validate_different_update = lambda *arguments: None
        return make_change_set(self)

    def has_parameters(self: Any, other_parameters: Mapping[str, object]) -> bool:
        # moto compares with what was given last time, not with what holds, defaults included.
        known = self.stack_parameters
        return all(str(known.get(name)) == str(value) for name, value in other_parameters.items())

    responses.create_change_set = create_change_set
    models.Stack.has_parameters = has_parameters
    models.Stack.create_resources = create_resources
    models.Stack.update = update_stack
    models.CloudFormationBackend.execute_change_set = execute_change_set
    models.CloudFormationBackend.delete_stack = delete_stack


@contextlib.contextmanager
def _naming(logical_id: str, document: Any) -> Any:
    try:
        yield
    except ResourceFailedError:
        raise
    except Exception as error:
        raise ResourceFailedError(logical_id, str(document.get("Type")), _said(error)) from error


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"Encountered unsupported or missing property {error}"
    said = getattr(error, "message", None) or getattr(error, "description", None) or str(error)
    return str(said) or type(error).__name__


def _following(failure: ResourceFailedError, what: str) -> str:
    return f"The following resource(s) failed to {what}: [{failure.logical_id}]. Rollback requested by user."


def _event(stack: Any, failure: ResourceFailedError, status: str) -> None:
    stack.events.append(
        moto.cloudformation.models.Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=failure.logical_id,
            physical_resource_id="",
            resource_type=failure.type,
            resource_status=status,
            resource_status_reason=failure.reason,
            resource_properties=None,
        )
    )
