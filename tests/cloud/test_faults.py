"""Declared faults: a notification that arrives twice, an endpoint that is away for a while."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from labs.cloud import moto_seams
from labs.cloud.changes import MessagePublished, NotificationTarget, ObjectChanged
from labs.cloud.deliveries import handover
from labs.cloud.deliveries.s3 import S3Notifications
from labs.cloud.deliveries.sns import Topics
from labs.cloud.faults import Faults
from labs.cloud.kernel import SECOND, Kernel
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import Subscription
from labs.cloud.trace import Recorder

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Give what is handed to queues, and let everything be handed over."""
    found: list[tuple[str, str]] = []

    def send(account: Any, arn: str, body: str, cause: int | None, **more: object) -> int:
        found.append((arn, body))
        return 200

    monkeypatch.setattr(handover, "refusal", lambda *arguments: None)
    monkeypatch.setattr(handover, "send_message", send)
    return found


def account(faults: Faults, seed: int = 7) -> Any:
    """Make as much of an account as deliveries need."""
    kernel = Kernel(seed=seed, epoch_ns=1_767_344_400 * SECOND)
    return SimpleNamespace(kernel=kernel, recorder=Recorder(lambda: kernel.now), faults=faults)


def change(key: str) -> ObjectChanged:
    """Write one change of an object."""
    target = NotificationTarget("c", QUEUE)
    return ObjectChanged("s3:ObjectCreated:Put", "b", "arn:aws:s3:::b", "us-east-1", key, 1, "e", None, (target,))


def keys(sent: list[tuple[str, str]]) -> list[str]:
    """Give the keys that were told of, in the order of arrival."""
    return [json.loads(body)["Records"][0]["s3"]["object"]["key"] for _, body in sent]


def test_s3_delivers_at_least_once(sent: list[tuple[str, str]]) -> None:
    """S3 user guide, "Event notifications": delivered at least once. The second copy is the same event."""
    one = account(Faults(twice=0.3))
    notifications = S3Notifications(one)
    for number in range(40):
        notifications.object_changed(change(str(number)), None)
    one.kernel.run()
    twice = {key for key in keys(sent) if keys(sent).count(key) == 2}
    assert set(keys(sent)) == {str(number) for number in range(40)}
    assert 4 < len(twice) < 20
    for key in twice:
        first, second = (body for _, body in sent if json.loads(body)["Records"][0]["s3"]["object"]["key"] == key)
        assert first == second
    assert len(one.recorder.since(0)) == len(sent)


def test_a_fault_follows_from_the_seed_and_changes_nothing_else(sent: list[tuple[str, str]]) -> None:
    runs = []
    for faults, seed in ((Faults(twice=0.3), 7), (Faults(twice=0.3), 7), (Faults(twice=0.3), 8), (Faults(), 7)):
        sent.clear()
        one = account(faults, seed)
        notifications = S3Notifications(one)
        for number in range(20):
            notifications.object_changed(change(str(number)), None)
        one.kernel.run()
        runs.append(list(sent))
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[3]) == 20


@pytest.fixture
def subscription(monkeypatch: pytest.MonkeyPatch) -> Subscription:
    """Give the only subscription of the topic."""
    found = Subscription("arn:s", "sqs", QUEUE, False, None, "MessageAttributes", DEAD)
    monkeypatch.setattr(moto_seams, "subscriptions", lambda topic: [found])
    return found


def message(number: int = 0, **more: Any) -> MessagePublished:
    """Write one message."""
    return MessagePublished(TOPIC, f"id-{number}", f"m{number}", None, {}, False, **more)


@pytest.mark.usefixtures("subscription")
def test_a_standard_topic_delivers_at_least_once(sent: list[tuple[str, str]]) -> None:
    """SNS developer guide: standard topics deliver at least once; FIFO topics exactly once."""
    one = account(Faults(twice=1.0))
    topics = Topics(one)
    topics.message_published(message(1), None)
    topics.message_published(message(2, group="g", deduplication="d", sequence_number="1"), None)
    one.kernel.run()
    assert sorted(json.loads(body)["Message"] for _, body in sent) == ["m1", "m1", "m2"]


@pytest.mark.usefixtures("subscription")
def test_an_endpoint_that_comes_back_gets_its_message(sent: list[tuple[str, str]]) -> None:
    """SNS developer guide, "Message delivery retries": server-side errors are retried."""
    one = account(Faults(unavailable=frozenset({QUEUE})))
    Topics(one).message_published(message(), None)
    one.kernel.advance(60 * SECOND)
    assert sent == []
    failures = one.recorder.since(0)
    assert {record.kind for record in failures} == {Kind.SNS_FAILED}
    assert [record.detail["after_s"] for record in failures[:6]] == [0, 0, 0, 1, 1, 1]
    one.faults = Faults()
    one.kernel.run()
    assert [arn for arn, _ in sent] == [QUEUE]
    assert one.recorder.since(0)[-1].kind == Kind.SNS_NOTIFICATION


@pytest.mark.usefixtures("subscription")
def test_an_endpoint_that_stays_away_loses_it_to_the_dead_letter_queue(sent: list[tuple[str, str]]) -> None:
    """SNS developer guide, "Amazon SNS dead-letter queues": after 100,015 retries in 23 days."""
    one = account(Faults(unavailable=frozenset({QUEUE})))
    Topics(one).message_published(message(), None)
    one.kernel.run()
    assert [arn for arn, _ in sent] == [DEAD]
    assert len(one.recorder.since(0)) == 100_016
    assert one.kernel.now / SECOND / 86_400 == pytest.approx(23, abs=0.2)


@pytest.mark.usefixtures("subscription")
def test_fifo_waits_for_the_message_before(sent: list[tuple[str, str]]) -> None:
    """SNS developer guide, "FIFO topics": strict order within a message group, also while a delivery is retried."""
    one = account(Faults(unavailable=frozenset({QUEUE})))
    topics = Topics(one)
    for number in range(3):
        topics.message_published(message(number, group="g", deduplication=str(number), sequence_number=str(number)), None)
    one.kernel.advance(10 * SECOND)
    one.faults = Faults()
    one.kernel.run()
    assert [json.loads(body)["Message"] for _, body in sent] == ["m0", "m1", "m2"]
