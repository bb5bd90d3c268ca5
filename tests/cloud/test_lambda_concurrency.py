"""Concurrency: account, reserved, provisioned, rates, and AWS's reason for each refusal."""

from collections.abc import Iterator

import pytest

from labs.cloud import Cloud, CloudError, CloudHost, Kind
from tests.cloud.conftest import Bench

SLOW = "import time\ndef handler(event, context):\n    time.sleep(5)\n    return 1\n"
QUICK = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"


def flood(cloud: Cloud, count: int, name: str = "f") -> None:
    """Invoke asynchronously, many times at one instant."""
    for _ in range(count):
        cloud.call("lambda", "Invoke", FunctionName=name, InvocationType="Event", Payload=b"{}")


def reserve(cloud: Cloud, number: int, name: str = "f") -> None:
    """Reserve concurrency."""
    cloud.call("lambda", "PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=number)


def reasons(cloud: Cloud) -> set[object]:
    """Give the reasons for which invocations were throttled."""
    return {record.detail["reason"] for record in cloud.trace.of(Kind.INVOCATION_THROTTLED)}


def most_at_once(cloud: Cloud) -> int:
    """Give the largest number of invocations that ran at one instant."""
    running = most = 0
    for record in cloud.trace:
        running += (record.kind == Kind.INVOCATION_STARTED) - (record.kind == Kind.INVOCATION_ENDED)
        most = max(most, running)
    return most


@pytest.fixture
def small(host: CloudHost) -> Iterator[Cloud]:
    """Give a cloud whose account has three concurrent executions."""
    with Cloud(seed=1, host=host, quotas={"concurrency": 3}) as cloud:
        yield cloud


def test_the_accounts_concurrency_is_a_setting_and_a_limit(small: Cloud) -> None:
    """AWS Lambda developer guide: Understanding Lambda function scaling; ThrottleReason in the SDK's model."""
    Bench(small).deploy(SLOW)
    flood(small, 6)
    small.run()
    assert most_at_once(small) == 3
    assert reasons(small) == {"ConcurrentInvocationLimitExceeded"}
    assert len(small.trace.of(Kind.INVOCATION_ENDED, status="success")) == 6


def test_a_throttled_caller_gets_429_with_the_reason(bench: Bench) -> None:
    """AWS Lambda API reference: Invoke, TooManyRequestsException (Reason, Retry-After)."""
    bench.deploy(SLOW)
    reserve(bench.cloud, 0)
    client = bench.cloud.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException) as refusal:
        client.invoke(FunctionName="f")
    response = refusal.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert response["retryAfterSeconds"]


def test_reserved_concurrency_is_a_ceiling_for_the_function(bench: Bench) -> None:
    """AWS Lambda developer guide: Configuring reserved concurrency for a function."""
    bench.deploy(SLOW)
    reserve(bench.cloud, 2)
    flood(bench.cloud, 4)
    bench.cloud.run()
    assert most_at_once(bench.cloud) == 2
    assert reasons(bench.cloud) == {"ReservedFunctionConcurrentInvocationLimitExceeded"}


def test_what_one_function_reserves_the_others_lack(small: Cloud) -> None:
    """AWS Lambda developer guide: reserved concurrency is taken out of the unreserved pool, used or not."""
    Bench(small).deploy(SLOW)
    configuration = small.call("lambda", "GetFunctionConfiguration", FunctionName="f")
    code = {"ZipFile": _zip("def handler(event, context):\n    return 1\n")}
    role = configuration["Role"]
    small.call(
        "lambda", "CreateFunction", FunctionName="g", Runtime="python3.12", Handler="handler.handler", Role=role, Code=code
    )
    reserve(small, 2, "g")
    flood(small, 3)
    small.run()
    assert most_at_once(small) == 1
    limit = small.call("lambda", "GetAccountSettings")["AccountLimit"]
    assert isinstance(limit, dict)
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (3, 1)


def _zip(source: str) -> bytes:
    from labs.cloud.packing import pack_source

    return pack_source(source)


def test_a_tenth_has_to_stay_unreserved(bench: Bench) -> None:
    """AWS Lambda API reference: PutFunctionConcurrency; on AWS 100 of 1,000."""
    bench.deploy(QUICK)
    with pytest.raises(CloudError) as refusal:
        reserve(bench.cloud, 10)
    assert refusal.value.code == "InvalidParameterValueException"
    assert refusal.value.message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its"
        " minimum value of [1]."
    )
    reserve(bench.cloud, 9)
    found = bench.cloud.call("lambda", "GetFunctionConcurrency", FunctionName="f")
    assert found == {"ReservedConcurrentExecutions": 9}
    bench.cloud.call("lambda", "DeleteFunctionConcurrency", FunctionName="f")
    assert bench.cloud.call("lambda", "GetFunctionConcurrency", FunctionName="f") == {}


def test_ten_requests_a_second_for_each_reserved_unit(bench: Bench) -> None:
    """AWS Lambda developer guide: Understanding concurrency, requests per second quota (10 times the concurrency)."""
    bench.deploy(QUICK)
    reserve(bench.cloud, 1)

    def refused() -> bool:
        try:
            bench.invoke()
        except CloudError as refusal:
            return refusal.status == 429
        return False

    # INIT took a moment, in which the rate was refilled a little.
    answers = [refused() for _ in range(14)]
    assert answers[:10] == [False] * 10
    assert answers[-1]
    assert reasons(bench.cloud) == {"ReservedFunctionInvocationRateLimitExceeded"}
    bench.cloud.advance(1)
    assert bench.invoke().error is None


