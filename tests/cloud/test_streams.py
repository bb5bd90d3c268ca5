"""DynamoDB: streams to Lambda, the Streams API, time to live, conditions and transactions.

Sources: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB" and its pages on batching, errors, partial batch
responses and filtering; Amazon DynamoDB developer guide, "Change data capture for DynamoDB Streams", "Using time to live",
"Condition expressions" and "Managing complex workflows with DynamoDB transactions" (2026-11-20).
"""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import DynamoDBStreamModel
from aws_lambda_powertools.utilities.parser.models.dynamodb import DynamoDBStreamLambdaOnFailureDestinationModel

from labs.cloud import Cloud, CloudError, CloudHost, Kind
from labs.cloud.packing import pack_source

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: VIEW}
      TimeToLiveSpecification: {AttributeName: until, Enabled: true}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: 10
      Policies:
        - Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]
      Events:
        Change:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Orders.StreamArn, StartingPosition: START, MAPPING}
"""
ECHO = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
FAILS_ON = """
import json
def handler(event, context):
    ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    print(json.dumps(ids))
    if "bad" in ids:
        raise ValueError(ids)
"""
REPORTS = """
import json
def handler(event, context):
    records = [record["dynamodb"] for record in event["Records"]]
    print(json.dumps([record["Keys"]["id"]["S"] for record in records]))
    failed = [record["SequenceNumber"] for record in records if record["Keys"]["id"]["S"] in ("bad", "worse")]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in reversed(failed)]}
