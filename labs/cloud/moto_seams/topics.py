"""moto's SNS as a store: what was published is told, what subscriptions ask for is read, and nothing is delivered here."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import moto.sns.models
import moto.sns.responses
from moto.core.responses import ActionResult
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random
from moto.sns.exceptions import InternalError, InvalidParameterValue, SNSException, SNSInvalidParameter

from labs.cloud import filter_policies, limits
from labs.cloud.changes import Change, MessagePublished

_SCOPES = ("MessageAttributes", "MessageBody")


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants which messages of a topic, and how."""

    arn: str
    protocol: str
    endpoint: str
    raw: bool
    filter_policy: Mapping[str, Any] | None
    filter_scope: str
    dead_letter_queue: str | None


class EmptyBatchRequest(SNSException):  # type: ignore[misc]
    """AWS's error for a batch without entries."""

    code = "EmptyBatchRequest"
    message = "The batch request doesn't contain any entries."


class BatchRequestTooLong(SNSException):  # type: ignore[misc]
    """AWS's error for a batch that is too long as a whole."""

    code = "BatchRequestTooLong"
    message = "The length of all the batch messages put together is more than the limit."


def cut_topics(tell: Callable[[Change], None]) -> None:
    """Replace moto's deliveries inside Publish by telling of it, and check what moto lets pass."""

    def publish_and_tell(
        self: "moto.sns.models.Topic",
        message: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        # moto would call every subscriber here, inside Publish, with constants for most of the event's fields.
        fifo = bool(self.fifo_topic)
        deduplication = deduplication_id or (sha256(message.encode()).hexdigest() if fifo else None)
        recent = self.__dict__.setdefault("_recent", {})
        if fifo and (known := _known(recent, deduplication or "")) is not None:
            self._last_sequence = known[2]
            return str(known[1])
        message_id = str(mock_random.uuid4())
        self._last_sequence = None
        if fifo:
            self.__dict__["_sequence"] = self.__dict__.get("_sequence", 10**19) + 1
            self._last_sequence = f"{self._sequence:020d}"
            recent[deduplication] = (unix_time(), message_id, self._last_sequence)
        attributes = {name: (str(one["Type"]), str(one["Value"])) for name, one in (message_attributes or {}).items()}
        tell(
            MessagePublished(
                self.arn,
                message_id,
                message,
                subject or None,
                attributes,
                message_structure == "json",
                group_id,
                deduplication,
                self._last_sequence,
            )
        )
        return message_id

    moto.sns.models.Topic.publish = publish_and_tell

    backend, responses = moto.sns.models.SNSBackend, moto.sns.responses.SNSResponse
    publish, batch, set_attribute, subscribe, answer_publish = (
        backend.publish,
        backend.publish_batch,
        backend.set_subscription_attributes,
        responses.subscribe,
        responses.publish,
    )

    def publish_if_valid(self: object, message: str, *arguments: object, **named: Any) -> str:
        _check_message(message, named)
        return str(publish(self, message, *arguments, **named))

    def batch_if_valid(self: object, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]) -> object:
        if not publish_batch_request_entries:
            raise EmptyBatchRequest
        if sum(_size(entry["Message"], entry.get("MessageAttributes")) for entry in publish_batch_request_entries) > (
            limits.SNS_MESSAGE.value
        ):
            raise BatchRequestTooLong
        return batch(self, topic_arn, publish_batch_request_entries)

    def set_if_valid(self: "moto.sns.models.SNSBackend", arn: str, name: str, value: Any) -> None:
        found = self.subscriptions.get(arn)
        if found is not None:
            _check_attributes({**_filters(found.attributes), name: value}, {name}, "Invalid parameter: ")
            if name == "FilterPolicy":
                # moto checks policies in its own way, which is not AWS's.
                found.attributes[name] = value
                return
        set_attribute(self, arn, name, value)

    def subscribe_if_valid(self: "moto.sns.responses.SNSResponse") -> object:
        asked = self._get_attributes()
        topic, endpoint, protocol = (self._get_param(name) for name in ("TopicArn", "Endpoint", "Protocol"))
        self.backend.get_topic(topic)
        _check_endpoint(str(protocol), str(endpoint), topic)
        _check_attributes(asked, asked.keys(), "Invalid parameter: Attributes Reason: ")
        old = self.backend._find_subscription(topic, endpoint, protocol)
        if old is not None and any(_plain(old.attributes.get(name)) != _plain(value) for name, value in asked.items()):
            raise SNSInvalidParameter(
                "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
            )
        return subscribe(self)

    def publish_with_sequence(self: "moto.sns.responses.SNSResponse") -> object:
        answer = answer_publish(self)
        topic = self.backend.topics.get(self._get_param("TopicArn") or self._get_param("TargetArn"))
        if topic is not None and topic.fifo_topic:
            return ActionResult({**answer.result, "SequenceNumber": topic._last_sequence})
        return answer

    backend.publish = publish_if_valid
    backend.publish_batch = batch_if_valid
    backend.set_subscription_attributes = set_if_valid
    responses.subscribe = subscribe_if_valid
    responses.publish = publish_with_sequence


