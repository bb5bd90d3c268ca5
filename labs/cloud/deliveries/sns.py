"""Topics call functions and queues: fan-out, filter policies, retries, and dead-letter queues of subscriptions.

Sources: AWS Lambda developer guide, "Invoking Lambda functions with Amazon SNS notifications" (the event); Amazon SNS developer
guide, "Message delivery retries", "Amazon SNS dead-letter queues", "Raw message delivery", "FIFO topics" (2026-11-20).
"""

import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labs.cloud import filter_policies, limits, moto_seams
from labs.cloud.changes import MessagePublished
from labs.cloud.deliveries import handover, sns_message
from labs.cloud.kernel import SECOND
from labs.cloud.kinds import Kind
from labs.cloud.latency import SNS_DELIVERY
from labs.cloud.moto_seams import Subscription
from labs.cloud.trace import JSON

if TYPE_CHECKING:
    from labs.cloud.account import Account

_SERVICE = "sns.amazonaws.com"


def attach(account: "Account") -> None:
    """Let this account's topics deliver what is published to them."""
    account.on(MessagePublished, Topics(account).message_published)


@dataclass(slots=True)
class _Delivery:
    """One message on its way to one subscriber."""

    subscription: Subscription
    message: MessagePublished
    body: str  # the wrapped notification for a queue, the event for a function, or the bare message
    cause: int | None
    over: Callable[[], None]  # called once, when it has arrived or never will
    failures: int = 0


