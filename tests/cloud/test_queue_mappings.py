"""Event source mappings of queues. Each test names the page of AWS that it is written from."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import SqsModel

from labs.cloud import Cloud, CloudError, Kind, RunEnd, limits
from labs.cloud.deliveries.scaling import Scaling
from labs.cloud.trace import Record
from tests.cloud.conftest import Bench
from tests.cloud.test_sqs import arn, depth, fifo, in_group, make, send

SECOND = 10**9
NOTHING = "def handler(event, context):\n    pass\n"
FAILING = "def handler(event, context):\n    raise RuntimeError\n"


def sleeping(seconds: float) -> str:
    return f"import time\ndef handler(event, context):\n    time.sleep({seconds})\n"


def mapped(cloud: Cloud, source: str = NOTHING, queue: str = "q", *, timeout: int = 30, **parameters: object) -> str:
    """Deploy `f` and let a queue call it; give the mapping's id once it is enabled."""
    Bench(cloud).deploy(source, timeout=timeout)
    asked = {"FunctionName": "f", "EventSourceArn": arn(queue), **parameters}
    uuid = str(cloud.call("lambda", "CreateEventSourceMapping", **asked)["UUID"])
    cloud.advance(5)
    return uuid


def refused(cloud: Cloud, operation: str = "CreateEventSourceMapping", /, **parameters: object) -> CloudError:
    with pytest.raises(CloudError) as caught:
        cloud.call("lambda", operation, **parameters)
    return caught.value


def state(cloud: Cloud, uuid: str) -> str:
    return str(cloud.call("lambda", "GetEventSourceMapping", UUID=uuid)["State"])


def sizes(cloud: Cloud) -> list[int]:
    return [len(batch(record)) for record in cloud.trace.of(Kind.BATCH_RECEIVED)]


def batch(record: Record) -> Sequence[Any]:
    found = record.detail["messages"]
    assert isinstance(found, Sequence)
    return found


def most_at_once(cloud: Cloud) -> int:
    changes = {Kind.INVOCATION_STARTED: 1, Kind.INVOCATION_ENDED: -1}
    return max(itertools.accumulate(changes.get(Kind(record.kind), 0) for record in cloud.trace))


# refusals and states
def test_a_mapping_passes_through_its_states(cloud: Cloud) -> None:
    """AWS Lambda API reference: EventSourceMappingConfiguration (State), DeleteEventSourceMapping."""
    url = make(cloud)
    Bench(cloud).deploy(NOTHING)
    answer = cloud.call("lambda", "CreateEventSourceMapping", FunctionName="f", EventSourceArn=arn("q"), Enabled=True)
    uuid = str(answer["UUID"])
    assert answer["State"] == "Creating"
    assert answer["StateTransitionReason"] == "USER_INITIATED"
    send(cloud, url, "early")
    cloud.advance(1)
    assert not cloud.trace.of(Kind.BATCH_RECEIVED)
    cloud.run()
    assert state(cloud, uuid) == "Enabled"
    assert sizes(cloud) == [1]
    answers = []
    for change in ({"Enabled": False}, {"Enabled": True}, {"BatchSize": 5}):
        answers.append(cloud.call("lambda", "UpdateEventSourceMapping", UUID=uuid, **change)["State"])
        cloud.advance(5)
        answers.append(state(cloud, uuid))
    assert answers == ["Disabling", "Disabled", "Enabling", "Enabled", "Updating", "Enabled"]
    assert cloud.call("lambda", "DeleteEventSourceMapping", UUID=uuid)["State"] == "Deleting"
    assert state(cloud, uuid) == "Deleting"
    assert refused(cloud, "DeleteEventSourceMapping", UUID=uuid).code == "ResourceInUseException"
    send(cloud, url, "nobody takes it")
    cloud.advance(5)
    for operation in ("GetEventSourceMapping", "DeleteEventSourceMapping", "UpdateEventSourceMapping"):
        error = refused(cloud, operation, UUID=uuid)
        assert (error.code, error.status) == ("ResourceNotFoundException", 404)
    assert cloud.call("lambda", "ListEventSourceMappings")["EventSourceMappings"] == []
    assert depth(cloud, url) == (1, 0, 0)


def test_a_mapping_that_is_created_disabled_takes_nothing(cloud: Cloud) -> None:
    """AWS Lambda API reference: CreateEventSourceMapping (Enabled)."""
    url = make(cloud)
    uuid = mapped(cloud, Enabled=False)
    send(cloud, url, "m")
    assert cloud.run() is RunEnd.IDLE
    assert state(cloud, uuid) == "Disabled"
    assert depth(cloud, url) == (1, 0, 0)


def test_the_same_queue_and_function_are_mapped_once(cloud: Cloud) -> None:
    """AWS Lambda API reference: CreateEventSourceMapping (ResourceConflictException, 409)."""
    make(cloud)
    uuid = mapped(cloud)
    error = refused(cloud, FunctionName="f", EventSourceArn=arn("q"))
    assert (error.code, error.status) == ("ResourceConflictException", 409)
    assert error.message == (
        f'The event source arn (" {arn("q")} ") and function (" f ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}"
    )


def test_a_mapping_needs_its_queue_and_its_function(cloud: Cloud) -> None:
    """AWS Lambda API reference: CreateEventSourceMapping (InvalidParameterValueException)."""
    make(cloud)
    Bench(cloud).deploy(NOTHING)
    for asked, text in (
        ({"FunctionName": "f", "EventSourceArn": arn("none")}, "AWS.SimpleQueueService.NonExistentQueue"),
        ({"FunctionName": "none", "EventSourceArn": arn("q")}, "Function does not exist"),
        ({"FunctionName": "f"}, "Unrecognized event source."),
    ):
        error = refused(cloud, **asked)
        assert (error.code, error.status) == ("InvalidParameterValueException", 400)
        assert text in error.message


def test_a_visibility_timeout_below_the_function_s_timeout_is_refused(cloud: Cloud) -> None:
    """AWS Lambda developer guide: creating and configuring an Amazon SQS event source mapping."""
    make(cloud, VisibilityTimeout="30")
    Bench(cloud).deploy(NOTHING, timeout=60)
    error = refused(cloud, FunctionName="f", EventSourceArn=arn("q"))
    assert error.code == "InvalidParameterValueException"
    assert error.message == "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    Bench(cloud).deploy(NOTHING, timeout=30)
    cloud.call("lambda", "CreateEventSourceMapping", FunctionName="f", EventSourceArn=arn("q"))


