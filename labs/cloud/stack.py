"""Deploy a SAM template: transform it, let moto's CloudFormation create it, and fill in what moto leaves out.

The template is the one that `sam deploy` takes to real AWS. What moto's CloudFormation does not do is done here through the
API, and nowhere else; tests/cloud/test_stack.py lists every property of our templates that moto ignores.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from labs.cloud import messaging_types, moto_seams, resource_types
from labs.cloud.local_client import LocalClients, OperationFailed
from labs.cloud.moto_seams import ACCOUNT, REGION
from labs.cloud.resource_types import Call

_ARTIFACTS = f"serverless-lab-artifacts-{ACCOUNT}"
_SERVERLESS_FUNCTION = "AWS::Serverless::Function"

# The translator counts what it translates for its makers and complains when nobody fetches the counts.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)

# A template is whatever its author wrote: nested mappings of unknown depth.
Node = Any
Template = dict[str, Any]


class DeploymentError(Exception):
    """A template cannot be deployed; the message names the logical id where there is one, and AWS's own words."""


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource that a deployment created."""

    logical_id: str
    type: str
    physical_id: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack."""

    name: str
    outputs: Mapping[str, str]
    resources: tuple[StackResource, ...] = field(default=())


class _NoManagedPolicies:
    """SAM asks for the ARNs of AWS-managed policies by name; their form is known."""

    def load(self) -> dict[str, str]:
        names = ("AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaDynamoDBExecutionRole")
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in names}


def deploy(clients: LocalClients, name: str, template: str, package: bytes) -> Stack:
    """Create or update a stack whose functions run the code in `package` (a zip). Raises DeploymentError."""
    document = transformed(_parse(template), _upload(clients, package))
    # moto warns about types that it does not know and lists them without a name.
    known = {logical_id: one for logical_id, one in document["Resources"].items() if one.get("Type") not in MADE}
    body = yaml.safe_dump({**document, "Resources": known})
    parameters = {"StackName": name, "TemplateBody": body, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]}
    try:
        operation = "UpdateStack" if _exists(clients, name) else "CreateStack"
        clients.call("cloudformation", operation, parameters, deployment=True)
        resources = _resources(clients, name)
        resources += _make(clients, name, document, resources)
        _fill(clients, document, {resource.logical_id: resource for resource in resources})
        described = clients.call("cloudformation", "DescribeStacks", {"StackName": name}, deployment=True)
    except OperationFailed as error:
        raise DeploymentError(f"stack {name}: {error.code}: {error.message}") from error
    stacks: Node = described["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", ())}
    return Stack(name, outputs, tuple(resources))


def extend(clients: LocalClients) -> None:
    """Let CloudFormation make what moto lacks, through the API of this account."""

    def call_for(account: str, region: str) -> Call:
        def call(service: str, operation: str, /, **parameters: object) -> dict[str, Any]:
            return clients.call(service, operation, parameters, deployment=True)

        return call

    moto_seams.add_resource_types({**resource_types.TYPES, **messaging_types.TYPES}, call_for)


def _parse(template: str) -> Template:
    try:
        document = yaml_parse(template)
    except (yaml.YAMLError, ValueError) as error:
        raise DeploymentError(f"the template is not valid YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise DeploymentError("the template has no Resources")
    return document


def transformed(document: Template, code_uri: str) -> Template:
    """Apply the SAM transform, with every function's local code replaced by the uploaded package."""
    for resource in document["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == _SERVERLESS_FUNCTION:
            properties = resource.setdefault("Properties", {})
            if not str(properties.get("CodeUri", "")).startswith("s3://") and "InlineCode" not in properties:
                properties["CodeUri"] = code_uri
    if document.get("Transform") != "AWS::Serverless-2016-10-31":
        return document
    try:
        found: Template = transform(document, {}, _NoManagedPolicies())
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise DeploymentError(f"the template is not valid SAM: {causes}") from error
    return found


def preload() -> None:
    """Let the SAM translator read its schemas, so that a fork of this process need not."""
    function = {"Type": _SERVERLESS_FUNCTION, "Properties": {"Handler": "h.h", "Runtime": "python3.12"}}
    transformed({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"F": function}}, "s3://bucket/key")


def _upload(clients: LocalClients, package: bytes) -> str:
    try:
        clients.call("s3", "CreateBucket", {"Bucket": _ARTIFACTS}, deployment=True)
    except OperationFailed as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise DeploymentError(f"{_ARTIFACTS}: {error}") from error
    key = hashlib.sha256(package).hexdigest()
    clients.call("s3", "PutObject", {"Bucket": _ARTIFACTS, "Key": key, "Body": package}, deployment=True)
    return f"s3://{_ARTIFACTS}/{key}"


def _exists(clients: LocalClients, name: str) -> bool:
    try:
        clients.call("cloudformation", "DescribeStacks", {"StackName": name}, deployment=True)
    except OperationFailed:
        return False
    return True


def _resources(clients: LocalClients, name: str) -> list[StackResource]:
    found: Node = clients.call("cloudformation", "DescribeStackResources", {"StackName": name}, deployment=True)
    return [
        StackResource(item["LogicalResourceId"], item["ResourceType"], item.get("PhysicalResourceId", ""))
        for item in found["StackResources"]
    ]


# What moto leaves out, by resource type and property.
# The words for a bucket's notifications: in a template, in the API, and for whom.
_NOTIFICATIONS = (
    ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "Topic", "TopicConfigurations", "TopicArn"),
)


