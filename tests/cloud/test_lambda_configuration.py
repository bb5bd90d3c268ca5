"""A function's configuration: the document, what Lambda refuses, layers, /tmp."""

import io
import json
import re
import zipfile
from typing import Any

import pytest

from labs.cloud import CloudError
from labs.cloud.packing import pack_source
from tests.cloud.conftest import Bench

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Handler: index.handler
      Runtime: python3.12
      Role: !GetAtt Role.Arn
      Timeout: "10"
      MemorySize: "256"
      EphemeralStorage: {Size: "1024"}
      TracingConfig: {Mode: Active}
      DeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}
      LoggingConfig: {LogFormat: JSON, LogGroup: /custom/group}
      Code: {ZipFile: "def handler(event, context):\\n    return context.log_group_name\\n"}
"""


def document(bench: Bench, **more: object) -> dict[str, Any]:
    """Give the configuration of `f`."""
    return bench.cloud.call("lambda", "GetFunctionConfiguration", FunctionName="f", **more)


def update(bench: Bench, **changes: object) -> dict[str, Any]:
    """Change the configuration of `f`."""
    return bench.cloud.call("lambda", "UpdateFunctionConfiguration", FunctionName="f", **changes)


def test_the_configuration_is_the_document_that_aws_gives(bench: Bench) -> None:
    """AWS Lambda API reference: FunctionConfiguration."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    found = document(bench)
    assert {name: found[name] for name in ("Timeout", "MemorySize", "EphemeralStorage", "Version", "State")} == {
        "Timeout": 10,
        "MemorySize": 256,
        "EphemeralStorage": {"Size": 512},
        "Version": "$LATEST",
        "State": "Active",
    }
    assert found["LastUpdateStatus"] == "Successful"
    assert re.fullmatch(r"[0-9a-f-]{36}", found["RevisionId"])
    assert found["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}
    assert found["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")
    assert found["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert found["TracingConfig"] == {"Mode": "PassThrough"}
    assert re.fullmatch(r"2026-01-02T09:00:\d\d\.\d{3}\+0000", found["LastModified"])
    assert not {"VpcConfig", "KMSKeyArn", "DeadLetterConfig", "Layers", "Environment"} & found.keys()


def test_cloudformation_hands_over_everything_and_numbers_stay_numbers(bench: Bench) -> None:
    """AWS CloudFormation template reference: AWS::Lambda::Function."""
    bench.cloud.call("cloudformation", "CreateStack", StackName="s", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    found = document(bench)
    assert (found["Timeout"], found["MemorySize"], found["EphemeralStorage"]) == (10, 256, {"Size": 1024})
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert found["DeadLetterConfig"]["TargetArn"].endswith(":dead")
    assert found["LoggingConfig"]["LogGroup"] == "/custom/group"
    assert bench.invoke().payload == "/custom/group"


def test_a_new_function_and_a_new_configuration_are_under_way_at_first(bench: Bench) -> None:
    """AWS Lambda developer guide: Lambda function states. Here the way takes no time."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    role, code = document(bench)["Role"], {"ZipFile": pack_source("def handler(event, context):\n    return 1\n")}
    made = bench.cloud.call(
        "lambda", "CreateFunction", FunctionName="g", Runtime="python3.13", Handler="handler.handler", Role=role, Code=code
    )
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert bench.cloud.call("lambda", "GetFunction", FunctionName="g")["Configuration"]["State"] == "Active"  # type: ignore[index]
    assert update(bench, Timeout=20)["LastUpdateStatus"] == "InProgress"
    assert document(bench)["LastUpdateStatus"] == "Successful"


def test_every_change_makes_a_new_revision_and_an_old_one_is_refused(bench: Bench) -> None:
    """AWS Lambda API reference: UpdateFunctionConfiguration, RevisionId and PreconditionFailedException."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    first = document(bench)["RevisionId"]
    second = update(bench, Description="new", RevisionId=first)["RevisionId"]
    assert second != first
    with pytest.raises(CloudError) as refusal:
        update(bench, Description="newer", RevisionId=first)
    assert (refusal.value.code, refusal.value.status) == ("PreconditionFailedException", 412)


def test_what_moto_ignores_is_updated(bench: Bench) -> None:
    """AWS Lambda API reference: UpdateFunctionConfiguration."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    update(bench, EphemeralStorage={"Size": 2048}, TracingConfig={"Mode": "Active"}, Environment={"Variables": {"KEY": "v"}})
    found = document(bench)
    assert (found["EphemeralStorage"], found["TracingConfig"]) == ({"Size": 2048}, {"Mode": "Active"})
    update(bench, Environment={})
    assert "Environment" not in document(bench)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"Environment": {"Variables": {"BIG": "x" * 4096}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "mars", "LAMBDA_TASK_ROOT": "/"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT",
        ),
        ({"Environment": {"Variables": {"1ST": "x"}}}, "ValidationException", "environment.variables"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"MemorySize": 10_241}, "ValidationException", "less than or equal to 10240"),
        ({"EphemeralStorage": {"Size": 10_241}}, "ValidationException", "less than or equal to 10240"),
        ({"Handler": "a" * 129}, "ValidationException", "'handler' failed to satisfy constraint"),
        ({"Handler": "two words.handler"}, "ValidationException", "'handler' failed to satisfy constraint"),
        ({"Layers": [f"arn:aws:lambda:us-east-1:123456789012:layer:l:{n}" for n in range(1, 7)]}, "Invalid", "than 5 layers"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}}, "Invalid", "no FIFO"),
    ],
)
def test_what_is_beyond_lambdas_limits_is_refused(bench: Bench, changes: dict[str, object], code: str, message: str) -> None:
    """AWS Lambda developer guide: Lambda quotas; Working with Lambda environment variables (reserved ones)."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    with pytest.raises(CloudError) as refusal:
        update(bench, **changes)
    assert refusal.value.code.startswith(code)
    assert message in refusal.value.message


def test_environment_variables_up_to_4_kb_arrive_as_they_are(bench: Bench) -> None:
    """AWS Lambda developer guide: environment variables are literal strings, 4 KB in all."""
    bench.deploy("import os\ndef handler(event, context):\n    return [os.environ['TEXT'], len(os.environ['LONG'])]\n")
    update(bench, Environment={"Variables": {"TEXT": "$HOME `date` 한글", "LONG": "x" * 4000}})
    assert bench.invoke().payload == ["$HOME `date` 한글", 4000]


def test_the_account_s_settings_are_told(bench: Bench) -> None:
    """AWS Lambda API reference: GetAccountSettings."""
    bench.deploy("def handler(event, context):\n    return 1\n")
    found: dict[str, Any] = bench.cloud.call("lambda", "GetAccountSettings")
    assert found["AccountLimit"] == {
        "TotalCodeSize": 80_530_636_800,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 10,
        "UnreservedConcurrentExecutions": 10,
    }
    assert found["AccountUsage"]["FunctionCount"] == 1
    assert found["AccountUsage"]["TotalCodeSize"] > 0


def _zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt"), text)
    return buffer.getvalue()


def test_layers_are_merged_under_opt_in_order(bench: Bench) -> None:
    """AWS Lambda developer guide: Managing Lambda dependencies with layers (merged into /opt, later ones win)."""
    bench.deploy(
        """
        import first, shared
        def handler(event, context):
            return [first.NAME, shared.NAME, first.__file__, open("/opt/data.txt").read()]
        """
    )
    archives = (
        _zip(python__first_py="NAME = 'first'\n", python__shared_py="NAME = 'one'\n", data_txt="from one"),
        _zip(python__shared_py="NAME = 'two'\n"),
    )
    arns = [
        bench.cloud.call("lambda", "PublishLayerVersion", LayerName=f"layer{n}", Content={"ZipFile": archive})[
            "LayerVersionArn"
        ]
        for n, archive in enumerate(archives)
    ]
    update(bench, Layers=arns)
    if bench.cloud.tier == 2:
        assert bench.invoke().payload == ["first", "two", "/opt/python/first.py", "from one"]
    else:
        assert bench.invoke().error == "Unhandled"  # without a sandbox there is no /opt
    assert [layer["Arn"] for layer in document(bench)["Layers"]] == arns


def test_tmp_has_the_size_that_was_asked_for_and_survives_in_its_environment(bench: Bench) -> None:
    """AWS Lambda developer guide: Configure ephemeral storage for Lambda functions."""
    bench.deploy(
        """
        import os
        def handler(event, context):
            if event == "size":
                found = os.statvfs("/tmp")
                return found.f_blocks * found.f_frsize // 2**20
            with open("/tmp/count", "a") as file:
                file.write("x")
            return os.path.getsize("/tmp/count")
        """
    )
    update(bench, EphemeralStorage={"Size": 600})
    if bench.cloud.tier == 2:
        assert bench.invoke("size").payload == 600
        assert [bench.invoke("write").payload for _ in range(2)] == [1, 2]


def test_an_answer_of_six_megabytes_arrives_and_one_more_byte_does_not(bench: Bench) -> None:
    """AWS Lambda developer guide: Lambda quotas, invocation payload."""
    bench.deploy("def handler(event, context):\n    return 'x' * event\n", memory=512)
    assert len(str(bench.invoke(6_291_454).payload)) == 6_291_454
    answer = bench.invoke(6_291_455)
    assert json.dumps(answer.payload).count("Function.ResponseSizeTooLarge") == 1