@pytest.mark.parametrize(
    ("queue", "parameters", "text"),
    [
        (
            "q",
            {"BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ("q.fifo", {"MaximumBatchingWindowInSeconds": 5}, "Batching window is not supported for FIFO queues"),
        ("q.fifo", {"BatchSize": 11}, "BatchSize 11 exceeds the max of 10"),
        ("q", {"FilterCriteria": {"Filters": [{"Pattern": '{"body": "x"}'}]}}, "Invalid filter pattern definition."),
        ("q", {"FilterCriteria": {"Filters": [{"Pattern": "nonsense"}]}}, "Invalid filter pattern definition."),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    cloud: Cloud, queue: str, parameters: dict[str, object], text: str
) -> None:
    """AWS Lambda developer guide: Lambda parameters for Amazon SQS event source mappings; Lambda event filtering."""
    make(cloud)
    fifo(cloud)
    Bench(cloud).deploy(NOTHING)
    error = refused(cloud, FunctionName="f", EventSourceArn=arn(queue), **parameters)
    assert (error.code, error.message) == ("InvalidParameterValueException", text)
    uuid = cloud.call("lambda", "CreateEventSourceMapping", FunctionName="f", EventSourceArn=arn(queue))["UUID"]
    assert refused(cloud, "UpdateEventSourceMapping", UUID=uuid, **parameters).message == text


# filters
def test_what_no_filter_lets_through_is_deleted(cloud: Cloud) -> None:
    """AWS Lambda developer guide: using event filtering with an Amazon SQS event source."""
    url = make(cloud)
    patterns = [{"body": {"kind": ["order"], "amount": [{"numeric": [">=", 10]}]}}, {"body": {"urgent": [{"exists": True}]}}]
    mapped(cloud, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    kept = [{"kind": "order", "amount": 10}, {"urgent": None}]
    dropped = [{"kind": "order", "amount": 9}, {"kind": "refund", "amount": 50}]
    for body in (*kept, *dropped):
        send(cloud, url, json.dumps(body))
    send(cloud, url, "plain text")
    cloud.run()
    ended = [record for record in cloud.trace.of(Kind.BATCH_DELETED) if record.detail.get("reason") == "filtered"]
    assert sum(len(batch(record)) for record in ended) == 3
    assert sum(sizes(cloud)) == 2
    assert depth(cloud, url) == (0, 0, 0)


@pytest.mark.parametrize(
    ("pattern", "bodies", "taken"),
    [
        ({"body": ["go"]}, ["go", "stop", '{"go": 1}'], 1),
        ({"body": {"a": [{"exists": False}]}}, ['{"b": 1}', '{"a": 1}', "plain"], 1),
        ({"messageAttributes": {"colour": {"stringValue": ["red"]}}}, ["with attribute", "2"], 2),
        ({"body": {"$or": [{"a": [1]}, {"b": [1]}]}}, ['{"a": 1}', '{"b": 1}', '{"a": 2, "b": 2}'], 2),
    ],
)
def test_how_the_form_of_body_and_filter_go_together(cloud: Cloud, pattern: object, bodies: list[str], taken: int) -> None:
    """AWS Lambda developer guide: properly filtering Amazon SQS messages."""
    url = make(cloud)
    mapped(cloud, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    for body in bodies:
        send(cloud, url, body, MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
    cloud.run()
    assert sum(sizes(cloud)) == taken


# batches
def test_a_batch_holds_no_more_than_a_payload(cloud: Cloud) -> None:
    """AWS Lambda developer guide: using Lambda with Amazon SQS (6 MB invocation payload)."""
    url = make(cloud)
    mapped(cloud, BatchSize=100, MaximumBatchingWindowInSeconds=10)
    for _ in range(8):
        send(cloud, url, "x" * 1_000_000)
    cloud.run()
    assert sizes(cloud) == [6, 2]
    assert not cloud.trace.of(Kind.BATCH_FAILED)


def test_a_window_fills_batches_of_more_than_ten(cloud: Cloud) -> None:
    """AWS Lambda developer guide: polling and batching streams and queues (batching window)."""
    url = make(cloud, VisibilityTimeout="240")
    mapped(cloud, BatchSize=25, MaximumBatchingWindowInSeconds=60)
    before = cloud.clock.now
    for number in range(30):
        send(cloud, url, str(number))
    cloud.run()
    received = cloud.trace.of(Kind.BATCH_RECEIVED)
    assert [len(batch(record)) for record in received] == [25, 5]
    assert received[0].t - before < SECOND, "a full batch does not wait"
    assert 60 * SECOND <= received[1].t - before < 61 * SECOND


def test_a_run_longer_than_the_visibility_timeout_handles_a_message_twice(cloud: Cloud) -> None:
    """Amazon SQS developer guide: visibility timeout; DeleteMessage (an old receipt handle deletes nothing)."""
    url = make(cloud, VisibilityTimeout="60")
    mapped(cloud, sleeping(20))
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": "15"})
    send(cloud, url, "m")
    cloud.advance(30)
    received = cloud.trace.of(Kind.BATCH_RECEIVED)
    assert [batch(record)[0]["receive_count"] for record in received] == [1, 2]
    assert 15 * SECOND <= received[1].t - received[0].t < 16 * SECOND


# order and concurrency
def test_a_message_group_is_never_handled_in_parallel_and_stays_in_order(cloud: Cloud) -> None:
    """AWS Lambda developer guide: using Lambda with Amazon SQS, FIFO queues; scaling (one batch per message group)."""
    url = fifo(cloud, VisibilityTimeout="60")
    mapped(
        cloud,
        "import time\ndef handler(event, context):\n    time.sleep(5)\n"
        "    print('handled', *[record['body'] for record in event['Records']])\n",
        "q.fifo",
        BatchSize=2,
    )
    for number in range(5):
        for group in "ab":
            in_group(cloud, url, f"{group}{number}", group)
    cloud.run()
    lines = [
        str(record.detail["message"]).split()[1:]
        for record in cloud.trace.of(Kind.LOG_LINE)
        if str(record.detail["message"]).startswith("handled")
    ]
    for group in "ab":
        assert [body for line in lines for body in line if body[0] == group] == [f"{group}{number}" for number in range(5)]
    assert most_at_once(cloud) == 2, "two groups, two batches"


def test_a_failed_message_of_a_group_blocks_the_group_and_no_other(cloud: Cloud) -> None:
    """Amazon SQS developer guide: FIFO queue delivery logic; AWS Lambda developer guide: partial batch responses."""
    url = fifo(cloud, VisibilityTimeout="60")
    mapped(
        cloud,
        "def handler(event, context):\n"
        "    first = event['Records'][0]\n"
        "    if first['body'] == 'a0' and first['attributes']['ApproximateReceiveCount'] == '1':\n"
        "        raise RuntimeError\n",
        "q.fifo",
        BatchSize=1,
    )
    sent = {in_group(cloud, url, body, body[0])["MessageId"]: body for body in ("a0", "a1", "b0", "b1")}
    cloud.run()
    handled = [(sent[batch(record)[0]["id"]], record.t // SECOND // 60) for record in cloud.trace.of(Kind.BATCH_RECEIVED)]
    assert handled[:1] == [("a0", 0)]
    assert sorted(handled[1:3]) == [("b0", 0), ("b1", 0)]
    assert handled[3:] == [("a0", 1), ("a1", 1)]


def test_a_maximum_concurrency_bounds_the_batches_of_a_mapping(cloud: Cloud) -> None:
    """AWS Lambda developer guide: maximum concurrency for Amazon SQS event sources."""
    url = make(cloud)
    mapped(cloud, sleeping(10), BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    for number in range(7):
        send(cloud, url, str(number))
    cloud.run()
    assert most_at_once(cloud) == 2
    assert not cloud.trace.of(Kind.INVOCATION_THROTTLED)


def test_five_batches_at_first_and_more_while_messages_remain(cloud: Cloud) -> None:
    """AWS Lambda developer guide: scaling behavior for Amazon SQS event source mappings (five, 300 more per minute)."""
    url = make(cloud)
    mapped(cloud, sleeping(20), BatchSize=1)
    began = cloud.clock.now
    for number in range(20):
        send(cloud, url, str(number))
    cloud.run()
    starts = [record.t - began for record in cloud.trace.of(Kind.BATCH_RECEIVED)]
    assert sum(t < 0.15 * SECOND for t in starts) == 5
    assert [round((later - earlier) / SECOND, 1) for earlier, later in itertools.pairwise(starts[4:10])] == [0.2] * 5
    assert most_at_once(cloud) == 10, "no more than the account's concurrency"
    assert not cloud.trace.of(Kind.INVOCATION_THROTTLED)


def test_a_throttled_batch_is_tried_again_until_its_messages_reappear(cloud: Cloud) -> None:
    """AWS Lambda developer guide: backoff strategy for failed invocations (throttling)."""
    url = make(cloud, VisibilityTimeout="60")
    mapped(cloud, timeout=30)
    cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    send(cloud, url, "m")
    began = cloud.clock.now
    cloud.advance(70)
    throttled = [(record.t - began) / SECOND for record in cloud.trace.of(Kind.INVOCATION_THROTTLED)]
    apart = [round(later - earlier) for earlier, later in itertools.pairwise(throttled)]
    assert apart[:5] == [1, 2, 4, 8, 16]
    received = cloud.trace.of(Kind.BATCH_RECEIVED)
    assert [batch(record)[0]["receive_count"] for record in received] == [1, 2]
    assert 60 <= (received[1].t - received[0].t) / SECOND < 61
    cloud.call("lambda", "DeleteFunctionConcurrency", FunctionName="f")
    cloud.run()
    assert depth(cloud, url) == (0, 0, 0)
    assert len(cloud.trace.of(Kind.BATCH_RECEIVED)) == 2, "within the backoff, without being received again"


def test_a_mapping_whose_function_is_gone_leaves_the_messages_alone(cloud: Cloud) -> None:
    """AWS Lambda developer guide: event source mappings (deleting a function does not delete its mappings)."""
    url = make(cloud)
    mapped(cloud)
    cloud.call("lambda", "DeleteFunction", FunctionName="f")
    send(cloud, url, "m")
    assert cloud.run() is RunEnd.IDLE
    assert depth(cloud, url) == (1, 0, 0)


def test_failures_reduce_the_concurrency_of_a_mapping(cloud: Cloud) -> None:
    """AWS Lambda developer guide: backoff strategy for failed invocations."""
    url = make(cloud, VisibilityTimeout="600")
    mapped(cloud, "import time\ndef handler(event, context):\n    time.sleep(10)\n    raise RuntimeError\n", BatchSize=1)
    for number in range(9):
        send(cloud, url, str(number))
    cloud.advance(9)
    began = len(cloud.trace.of(Kind.INVOCATION_STARTED))
    cloud.advance(1.9)
    ended = cloud.trace.of(Kind.INVOCATION_ENDED)
    assert began == 9
    assert len(ended) >= 5
    send(cloud, url, "late")
    late = cloud.clock.now
    cloud.advance(5)
    (last,) = [record for record in cloud.trace.of(Kind.BATCH_RECEIVED) if record.t > late]
    running = [one for one in cloud.trace.of(Kind.INVOCATION_STARTED) if one.t < last.t]
    over = [one for one in cloud.trace.of(Kind.INVOCATION_ENDED) if one.t < last.t]
    assert len(running) - len(over) < 3


def test_quiet_leaves_two_batches_at_a_time_unless_a_maximum_is_set() -> None:
    """AWS Lambda developer guide: scaling behavior for Amazon SQS event source mappings (as few as two; 1,250 at most)."""
    for maximum, expected in ((None, 2), (7, 5)):
        scaling = Scaling()
        scaling.empty(0)
        scaling.found(59 * SECOND, maximum)
        assert scaling.limit(59 * SECOND, maximum) == 5
        scaling.empty(60 * SECOND)
        scaling.found(120 * SECOND, maximum)
        assert scaling.limit(120 * SECOND, maximum) == expected
    wide = replace(limits.ACCOUNT_CONCURRENCY, value=10_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "ACCOUNT_CONCURRENCY", wide)
        scaling = Scaling()
        scaling.saturated(0)
        assert [scaling.limit(minute * 60 * SECOND, None) for minute in (0, 1, 2, 4, 5, 60)] == [5, 305, 605, 1205, 1250, 1250]
        scaling.failed(4 * 60 * SECOND, None)
        assert scaling.limit(4 * 60 * SECOND, None) == 602


def test_the_event_says_where_a_dead_letter_came_from(cloud: Cloud) -> None:
    """AWS Lambda developer guide: using Lambda with Amazon SQS (example event); SQS developer guide: dead-letter queues."""
    make(cloud, "dead", VisibilityTimeout="60")
    policy = {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1}
    url = make(cloud, VisibilityTimeout="60", RedrivePolicy=policy)
    mapped(cloud, "import json\ndef handler(event, context):\n    print(json.dumps(event))\n", "dead")
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = send(cloud, url, "m", MessageSystemAttributes=header)
    for _ in range(2):
        cloud.call("sqs", "ReceiveMessage", QueueUrl=url)
        cloud.advance(60)
    cloud.run()
    lines = [str(record.detail["message"]) for record in cloud.trace.of(Kind.LOG_LINE)]
    (event,) = [json.loads(line) for line in lines if line.startswith('{"Records"')]
    SqsModel.model_validate(event)
    (record,) = event["Records"]
    assert record["messageId"] == sent["MessageId"]
    assert record["eventSourceARN"] == arn("dead")
    assert record["attributes"] == {
        "ApproximateReceiveCount": "2",
        "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
        "SentTimestamp": record["attributes"]["SentTimestamp"],
        "SenderId": record["attributes"]["SenderId"],
        "ApproximateFirstReceiveTimestamp": record["attributes"]["ApproximateFirstReceiveTimestamp"],
        "DeadLetterQueueSourceArn": arn("q"),
    }
