"""Event source mappings: what Lambda refuses, and the states that they pass through; moto checks little and knows no states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import moto.awslambda.models
import moto.sqs.models
from moto.awslambda.exceptions import GenericResourcNotFound, InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.awslambda.responses import LambdaResponse

from labs.cloud import limits
from labs.cloud.changes import Change, MappingsChanged
from labs.cloud.kernel import SECOND
from labs.cloud.moto_seams.engine import ACCOUNT, REGION, now_ns
from labs.cloud.moto_seams.messages import queue_at
from labs.cloud.patterns import Pattern, PatternError, compile_pattern


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """One event source mapping of a queue. Window in seconds; it takes messages from `settled` on (ns since 1970)."""

    uuid: str
    arn: str
    queue_arn: str
    function_arn: str
    enabled: bool
    settled: int
    batch_size: int
    window: int
    partial_responses: bool
    maximum_concurrency: int | None
    patterns: tuple[Pattern, ...]


class _Conflict(LambdaClientError):  # type: ignore[misc]
    code = 409


def queue_mappings() -> list[QueueMapping]:
    """List the event source mappings whose source is a queue."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    return [_of_queue(one) for one in backend._event_source_mappings.values() if ":sqs:" in one.event_source_arn]


def _of_queue(mapping: EventSourceMapping) -> QueueMapping:
    maximum = (mapping.scaling_config or {}).get("MaximumConcurrency")
    return QueueMapping(
        uuid=mapping.uuid,
        arn=mapping.arn,
        queue_arn=mapping.event_source_arn,
        function_arn=mapping.function_arn,
        enabled=mapping.enabled,
        settled=mapping.settled,
        batch_size=int(mapping.batch_size),
        window=int(mapping.max_batch_window or 0),
        partial_responses="ReportBatchItemFailures" in (mapping.function_response_types or ()),
        maximum_concurrency=None if maximum is None else int(maximum),
        patterns=_patterns(mapping.filter_criteria),
    )


def _patterns(criteria: Mapping[str, Any] | None) -> tuple[Pattern, ...]:
    """Read filters. Raises AWS's refusal of one that is none."""
    try:
        return tuple(compile_pattern(one["Pattern"]) for one in (criteria or {}).get("Filters", ()))
    except (PatternError, KeyError, TypeError) as error:
        raise InvalidParameterValueException("Invalid filter pattern definition.") from error


