"""Versions and aliases of functions, seen by those who invoke them."""

import json

import pytest

from labs.cloud import CloudError, Kind
from tests.cloud.conftest import Bench

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
WHO = """
import os
count = 0
def handler(event, context):
    global count
    count += 1
    return [{word!r}, count, os.environ["AWS_LAMBDA_FUNCTION_VERSION"], context.function_version, context.invoked_function_arn]
"""


def publish(bench: Bench, word: str) -> str:
    """Make `word` the code of `f` and publish it."""
    bench.deploy(WHO.format(word=word))
    return str(bench.cloud.call("lambda", "PublishVersion", FunctionName="f")["Version"])


def ask(bench: Bench, name: str, **more: object) -> tuple[list[object], str]:
    """Invoke and give the answer and the version that ran."""
    answer = bench.cloud.call("lambda", "Invoke", FunctionName=name, **more)
    payload = answer["Payload"]
    assert isinstance(payload, bytes)
    return json.loads(payload), str(answer["ExecutedVersion"])


def test_a_published_version_keeps_its_code_and_its_own_environments(bench: Bench) -> None:
    """AWS Lambda developer guide: Manage Lambda function versions."""
    assert publish(bench, "old") == "1"
    bench.cloud.call("lambda", "UpdateFunctionConfiguration", FunctionName="f", Environment={"Variables": {"KEY": "b"}})
    assert publish(bench, "new") == "2"
    assert ask(bench, "f", Qualifier="1") == (["old", 1, "1", "1", f"{ARN}:1"], "1")
    assert ask(bench, "f", Qualifier="1")[0][1] == 2
    assert ask(bench, "f", Qualifier="2") == (["new", 1, "2", "2", f"{ARN}:2"], "2")
    assert ask(bench, "f") == (["new", 1, "$LATEST", "$LATEST", ARN], "$LATEST")
    one = bench.cloud.call("lambda", "GetFunctionConfiguration", FunctionName="f", Qualifier="1")
    assert (one["Version"], one["FunctionArn"], one.get("Environment")) == ("1", f"{ARN}:1", None)


def test_publishing_what_has_not_changed_makes_no_version(bench: Bench) -> None:
    """AWS Lambda API reference: PublishVersion."""
    assert publish(bench, "old") == "1"
    assert bench.cloud.call("lambda", "PublishVersion", FunctionName="f")["Version"] == "1"


def test_the_number_of_a_deleted_version_is_not_given_again(bench: Bench) -> None:
    """AWS Lambda developer guide: version numbers are never reused, even for a function that has been recreated."""
    assert [publish(bench, word) for word in ("a", "b")] == ["1", "2"]
    bench.cloud.call("lambda", "DeleteFunction", FunctionName="f", Qualifier="1")
    assert publish(bench, "c") == "3"
    assert ask(bench, "f:2")[0][0] == "b"


def test_every_way_to_name_a_function_reaches_the_same_version(bench: Bench) -> None:
    """AWS Lambda API reference: Invoke, FunctionName (name, name with qualifier, partial ARN, full ARN)."""
    publish(bench, "one")
    bench.cloud.call("lambda", "CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    for name in ("f:live", "123456789012:function:f:live", f"{ARN}:live"):
        assert ask(bench, name) == (["one", ask_count(name), "1", "1", f"{ARN}:live"], "1")
    assert ask(bench, ARN, Qualifier="live")[0][4] == f"{ARN}:live"
    assert ask(bench, "f", Qualifier="$LATEST")[0][3:] == ["$LATEST", f"{ARN}:$LATEST"]
    with pytest.raises(CloudError) as refusal:
        ask(bench, "f:live", Qualifier="1")
    assert refusal.value.code == "InvalidParameterValueException"
    assert "does not match the specified qualifier" in refusal.value.message
    with pytest.raises(CloudError) as refusal:
        ask(bench, "f", Qualifier="nobody")
    assert (refusal.value.code, refusal.value.message) == ("ResourceNotFoundException", f"Function not found: {ARN}:nobody")


def ask_count(name: str) -> int:
    """The environment of a version serves whoever names it: the count goes on."""
    return ["f:live", "123456789012:function:f:live", f"{ARN}:live"].index(name) + 1


def test_an_alias_can_be_moved(bench: Bench) -> None:
    """AWS Lambda developer guide: Create an alias for a Lambda function."""
    publish(bench, "blue")
    publish(bench, "green")
    made = bench.cloud.call("lambda", "CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    assert made["AliasArn"] == f"{ARN}:live"
    assert ask(bench, "f:live")[0][0] == "blue"
    moved = bench.cloud.call("lambda", "UpdateAlias", FunctionName="f", Name="live", FunctionVersion="2")
    assert moved["RevisionId"] != made["RevisionId"]
    assert ask(bench, "f:live")[0][0] == "green"


def test_a_weighted_alias_reaches_both_versions_as_often_as_it_says(bench: Bench) -> None:
    """AWS Lambda developer guide: Implement Lambda canary deployments using a weighted alias."""
    publish(bench, "blue")
    publish(bench, "green")
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    bench.cloud.call("lambda", "CreateAlias", FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig=routing)
    answers = [ask(bench, "f:live") for _ in range(80)]
    versions = [version for _, version in answers]
    assert all(payload[2] == version for payload, version in answers)
    assert 10 <= versions.count("2") <= 30
    assert versions.count("1") + versions.count("2") == 80


@pytest.mark.parametrize(
    ("version", "weights"), [("$LATEST", {"1": 0.5}), ("1", {"$LATEST": 0.5}), ("1", {"1": 0.2, "2": 0.2}), ("1", {"9": 0.5})]
)
def test_an_alias_is_split_between_two_published_versions_only(bench: Bench, version: str, weights: dict[str, float]) -> None:
    """AWS Lambda developer guide: weighted aliases need two published versions."""
    publish(bench, "one")
    publish(bench, "two")
    routing = {"AdditionalVersionWeights": weights}
    with pytest.raises(CloudError) as refusal:
        bench.cloud.call("lambda", "CreateAlias", FunctionName="f", Name="a", FunctionVersion=version, RoutingConfig=routing)
    assert refusal.value.code in ("InvalidParameterValueException", "ResourceNotFoundException")


def test_an_asynchronous_event_for_an_alias_runs_what_the_alias_says_when_it_runs(bench: Bench) -> None:
    """AWS Lambda developer guide: asynchronous invocation; an event stays in the queue while the function is updated."""
    publish(bench, "one")
    publish(bench, "two")
    bench.cloud.call("lambda", "CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    bench.cloud.call("lambda", "Invoke", FunctionName="f:live", InvocationType="Event", Payload=b"{}")
    bench.cloud.call("lambda", "UpdateAlias", FunctionName="f", Name="live", FunctionVersion="2")
    bench.cloud.run()
    (started,) = bench.cloud.trace.of(Kind.INVOCATION_STARTED)
    assert started.detail["version"] == "2"
