"""How an environment is watched, stopped and ended, in every tier that this machine has."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from labs.cloud.functions import processes
from labs.cloud.functions.sandbox import SandboxError, Spec, Tier, start
from tests.cloud.environments import MEGABYTE, available, running, wait_until

ANSWER = "def handler(event, context):\n    return event\n"
SPIN = """
    import threading
    def spin():
        while True:
            pass
    def handler(event, context):
        threading.Thread(target=spin, daemon=True).start()
"""
DAEMONS = """
    import os, time
    def handler(event, context):
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(600)
                os._exit(0)
            os.wait()
"""
HOST = """
import pathlib, sys, time
from labs.cloud.functions.sandbox import Spec, Tier, start
task, tier = pathlib.Path(sys.argv[1]), Tier(int(sys.argv[2]))
print(start(Spec(task, "handler.handler", {}, 128, 16, 0, None, 0), tier).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(params=list(Tier), ids=lambda tier: tier.name.lower())
def tier(request: pytest.FixtureRequest) -> Tier:
    wanted: Tier = request.param
    return available(wanted)


def below(pid: int) -> list[int]:
    return [pid, *processes.descendants(pid)]


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_freeze_stops_and_thaw_continues(tier: Tier, tmp_path: Path) -> None:
    with running(tier, tmp_path, SPIN) as environment:
        sandboxed = environment.sandboxed
        environment.invoke()
        before = sandboxed.cpu_ns()
        wait_until(lambda: sandboxed.cpu_ns() > before + 20_000_000)
        assert not sandboxed.idle()
        assert sandboxed.threads() >= 2
        sandboxed.freeze()
        frozen = sandboxed.cpu_ns()
        time.sleep(0.1)
        assert sandboxed.cpu_ns() == frozen
        sandboxed.thaw()
        wait_until(lambda: sandboxed.cpu_ns() > frozen + 20_000_000)


def test_frozen_environment_answers_after_thaw(tier: Tier, tmp_path: Path) -> None:
    with running(tier, tmp_path, ANSWER) as environment:
        for number in range(3):
            assert environment.invoke(number) == number
            environment.sandboxed.freeze()
            environment.sandboxed.thaw()


def test_idle_when_all_threads_wait(tier: Tier, tmp_path: Path) -> None:
    code = """
        import threading, time
        def handler(event, context):
            threading.Thread(target=threading.Event().wait, daemon=True).start()
    """
    with running(tier, tmp_path, code) as environment:
        environment.invoke()
        wait_until(environment.sandboxed.idle)
        assert environment.sandboxed.threads() >= 2


def test_processor_time_of_ended_children_counts(tmp_path: Path) -> None:
    code = """
        import os, time
        def handler(event, context):
            if os.fork() == 0:
                end = time.process_time() + 0.1
                while time.process_time() < end:
                    pass
                os._exit(0)
            os.wait()
    """
    with running(available(Tier.ISOLATED), tmp_path, code) as environment:
        wait_until(environment.api.asked.is_set)
        before = environment.sandboxed.cpu_ns()
        environment.invoke()
        assert environment.sandboxed.cpu_ns() > before + 80_000_000


@pytest.mark.parametrize("forking", [Tier.PLAIN, Tier.ISOLATED])  # tier 1 refuses to fork, which has a test of its own
def test_daemons_end_with_the_environment(forking: Tier, tmp_path: Path) -> None:
    with running(available(forking), tmp_path, DAEMONS) as environment:
        environment.invoke()
        tree = below(environment.sandboxed.pid)
        assert len(tree) >= 6
        environment.sandboxed.freeze()
        environment.sandboxed.kill()
        wait_until(lambda: alive(tree) == [])


def test_kill_leaves_nothing(tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
        import os, tempfile
        def handler(event, context):
            os.makedirs(tempfile.gettempdir() + "/a/b")
            os.chmod(tempfile.gettempdir() + "/a", 0)
    """
    descriptors = len(os.listdir("/proc/self/fd"))
    task, temporary = tmp_path / "task", tmp_path / "temporary"
    task.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    sandboxed = start(Spec(task, "handler.handler", {}, 128, 16, 0, None, 0), tier)
    tree = below(sandboxed.pid)
    sandboxed.kill()
    assert alive(tree) == []
    sandboxed.kill()
    assert sandboxed.exit_status() == -9
    assert (sandboxed.threads(), sandboxed.memory_bytes(), sandboxed.idle()) == (0, 0, False)
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    with running(tier, task, code) as environment:
        environment.invoke()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("last_words", "status"),
    [("import sys; sys.exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9), ("import os; os.abort()", -6)],
)
def test_exit_status(tier: Tier, tmp_path: Path, last_words: str, status: int) -> None:
    with running(tier, tmp_path, f"def handler(event, context):\n    {last_words}\n") as environment:
        environment.api.events.put(b"{}")
        assert environment.ended() == status
        environment.sandboxed.kill()
        assert environment.sandboxed.exit_status() == status


def test_failing_import_is_reported_and_ends(tier: Tier, tmp_path: Path) -> None:
    with running(tier, tmp_path, "import no_such_module\n") as environment:
        posted = environment.api.posted.get(timeout=20)
        assert posted.kind == "init error"
        assert posted.headers["lambda-runtime-function-error-type"] == "Runtime.ImportModuleError"
        assert environment.ended() == 1
        assert b"no_such_module" in environment.output()


def test_output_without_line_ends_does_not_block(tier: Tier, tmp_path: Path) -> None:
    code = """
        import os, sys
        def handler(event, context):
            print("begin", end="")
            os.write(2, b"x" * event)
            print("end", end="")
    """
    with running(tier, tmp_path, code) as environment:
        environment.invoke(1000)
        assert environment.output() == b"begin" + b"x" * 1000 + b"end"
        assert environment.output() == b""
        environment.api.events.put(str(2 * MEGABYTE).encode())
        text = b""
        deadline = time.monotonic() + 10
        while len(text) < 2 * MEGABYTE + 8 and time.monotonic() < deadline:
            text += environment.output()
        assert text == b"begin" + b"x" * 2 * MEGABYTE + b"end"
        assert environment.api.posted.get(timeout=10).kind == "response"


def test_environment_dies_with_a_killed_host(tier: Tier, tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(ANSWER)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(tmp_path), str(tier.value)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert host.stdout is not None
    tree = below(int(host.stdout.readline()))
    host.kill()
    host.wait()
    host.stdout.close()
    wait_until(lambda: alive(tree) == [])


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    spec = Spec(tmp_path / "nothing", "handler.handler", {}, 128, 16, 0, None, 0)
    with pytest.raises(SandboxError, match="nothing"):
        start(spec, available(Tier.ISOLATED))
    assert len(os.listdir("/proc/self/fd")) <= descriptors
