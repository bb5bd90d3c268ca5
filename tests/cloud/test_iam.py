"""A function may do what its role may, and a service what the resource's policy says.

Sources: IAM user guide, "Policy evaluation logic", "IAM JSON policy elements reference", "Condition operators" and
"Troubleshoot access denied error messages"; AWS Lambda developer guide, "Defining Lambda function permissions with an
execution role" and "Viewing resource-based IAM policies in Lambda" (2026-11-20).
"""

import json
import textwrap
from typing import Any

import pytest

from labs.cloud import Cloud, Kind
from labs.cloud.iam import Decision, Question, decide
from labs.cloud.packing import pack_source

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: 10
      Policies: POLICIES
"""
CALLS = """
    import boto3
    from botocore.exceptions import ClientError

    def handler(event, context):
        client = boto3.client(event["service"])
        try:
            answer = getattr(client, event["call"])(**event["with"])
        except ClientError as error:
            found = error.response
            return [found["Error"]["Code"], found["Error"]["Message"], found["ResponseMetadata"]["HTTPStatusCode"]]
        return "ok"
"""
ACCOUNT = "123456789012"


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def deploy(cloud: Cloud, *statements: dict[str, Any]) -> str:
    """Deploy `f` with these statements, make one of everything, and give the ARN of the function's session."""
    policies = [{"Version": "2012-10-17", "Statement": list(statements)}] if statements else []
    cloud.deploy_package(TEMPLATE.replace("POLICIES", json.dumps(policies)), pack_source(textwrap.dedent(CALLS)), name="iam")
    cloud.call("s3", "CreateBucket", Bucket="bucket")
    cloud.call("s3", "PutObject", Bucket="bucket", Key="k", Body=b"x")
    cloud.call(
        "dynamodb",
        "CreateTable",
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    cloud.call("sqs", "CreateQueue", QueueName="q")
    cloud.call("sns", "CreateTopic", Name="n")
    role = str(cloud.call("lambda", "GetFunctionConfiguration", FunctionName="f")["Role"]).rpartition("/")[2]
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/f"


def call(cloud: Cloud, service: str, name: str, **parameters: Any) -> Any:
    """Let the function make a call; give "ok", or the error's code, message and status."""
    event = {"service": service, "call": name, "with": parameters}
    payload = cloud.call("lambda", "Invoke", FunctionName="f", Payload=json.dumps(event).encode())["Payload"]
    assert isinstance(payload, bytes)
    return json.loads(payload)


QUEUE = "http://127.0.0.1:4566/123456789012/q"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:n"
# service, call, parameters; action and resource as the message names them; code and status of the refusal
REFUSALS: list[tuple[str, str, dict[str, Any], str, str, str, int]] = [
    ("s3", "get_object", {"Bucket": "bucket", "Key": "k"}, "s3:GetObject", '"arn:aws:s3:::bucket/k"', "AccessDenied", 403),
    ("s3", "put_object", {"Bucket": "bucket", "Key": "k"}, "s3:PutObject", '"arn:aws:s3:::bucket/k"', "AccessDenied", 403),
    ("s3", "list_objects_v2", {"Bucket": "bucket"}, "s3:ListBucket", '"arn:aws:s3:::bucket"', "AccessDenied", 403),
    (
        "dynamodb",
        "put_item",
        {"TableName": "t", "Item": {"id": {"S": "1"}}},
        "dynamodb:PutItem",
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t",
        "AccessDeniedException",
        400,
    ),
    (
        "sqs",
        "send_message",
        {"QueueUrl": QUEUE, "MessageBody": "m"},
        "sqs:sendmessage",
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:q",
        "AccessDenied",
        403,
    ),
    ("sns", "publish", {"TopicArn": TOPIC, "Message": "m"}, "SNS:Publish", TOPIC, "AuthorizationError", 403),
    (
        "lambda",
        "invoke",
        {"FunctionName": "f"},
        "lambda:InvokeFunction",
        f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
        "AccessDeniedException",
        403,
    ),
]


@pytest.mark.parametrize(("service", "name", "parameters", "action", "resource", "code", "status"), REFUSALS)
def test_what_the_role_does_not_allow_is_denied_in_the_services_own_form(
    cloud: Cloud, service: str, name: str, parameters: dict[str, Any], action: str, resource: str, code: str, status: int
) -> None:
    session = deploy(cloud)
    message = (
        f"User: {session} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    assert call(cloud, service, name, **parameters) == [code, message, status]
    denied = [
        one for one in cloud.trace.of(Kind.API_CALL) if one.detail["status"] == status and one.detail["service"] == service
    ]
    assert len(denied) == 1


def test_a_head_request_is_denied_without_a_body(cloud: Cloud) -> None:
    deploy(cloud)
    assert call(cloud, "s3", "head_object", Bucket="bucket", Key="k")[::2] == ["403", 403]


@pytest.mark.parametrize(("service", "name", "parameters", "action"), [one[:4] for one in REFUSALS if one[0] != "lambda"])
def test_what_the_role_allows_happens(cloud: Cloud, service: str, name: str, parameters: dict[str, Any], action: str) -> None:
    named = {"sqs:sendmessage": "sqs:SendMessage"}.get(action, action)
    deploy(cloud, allow(named))
    assert call(cloud, service, name, **parameters) == "ok"


def test_a_call_from_outside_is_the_accounts_root(cloud: Cloud) -> None:
    identity = cloud.call("sts", "GetCallerIdentity")
    assert identity == {"UserId": ACCOUNT, "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root"}


def test_a_function_is_a_session_of_its_role_under_its_own_name(cloud: Cloud) -> None:
    session = deploy(cloud)
    source = "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"
    cloud.call("lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=pack_source(source))
    assert cloud.call("lambda", "Invoke", FunctionName="f")["Payload"] == json.dumps(session).encode()


def test_a_missing_key_is_access_denied_for_who_may_not_list_the_bucket(cloud: Cloud) -> None:
    session = deploy(cloud, allow("s3:GetObject"))
    code, message, _ = call(cloud, "s3", "get_object", Bucket="bucket", Key="missing")
    assert code == "AccessDenied"
    assert message == (
        f'User: {session} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::bucket" '
        "because no identity-based policy allows the s3:ListBucket action"
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:ListBucket", "arn:aws:s3:::bucket")]})
    cloud.call("iam", "PutRolePolicy", RoleName=session.split("/")[1], PolicyName="more", PolicyDocument=policy)
    assert call(cloud, "s3", "get_object", Bucket="bucket", Key="missing")[0] == "NoSuchKey"


def test_an_explicit_deny_wins_and_the_message_says_so(cloud: Cloud) -> None:
    deploy(cloud, allow("*"), deny("dynamodb:Delete*"))
    assert call(cloud, "dynamodb", "put_item", TableName="t", Item={"id": {"S": "1"}}) == "ok"
    code, message, _ = call(cloud, "dynamodb", "delete_item", TableName="t", Key={"id": {"S": "1"}})
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_every_part_of_a_transaction_and_of_a_batch_needs_its_permission(cloud: Cloud) -> None:
    deploy(cloud, allow("dynamodb:PutItem"))
    item = {"TableName": "t", "Item": {"id": {"S": "1"}}}
    assert call(cloud, "dynamodb", "transact_write_items", TransactItems=[{"Put": item}]) == "ok"
    check = {"TableName": "t", "Key": {"id": {"S": "2"}}, "ConditionExpression": "attribute_not_exists(id)"}
    refused = call(cloud, "dynamodb", "transact_write_items", TransactItems=[{"Put": item}, {"ConditionCheck": check}])
    assert "dynamodb:ConditionCheckItem" in refused[1]
    batch = {"t": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]}
    assert "dynamodb:BatchWriteItem" in call(cloud, "dynamodb", "batch_write_item", RequestItems=batch)[1]


def test_managed_policies_count(cloud: Cloud) -> None:
    session = deploy(cloud)
    arn = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
    cloud.call("iam", "AttachRolePolicy", RoleName=session.split("/")[1], PolicyArn=arn)
    assert call(cloud, "dynamodb", "get_item", TableName="t", Key={"id": {"S": "1"}}) == "ok"
    assert call(cloud, "dynamodb", "put_item", TableName="t", Item={"id": {"S": "1"}})[0] == "AccessDeniedException"
    cloud.call("iam", "DetachRolePolicy", RoleName=session.split("/")[1], PolicyArn=arn)
    assert call(cloud, "dynamodb", "get_item", TableName="t", Key={"id": {"S": "1"}})[0] == "AccessDeniedException"


def test_a_resource_policy_alone_may_allow_and_may_deny(cloud: Cloud) -> None:
    session = deploy(cloud)
    role = f"arn:aws:iam::{ACCOUNT}:role/{session.split('/')[1]}"

    def set_policy(effect: str) -> None:
        statement = {
            "Effect": effect,
            "Principal": {"AWS": role},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        cloud.call("s3", "PutBucketPolicy", Bucket="bucket", Policy=policy)

    set_policy("Allow")
    assert call(cloud, "s3", "get_object", Bucket="bucket", Key="k") == "ok"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*")]})
    cloud.call("iam", "PutRolePolicy", RoleName=session.split("/")[1], PolicyName="more", PolicyDocument=policy)
    set_policy("Deny")
    refused = call(cloud, "s3", "get_object", Bucket="bucket", Key="k")
    assert refused[1].endswith("with an explicit deny in a resource-based policy")


def test_credentials_of_an_assumed_role_have_that_roles_permissions(cloud: Cloud) -> None:
    session = deploy(cloud)
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    cloud.call("iam", "CreateRole", RoleName="reader", AssumeRolePolicyDocument=document)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]})
    cloud.call("iam", "PutRolePolicy", RoleName="reader", PolicyName="p", PolicyDocument=policy)
    assume = json.dumps({"Version": "2012-10-17", "Statement": [allow("sts:AssumeRole")]})
    cloud.call("iam", "PutRolePolicy", RoleName=session.split("/")[1], PolicyName="assume", PolicyDocument=assume)
    source = """
        import boto3
        def handler(event, context):
            role = "arn:aws:iam::123456789012:role/reader"
            keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
            s3 = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"])
            body = s3.get_object(Bucket="bucket", Key="k")["Body"].read().decode()
            try:
                s3.put_object(Bucket="bucket", Key="k")
            except Exception as error:
                return [body, str(error)]
    """
    cloud.call("lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=pack_source(textwrap.dedent(source)))
    payload = cloud.call("lambda", "Invoke", FunctionName="f")["Payload"]
    assert isinstance(payload, bytes)
    body, error = json.loads(payload)
    assert body == "x"
    assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/me is not authorized" in error


def rule_for(cloud: Cloud, target: str) -> None:
    cloud.call("events", "PutRule", Name="tick", ScheduleExpression="rate(1 minute)")
    cloud.call("events", "PutTargets", Rule="tick", Targets=[{"Id": "t", "Arn": target}])


def test_a_rule_needs_the_functions_resource_policy(cloud: Cloud) -> None:
    deploy(cloud)
    rule_for(cloud, f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")
    cloud.advance(60)
    (failed,) = cloud.trace.of(Kind.SCHEDULE_FAILED)
    assert failed.detail["reason"] == "AccessDeniedException"

    def permit(statement: str, source: str) -> None:
        cloud.call(
            "lambda",
            "AddPermission",
            FunctionName="f",
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=source,
        )

    permit("other", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/other")
    cloud.advance(60)
    assert len(cloud.trace.of(Kind.SCHEDULE_FAILED)) == 2, "a permission for another rule is none"
    permit("mine", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/t*")
    cloud.advance(60)
    assert len(cloud.trace.of(Kind.SCHEDULE_FAILED)) == 2
    assert len(cloud.trace.of(Kind.EVENT_QUEUED)) == 1


def test_a_rule_needs_the_queues_resource_policy(cloud: Cloud) -> None:
    deploy(cloud)
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    rule_for(cloud, queue)
    cloud.advance(60)
    assert len(cloud.trace.of(Kind.SCHEDULE_FAILED)) == 1
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/tick"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=QUEUE, Attributes={"Policy": policy})
    cloud.advance(60)
    assert len(cloud.trace.of(Kind.SCHEDULE_FAILED)) == 1
    messages: Any = cloud.call("sqs", "ReceiveMessage", QueueUrl=QUEUE)["Messages"]
    assert len(messages) == 1


def test_a_schedule_calls_its_target_with_its_own_role(cloud: Cloud) -> None:
    deploy(cloud)
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    cloud.call("iam", "CreateRole", RoleName="caller", AssumeRolePolicyDocument=document)
    target = {
        "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/caller",
        "RetryPolicy": {"MaximumRetryAttempts": 0},
    }
    parameters: dict[str, Any] = {"FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target, "ScheduleExpression": "rate(1 hour)"}
    cloud.call("scheduler", "CreateSchedule", Name="s", **parameters)
    cloud.advance(1)
    (failed,) = cloud.trace.of(Kind.SCHEDULE_FAILED)
    assert failed.detail["reason"] == "AccessDeniedException"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("lambda:InvokeFunction")]})
    cloud.call("iam", "PutRolePolicy", RoleName="caller", PolicyName="p", PolicyDocument=policy)
    cloud.advance(3600)
    assert len(cloud.trace.of(Kind.EVENT_QUEUED)) == 1


# the language of policies
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
CONTEXT = {
    "aws:sourceip": "10.1.2.3",
    "aws:securetransport": "true",
    "aws:principalarn": ROLE,
    "aws:requestedregion": "us-east-1",
    "aws:epochtime": "1767344400",
    "aws:currenttime": "2026-01-02T09:00:00Z",
    "aws:sourcearn": f"arn:aws:s3:::bucket-{ACCOUNT}",
}


def asked(
    statements: list[dict[str, Any]], resource: str = "arn:aws:s3:::b/folder/k", action: str = "s3:GetObject", **policies: Any
) -> Decision:
    question = Question(action, resource, frozenset({ROLE}), context=CONTEXT)
    return decide(question, [{"Statement": statements}], **policies)


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        (allow("s3:GetObject"), Decision.ALLOWED),
        (allow("S3:getobject"), Decision.ALLOWED),
        (allow("s3:Get*"), Decision.ALLOWED),
        (allow("s3:Ge?Object"), Decision.ALLOWED),
        (allow("*"), Decision.ALLOWED),
        (allow(["s3:PutObject", "s3:GetObject"]), Decision.ALLOWED),
        (allow("s3:GetObjectVersion"), Decision.NOT_ALLOWED),
        (allow("s3:*", "arn:aws:s3:::b/*"), Decision.ALLOWED),
        (allow("s3:*", "arn:aws:s3:::b/*/k"), Decision.ALLOWED),
        (allow("s3:*", "arn:aws:s3:::bucket"), Decision.NOT_ALLOWED),
        (allow("s3:*", "arn:aws:s3:::B/*"), Decision.NOT_ALLOWED),
        (allow("s3:*", "arn:aws:s3:::b/folder"), Decision.NOT_ALLOWED),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, Decision.ALLOWED),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, Decision.NOT_ALLOWED),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, Decision.ALLOWED),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}, Decision.NOT_ALLOWED),
        (deny("s3:GetObject"), Decision.DENIED_BY_IDENTITY),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], decision: Decision) -> None:
    assert asked([statement]) is decision


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringEquals": {"AWS:requestedregion": ["eu-west-1", "us-east-1"]}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "US-EAST-1"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "US-EAST-1"}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, False),
        ({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, False),
        ({"StringNotEquals": {"aws:Absent": "x"}}, True),
        ({"StringEquals": {"aws:Absent": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:Absent": "x"}}, True),
        ({"StringLike": {"aws:RequestedRegion": "us-*-?"}}, True),
        ({"StringNotLike": {"aws:RequestedRegion": "us-*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket-*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:*:s3:::bucket-*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:*:bucket-123456789012"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::other"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "10.0.0.0/8"]}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"NumericLessThan": {"aws:EpochTime": "1767344401"}}, True),
        ({"NumericGreaterThanEquals": {"aws:EpochTime": "1767344401"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
        ({"Null": {"aws:Absent": "true"}}, True),
        ({"Null": {"aws:SourceIp": "true"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({"SomethingUnknown": {"aws:SourceIp": "10.1.2.3"}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    assert asked([allow("*", Condition=condition)]) is (Decision.ALLOWED if holds else Decision.NOT_ALLOWED)
    assert asked([allow("*"), deny("*", Condition=condition)]) is (Decision.DENIED_BY_IDENTITY if holds else Decision.ALLOWED)


def test_who_is_meant_by_a_resource_policy() -> None:
    def by(principal: Any) -> Decision:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:*", "Resource": "*"}
        return asked([], resource_policy_of=statement)

    def asked(statements: list[dict[str, Any]], resource_policy_of: dict[str, Any]) -> Decision:
        question = Question("s3:GetObject", "arn:aws:s3:::bucket/k", frozenset({ROLE}), context=CONTEXT)
        return decide(question, [{"Statement": statements}], {"Statement": [resource_policy_of]})

    assert by("*") is Decision.ALLOWED
    assert by({"AWS": "*"}) is Decision.ALLOWED
    assert by({"AWS": [ROLE]}) is Decision.ALLOWED
    assert by({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}) is Decision.NOT_ALLOWED
    assert by({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}) is Decision.NOT_ALLOWED, "the account delegates to its own policies"
    assert by({"Service": "events.amazonaws.com"}) is Decision.NOT_ALLOWED


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"Statement": "Allow"},
        {"Statement": [None, 1, "x"]},
        {"Statement": {"Effect": "Allow", "Action": {"a": 1}, "Resource": None}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": "x"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": 3}}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "no"}}}},
        {"Statement": {"Effect": "Allow", "Principal": {"AWS": [{}]}, "NotAction": "s3:*", "Resource": "*"}},
    ],
)
def test_nonsense_allows_nothing_and_breaks_nothing(policy: dict[str, Any]) -> None:
    question = Question("s3:GetObject", "arn:aws:s3:::b/k", frozenset({ROLE}), context=CONTEXT)
    assert decide(question, [policy], policy) is Decision.NOT_ALLOWED


def test_a_request_of_the_wrong_form_does_not_end_the_cloud(cloud: Cloud) -> None:
    deploy(cloud, allow("*"))
    source = """
        import json, os, urllib.request
        def ask(target, body):
            scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260102/us-east-1/" + target[0] + "/aws4_request"
            headers = {"X-Amz-Target": target[1], "Content-Type": "application/x-amz-json-1.0",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
            request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), headers)
            try:
                return urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                return error.code
        def handler(event, context):
            dynamodb = "DynamoDB_20120810."
            return [ask(("dynamodb", dynamodb + "TransactWriteItems"), {"TransactItems": [1]}),
                ask(("dynamodb", dynamodb + "BatchGetItem"), {"RequestItems": 5}),
                ask(("dynamodb", dynamodb + "GetItem"), {"TableName": "arn:aws"}),
                ask(("sns", "SNS.Publish"), {"TopicArn": "arn:aws:sns:mars-1:1:x"})]
    """
    cloud.call("lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=pack_source(textwrap.dedent(source)))
    payload = cloud.call("lambda", "Invoke", FunctionName="f")["Payload"]
    assert isinstance(payload, bytes)
    assert all(isinstance(status, int) and status >= 400 for status in json.loads(payload))
    assert cloud.alive


def test_a_boundary_only_takes_away() -> None:
    boundary = {"Statement": [allow("s3:Get*")]}
    assert asked([allow("*")], boundary=boundary) is Decision.ALLOWED
    assert asked([allow("*")], action="s3:PutObject", boundary=boundary) is Decision.OUTSIDE_BOUNDARY
    assert asked([], boundary=boundary) is Decision.NOT_ALLOWED


def test_policy_variables() -> None:
    assert asked([allow("s3:*", "arn:aws:s3:::b/folder/${*}")]) is Decision.NOT_ALLOWED
    condition = {"StringLike": {"aws:SourceArn": "arn:aws:s3:::bucket-*"}}
    assert asked([allow("s3:*", "arn:aws:s3:::*/${aws:Absent}/*", Condition=condition)]) is Decision.NOT_ALLOWED
    assert asked([allow("s3:*", "arn:aws:s3:::b/${aws:RequestedRegion}/*")], "arn:aws:s3:::b/us-east-1/k") is Decision.ALLOWED