def test_a_function_scales_at_its_rate_and_not_faster(host: CloudHost) -> None:
    """AWS Lambda developer guide: Lambda scaling behavior (1,000 environments per function every 10 seconds; here 2)."""
    with Cloud(seed=1, host=host, quotas={"scaling": 2}) as cloud:
        Bench(cloud).deploy(SLOW)
        flood(cloud, 4)
        cloud.run()
        created = [record.t / 1e9 for record in cloud.trace.of(Kind.ENVIRONMENT_CREATED)]
    assert created[1] < 1, "two at once"
    assert all(at > 4.9 for at in created[2:]), "and one every five seconds after that"


# provisioned concurrency
def provision(cloud: Cloud, number: int, qualifier: str = "1") -> dict[str, object]:
    """Provision concurrency."""
    return cloud.call(
        "lambda",
        "PutProvisionedConcurrencyConfig",
        FunctionName="f",
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=number,
    )


def provisioned(cloud: Cloud, qualifier: str = "1") -> dict[str, object]:
    """Ask how far it is."""
    return cloud.call("lambda", "GetProvisionedConcurrencyConfig", FunctionName="f", Qualifier=qualifier)


def publish(bench: Bench, source: str) -> None:
    """Deploy and publish."""
    bench.deploy(source)
    bench.cloud.call("lambda", "PublishVersion", FunctionName="f")


def test_provisioned_environments_initialise_before_anybody_asks(bench: Bench) -> None:
    """AWS Lambda developer guide: Configuring provisioned concurrency for a function."""
    publish(bench, QUICK)
    put = provision(bench.cloud, 2)
    assert (put["Status"], put["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    bench.cloud.run()
    got = provisioned(bench.cloud)
    assert (got["Status"], got["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    answer = bench.cloud.call("lambda", "Invoke", FunctionName="f", Qualifier="1")
    assert answer["Payload"] == b'"provisioned-concurrency"'
    (started,) = bench.cloud.trace.of(Kind.INVOCATION_STARTED)
    assert started.detail["cold"] is False
    assert bench.invoke().payload == "on-demand", "$LATEST has none"


def test_beyond_what_is_provisioned_invocations_spill_over(bench: Bench) -> None:
    """AWS Lambda developer guide: provisioned concurrency and unreserved concurrency; keep-alive does not end them."""
    publish(bench, SLOW)
    provision(bench.cloud, 1)
    bench.cloud.run()
    bench.cloud.advance(3600)
    flood(bench.cloud, 2, "f:1")
    bench.cloud.run()
    assert [record.detail["cold"] for record in bench.cloud.trace.of(Kind.INVOCATION_STARTED)] == [False, True]
    bench.cloud.advance(3600)
    assert [record.detail["reason"] for record in bench.cloud.trace.of(Kind.ENVIRONMENT_ENDED)] == ["idle"]


def test_reserving_exactly_what_is_provisioned_leaves_nothing_for_latest(bench: Bench) -> None:
    """AWS Lambda developer guide: provisioned concurrency counts towards the function's reserved concurrency."""
    publish(bench, QUICK)
    reserve(bench.cloud, 2)
    provision(bench.cloud, 2)
    bench.cloud.run()
    with pytest.raises(CloudError) as refusal:
        bench.invoke()
    assert refusal.value.status == 429
    assert bench.cloud.call("lambda", "Invoke", FunctionName="f:1")["StatusCode"] == 200


@pytest.mark.parametrize(
    ("qualifier", "number", "message"),
    [
        ("$LATEST", 1, "cannot be applied to unpublished function versions"),
        ("1", 10, "below its minimum value of [1]"),
        ("1", 4, "should not be greater than the reservedConcurrentExecution"),
    ],
)
def test_what_cannot_be_provisioned_is_refused(bench: Bench, qualifier: str, number: int, message: str) -> None:
    """AWS Lambda API reference: PutProvisionedConcurrencyConfig."""
    publish(bench, QUICK)
    if number == 4:
        reserve(bench.cloud, 3)
    with pytest.raises(CloudError) as refusal:
        provision(bench.cloud, number, qualifier)
    assert refusal.value.code == "InvalidParameterValueException"
    assert message in refusal.value.message


def test_provisioned_concurrency_is_given_back(bench: Bench) -> None:
    """AWS Lambda API reference: DeleteProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs."""
    publish(bench, QUICK)
    provision(bench.cloud, 1)
    bench.cloud.run()
    listed = bench.cloud.call("lambda", "ListProvisionedConcurrencyConfigs", FunctionName="f")
    assert isinstance(configs := listed["ProvisionedConcurrencyConfigs"], list)
    assert [one["FunctionArn"].rpartition(":")[2] for one in configs] == ["1"]
    bench.cloud.call("lambda", "DeleteProvisionedConcurrencyConfig", FunctionName="f", Qualifier="1")
    assert [record.detail["reason"] for record in bench.cloud.trace.of(Kind.ENVIRONMENT_ENDED)] == ["deleted"]
    with pytest.raises(CloudError) as refusal:
        provisioned(bench.cloud)
    assert (refusal.value.code, refusal.value.status) == ("ProvisionedConcurrencyConfigNotFoundException", 404)
