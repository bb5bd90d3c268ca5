"""CloudFormation's type of EventBridge Scheduler."""

from collections.abc import Mapping
from typing import Any

from labs.cloud.resource_types import Call, Made, Properties, ResourceType, given


def _settings(properties: Properties) -> dict[str, Any]:
    window = dict(properties.get("FlexibleTimeWindow") or {"Mode": "OFF"})
    if "MaximumWindowInMinutes" in window:
        window["MaximumWindowInMinutes"] = int(window["MaximumWindowInMinutes"])
    return {**properties, "FlexibleTimeWindow": window}


def _create(call: Call, name: str, properties: Properties) -> Made:
    name = str(properties.get("Name", name))[:64]
    arn = call("scheduler", "CreateSchedule", **{**_settings(properties), "Name": name})["ScheduleArn"]
    return Made(name, {"Arn": arn})


def _update(call: Call, made: Made, properties: Properties) -> Made:
    call("scheduler", "UpdateSchedule", **{**_settings(properties), "Name": made.physical_id})
    return made


def _delete(call: Call, made: Made, properties: Properties) -> None:
    call("scheduler", "DeleteSchedule", Name=made.physical_id, **given(properties, "GroupName"))


TYPES: Mapping[str, ResourceType] = {"AWS::Scheduler::Schedule": ResourceType(_create, _delete, _update, ("Arn",))}
