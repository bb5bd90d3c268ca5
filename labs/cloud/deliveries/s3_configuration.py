"""A bucket's notification configuration, checked as S3 checks it before it is stored.

Source: Amazon S3 API reference, PutBucketNotificationConfiguration; user guide, "Configuring event notifications using object
key name filtering" and "Granting permissions to publish event notification messages to a destination" (2026-11-20).
"""

import itertools
import re
from dataclasses import dataclass, replace
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from labs.cloud import moto_seams
from labs.cloud.api_call import ApiCall
from labs.cloud.deliveries import handover
from labs.cloud.front import Response

_KINDS = {"TopicConfiguration": "Topic", "QueueConfiguration": "Queue", "CloudFunctionConfiguration": "CloudFunction"}
_SERVICES = {"Topic": "sns", "Queue": "sqs", "CloudFunction": "lambda"}
_RULE_NAME = re.compile(rb"(<(?:\w+:)?Name>)\s*(prefix|suffix)\s*(</(?:\w+:)?Name>)", re.IGNORECASE)


class _RefusedError(Exception):
    """The configuration is not one that S3 takes."""

    def __init__(self, message: str, argument: str, value: str) -> None:
        super().__init__(message)
        self.argument, self.value = argument, value


@dataclass(frozen=True, slots=True)
class _Rule:
    arn: str
    service: str
    events: tuple[str, ...]
    prefix: str | None
    suffix: str | None


def put(call: ApiCall) -> None:
    """Carry out PutBucketNotificationConfiguration."""
    bucket = call.operation.resource.removeprefix("s3:")
    skip = call.request.headers.get("x-amz-skip-destination-validation", "").lower() == "true"
    try:
        if moto_seams.bucket_exists(bucket):
            _check(call.request.body, f"arn:aws:s3:::{bucket}", skip)
    except _RefusedError as error:
        call.finish(_refused("InvalidArgument", str(error), error.argument, error.value))
    except ElementTree.ParseError:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        call.finish(_refused("MalformedXML", message))
    else:
        # The store takes the names of filter rules in lower case only.
        body = _RULE_NAME.sub(lambda found: found[1] + found[2].lower() + found[3], call.request.body)
        headers = {**call.request.headers, "content-length": str(len(body))}
        call.request = replace(call.request, body=body, headers=headers)
        call.finish(call.ask_store())


def _check(body: bytes, bucket_arn: str, skip_destinations: bool) -> None:
    rules = [_rule(node, _KINDS[_local(node)]) for node in ElementTree.fromstring(body) if _local(node) in _KINDS]
    for one, other in itertools.combinations(rules, 2):
        _check_overlap(one, other)
    if skip_destinations:
        return
    why = {rule.arn: handover.refusal(rule.arn, "s3.amazonaws.com", bucket_arn) for rule in rules}
    why |= {rule.arn: "FIFO SQS queues are not supported" for rule in rules if rule.arn.endswith(".fifo")}
    bad = {arn: reason for arn, reason in why.items() if reason is not None}
    if bad:
        message = "Unable to validate the following destination configurations"
        raise _RefusedError(message, ", ".join(bad), ", ".join(bad.values()))


def _rule(node: ElementTree.Element, kind: str) -> _Rule:
    arn, events, names = "", [], {}
    for child in node:
        if _local(child) == kind:
            arn = (child.text or "").strip()
        elif _local(child) == "Event":
            events.append((child.text or "").strip())
        elif _local(child) == "Filter":
            for rule in (inner for inner in child.iter() if _local(inner) == "FilterRule"):
                fields = {_local(field): field.text or "" for field in rule}
                name = fields.get("Name", "").strip().lower()
                if name not in ("prefix", "suffix"):
                    raise _RefusedError(
                        "filter rule name must be either prefix or suffix", "FilterRule.Name", fields.get("Name", "")
                    )
                if name in names:
                    message = f"Cannot specify more than one {name} rule in a filter."
                    raise _RefusedError(message, "FilterRule.Name", name)
                names[name] = fields.get("Value", "")
    if arn.split(":")[2:3] != [_SERVICES[kind]]:
        raise _RefusedError("The ARN could not be parsed", kind, arn)
    for event in events:
        if not moto_seams.is_s3_event(event):
            raise _RefusedError("The event is not supported for notifications", "Event", event)
    return _Rule(arn, _SERVICES[kind], tuple(events), names.get("prefix"), names.get("suffix"))


def _check_overlap(one: _Rule, other: _Rule) -> None:
    """Refuse two rules that one event could match."""
    shared = [(a, b) for a in one.events for b in other.events if _covers(a, b) or _covers(b, a)]
    if not shared:
        return
    if {one.prefix, one.suffix, other.prefix, other.suffix} == {None}:
        message = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
        raise _RefusedError(message, "Event", ", ".join(shared[0]))
    prefixes, suffixes = (one.prefix or "", other.prefix or ""), (one.suffix or "", other.suffix or "")
    starts = prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0])
    ends = suffixes[0].endswith(suffixes[1]) or suffixes[1].endswith(suffixes[0])
    if starts and ends:
        message = (
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules "
            "if the prefixes are overlapping for the same event type."
        )
        raise _RefusedError(message, "Event", ", ".join(shared[0]))


def _covers(pattern: str, event: str) -> bool:
    return pattern == event or (pattern.endswith(":*") and event.startswith(pattern[:-1]))


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _refused(code: str, message: str, argument: str = "", value: str = "") -> Response:
    described = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if argument:
        described += f"<ArgumentName>{escape(argument)}</ArgumentName><ArgumentValue>{escape(value)}</ArgumentValue>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{described}</Error>'
    return Response(400, (("Content-Type", "application/xml"),), body.encode())