def _notifications(clients: LocalClients, bucket: str, value: Node) -> None:
    """Set a bucket's NotificationConfiguration, which moto's CloudFormation drops."""
    configuration: dict[str, object] = {
        theirs: [
            {
                arn: item[target],
                "Events": [item["Event"]],
                **({"Filter": {"Key": {"FilterRules": item["Filter"]["S3Key"]["Rules"]}}} if "Filter" in item else {}),
            }
            for item in value[ours]
        ]
        for ours, target, theirs, arn in _NOTIFICATIONS
        if value.get(ours)
    }
    if str(value.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", "false")).lower() == "true":
        configuration["EventBridgeConfiguration"] = {}
    # Putting the same again would send every queue and topic another test message.
    found: Node = clients.call("s3", "GetBucketNotificationConfiguration", {"Bucket": bucket}, deployment=True)
    now = {name: [{key: rule[key] for key in rule if key != "Id"} for rule in rules] for name, rules in found.items() if rules}
    if now == configuration:
        return
    parameters = {"Bucket": bucket, "NotificationConfiguration": configuration}
    clients.call("s3", "PutBucketNotificationConfiguration", parameters, deployment=True)


def _managed_policies(clients: LocalClients, role: str, value: Node) -> None:
    for arn in value:
        clients.call("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn}, deployment=True)


def _function_tags(clients: LocalClients, function: str, value: Node) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    tags = {tag["Key"]: tag["Value"] for tag in value}
    clients.call("lambda", "TagResource", {"Resource": arn, "Tags": tags}, deployment=True)


def _time_to_live(clients: LocalClients, table: str, value: Node) -> None:
    parameters = {"TableName": table, "TimeToLiveSpecification": {**value, "Enabled": str(value["Enabled"]).lower() == "true"}}
    clients.call("dynamodb", "UpdateTimeToLive", parameters, deployment=True)


Filler = Callable[[LocalClients, str, Node], None]
FILLED: Mapping[tuple[str, str], Filler] = {
    ("AWS::S3::Bucket", "NotificationConfiguration"): _notifications,
    ("AWS::IAM::Role", "ManagedPolicyArns"): _managed_policies,
    ("AWS::Lambda::Function", "Tags"): _function_tags,
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification"): _time_to_live,
}


def _fill(clients: LocalClients, document: Template, resources: Mapping[str, StackResource]) -> None:
    for logical_id, resource in document["Resources"].items():
        for name, value in (resource.get("Properties") or {}).items():
            filler = FILLED.get((resource["Type"], name))
            if filler is not None and logical_id in resources:
                filler(clients, resources[logical_id].physical_id, resolve(value, resources))


# What moto has no resource type for: made here through the API, after everything else.
def _schedule(clients: LocalClients, name: str, properties: Node) -> str:
    parameters = {"FlexibleTimeWindow": {"Mode": "OFF"}, **properties, "Name": properties.get("Name", name)}
    window = parameters["FlexibleTimeWindow"]
    if "MaximumWindowInMinutes" in window:
        parameters["FlexibleTimeWindow"] = {**window, "MaximumWindowInMinutes": int(window["MaximumWindowInMinutes"])}
    try:
        clients.call("scheduler", "CreateSchedule", parameters, deployment=True)
    except OperationFailed as error:
        if error.code != "ConflictException":
            raise
        clients.call("scheduler", "UpdateSchedule", parameters, deployment=True)
    return str(parameters["Name"])


Maker = Callable[[LocalClients, str, Node], str]
MADE: Mapping[str, Maker] = {"AWS::Scheduler::Schedule": _schedule}


def _make(clients: LocalClients, stack: str, document: Template, known: list[StackResource]) -> list[StackResource]:
    resources = {resource.logical_id: resource for resource in known}
    made = []
    for logical_id, resource in document["Resources"].items():
        maker = MADE.get(resource["Type"])
        if maker is None:
            continue
        properties = resolve(resource.get("Properties") or {}, resources)
        suffix = hashlib.sha256(f"{stack}/{logical_id}".encode()).hexdigest()[:12].upper()
        try:
            physical_id = maker(clients, f"{stack}-{logical_id}-{suffix}"[:64], properties)
        except OperationFailed as error:
            raise DeploymentError(f"stack {stack}: {logical_id}: {error.code}: {error.message}") from error
        made.append(StackResource(logical_id, resource["Type"], physical_id))
    return made


def resolve(node: Node, resources: Mapping[str, StackResource]) -> Node:
    """Replace references by physical names and ARNs."""
    if isinstance(node, list):
        return [resolve(inner, resources) for inner in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Ref"}:
        return _pseudo(node["Ref"]) or resources[node["Ref"]].physical_id
    if node.keys() == {"Fn::GetAtt"}:
        logical_id, attribute = node["Fn::GetAtt"]
        return _attribute(resources[logical_id], attribute)
    return {name: resolve(inner, resources) for name, inner in node.items()}


def _pseudo(name: str) -> str | None:
    return {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}.get(name)


def _attribute(resource: StackResource, attribute: str) -> str:
    forms = {
        ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{resource.physical_id}",
        ("AWS::S3::Bucket", "Arn"): f"arn:aws:s3:::{resource.physical_id}",
        ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{resource.physical_id}",
        ("AWS::SQS::Queue", "Arn"): f"arn:aws:sqs:{REGION}:{ACCOUNT}:{resource.physical_id.rpartition('/')[2]}",
        ("AWS::SNS::Topic", "TopicArn"): resource.physical_id,
    }
    try:
        return forms[resource.type, attribute]
    except KeyError as error:
        raise DeploymentError(f"{resource.logical_id}: !GetAtt {attribute} of {resource.type} is not supported here") from error
