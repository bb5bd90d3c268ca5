"""Inside an environment every clock and every wait is virtual. Each wait is long; none may take its time in reality."""

import time

import pytest

from labs.cloud import CloudHost
from labs.cloud.cloud import Cloud
from tests.cloud.conftest import Bench

WAITS = {
    "time.sleep": ("import time", "time.sleep(3600)", 3600),
    "busy loop": ("import time", "end = time.time() + 0.2\n    while time.time() < end: pass", 0.2),
    "busy monotonic loop": ("import time", "end = time.monotonic() + 0.2\n    while time.monotonic() < end: pass", 0.2),
    "Event.wait": ("import threading", "threading.Event().wait(3600)", 3600),
    "Queue.get": ("import queue", "try: queue.Queue().get(timeout=3600)\n    except queue.Empty: pass", 3600),
    "asyncio.sleep": ("import asyncio", "asyncio.run(asyncio.sleep(3600))", 3600),
    "asyncio.gather": (
        "import asyncio",
        "async def both(): await asyncio.gather(asyncio.sleep(1800), asyncio.sleep(3600))\n    asyncio.run(both())",
        3600,
    ),
    "asyncio.to_thread": (
        "import asyncio, time",
        "async def both(): await asyncio.gather(asyncio.to_thread(time.sleep, 5), asyncio.sleep(3600))\n"
        "    asyncio.run(both())",
        3600,
    ),
    "threads": (
        "import time\nfrom concurrent.futures import ThreadPoolExecutor",
        "with ThreadPoolExecutor(3) as pool: list(pool.map(time.sleep, [1200, 2400, 3600]))",
        3600,
    ),
}


@pytest.mark.parametrize("name", WAITS)
def test_waiting_costs_virtual_time_and_no_real_time(name: str, host: CloudHost) -> None:
    imports, wait, seconds = WAITS[name]
    source = (
        f"import time\n{imports}\ndef handler(event, context):\n    before = time.time(), time.monotonic()\n    {wait}\n"
        "    return [time.time() - before[0], time.monotonic() - before[1]]\n"
    )
    with Cloud(seed=1, host=host) as cloud:
        bench = Bench(cloud)
        bench.deploy(source, timeout=900 if seconds < 900 else 100_000)
        before, began = cloud.now, time.monotonic()
        answer = bench.invoke()
        assert answer.error is None, answer
        passed = (cloud.now - before).total_seconds()
    assert answer.payload == pytest.approx([seconds, seconds], abs=0.2)
    assert seconds <= passed <= seconds + 2
    # An hour passed; that it did not pass here needs no tight limit.
    assert time.monotonic() - began < 60


def test_dates_are_virtual_too(bench: Bench) -> None:
    bench.deploy(
        """
        import datetime, time
        def handler(event, context):
            return [datetime.datetime.now().isoformat(), datetime.date.today().isoformat(),
                    time.strftime("%Y"), context.get_remaining_time_in_millis()]
        """
    )
    now, today, year, left = bench.invoke().payload  # type: ignore[misc]
    assert now.startswith("2026-01-02T09:00:00")  # type: ignore[has-type]
    assert (today, year) == ("2026-01-02", "2026")  # type: ignore[has-type]
    assert 9_990 <= left <= 10_000  # type: ignore[has-type]


def test_chance_follows_from_the_seed(host: CloudHost) -> None:
    source = """
        import os, random, secrets, tempfile, uuid
        def handler(event, context):
            return [random.random(), str(uuid.uuid4()), os.urandom(8).hex(), secrets.token_hex(4), hash("text"),
                    random.Random().random(), random.SystemRandom().random(), tempfile.mktemp(), list({"a", "b", "c", "d"})]
    """
    drawn = []
    for seed in (5, 5, 6):
        with Cloud(seed=seed, host=host) as cloud:
            bench = Bench(cloud)
            bench.deploy(source)
            drawn.append([bench.invoke().payload, bench.invoke().payload])
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[0][1]
    assert all(one != other for one, other in zip(drawn[0][0], drawn[2][0], strict=True) if not isinstance(one, list))  # type: ignore[call-overload]
