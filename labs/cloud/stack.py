"""Deploy a SAM template: transform it, let moto's CloudFormation create it, and fill in what moto leaves out.

The template is the one that `sam deploy` takes to real AWS. Properties that moto's CloudFormation ignores are set here through
the API, and nowhere else; tests/cloud/test_stack.py lists every property of our templates that moto ignores. Whole resource
types that it lacks are in labs/cloud/resource_types.py.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

from labs.cloud import moto_seams
from labs.cloud.local_client import LocalClients, OperationFailed
from labs.cloud.moto_seams import ACCOUNT, REGION
from labs.cloud.templates import TemplateError, parsed

_ARTIFACTS = f"serverless-lab-artifacts-{ACCOUNT}"
_SERVERLESS_FUNCTION = "AWS::Serverless::Function"
_SAM = "AWS::Serverless-2016-10-31"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]

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
    body = yaml.safe_dump(document)
    parameters = {"StackName": name, "TemplateBody": body, "Capabilities": _CAPABILITIES}
    try:
        status = _status(clients, name)
        if status == "ROLLBACK_COMPLETE":
            # AWS keeps what is left of a stack that could not be created, for its events; it can only be deleted.
            clients.call("cloudformation", "DeleteStack", {"StackName": name}, deployment=True)
            status = None
        operation = "UpdateStack" if status else "CreateStack"
        clients.call("cloudformation", operation, parameters, deployment=True)
        failure = moto_seams.stack_failure(ACCOUNT, REGION, name)
        if failure is not None:
            raise DeploymentError(f"stack {name}: {failure}")
        resources = _resources(clients, name)
        described = clients.call("cloudformation", "DescribeStacks", {"StackName": name}, deployment=True)
    except OperationFailed as error:
        raise DeploymentError(f"stack {name}: {error.code}: {error.message}") from error
    stacks: Node = described["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", ())}
    return Stack(name, outputs, tuple(resources))


def _parse(template: str) -> Template:
    try:
        return parsed(template)
    except TemplateError as error:
        raise DeploymentError(str(error)) from error


def transformed(document: Template, code_uri: str | None, parameters: Mapping[str, str] | None = None) -> Template:
    """Apply the SAM transform, with every function's local code replaced by the uploaded package, if there is one."""
    for resource in document["Resources"].values():
        if code_uri is not None and isinstance(resource, dict) and resource.get("Type") == _SERVERLESS_FUNCTION:
            properties = resource.setdefault("Properties", {})
            if not str(properties.get("CodeUri", "")).startswith("s3://") and "InlineCode" not in properties:
                properties["CodeUri"] = code_uri
    named = document.get("Transform")
    if _SAM not in (named if isinstance(named, list) else [named]):
        return document
    try:
        found: Template = transform({**document, "Transform": _SAM}, dict(parameters or {}), _NoManagedPolicies())
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise DeploymentError(f"Transform {_SAM} failed with: {error.message} {causes}") from error
    found.pop("Transform", None)
    return found


def preload() -> None:
    """Let the SAM translator read its schemas, so that a fork of this process need not."""
    function = {"Type": _SERVERLESS_FUNCTION, "Properties": {"Handler": "h.h", "Runtime": "python3.12"}}
    transformed({"Transform": _SAM, "Resources": {"F": function}}, "s3://bucket/key")


def _upload(clients: LocalClients, package: bytes) -> str:
    try:
        clients.call("s3", "CreateBucket", {"Bucket": _ARTIFACTS}, deployment=True)
    except OperationFailed as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise DeploymentError(f"{_ARTIFACTS}: {error}") from error
    key = hashlib.sha256(package).hexdigest()
    clients.call("s3", "PutObject", {"Bucket": _ARTIFACTS, "Key": key, "Body": package}, deployment=True)
    return f"s3://{_ARTIFACTS}/{key}"


def _status(clients: LocalClients, name: str) -> str | None:
    try:
        described: Node = clients.call("cloudformation", "DescribeStacks", {"StackName": name}, deployment=True)
    except OperationFailed:
        return None
    return str(described["Stacks"][0]["StackStatus"])


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


def fill(clients: LocalClients, name: str) -> None:
    """Fill in what moto left out of a stack. Raises OperationFailed."""
    for resource in moto_seams.stack_resources(ACCOUNT, REGION, name):
        for property_name, value in resource.properties.items():
            filler = FILLED.get((resource.type, property_name))
            if filler is not None:
                filler(clients, resource.physical_id, value)
