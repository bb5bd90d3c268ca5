"""Deployments: what of our templates moto ignores, and that we fill it in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto.cloudformation.parsing
import pytest
import yaml
from moto import mock_aws

from labs.cloud import Cloud
from labs.cloud.stack import FILLED, _parse, transformed
from tests.cloud.conftest import LAB01, PROJECT

TEMPLATES = sorted(PROJECT.glob("labs/lab*/template.yaml"))

# What moto's CloudFormation does not read and what nobody needs to fill in, with the reason.
HARMLESS = {
    ("AWS::S3::Bucket", "BucketName"): "read earlier, as the physical name",
    ("AWS::DynamoDB::Table", "TableName"): "read earlier, as the physical name",
    ("AWS::Lambda::Function", "FunctionName"): "read earlier, as the physical name",
    ("AWS::Lambda::Permission", "SourceAccount"): "moto keeps no condition on a permission; invocations are not authorised yet",
}


class Watched(dict[str, Any]):
    """Remember which of its keys were read."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def items(self) -> Any:
        self.read |= self.keys()
        return super().items()

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()


def ignored_by_moto(template: Path, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Deploy to plain moto and tell which properties its CloudFormation never looked at."""
    watched: list[tuple[str, Watched]] = []
    parse = moto.cloudformation.parsing.parse_resource_and_generate_name

    def watch(logical_id: str, resource_json: Any, resources_map: Any) -> Any:
        found = parse(logical_id, resource_json, resources_map)
        resource_class, document, name = found
        properties = Watched(document["Properties"])
        watched.append((document["Type"], properties))
        return resource_class, {**document, "Properties": properties}, name

    monkeypatch.setattr(moto.cloudformation.parsing, "parse_resource_and_generate_name", watch)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="artifacts")
        boto3.client("s3").put_object(Bucket="artifacts", Key="code", Body=b"")
        document = transformed(_parse(template.read_text(encoding="utf-8")), "s3://artifacts/code")
        boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=yaml.safe_dump(document))
    assert watched
    return {(kind, key) for kind, properties in watched for key in properties if key not in properties.read}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.parent.name)
def test_every_property_that_moto_ignores_is_filled_in_or_explained(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ignored = ignored_by_moto(template, monkeypatch)
    assert ignored <= FILLED.keys() | HARMLESS.keys(), sorted(ignored - FILLED.keys() - HARMLESS.keys())


def test_the_lab_s_notification_is_one_that_moto_ignores(monkeypatch: pytest.MonkeyPatch) -> None:
    """When moto learns it, the filler can go."""
    assert ("AWS::S3::Bucket", "NotificationConfiguration") in ignored_by_moto(LAB01 / "template.yaml", monkeypatch)


def test_what_was_ignored_is_there_after_our_deployment(cloud: Cloud) -> None:
    stack = cloud.deploy(LAB01 / "template.yaml", code=LAB01 / "handler.py")
    configuration = cloud.call("s3", "GetBucketNotificationConfiguration", Bucket=stack.outputs["Photos"])
    (rule,) = configuration["LambdaFunctionConfigurations"]  # type: ignore[misc]
    assert rule["Events"] == ["s3:ObjectCreated:*"]  # type: ignore[has-type]
    assert rule["LambdaFunctionArn"].endswith(":function:thumbnail")  # type: ignore[has-type]
    function = cloud.call("lambda", "GetFunctionConfiguration", FunctionName=stack.outputs["Function"])
    assert (function["Timeout"], function["MemorySize"]) == (10, 512) or (function["Timeout"], function["MemorySize"]) == (
        "10",
        "512",
    )
    role = str(function["Role"]).rpartition("/")[2]
    attached = cloud.call("iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
    assert isinstance(attached, list)
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole"]
    tags = cloud.call("lambda", "ListTags", Resource=function["FunctionArn"])["Tags"]
    assert tags == {"lambda:createdBy": "SAM"}
    table = cloud.call("dynamodb", "DescribeTable", TableName=stack.outputs["Metadata"])["Table"]
    assert isinstance(table, dict)
    assert table["KeySchema"] == [{"AttributeName": "key", "KeyType": "HASH"}]


def test_the_template_is_one_that_aws_would_take() -> None:
    """cfn-lint knows CloudFormation's own rules, circular references included."""
    import subprocess
    import sys

    for template in TEMPLATES:
        command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "us-east-1", "--", str(template)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout
