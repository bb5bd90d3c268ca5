"""What moto's EventBridge and Scheduler store of schedules. moto keeps any expression and fires none."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import moto.events.models
import moto.scheduler.models
from moto.events.exceptions import ValidationException as EventsValidationException
from moto.scheduler.exceptions import ValidationException as SchedulerValidationException

from labs.cloud.changes import Change, SchedulesChanged
from labs.cloud.expressions import At, InvalidExpressionError, parse
from labs.cloud.moto_seams.engine import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule with a schedule expression, or a schedule of EventBridge Scheduler. Instants in seconds since 1970."""

    arn: str
    name: str
    group: str | None  # None for a rule
    expression: str
    timezone: str
    enabled: bool
    window_minutes: int
    start: float | None
    end: float | None
    delete_afterwards: bool
    targets: tuple[Mapping[str, Any], ...]


def schedules() -> list[Schedule]:
    """List everything that fires by the clock."""
    bus = moto.events.models.events_backends[ACCOUNT][REGION].event_buses["default"]
    found = [
        Schedule(
            arn=rule.arn,
            name=rule.name,
            group=None,
            expression=rule.scheduled_expression,
            timezone="UTC",
            enabled=rule.state != "DISABLED",
            window_minutes=0,
            start=None,
            end=None,
            delete_afterwards=False,
            targets=tuple(rule.targets),
        )
        for rule in bus.rules.values()
        if rule.scheduled_expression
    ]
    for group in moto.scheduler.models.scheduler_backends[ACCOUNT][REGION].schedule_groups.values():
        for one in group.schedules.values():
            window = one.flexible_time_window or {}
            found.append(
                Schedule(
                    arn=one.arn,
                    name=one.name,
                    group=group.name,
                    expression=one.schedule_expression,
                    timezone=one.schedule_expression_timezone,
                    enabled=one.state != "DISABLED",
                    window_minutes=int(window.get("MaximumWindowInMinutes") or 0) if window.get("Mode") == "FLEXIBLE" else 0,
                    start=None if one.start_date is None else float(one.start_date),
                    end=None if one.end_date is None else float(one.end_date),
                    delete_afterwards=one.action_after_completion == "DELETE",
                    targets=(one.target,),
                )
            )
    return found


def delete_schedule(group: str, name: str) -> None:
    """Delete a schedule that has completed; one that is gone already is no error."""
    found = moto.scheduler.models.scheduler_backends[ACCOUNT][REGION].schedule_groups.get(group)
    if found is not None:
        found.schedules.pop(name, None)


def cut_schedules(tell: Callable[[Change], None]) -> None:
    """Let the stores refuse what AWS refuses, and tell of every change."""
    events, scheduler = moto.events.models.EventsBackend, moto.scheduler.models.EventBridgeSchedulerBackend
    put_rule = events.put_rule

    @functools.wraps(put_rule)
    def checked_put_rule(self: object, *args: Any, **named: Any) -> Any:
        expression = named.get("scheduled_expression") or (args[5] if len(args) > 5 else None)
        if expression:
            try:
                valid = not isinstance(parse(expression), At)
            except InvalidExpressionError:
                valid = False
            if not valid:
                raise EventsValidationException("Parameter ScheduleExpression is not valid.")
        return put_rule(self, *args, **named)

    events.put_rule = checked_put_rule
    create, update = scheduler.create_schedule, scheduler.update_schedule

    def checked_create(self: Any, **named: Any) -> Any:
        _check(named)
        self.get_schedule_group(named.get("group_name"))  # moto fails on a group that is not there
        return create(self, **named)

    def checked_update(self: Any, **named: Any) -> Any:
        _check(named)
        found = update(self, **named)
        # An update replaces the whole schedule; what it does not say takes its default.
        found.action_after_completion, found.state = None, named.get("state") or "ENABLED"
        return found

    scheduler.create_schedule, scheduler.update_schedule = checked_create, checked_update
    for backend, names in (
        (events, ("put_rule", "delete_rule", "enable_rule", "disable_rule", "put_targets", "remove_targets")),
        (scheduler, ("create_schedule", "update_schedule", "delete_schedule", "delete_schedule_group")),
    ):
        for name in names:
            setattr(backend, name, _telling(getattr(backend, name), tell))


def _telling(method: Callable[..., Any], tell: Callable[[Change], None]) -> Callable[..., Any]:
    @functools.wraps(method)
    def told(self: object, *args: Any, **named: Any) -> Any:
        result = method(self, *args, **named)
        tell(SchedulesChanged())
        return result

    return told


def _check(named: Mapping[str, Any]) -> None:
    expression, zone = str(named.get("schedule_expression")), named.get("schedule_expression_timezone")
    try:
        parse(expression)
    except InvalidExpressionError as error:
        raise SchedulerValidationException(f"Invalid Schedule Expression {expression}.") from error
    try:
        ZoneInfo(zone or "UTC")
    except (OSError, ValueError, KeyError) as error:
        raise SchedulerValidationException(f"Invalid Schedule Expression Timezone {zone}.") from error
    window = named.get("flexible_time_window") or {}
    minutes = window.get("MaximumWindowInMinutes")
    if window.get("Mode") == "OFF" and minutes is not None:
        raise SchedulerValidationException("Maximum Flexible Time Window must not be provided when Mode is OFF.")
    if window.get("Mode") == "FLEXIBLE" and minutes is None:
        raise SchedulerValidationException("Maximum Flexible Time Window must be provided when Mode is FLEXIBLE.")