def subscriptions(topic_arn: str) -> list[Subscription]:
    """List a topic's subscriptions in the order in which they were made."""
    *_, region, account, _ = topic_arn.split(":")
    found = []
    for one in moto.sns.models.sns_backends[account][region].subscriptions.values():
        if one.topic.arn != topic_arn:
            continue
        policy, redrive = one.attributes.get("FilterPolicy"), one.attributes.get("RedrivePolicy")
        found.append(
            Subscription(
                arn=one.arn,
                protocol=one.protocol,
                endpoint=one.endpoint,
                raw=_plain(one.attributes.get("RawMessageDelivery")) == "true",
                filter_policy=json.loads(policy) if policy and policy != "{}" else None,
                filter_scope=one.attributes.get("FilterPolicyScope") or _SCOPES[0],
                dead_letter_queue=json.loads(redrive).get("deadLetterTargetArn") if redrive else None,
            )
        )
    return found


def _known(recent: dict[str, tuple[float, str, str]], deduplication: str) -> tuple[float, str, str] | None:
    horizon = unix_time() - limits.SNS_DEDUPLICATION.value
    for name in [name for name, (when, _, _) in recent.items() if when <= horizon]:
        del recent[name]
    return recent.get(deduplication)


def _check_message(message: str | None, named: Mapping[str, Any]) -> None:
    if not message:
        raise InvalidParameterValue("Invalid parameter: Empty message")
    subject = named.get("subject")
    if subject is not None and not 0 < len(subject) <= limits.SNS_SUBJECT.value:
        raise InvalidParameterValue("Invalid parameter: Subject")
    if _size(message, named.get("message_attributes")) > limits.SNS_MESSAGE.value:
        raise InvalidParameterValue("Invalid parameter: Message too long")
    if named.get("message_structure") == "json":
        try:
            texts = json.loads(message)
        except ValueError as error:
            problem = "Invalid parameter: Message Structure - JSON message body failed to parse"
            raise InvalidParameterValue(problem) from error
        if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
            raise InvalidParameterValue("Invalid parameter: Message Structure - No default entry in JSON message body")


def _size(message: str, attributes: Mapping[str, Mapping[str, object]] | None) -> int:
    described = (f"{name}{one.get('Type')}{one.get('Value')}" for name, one in (attributes or {}).items())
    return len(message.encode()) + sum(len(one.encode()) for one in described)


def _check_endpoint(protocol: str, endpoint: str, topic_arn: str) -> None:
    services = {"lambda": ("lambda", "Lambda"), "sqs": ("sqs", "SQS")}
    if protocol not in services:
        return
    service, word = services[protocol]
    if endpoint.split(":")[:1] != ["arn"] or endpoint.split(":")[2:3] != [service] or len(endpoint.split(":")) < 6:
        raise SNSInvalidParameter(f"Invalid parameter: {word} endpoint ARN")
    if topic_arn.endswith(".fifo") and protocol == "lambda":
        raise SNSInvalidParameter("Invalid parameter: Invalid parameter: Endpoint Reason: Please use FIFO SQS queue")


def _check_attributes(values: Mapping[str, Any], changed: Any, prefix: str) -> None:
    scope = values.get("FilterPolicyScope") or _SCOPES[0]
    if scope not in _SCOPES:
        problem = f"{prefix}FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes"
        raise SNSInvalidParameter(problem)
    if "RawMessageDelivery" in changed and _plain(values["RawMessageDelivery"]) not in ("true", "false"):
        problem = f"{prefix}RawMessageDelivery: Invalid value [{values['RawMessageDelivery']}]. Must be true or false."
        raise SNSInvalidParameter(problem)
    if values.get("RedrivePolicy") and "RedrivePolicy" in changed:
        _check_redrive(str(values["RedrivePolicy"]), prefix)
    if values.get("FilterPolicy") and {"FilterPolicy", "FilterPolicyScope"} & set(changed):
        try:
            filter_policies.check(str(values["FilterPolicy"]), scope)
        except filter_policies.NumberOutOfRangeError as error:
            raise InternalError("Unknown") from error
        except filter_policies.FilterPolicyError as error:
            raise SNSInvalidParameter(f"{prefix}{error}") from error


def _check_redrive(policy: str, prefix: str) -> None:
    try:
        document = json.loads(policy)
    except ValueError as error:
        raise SNSInvalidParameter(f"{prefix}RedrivePolicy: failed to parse JSON.") from error
    arn = document.get("deadLetterTargetArn") if isinstance(document, dict) else None
    if not isinstance(arn, str):
        raise SNSInvalidParameter(f"{prefix}RedrivePolicy: deadLetterTargetArn is required")
    if arn.split(":")[2:3] != ["sqs"] or len(arn.split(":")) != 6:
        raise SNSInvalidParameter(f"{prefix}RedrivePolicy: deadLetterTargetArn is an invalid arn")


def _filters(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in ("FilterPolicy", "FilterPolicyScope") if attributes.get(name)}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
