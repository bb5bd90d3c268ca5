"""How much an environment may take, in every tier that this machine has."""

from pathlib import Path

import pytest

from labs.cloud.functions.sandbox import Tier
from tests.cloud.environments import MEGABYTE, available, running


@pytest.fixture(params=list(Tier), ids=lambda tier: tier.name.lower())
def tier(request: pytest.FixtureRequest) -> Tier:
    wanted: Tier = request.param
    return available(wanted)


def test_memory_is_limited(tier: Tier, tmp_path: Path) -> None:
    code = "def handler(event, context):\n    return len(bytearray(event * 1024 * 1024))\n"
    with running(tier, tmp_path, code, memory_mb=128) as environment:
        assert environment.invoke(100) == 100 * MEGABYTE
        assert environment.post(400).headers["lambda-runtime-function-xray-error-cause"].count("MemoryError")


def test_files_are_limited(tier: Tier, tmp_path: Path) -> None:
    code = """
        import os, resource, signal, tempfile
        def handler(event, context):
            try:
                with open(tempfile.gettempdir() + "/big", "wb") as file:
                    for _ in range(64):
                        file.write(bytes(1024 * 1024))
            except OSError:
                pass
            size = os.path.getsize(tempfile.gettempdir() + "/big")
            return [size, resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]]
    """
    with running(tier, tmp_path, code) as environment:
        assert environment.invoke() == [16 * MEGABYTE, 1024, 0]


def test_number_of_processes_is_limited(tmp_path: Path) -> None:
    code = """
        import os, resource, time
        def handler(event, context):
            limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
            resource.setrlimit(resource.RLIMIT_NPROC, (20, 20))
            for forks in range(100):
                try:
                    if os.fork() == 0:
                        time.sleep(60)
                        os._exit(0)
                except BlockingIOError:
                    return [limit, forks < 20]
    """
    available(Tier.ISOLATED)
    with running(Tier.ISOLATED, tmp_path, code) as environment:
        assert environment.invoke() == [1024, True]


def test_many_threads_fit_into_little_memory(tier: Tier, tmp_path: Path) -> None:
    code = """
        import threading
        def handler(event, context):
            go = threading.Event()
            threads = [threading.Thread(target=go.wait) for _ in range(event)]
            for thread in threads:
                thread.start()
            go.set()
            for thread in threads:
                thread.join()
            return len(threads)
    """
    with running(tier, tmp_path, code, memory_mb=128) as environment:
        assert environment.invoke(64) == 64