def replace_mappings(tell: Callable[[Change], None]) -> None:
    """Let mappings be checked, pass through states and tell of their changes. Done once per process."""
    create, update = LambdaBackend.create_event_source_mapping, LambdaBackend.update_event_source_mapping
    delete, get, list_all = (
        LambdaBackend.delete_event_source_mapping,
        LambdaBackend.get_event_source_mapping,
        LambdaBackend.list_event_source_mappings,
    )
    configuration = EventSourceMapping.get_configuration
    deploy = EventSourceMapping.create_from_cloudformation_json.__func__
    # Deleted mappings are shown for a while, and do nothing.
    leaving: dict[str, EventSourceMapping] = {}

    def create_mapping(self: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
        _check_new(self, spec)
        mapping = create(self, spec)
        # moto's queues call the functions of their mappings inside SendMessage; an empty table keeps them from it.
        for queue in moto.sqs.models.sqs_backends[mapping.account_id][mapping.region].queues.values():
            queue.lambda_event_source_mappings.clear()
        mapping.enabled = _truth(mapping.enabled)
        if qualifier := _qualifier(spec["FunctionName"]):
            mapping.function_arn = f"{_unqualified(mapping.function_arn)}:{qualifier}"
        _settle(mapping, "Creating", tell)
        return mapping

    def update_mapping(self: LambdaBackend, uuid: str, spec: dict[str, Any]) -> EventSourceMapping:
        mapping = get(self, uuid)
        if mapping is None:
            raise GenericResourcNotFound()
        _check(self, mapping.event_source_arn, {**_settings(mapping), **spec})
        was = mapping.enabled
        update(self, uuid, spec)
        mapping.enabled = _truth(mapping.enabled)
        _settle(mapping, "Updating" if was == mapping.enabled else "Enabling" if mapping.enabled else "Disabling", tell)
        return mapping

    def delete_mapping(self: LambdaBackend, uuid: str) -> EventSourceMapping:
        mapping = delete(self, uuid)
        if mapping is None:
            if uuid in leaving:
                raise _Conflict("ResourceInUseException", "Cannot delete the event source mapping because it is in use.")
            raise GenericResourcNotFound()
        leaving[uuid] = mapping
        _settle(mapping, "Deleting", tell)
        return mapping

    def gone() -> list[EventSourceMapping]:
        for uuid in [uuid for uuid, mapping in leaving.items() if mapping.settled <= now_ns()]:
            del leaving[uuid]
        return list(leaving.values())

    def get_mapping(self: LambdaBackend, uuid: str) -> EventSourceMapping | None:
        return get(self, uuid) or next((one for one in gone() if one.uuid == uuid), None)

    def list_mappings(self: LambdaBackend, event_source_arn: str, function_name: str) -> list[EventSourceMapping]:
        found = [
            one
            for one in gone()
            if event_source_arn in (None, one.event_source_arn)
            and (function_name is None or _unqualified(one.function_arn).endswith(function_name))
        ]
        return [*list_all(self, event_source_arn, function_name), *found]

    def configuration_with_state(self: EventSourceMapping) -> dict[str, Any]:
        at_rest = "Enabled" if self.enabled else "Disabled"
        state = at_rest if getattr(self, "settled", 0) <= now_ns() else self.passing
        return {**configuration(self), "State": state, "StateTransitionReason": "USER_INITIATED"}

    def deploy_mapping(cls: type, *arguments: Any, **named: Any) -> EventSourceMapping:
        # CloudFormation waits until the mapping is as it should be.
        mapping = deploy(cls, *arguments, **named)
        mapping.settled = now_ns()
        return mapping

    answer = LambdaResponse.create_event_source_mapping

    def answer_accepted(self: LambdaResponse) -> tuple[int, dict[str, int], str]:
        return 202, {"status": 202}, answer(self)[2]

    LambdaBackend.create_event_source_mapping = create_mapping
    LambdaBackend.update_event_source_mapping = update_mapping
    LambdaBackend.delete_event_source_mapping = delete_mapping
    LambdaBackend.get_event_source_mapping = get_mapping
    LambdaBackend.list_event_source_mappings = list_mappings
    EventSourceMapping.get_configuration = configuration_with_state
    EventSourceMapping.create_from_cloudformation_json = classmethod(deploy_mapping)
    LambdaResponse.create_event_source_mapping = answer_accepted


def _settle(mapping: EventSourceMapping, passing: str, tell: Callable[[Change], None]) -> None:
    mapping.passing, mapping.settled = passing, now_ns() + limits.MAPPING_SETTLES.value * SECOND
    tell(MappingsChanged())


def _truth(value: object) -> bool:
    return str(value).lower() != "false"  # CloudFormation hands truth over as text


# what Lambda refuses
def _check_new(backend: LambdaBackend, spec: Mapping[str, Any]) -> None:
    source, name = str(spec.get("EventSourceArn") or ""), str(spec.get("FunctionName") or "")
    if not source:
        raise InvalidParameterValueException("Unrecognized event source.")
    _check(backend, source, spec)
    wanted = _unqualified(backend.get_function(name).function_arn), _qualifier(name)
    for one in backend._event_source_mappings.values():
        known = _unqualified(one.function_arn), _qualifier(one.function_arn)
        if one.event_source_arn == source and known == wanted:
            raise _Conflict(
                "ResourceConflictException",
                f'The event source arn (" {source} ") and function (" {wanted[0].rpartition(":")[2]} ") provided mapping '
                f"already exists. Please update or delete the existing mapping with UUID {one.uuid}",
            )


def _check(backend: LambdaBackend, source: str, spec: Mapping[str, Any]) -> None:
    try:
        function = backend.get_function(str(spec["FunctionName"]))
    except moto.awslambda.models.UnknownFunctionException as error:
        raise InvalidParameterValueException("Function does not exist") from error
    _patterns(spec.get("FilterCriteria"))
    if ":sqs:" in source:
        _check_queue(source, spec, int(function.timeout))


def _check_queue(source: str, spec: Mapping[str, Any], timeout: int) -> None:
    queue = queue_at(source)
    if queue is None:
        raise InvalidParameterValueException(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    window, size = int(spec.get("MaximumBatchingWindowInSeconds") or 0), int(spec.get("BatchSize") or 10)
    if queue.fifo_queue and window:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues")
    if queue.fifo_queue and size > limits.SQS_BATCH.value:
        raise InvalidParameterValueException(f"BatchSize {size} exceeds the max of {limits.SQS_BATCH.value}")
    if size > limits.SQS_UNWINDOWED.value and not window:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
            f"{limits.SQS_UNWINDOWED.value}"
        )
    hidden = int(queue.visibility_timeout)
    if hidden < timeout:
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
        )


def _settings(mapping: EventSourceMapping) -> dict[str, Any]:
    return {
        "FunctionName": mapping.function_arn,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.max_batch_window,
        "FilterCriteria": mapping.filter_criteria,
    }


def _qualifier(name_or_arn: str) -> str:
    name = name_or_arn.rpartition("function:")[2]
    qualifier = name.partition(":")[2]
    return "" if qualifier == "$LATEST" else qualifier


def _unqualified(arn: str) -> str:
    prefix, marker, name = arn.rpartition("function:")
    return f"{prefix}{marker}{name.partition(':')[0]}"