class Topics:
    """Fan out what topics accept."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._kernel, self._recorder = account.kernel, account.recorder
        # Deliveries of FIFO topics wait for the one before them, by subscription and message group.
        self._lines: dict[tuple[str, str], deque[_Delivery]] = {}

    def message_published(self, change: MessagePublished, cause: int | None) -> None:
        """Send a copy to every subscriber whose filter policy lets it pass."""
        signature = base64.b64encode(self._kernel.chance("sns-signature").randbytes(256)).decode()
        for subscription in moto_seams.subscriptions(change.topic_arn):
            if subscription.protocol not in ("lambda", "sqs"):
                continue  # nothing leaves this machine: no mail, no text message, no web hook
            text = sns_message.text_for(change, subscription.protocol)
            if not _passes(subscription, change, text):
                self._record(Kind.SNS_FILTERED, change, _endpoint(subscription), cause)
                continue
            body = sns_message.body(change, text, subscription, self._kernel.wall_ns, signature)
            self._start(_Delivery(subscription, change, body, cause, lambda: None))
            if change.sequence_number is None and self._account.faults.again(self._kernel.chance("fault/sns-twice")):
                self._start(_Delivery(subscription, change, body, cause, lambda: None))

    def _start(self, delivery: _Delivery) -> None:
        if delivery.message.sequence_number is None:
            self._after_a_while(delivery)
            return
        place = (delivery.subscription.arn, delivery.message.group or "")
        line = self._lines.setdefault(place, deque())

        def over() -> None:
            line.popleft()
            if line:
                self._after_a_while(line[0])
            else:
                del self._lines[place]

        delivery.over = over
        line.append(delivery)
        if len(line) == 1:
            self._after_a_while(delivery)

    def _after_a_while(self, delivery: _Delivery) -> None:
        delay = SNS_DELIVERY.draw(self._kernel.chance("sns-delivery"))
        self._kernel.after(delay, lambda: self._attempt(delivery))

    def _attempt(self, delivery: _Delivery) -> None:
        subscription, message = delivery.subscription, delivery.message
        if subscription.endpoint in self._account.faults.unavailable:
            self._failed(delivery, "the endpoint is unavailable", delivery.cause, retry=True)
            return
        why = handover.refusal(subscription.endpoint, _SERVICE, message.topic_arn)
        if why is None and subscription.raw and len(message.attributes) > limits.SNS_RAW_ATTRIBUTES.value:
            why = "a raw message has at most 10 attributes"
        if why is not None:
            # An error of the client's: no retry can mend it.
            self._failed(delivery, why, delivery.cause, retry=False)
            return
        record = self._record(Kind.SNS_NOTIFICATION, message, _endpoint(subscription), delivery.cause)
        if subscription.protocol == "lambda":
            self._account.queue.accept(
                self._account.functions.find(subscription.endpoint), delivery.body.encode(), "sns", record
            )
            delivery.over()
            return
        status = self._send(delivery, subscription.endpoint, record)
        if status == 200:
            delivery.over()
        else:
            self._failed(delivery, f"SQS answered {status}", record, retry=status >= 500)

    def _failed(self, delivery: _Delivery, reason: str, cause: int | None, *, retry: bool) -> None:
        """Try again as documented for what AWS runs itself, or give the message up."""
        delivery.failures += 1
        wait = retry_delay(delivery.failures) if retry else None
        detail: dict[str, JSON] = {**_endpoint(delivery.subscription), "reason": reason}
        if wait is not None:
            detail |= {"then": "retry", "after_s": round(wait / SECOND, 3)}
            delivery.cause = self._record(Kind.SNS_FAILED, delivery.message, detail, cause)
            self._kernel.after(wait, lambda: self._attempt(delivery))
            return
        dead = delivery.subscription.dead_letter_queue
        if dead is not None and handover.refusal(dead, _SERVICE, delivery.message.topic_arn) is None:
            detail |= {"then": "dead", "dead_letter_queue": handover.resource_name(dead)}
            self._send(delivery, dead, self._record(Kind.SNS_FAILED, delivery.message, detail, cause))
        else:
            self._record(Kind.SNS_FAILED, delivery.message, {**detail, "then": "discarded"}, cause)
        delivery.over()

    def _send(self, delivery: _Delivery, queue_arn: str, cause: int) -> int:
        message = delivery.message
        fifo = queue_arn.endswith(".fifo")
        return handover.send_message(
            self._account,
            queue_arn,
            delivery.body,
            cause,
            attributes=sns_message.raw_attributes(message) if delivery.subscription.raw else None,
            group=message.group if fifo or message.sequence_number is None else None,
            deduplication=message.deduplication if fifo else None,
        )

    def _record(self, kind: Kind, message: MessagePublished, detail: dict[str, JSON], cause: int | None) -> int:
        topic = message.topic_arn.rpartition(":")[2]
        told: dict[str, JSON] = {"topic": topic, "message_id": message.message_id, **detail}
        return self._recorder.add(kind, f"sns:{topic}", told, cause=cause).id


def retry_delay(failures: int) -> int | None:
    """Give the wait after this many failures, in nanoseconds; None when every attempt is used up."""
    least, most = limits.SNS_RETRY_LEAST.value, limits.SNS_RETRY_MOST.value
    number = failures - limits.SNS_RETRIES_IMMEDIATE.value
    if number <= 0:
        return 0
    number -= limits.SNS_RETRIES_PRE_BACKOFF.value
    if number <= 0:
        return least * SECOND
    steps = limits.SNS_RETRIES_BACKOFF.value
    if number <= steps:
        return round(float(least * (most / least) ** ((number - 1) / (steps - 1))) * SECOND)
    return most * SECOND if number - steps <= limits.SNS_RETRIES_POST_BACKOFF.value else None


def _passes(subscription: Subscription, message: MessagePublished, text: str) -> bool:
    policy = subscription.filter_policy
    if policy is None:
        return True
    if subscription.filter_scope == "MessageBody":
        return filter_policies.matches_body(policy, text)
    return filter_policies.matches_attributes(policy, message.attributes)


def _endpoint(subscription: Subscription) -> dict[str, JSON]:
    name = handover.resource_name(subscription.endpoint)
    return {"function": name} if subscription.protocol == "lambda" else {"to": "queue", "queue": name}
