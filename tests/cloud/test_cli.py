"""`python -m labs cloud` as the AWS CLI sees it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.cloud.packing import pack_source
from tests.cloud.conftest import PROJECT
from tests.cloud.test_cloudformation import CODE, SAM

Aws = Callable[..., str]


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """Start a cloud by its command, lend the CLI, and end the cloud as Ctrl-C does."""
    command = [sys.executable, "-m", "labs", "cloud", "--port", "0", "--lang", "en"]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        match = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert match
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": match[0],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "awscli", *arguments],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=90,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def test_functions_by_the_cli(aws: Aws, tmp_path: Path) -> None:
    """AWS CLI command reference: lambda create-function, invoke, update-function-code, publish-version, create-alias; logs."""
    (tmp_path / "one.zip").write_bytes(pack_source("def handler(event, context):\n    print('seen')\n    return 1\n"))
    (tmp_path / "two.zip").write_bytes(pack_source("def handler(event, context):\n    return 2\n"))
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws("iam", "create-role", "--role-name", "r", "--assume-role-policy-document", trust)
    role, runtime = "arn:aws:iam::123456789012:role/r", "python3.12"
    made = ("--handler", "handler.handler", "--runtime", runtime, "--role", role, "--zip-file", "fileb://one.zip")
    aws("lambda", "create-function", "--function-name", "f", *made)
    aws("lambda", "invoke", "--function-name", "f", "out")
    assert (tmp_path / "out").read_text() == "1"
    version = json.loads(aws("lambda", "publish-version", "--function-name", "f"))["Version"]
    aws("lambda", "create-alias", "--function-name", "f", "--name", "live", "--function-version", version)
    aws("lambda", "update-function-code", "--function-name", "f", "--zip-file", "fileb://two.zip")
    aws("lambda", "invoke", "--function-name", "f", "out")
    assert (tmp_path / "out").read_text() == "2"
    aws("lambda", "invoke", "--function-name", "f", "--qualifier", "live", "out")
    assert (tmp_path / "out").read_text() == "1"
    found = json.loads(aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/f"))
    assert any("seen" in event["message"] for event in found["events"])


def test_a_sam_template_by_the_cli(aws: Aws, tmp_path: Path) -> None:
    """AWS CLI command reference: s3 mb, s3 cp, cloudformation deploy (a change set) and delete-stack."""
    (tmp_path / "app.zip").write_bytes(pack_source(CODE))
    (tmp_path / "template.yaml").write_text(SAM)
    aws("s3", "mb", "s3://code")
    aws("s3", "cp", "app.zip", "s3://code/app.zip")
    deploy = ("--template-file", "template.yaml", "--stack-name", "app", "--capabilities", "CAPABILITY_IAM")
    aws("cloudformation", "deploy", *deploy)
    (stack,) = json.loads(aws("cloudformation", "describe-stacks", "--stack-name", "app"))["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    aws("lambda", "invoke", "--function-name", outputs["Function"], "--payload", '{"by": "cli"}', "out")
    assert json.loads(json.loads((tmp_path / "out").read_text())["body"]) == {"by": "cli"}
    aws("cloudformation", "deploy", *deploy, "--no-fail-on-empty-changeset")
    (tmp_path / "template.yaml").write_text(SAM.replace("/items/{id}", "/things/{id}"))
    aws("cloudformation", "deploy", *deploy)
    aws("cloudformation", "delete-stack", "--stack-name", "app")
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "app")
    assert json.loads(aws("lambda", "list-functions"))["Functions"] == []
