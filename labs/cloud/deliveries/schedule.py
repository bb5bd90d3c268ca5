"""Schedules fire on the virtual clock: EventBridge rules with rate() and cron(), and EventBridge Scheduler.

Sources: Amazon EventBridge user guide, "Creating a rule that runs on a schedule" and "Retrying event delivery"; EventBridge
Scheduler user guide, "Schedule types", "Flexible time windows", "Deleting a schedule" and "Configuring a dead-letter queue"
(2026-11-20).
"""

import datetime
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from labs.cloud import limits, moto_seams
from labs.cloud.changes import SchedulesChanged
from labs.cloud.deliveries.schedule_input import event, payload
from labs.cloud.deliveries.schedule_target import Failed, deliver, send_dead_letter
from labs.cloud.expressions import At, Rate, parse
from labs.cloud.kernel import SECOND, Entry
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import Schedule
from labs.cloud.trace import JSON

if TYPE_CHECKING:
    from labs.cloud.account import Account


def attach(account: "Account") -> None:
    """Let this account's schedules fire."""
    account.on(SchedulesChanged, Schedules(account).changed)


@dataclass(slots=True)
class _Plan:
    """A schedule and the times at which it fires, seconds since 1970."""

    schedule: Schedule
    times: Iterator[float]
    entry: Entry | None = None


class Schedules:
    """Everything that fires by the clock. Firings are background entries: they do not keep a run going."""

    def __init__(self, account: "Account") -> None:
        self._account, self._kernel = account, account.kernel
        self._plans: dict[str, _Plan] = {}

    def changed(self, change: SchedulesChanged, cause: int | None) -> None:
        """Plan what is new or different, forget what is gone; a change of targets alone moves no firing."""
        found = {schedule.arn: schedule for schedule in moto_seams.schedules()}
        for arn in self._plans.keys() - found.keys():
            self._cancel(self._plans.pop(arn))
        for arn, schedule in found.items():
            plan = self._plans.get(arn)
            if plan is not None and _timing(plan.schedule) == _timing(schedule):
                plan.schedule = schedule
                continue
            if plan is not None:
                self._cancel(plan)
            self._plans[arn] = plan = _Plan(schedule, _times(schedule, self._kernel.wall_ns / SECOND))
            if schedule.enabled:
                self._plan_next(plan)

    def _cancel(self, plan: _Plan) -> None:
        if plan.entry is not None:
            self._kernel.cancel(plan.entry)

    def _plan_next(self, plan: _Plan) -> None:
        due = next(plan.times, None)
        if due is None:
            plan.entry = None
            return
        schedule = plan.schedule
        when = round(due * SECOND) - self._kernel.epoch_ns
        if schedule.window_minutes:
            when += self._kernel.chance(f"flexible-window/{schedule.arn}").randrange(schedule.window_minutes * 60 * SECOND)
        plan.entry = self._kernel.at(when, lambda: self._fire(plan, due), background=True)

    def _fire(self, plan: _Plan, due: float) -> None:
        schedule = plan.schedule
        self._plan_next(plan)
        time = datetime.datetime.fromtimestamp(due, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        detail: dict[str, JSON] = {"schedule": schedule.name, "expression": schedule.expression, "scheduled_time": time}
        record = self._account.recorder.add(Kind.SCHEDULE_FIRED, f"schedule:{schedule.name}", detail, cause=None).id
        for target in schedule.targets:
            _Delivery(self._account, schedule, target, time, record).attempt()
        if plan.entry is None and schedule.delete_afterwards and schedule.group is not None:
            # Nothing is left to come: the schedule deletes itself.
            moto_seams.delete_schedule(schedule.group, schedule.name)
            self._plans.pop(schedule.arn, None)


class _Delivery:
    """One firing on its way to one target."""

    def __init__(self, account: "Account", schedule: Schedule, target: Mapping[str, Any], time: str, cause: int) -> None:
        self._account, self._schedule, self._target, self._cause = account, schedule, target, cause
        chance = account.kernel.chance("schedule-event")
        self._execution = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        self._event = event(schedule, self._execution, time)
        self._began = account.kernel.now
        self._retries = 0

    def attempt(self) -> None:
        """Hand the input to the target; what fails is tried again, and then goes to the dead-letter queue."""
        body = payload(self._schedule, self._target, self._event, self._execution, self._retries + 1)
        deliver(self._account, self._schedule, self._target, body, self._cause, lambda failed: self._failed(body, failed))

    def _failed(self, body: str, failed: Failed) -> None:
        policy = self._target.get("RetryPolicy") or {}
        retries, age = policy.get("MaximumRetryAttempts"), policy.get("MaximumEventAgeInSeconds")
        most = limits.SCHEDULE_RETRIES.value if retries is None else int(retries)
        longest = limits.SCHEDULE_EVENT_AGE.value if age is None else int(age)
        kernel = self._account.kernel
        wait = min(limits.SCHEDULE_RETRY_FIRST.value * 2 ** min(self._retries, 20), limits.SCHEDULE_RETRY_LAST.value)
        too_old = kernel.now - self._began + wait * SECOND > longest * SECOND
        if failed.final or too_old or self._retries >= most:
            detail: dict[str, JSON] = {"schedule": self._schedule.name, "reason": failed.code, "retries": self._retries}
            resource = f"schedule:{self._schedule.name}"
            self._cause = self._account.recorder.add(Kind.SCHEDULE_FAILED, resource, detail, cause=self._cause).id
            exhausted = "MaximumEventAgeInSeconds" if too_old else "MaximumRetryAttempts"
            attributes = {"RETRY_ATTEMPTS": str(self._retries)}
            if not failed.final:
                attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
            if self._schedule.group is not None:
                attributes["EXECUTION_ID"] = self._execution
            send_dead_letter(self._account, self._schedule, self._target, body, failed, attributes, self._cause)
            return
        self._retries += 1
        kernel.after(wait * SECOND, self.attempt)


def _timing(schedule: Schedule) -> tuple[object, ...]:
    return (
        schedule.expression,
        schedule.timezone,
        schedule.enabled,
        schedule.window_minutes,
        schedule.start,
        schedule.end,
    )


def _times(schedule: Schedule, now: float) -> Iterator[float]:
    """Give the instants at which a schedule that is planned now fires."""
    for due in _unbounded(schedule, now):
        if schedule.end is not None and due > schedule.end:
            return
        if schedule.start is None or due >= schedule.start:
            yield due


def _unbounded(schedule: Schedule, now: float) -> Iterator[float]:
    expression = parse(schedule.expression)
    zone = ZoneInfo(schedule.timezone)
    if isinstance(expression, Rate):
        # A rule's rate begins to count now; Scheduler's fires at its start, or at once.
        due = now + expression.seconds if schedule.group is None else now if schedule.start is None else schedule.start
        while due < now:
            due += expression.seconds
        while True:
            yield due
            due += expression.seconds
    if isinstance(expression, At):
        due = expression.when.replace(tzinfo=zone).timestamp()
        if due >= now:
            yield due
        return
    local = datetime.datetime.fromtimestamp(now, zone).replace(tzinfo=None, fold=0)
    for found in expression.after(local - datetime.timedelta(days=1)):
        due = found.replace(tzinfo=zone).timestamp()
        # A local time that a change to summer time skips does not fire; one that comes twice fires once.
        if datetime.datetime.fromtimestamp(due, zone).replace(tzinfo=None) == found and due > now:
            yield due
