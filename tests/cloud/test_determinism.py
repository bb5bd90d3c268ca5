"""A run is a pure function of code, stimuli and seed."""

import subprocess
import sys
from collections.abc import Callable

from labs.cloud import Cloud, CloudHost
from tests.cloud.conftest import LAB01, PROJECT

CONCURRENT = """
import boto3, random, uuid
table = boto3.resource("dynamodb").Table("counter")
def handler(event, context):
    value = int(table.get_item(Key={"id": "n"}).get("Item", {}).get("value", 0))
    table.put_item(Item={"id": "n", "value": value + 1})
    print("wrote", value + 1, uuid.uuid4(), object(), {"b", "a", "c"})
"""

# Run in a process of its own, so that nothing of this one is shared: prints the hash of the trace.
SCRIPT = """
import sys
from labs.cloud import Cloud
from labs.cloud.packing import pack_source
from tests.cloud.conftest import TEMPLATE
from tests.cloud.test_determinism import CONCURRENT, stimulate
with Cloud(seed=int(sys.argv[1])) as cloud:
    print(stimulate(cloud))
"""


def stimulate(cloud: Cloud) -> str:
    """Let eight events overlap on one counter and return the hash of what happened."""
    from labs.cloud.packing import pack_source
    from tests.cloud.conftest import TEMPLATE

    cloud.deploy_package(TEMPLATE.format(timeout=10, memory=256), pack_source(CONCURRENT), name="bench")
    cloud.call(
        "dynamodb",
        "CreateTable",
        TableName="counter",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for _ in range(8):
        cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
    cloud.run()
    return cloud.trace.hash()


def test_the_same_seed_gives_the_same_trace_in_fresh_processes_and_under_load(host: CloudHost) -> None:
    def fresh() -> "subprocess.Popen[str]":
        return subprocess.Popen([sys.executable, "-c", SCRIPT, "7"], cwd=PROJECT, stdout=subprocess.PIPE, text=True)

    alone = fresh().communicate(timeout=120)[0].strip()
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        under_load = fresh().communicate(timeout=120)[0].strip()
        with Cloud(seed=7, host=host) as cloud:
            forked = stimulate(cloud)
    finally:
        for process in load:
            process.kill()
            process.wait()
    assert len(alone) == 64
    assert alone == under_load == forked


def test_many_repetitions_give_one_hash_and_other_seeds_give_others(host: CloudHost) -> None:
    def run(seed: int) -> str:
        with Cloud(seed=seed, host=host) as cloud:
            return stimulate(cloud)

    assert len({run(3) for _ in range(5)}) == 1
    assert len({run(seed) for seed in range(4)}) == 4


def test_overlapping_events_lose_updates_as_they_would_on_aws(host: CloudHost) -> None:
    with Cloud(seed=7, host=host) as cloud:
        stimulate(cloud)
        item = cloud.call("dynamodb", "GetItem", TableName="counter", Key={"id": {"S": "n"}})["Item"]
    assert isinstance(item, dict)
    assert 1 <= int(item["value"]["N"]) < 8


def test_the_lab_s_pictures_make_one_hash(host: CloudHost, picture: Callable[..., bytes]) -> None:
    def run() -> str:
        with Cloud(seed=11, host=host) as cloud:
            stack = cloud.deploy(LAB01 / "template.yaml", code=LAB01 / "solutions" / "streaming")
            for key in ("one.png", "두 번째.png"):
                cloud.call("s3", "PutObject", Bucket=stack.outputs["Photos"], Key=key, Body=picture())
            cloud.run()
            return cloud.trace.hash()

    assert len({run() for _ in range(3)}) == 1


def test_handler_output_is_part_of_the_hash(host: CloudHost) -> None:
    from tests.cloud.conftest import Bench

    def run(word: str) -> str:
        with Cloud(seed=1, host=host) as cloud:
            bench = Bench(cloud)
            bench.deploy(f"def handler(event, context):\n    print('{word}')\n")
            bench.invoke()
            return cloud.trace.hash()

    assert run("one") != run("two")