"""


def deploy(
    cloud: Cloud, source: str, mapping: str = "BatchSize: 100", *, view: str = "NEW_AND_OLD_IMAGES", start: str = "TRIM_HORIZON"
) -> None:
    template = TEMPLATE.replace("VIEW", view).replace("START", start).replace("MAPPING", mapping)
    cloud.deploy_package(template, pack_source(source), name="streams")


def put(cloud: Cloud, *ids: str, **attributes: Any) -> None:
    for one in ids:
        cloud.call("dynamodb", "PutItem", TableName="orders", Item={"id": {"S": one}, **attributes})


def said(cloud: Cloud) -> list[Any]:
    lines = [str(record.detail["message"]) for record in cloud.trace.of(Kind.LOG_LINE)]
    return [json.loads(line) for line in lines if line.startswith(("[", "{")) and not line.startswith("[ERROR]")]


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return [record for event in said(cloud) for record in event["Records"]]


def stream_arn(cloud: Cloud) -> str:
    table: Any = cloud.call("dynamodb", "DescribeTable", TableName="orders")["Table"]
    return str(table["LatestStreamArn"])


def read_all(cloud: Cloud, arn: str) -> list[dict[str, Any]]:
    shard: Any = cloud.call("dynamodbstreams", "DescribeStream", StreamArn=arn)["StreamDescription"]
    iterator = cloud.call(
        "dynamodbstreams",
        "GetShardIterator",
        StreamArn=arn,
        ShardId=shard["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    records: Any = cloud.call("dynamodbstreams", "GetRecords", ShardIterator=iterator)["Records"]
    return list(records)


def dead(cloud: Cloud) -> list[dict[str, Any]]:
    url = cloud.call("sqs", "GetQueueUrl", QueueName="dead")["QueueUrl"]
    messages: Any = cloud.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def test_changes_reach_the_function_later_in_order_with_awss_event(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "1", blob={"B": b"\x00\xff"}, tags={"SS": ["a", "b"]})
    assert not cloud.trace.of(Kind.STREAM_BATCH), "PutItem does not wait for the function"
    put(cloud, "1", amount={"N": "7"})
    cloud.call("dynamodb", "DeleteItem", TableName="orders", Key={"id": {"S": "1"}})
    cloud.run()
    (event,) = said(cloud)
    DynamoDBStreamModel.model_validate(event)
    inserted, modified, removed = event["Records"]
    assert inserted == {
        "eventID": inserted["eventID"],
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1767344400,
            "Keys": {"id": {"S": "1"}},
            "NewImage": {"id": {"S": "1"}, "blob": {"B": "AP8="}, "tags": {"SS": ["a", "b"]}},
            "SequenceNumber": inserted["dynamodb"]["SequenceNumber"],
            "SizeBytes": 3 + 3 + 4 + 2 + 4 + 2,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": stream_arn(cloud),
    }
    assert modified["dynamodb"]["NewImage"] == {"id": {"S": "1"}, "amount": {"N": "7"}}
    assert modified["dynamodb"]["OldImage"] == inserted["dynamodb"]["NewImage"]
    assert removed["eventName"] == "REMOVE"
    assert "NewImage" not in removed["dynamodb"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_the_view_type_decides_which_images_are_there(cloud: Cloud, view: str, images: set[str]) -> None:
    deploy(cloud, ECHO, view=view)
    put(cloud, "1")
    put(cloud, "1", n={"N": "1"})
    cloud.run()
    change = events(cloud)[1]["dynamodb"]
    assert {name for name in change if name.endswith("Image")} == images
    assert change["StreamViewType"] == view


def test_an_update_that_creates_is_one_insert_and_a_write_that_changes_nothing_is_no_record(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    for _ in range(2):
        cloud.call(
            "dynamodb",
            "UpdateItem",
            TableName="orders",
            Key={"id": {"S": "1"}},
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )
    put(cloud, "1", n={"N": "1"})
    cloud.call("dynamodb", "DeleteItem", TableName="orders", Key={"id": {"S": "nobody"}})
    cloud.run()
    (record,) = events(cloud)
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "1"}, "n": {"N": "1"}}


def test_the_next_batch_waits_for_this_one(cloud: Cloud) -> None:
    deploy(cloud, "import time\ndef handler(event, context):\n    time.sleep(5)\n", "BatchSize: 2")
    put(cloud, "1", "2", "3", "4", "5")
    cloud.run()
    batches = cloud.trace.of(Kind.STREAM_BATCH)
    assert [record.detail["records"] for record in batches] == [2, 2, 1]
    ended = cloud.trace.of(Kind.INVOCATION_ENDED)
    assert all(batch.t >= end.t for end, batch in zip(ended, batches[1:], strict=False))


def test_a_batching_window_gathers(cloud: Cloud) -> None:
    deploy(cloud, ECHO, "BatchSize: 100, MaximumBatchingWindowInSeconds: 20")
    put(cloud, "1")
    cloud.advance(10)
    put(cloud, "2")
    cloud.run()
    (event,) = said(cloud)
    assert len(event["Records"]) == 2
    assert cloud.trace.of(Kind.STREAM_BATCH)[0].seconds >= 20


def test_a_full_batch_does_not_wait_for_its_window(cloud: Cloud) -> None:
    deploy(cloud, ECHO, "BatchSize: 2, MaximumBatchingWindowInSeconds: 60")
    put(cloud, "1", "2")
    cloud.run()
    assert cloud.trace.of(Kind.STREAM_BATCH)[0].seconds < 5


@pytest.mark.parametrize(("start", "seen"), [("TRIM_HORIZON", ["early", "late"]), ("LATEST", ["late"])])
def test_the_starting_position_decides_what_a_new_mapping_sees(cloud: Cloud, start: str, seen: list[str]) -> None:
    deploy(cloud, "def handler(event, context):\n    pass\n")
    put(cloud, "early")
    cloud.run()
    cloud.call(
        "lambda",
        "CreateFunction",
        FunctionName="g",
        Runtime="python3.12",
        Handler="handler.handler",
        Role=cloud.call("lambda", "GetFunctionConfiguration", FunctionName="f")["Role"],
        Code={"ZipFile": pack_source(ECHO)},
    )
    cloud.call("lambda", "CreateEventSourceMapping", FunctionName="g", EventSourceArn=stream_arn(cloud), StartingPosition=start)
    put(cloud, "late")
    cloud.run()
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in events(cloud)] == seen


def test_a_failing_batch_blocks_its_shard_until_it_expires(cloud: Cloud) -> None:
    """Without limits a batch is retried until its records are gone, and what comes later waits."""
    deploy(cloud, FAILS_ON, "BatchSize: 1")
    put(cloud, "bad", "good")
    cloud.advance(3600)
    assert {tuple(ids) for ids in said(cloud)} == {("bad",)}
    blocked = cloud.trace.of(Kind.STREAM_FAILED)
    assert [record.detail["after_s"] for record in blocked[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    cloud.call("lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=pack_source(ECHO))
    cloud.run()
    assert [record["dynamodb"]["Keys"]["id"]["S"] for event in said(cloud)[-2:] for record in event["Records"]] == [
        "bad",
        "good",
    ]


def test_records_leave_the_stream_after_a_day_whoever_has_not_read_them(cloud: Cloud) -> None:
    deploy(cloud, FAILS_ON, "BatchSize: 1")
    put(cloud, "bad")
    cloud.run()
    assert cloud.clock.now / 1e9 == pytest.approx(24 * 3600, abs=120)
    put(cloud, "good")
    cloud.run()
    assert said(cloud)[-1] == ["good"]


def test_retries_end_and_the_destination_hears_where_the_records_are(cloud: Cloud) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:dead"
    deploy(
        cloud,
        FAILS_ON,
        f"BatchSize: 10, MaximumRetryAttempts: 2, DestinationConfig: {{OnFailure: {{Type: SQS, Destination: '{queue}'}}}}",
    )
    put(cloud, "good", "bad")
    cloud.run()
    put(cloud, "after")
    cloud.run()
    assert said(cloud) == [["good", "bad"]] * 3 + [["after"]]
    (message,) = dead(cloud)
    DynamoDBStreamLambdaOnFailureDestinationModel.model_validate(message)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in read_all(cloud, stream_arn(cloud))]
    info = message["DDBStreamBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"], info["batchSize"]) == (numbers[0], numbers[1], 2)
    assert info["streamArn"] == stream_arn(cloud)
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert message["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    (sent,) = cloud.trace.of(Kind.API_CALL, operation="SendMessage")
    assert cloud.trace.record(sent.cause or 0).kind == Kind.STREAM_DISCARDED


def test_records_that_become_too_old_are_given_up(cloud: Cloud) -> None:
    deploy(cloud, FAILS_ON, "BatchSize: 1, MaximumRecordAgeInSeconds: 60")
    put(cloud, "bad")
    cloud.run()
    (record,) = cloud.trace.of(Kind.STREAM_DISCARDED)
    assert record.detail["reason"] == "RecordAgeExceeded"
    assert 60 < record.seconds < 130
    put(cloud, "good")
    cloud.run()
    assert said(cloud)[-1] == ["good"]


def test_bisecting_isolates_the_bad_record(cloud: Cloud) -> None:
    """Splitting does not count as a retry; every good record is handled, in order, and only the bad one is given up."""
    deploy(cloud, FAILS_ON, "BatchSize: 8, MaximumRetryAttempts: 0, BisectBatchOnFunctionError: true")
    put(cloud, "1", "2", "bad", "4")
    cloud.run()
    assert said(cloud) == [["1", "2", "bad", "4"], ["1", "2"], ["bad", "4"], ["bad"], ["4"]]
    (record,) = cloud.trace.of(Kind.STREAM_DISCARDED)
    assert record.detail["records"] == 1


def test_a_partial_batch_response_moves_the_checkpoint_to_the_lowest_failure(cloud: Cloud) -> None:
    deploy(cloud, REPORTS, "BatchSize: 8, MaximumRetryAttempts: 1, FunctionResponseTypes: [ReportBatchItemFailures]")
    put(cloud, "1", "2", "bad", "4", "worse")
    cloud.run()
    assert said(cloud)[:2] == [["1", "2", "bad", "4", "worse"], ["bad", "4", "worse"]]
    assert len(said(cloud)) == 2, "the rest was given up together"


@pytest.mark.parametrize(("answer", "attempts"), [("None", 1), ("{}", 1), ("{'batchItemFailures': []}", 1), ("'nonsense'", 2)])
def test_what_counts_as_a_partial_batch_response(cloud: Cloud, answer: str, attempts: int) -> None:
    source = f"def handler(event, context):\n    return {answer}\n"
    deploy(cloud, source, "BatchSize: 8, MaximumRetryAttempts: 1, FunctionResponseTypes: [ReportBatchItemFailures]")
    put(cloud, "1")
    cloud.run()
    assert len(cloud.trace.of(Kind.STREAM_BATCH)) == attempts


def test_a_throttle_does_not_count_as_an_attempt(cloud: Cloud) -> None:
    deploy(cloud, ECHO, "BatchSize: 8, MaximumRetryAttempts: 0")
    cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    put(cloud, "1")
    cloud.advance(30)
    assert len(cloud.trace.of(Kind.INVOCATION_THROTTLED)) >= 3
    cloud.call("lambda", "DeleteFunctionConcurrency", FunctionName="f")
    cloud.run()
    assert len(events(cloud)) == 1


def test_filters_look_at_images_and_pass_the_others_over(cloud: Cloud) -> None:
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["order"]}}}})
    deploy(cloud, ECHO, f"BatchSize: 8, FilterCriteria: {{Filters: [{{Pattern: '{pattern}'}}]}}")
    put(cloud, "1", kind={"S": "order"})
    put(cloud, "2", kind={"S": "note"})
    put(cloud, "1", kind={"S": "order"}, more={"S": "m"})
    put(cloud, "3", kind={"S": "order"})
    cloud.run()
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in events(cloud)] == ["1", "3"]


def test_a_disabled_mapping_reads_nothing_and_goes_on_where_it_was(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    mappings: Any = cloud.call("lambda", "ListEventSourceMappings", FunctionName="f")["EventSourceMappings"]
    uuid = mappings[0]["UUID"]
    cloud.call("lambda", "UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    put(cloud, "1")
    cloud.run()
    assert not cloud.trace.of(Kind.STREAM_BATCH)
    cloud.call("lambda", "UpdateEventSourceMapping", UUID=uuid, Enabled=True)
    cloud.run()
    assert len(events(cloud)) == 1
    cloud.call("lambda", "DeleteEventSourceMapping", UUID=uuid)
    put(cloud, "2")
    cloud.run()
    assert len(events(cloud)) == 1


def test_other_readers_see_every_record_for_a_day(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "1", blob={"B": b"\x00\xff"})
    cloud.run()
    arn = stream_arn(cloud)
    (record,) = read_all(cloud, arn)
    assert record["dynamodb"]["NewImage"]["blob"] == {"B": b"\x00\xff"}
    first = record["dynamodb"]["SequenceNumber"]
    cloud.advance(23 * 3600)
    put(cloud, "2")
    cloud.run()
    assert [r["dynamodb"]["SequenceNumber"] for r in read_all(cloud, arn)] == [first, str(int(first) + 1)]
    cloud.advance(2 * 3600)
    (left,) = read_all(cloud, arn)
    assert left["dynamodb"]["SequenceNumber"] == str(int(first) + 1), "numbers do not start again"


def test_a_reader_follows_its_iterator(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "1", "2")
    arn = stream_arn(cloud)
    shard: Any = cloud.call("dynamodbstreams", "DescribeStream", StreamArn=arn)["StreamDescription"]
    asked = {"StreamArn": arn, "ShardId": shard["Shards"][0]["ShardId"]}
    latest = cloud.call("dynamodbstreams", "GetShardIterator", **asked, ShardIteratorType="LATEST")["ShardIterator"]
    put(cloud, "3")
    answer = cloud.call("dynamodbstreams", "GetRecords", ShardIterator=latest)
    assert [r["dynamodb"]["Keys"]["id"]["S"] for r in answer["Records"]] == ["3"]  # type: ignore[attr-defined]
    again = cloud.call("dynamodbstreams", "GetRecords", ShardIterator=answer["NextShardIterator"])
    assert again["Records"] == []
    number = read_all(cloud, arn)[0]["dynamodb"]["SequenceNumber"]
    after = cloud.call(
        "dynamodbstreams", "GetShardIterator", **asked, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=number
    )["ShardIterator"]
    found = cloud.call("dynamodbstreams", "GetRecords", ShardIterator=after, Limit=1)["Records"]
    assert [r["dynamodb"]["Keys"]["id"]["S"] for r in found] == ["2"]  # type: ignore[attr-defined]
    cloud.advance(16 * 60)
    with pytest.raises(CloudError) as refused:
        cloud.call("dynamodbstreams", "GetRecords", ShardIterator=after)
    assert refused.value.code == "ExpiredIteratorException"


def test_items_expire_and_the_stream_names_the_service(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    now = 1767344400
    put(cloud, "soon", until={"N": str(now + 60)})
    put(cloud, "later", until={"N": str(now + 86_400)})
    put(cloud, "ancient", until={"N": str(now - 6 * 365 * 86_400)})
    put(cloud, "text", until={"S": str(now + 60)})
    cloud.run()
    table: Any = cloud.call("dynamodb", "Scan", TableName="orders")
    assert table["Count"] == 4, "an item stays for a while"
    cloud.advance(1200)
    table = cloud.call("dynamodb", "Scan", TableName="orders")
    assert {item["id"]["S"] for item in table["Items"]} == {"later", "ancient", "text"}
    cloud.run()
    last = events(cloud)[-1]
    assert last["eventName"] == "REMOVE"
    assert last["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert last["dynamodb"]["OldImage"]["id"] == {"S": "soon"}
    DynamoDBStreamModel.model_validate({"Records": [last]})
    assert read_all(cloud, stream_arn(cloud))[-1]["userIdentity"] == {
        "Type": "Service",
        "PrincipalId": "dynamodb.amazonaws.com",
    }
    batch = cloud.trace.of(Kind.STREAM_BATCH)[-1]
    assert cloud.trace.record(batch.cause or 0).kind == Kind.ITEM_EXPIRED


def test_a_condition_that_fails_is_awss_error_and_no_record(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "1")
    with pytest.raises(CloudError) as refused:
        cloud.call(
            "dynamodb",
            "PutItem",
            TableName="orders",
            Item={"id": {"S": "1"}, "n": {"N": "1"}},
            ConditionExpression="attribute_not_exists(id)",
        )
    assert (refused.value.code, refused.value.message) == ("ConditionalCheckFailedException", "The conditional request failed")
    with pytest.raises(CloudError) as update:
        cloud.call(
            "dynamodb",
            "UpdateItem",
            TableName="orders",
            Key={"id": {"S": "2"}},
            UpdateExpression="SET n = n + :one",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
    assert update.value.code == "ConditionalCheckFailedException"
    cloud.run()
    assert len(events(cloud)) == 1


def test_an_update_that_is_refused_leaves_no_item_behind(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    with pytest.raises(CloudError) as refused:
        cloud.call(
            "dynamodb",
            "UpdateItem",
            TableName="orders",
            Key={"id": {"S": "2"}},
            UpdateExpression="SET n = n + :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
    assert refused.value.code == "ValidationException"
    table: Any = cloud.call("dynamodb", "Scan", TableName="orders")
    assert table["Count"] == 0
    cloud.run()
    assert not cloud.trace.of(Kind.STREAM_BATCH)


def test_a_transaction_is_all_or_nothing_in_table_and_stream(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "taken")
    cloud.run()

    def write(*ids: str) -> None:
        items = [
            {"Put": {"TableName": "orders", "Item": {"id": {"S": one}}, "ConditionExpression": "attribute_not_exists(id)"}}
            for one in ids
        ]
        cloud.call("dynamodb", "TransactWriteItems", TransactItems=items)

    with pytest.raises(CloudError) as refused:
        write("free", "taken")
    assert refused.value.code == "TransactionCanceledException"
    assert "[None, ConditionalCheckFailed]" in refused.value.message
    cloud.run()
    table: Any = cloud.call("dynamodb", "Scan", TableName="orders")
    assert table["Count"] == 1
    assert len(events(cloud)) == 1
    write("a", "b")
    cloud.run()
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in events(cloud)] == ["taken", "a", "b"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in events(cloud)]
    assert numbers == sorted(set(numbers))


def test_a_stream_that_is_switched_off_and_on_is_a_new_one(cloud: Cloud) -> None:
    deploy(cloud, ECHO)
    put(cloud, "1")
    cloud.run()
    old = stream_arn(cloud)
    last = int(read_all(cloud, old)[-1]["dynamodb"]["SequenceNumber"])
    cloud.call("dynamodb", "UpdateTable", TableName="orders", StreamSpecification={"StreamEnabled": False})
    put(cloud, "2")
    cloud.advance(5)
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    cloud.call("dynamodb", "UpdateTable", TableName="orders", StreamSpecification=specification)
    put(cloud, "3")
    assert stream_arn(cloud) != old
    (record,) = read_all(cloud, stream_arn(cloud))
    assert int(record["dynamodb"]["SequenceNumber"]) > last
    cloud.run()
    assert len(events(cloud)) == 1, "the mapping reads the stream it was made for"


def test_one_seed_one_history(host: CloudHost) -> None:
    hashes = set()
    for _ in range(2):
        with Cloud(seed=11, host=host) as cloud:
            deploy(cloud, FAILS_ON, "BatchSize: 4, MaximumRetryAttempts: 2, BisectBatchOnFunctionError: true")
            put(cloud, "1", "bad", "3")
            cloud.run()
            hashes.add(cloud.trace.hash())
    assert len(hashes) == 1
