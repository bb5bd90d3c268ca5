"""EventBridge rules with a schedule, and EventBridge Scheduler, on the virtual clock.

Sources: Amazon EventBridge user guide, "Creating a rule that runs on a schedule", "Using input transformers", "Retrying event
delivery" and "Using dead-letter queues"; EventBridge Scheduler user guide, "Schedule types", "Flexible time windows", "Deleting
a schedule", "Configuring a dead-letter queue" and "Context attributes" (2026-11-20).
"""

import datetime
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel

from labs.cloud import Cloud, CloudError, CloudHost, DeploymentError, Kind
from labs.cloud.packing import pack_source

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
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
      EVENTS
"""
ECHO = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
ROLE = "arn:aws:iam::123456789012:role/scheduler"


def deploy(cloud: Cloud, events: str = "", source: str = ECHO) -> None:
    """Deploy `f`; `events` is the value of its Events."""
    template = TEMPLATE.replace("EVENTS", f"Events: {events}" if events else "")
    cloud.deploy_package(template, pack_source(source), name="clock")


def rule(cloud: Cloud, expression: str, state: str = "ENABLED", arn: str = FUNCTION, **target: Any) -> None:
    cloud.call("events", "PutRule", Name="tick", ScheduleExpression=expression, State=state)
    if arn == FUNCTION:
        cloud.call(
            "lambda",
            "AddPermission",
            FunctionName="f",
            StatementId="tick",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn="arn:aws:events:us-east-1:123456789012:rule/tick",
        )
    cloud.call("events", "PutTargets", Rule="tick", Targets=[{"Id": "t", "Arn": arn, **target}])


def role(cloud: Cloud) -> None:
    scheduler = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [scheduler]}
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    cloud.call("iam", "CreateRole", RoleName="scheduler", AssumeRolePolicyDocument=json.dumps(trust))
    cloud.call("iam", "PutRolePolicy", RoleName="scheduler", PolicyName="p", PolicyDocument=json.dumps(allow))


def schedule(cloud: Cloud, expression: str, arn: str = FUNCTION, target: dict[str, Any] | None = None, **more: Any) -> None:
    parameters: dict[str, Any] = {"Name": "s", "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, **more}
    cloud.call("scheduler", "CreateSchedule", **parameters, Target={"Arn": arn, "RoleArn": ROLE, **(target or {})})


def fired(cloud: Cloud) -> list[str]:
    return [str(record.detail["scheduled_time"]) for record in cloud.trace.of(Kind.SCHEDULE_FIRED)]


def said(cloud: Cloud) -> list[Any]:
    return [json.loads(str(record.detail["message"])) for record in cloud.trace.of(Kind.LOG_LINE)]


def dead(cloud: Cloud) -> list[dict[str, Any]]:
    url = cloud.call("sqs", "GetQueueUrl", QueueName="dead")["QueueUrl"]
    found = cloud.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    messages: Any = found.get("Messages", [])
    return list(messages)


def test_a_day_has_1440_minutes(cloud: Cloud) -> None:
    deploy(
        cloud, "{Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}", "def handler(event, context):\n    pass\n"
    )
    cloud.advance(86_400)
    cloud.run()
    assert len(cloud.trace.of(Kind.SCHEDULE_FIRED)) == 1440
    assert len(cloud.trace.of(Kind.INVOCATION_ENDED, status="success")) == 1440
    assert len(cloud.trace.of(Kind.ENVIRONMENT_CREATED)) == 1


def test_a_rule_sends_awss_event_with_sam(cloud: Cloud) -> None:
    deploy(cloud, "{Tick: {Type: Schedule, Properties: {Name: tick, Schedule: 'cron(0 10 * * ? *)'}}}")
    cloud.run()
    assert not fired(cloud), "a schedule does not keep a run going"
    cloud.advance(2 * 3600)
    cloud.run()
    (event,) = said(cloud)
    EventBridgeModel.model_validate(event)
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-02T10:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/tick"],
        "detail": {},
    }
    (record,) = cloud.trace.of(Kind.SCHEDULE_FIRED)
    assert record.t == 3600 * 10**9
    kinds = [one.kind for one in cloud.trace.descendants(record.id)]
    assert Kind.INVOCATION_ENDED in kinds


def test_a_target_may_have_its_own_input(cloud: Cloud) -> None:
    deploy(cloud)
    rule(cloud, "rate(1 hour)", Input='{"job": "nightly"}')
    cloud.advance(3600)
    cloud.run()
    assert said(cloud) == [{"job": "nightly"}]


def test_input_path_and_transformer(cloud: Cloud) -> None:
    deploy(cloud)
    rule(cloud, "rate(1 hour)", InputPath="$.time")
    cloud.advance(3600)
    cloud.run()
    template = '{"at": <when>, "say": "it is <when>, <aws.events.rule-name>"}'
    transformer = {"InputPathsMap": {"when": "$.time"}, "InputTemplate": template}
    target = {"Id": "t", "Arn": FUNCTION, "InputTransformer": transformer}
    cloud.call("events", "PutTargets", Rule="tick", Targets=[target])
    cloud.advance(3600)
    cloud.run()
    assert said(cloud)[0].startswith("2026-01-02T10:00")
    time = said(cloud)[1]["at"]
    assert said(cloud)[1] == {"at": time, "say": f"it is {time}, tick"}


def test_a_disabled_rule_is_silent_and_one_that_is_enabled_counts_from_then(cloud: Cloud) -> None:
    deploy(cloud)
    rule(cloud, "rate(10 minutes)", state="DISABLED")
    cloud.advance(3600)
    assert not fired(cloud)
    cloud.call("events", "EnableRule", Name="tick")
    cloud.advance(600)
    assert fired(cloud) == ["2026-01-02T10:10:00Z"]
    cloud.call("events", "DisableRule", Name="tick")
    cloud.advance(3600)
    assert len(fired(cloud)) == 1
    cloud.call("events", "EnableRule", Name="tick")
    cloud.call("events", "RemoveTargets", Rule="tick", Ids=["t"])
    cloud.call("events", "DeleteRule", Name="tick")
    cloud.advance(3600)
    assert len(fired(cloud)) == 1


@pytest.mark.parametrize(
    "expression", ["rate(1 minutes)", "cron(0 12 * * * *)", "cron(61 * * * ? *)", "at(2026-11-20T13:00:00)"]
)
def test_a_rule_with_an_invalid_expression_is_refused(cloud: Cloud, expression: str) -> None:
    with pytest.raises(CloudError) as refused:
        cloud.call("events", "PutRule", Name="tick", ScheduleExpression=expression)
    assert (refused.value.code, refused.value.message) == ("ValidationException", "Parameter ScheduleExpression is not valid.")


def test_a_template_with_an_invalid_expression_is_not_deployed(cloud: Cloud) -> None:
    with pytest.raises(DeploymentError, match="Parameter ScheduleExpression is not valid"):
        deploy(cloud, "{Tick: {Type: Schedule, Properties: {Schedule: rate(1 minutes)}}}")
    with pytest.raises(DeploymentError, match=r"FunctionTick: Invalid Schedule Expression rate\(1 minutes\)"):
        deploy(cloud, "{Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minutes)}}}")


def test_a_cron_that_never_fires_harms_nobody(cloud: Cloud) -> None:
    deploy(cloud)
    rule(cloud, "cron(0 0 30 2 ? *)")
    cloud.advance(400 * 86_400)
    assert not fired(cloud)


def test_a_rule_sends_to_queues(cloud: Cloud) -> None:
    deploy(cloud)
    rule(cloud, "rate(1 hour)", arn=DEAD, Input="hello")
    allow_queue(cloud, "events.amazonaws.com")
    cloud.advance(3600)
    (message,) = dead(cloud)
    assert message["Body"] == "hello"


def allow_queue(cloud: Cloud, service: str) -> None:
    url = cloud.call("sqs", "GetQueueUrl", QueueName="dead")["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": DEAD}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})


def test_a_target_that_is_gone_sends_the_event_to_the_rules_dead_letter_queue(cloud: Cloud) -> None:
    deploy(cloud)
    allow_queue(cloud, "events.amazonaws.com")
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    rule(cloud, "rate(1 hour)", arn=gone, DeadLetterConfig={"Arn": DEAD})
    cloud.advance(3600)
    cloud.run()
    (message,) = dead(cloud)
    assert json.loads(message["Body"])["detail-type"] == "Scheduled Event"
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == gone
    assert attributes["RULE_ARN"].endswith(":rule/tick")
    assert attributes["RETRY_ATTEMPTS"] == "0", "a resource that is missing is not asked again"
    assert len(cloud.trace.of(Kind.SCHEDULE_FAILED)) == 1


def test_a_schedule_of_scheduler_with_sam(cloud: Cloud) -> None:
    properties = "{ScheduleExpression: 'cron(30 9 * * ? *)', Name: tick, Input: '{\"a\": 1}'}"
    deploy(cloud, f"{{Tick: {{Type: ScheduleV2, Properties: {properties}}}}}")
    cloud.advance(86_400)
    cloud.run()
    assert fired(cloud) == ["2026-01-02T09:30:00Z"]
    assert said(cloud) == [{"a": 1}]
    found = cloud.call("scheduler", "GetSchedule", Name="tick")
    assert str(found["Target"]["RoleArn"]).startswith("arn:aws:iam::123456789012:role/")  # type: ignore[index]


def test_schedulers_default_event(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    schedule(cloud, "rate(1 hour)")
    cloud.advance(1)
    cloud.run()
    (event,) = said(cloud)
    assert event["source"] == "aws.scheduler"
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"]
    assert event["detail"] == "{}"
    assert fired(cloud) == ["2026-01-02T09:00:00Z"], "without a start date a rate begins at once"


def test_context_attributes(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    text = json.dumps(["<aws.scheduler.schedule-arn>", "<aws.scheduler.scheduled-time>", "<aws.scheduler.attempt-number>"])
    schedule(cloud, "at(2026-01-02T12:00:00)", target={"Input": text})
    cloud.advance(86_400)
    cloud.run()
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"
    assert said(cloud) == [[arn, "2026-01-02T12:00:00Z", "1"]]


def test_a_time_zone_and_its_changes_to_summer_time_and_back(cloud: Cloud) -> None:
    """2026: forward on 29 March at 02:00 (02:30 does not exist), back on 25 October at 03:00 (02:30 comes twice)."""
    deploy(cloud)
    role(cloud)
    schedule(cloud, "cron(30 2 28-29 3 ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    schedule(cloud, "cron(30 2 25-26 10 ? *)", ScheduleExpressionTimezone="Europe/Berlin", Name="autumn")
    schedule(cloud, "at(2026-01-03T09:00:00)", ScheduleExpressionTimezone="Asia/Seoul", Name="once")
    cloud.advance(330 * 86_400)
    assert fired(cloud) == ["2026-01-03T00:00:00Z", "2026-03-28T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]


def test_a_flexible_window_spreads_firings_by_the_seed(host: CloudHost) -> None:
    moments = []
    for seed in (1, 1, 2):
        with Cloud(seed=seed, host=host) as cloud:
            deploy(cloud)
            role(cloud)
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
            schedule(cloud, "cron(0 * * * ? *)", FlexibleTimeWindow=window)
            cloud.advance(10 * 3600)
            cloud.run()
            found = cloud.trace.of(Kind.SCHEDULE_FIRED)
            moments.append([record.t for record in found])
            assert all(0 <= record.seconds % 3600 < 15 * 60 for record in found)
            assert len({record.seconds % 3600 for record in found}) > 5
            assert fired(cloud)[0] == "2026-01-02T10:00:00Z"
    assert moments[0] == moments[1] != moments[2]


def test_start_and_end(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    start = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
    schedule(cloud, "rate(1 hour)", StartDate=start, EndDate=start + datetime.timedelta(hours=2))
    cloud.advance(86_400)
    assert fired(cloud) == ["2026-01-02T12:00:00Z", "2026-01-02T13:00:00Z", "2026-01-02T14:00:00Z"]


def test_a_completed_schedule_deletes_itself_when_asked(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    schedule(cloud, "at(2026-01-02T10:00:00)", ActionAfterCompletion="DELETE")
    schedule(cloud, "at(2026-01-02T10:00:00)", Name="stays")
    cloud.advance(2 * 3600)
    cloud.run()
    assert len(fired(cloud)) == 2
    with pytest.raises(CloudError) as refused:
        cloud.call("scheduler", "GetSchedule", Name="s")
    assert refused.value.code == "ResourceNotFoundException"
    assert cloud.call("scheduler", "GetSchedule", Name="stays")["Name"] == "stays"


def test_a_target_that_fails_is_tried_again_and_then_given_to_the_dead_letter_queue(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    more = {"DeadLetterConfig": {"Arn": DEAD}, "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}}
    schedule(cloud, "at(2026-01-02T10:00:00)", arn=gone, target={**more, "Input": "<aws.scheduler.attempt-number>"})
    cloud.advance(2 * 3600)
    (message,) = dead(cloud)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["SCHEDULE_ARN"].endswith(":schedule/default/s")
    assert attributes["RETRY_ATTEMPTS"] == "3"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert message["Body"] == "4"


@pytest.mark.parametrize(
    ("more", "said_so"),
    [
        ({"expression": "cron(0 0 * * *)"}, "Invalid Schedule Expression cron(0 0 * * *)."),
        ({"expression": "at(2026-13-01T00:00:00)"}, "Invalid Schedule Expression at(2026-13-01T00:00:00)."),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid Schedule Expression Timezone Mars/Base."),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "Maximum Flexible Time Window must be provided when Mode is FLEXIBLE."),
    ],
)
def test_a_schedule_that_is_not_valid_is_refused(cloud: Cloud, more: dict[str, Any], said_so: str) -> None:
    with pytest.raises(CloudError) as refused:
        schedule(cloud, **{"expression": "rate(1 hour)", **more})
    assert (refused.value.code, refused.value.message) == ("ValidationException", said_so)


def test_an_update_replaces_the_schedule_and_a_disabled_one_is_silent(cloud: Cloud) -> None:
    deploy(cloud)
    role(cloud)
    schedule(cloud, "cron(0 * * * ? *)")
    parameters: dict[str, Any] = {
        "Name": "s",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": FUNCTION, "RoleArn": ROLE},
    }
    cloud.call("scheduler", "UpdateSchedule", ScheduleExpression="cron(30 9 * * ? *)", **parameters)
    cloud.advance(2 * 3600)
    assert fired(cloud) == ["2026-01-02T09:30:00Z"]
    cloud.call("scheduler", "UpdateSchedule", ScheduleExpression="cron(0 * * * ? *)", State="DISABLED", **parameters)
    cloud.advance(86_400)
    assert len(fired(cloud)) == 1
