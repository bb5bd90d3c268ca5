"""What a schedule hands to its target: the documented event, or what the target's input settings make of it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from labs.cloud.moto_seams import ACCOUNT, REGION, Schedule
from labs.cloud.trace import JSON

_PLACE = re.compile(r"<([\w.\-]+)>")


def payload(schedule: Schedule, target: Mapping[str, Any], event: Mapping[str, JSON], execution: str, attempt: int) -> str:
    """Give the text that the target receives."""
    if (said := target.get("Input")) is not None:
        return _with_context(str(said), schedule, event, execution, attempt) if schedule.group is not None else str(said)
    if (path := target.get("InputPath")) is not None:
        return json.dumps(_at(event, str(path)))
    if (transformer := target.get("InputTransformer")) is not None:
        paths: Mapping[str, str] = transformer.get("InputPathsMap") or {}
        values = {name: _at(event, path) for name, path in paths.items()}
        values |= {
            "aws.events.rule-arn": schedule.arn,
            "aws.events.rule-name": schedule.name,
            "aws.events.event.ingestion-time": event["time"],
            "aws.events.event": event,
            "aws.events.event.json": event,
        }
        return _filled(str(transformer["InputTemplate"]), values)
    return json.dumps(event)


def event(schedule: Schedule, identity: str, time: str) -> dict[str, JSON]:
    """Give the event of one firing."""
    return {
        "version": "0",
        "id": identity,
        "detail-type": "Scheduled Event",
        "source": "aws.events" if schedule.group is None else "aws.scheduler",
        "account": ACCOUNT,
        "time": time,
        "region": REGION,
        "resources": [schedule.arn],
        # Scheduler's default event carries a string here.
        "detail": {} if schedule.group is None else "{}",
    }


def _with_context(text: str, schedule: Schedule, event: Mapping[str, JSON], execution: str, attempt: int) -> str:
    known = {
        "aws.scheduler.schedule-arn": schedule.arn,
        "aws.scheduler.scheduled-time": str(event["time"]),
        "aws.scheduler.execution-id": execution,
        "aws.scheduler.attempt-number": str(attempt),
    }
    return _PLACE.sub(lambda match: known.get(match[1], match[0]), text)


def _at(event: object, path: str) -> Any:
    for name in path.removeprefix("$").split("."):
        if name:
            event = event.get(name) if isinstance(event, Mapping) else None
    return event


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template: inside quotes a value's text, outside of them its JSON."""
    found, quoted, place = [], False, 0
    for match in _PLACE.finditer(template):
        before = template[place : match.start()]
        found.append(before)
        quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        value = values.get(match[1])
        text = json.dumps(value)
        found.append((text[1:-1] if isinstance(value, str) else text.replace('"', '\\"')) if quoted else text)
        place = match.end()
    return "".join([*found, template[place:]])
