"""Who decides: the grader alone, whatever the learner's code does, and only with a finding for every check."""

import os
import signal
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from labs.cloud import CloudHost
from labs.grading import Result, Status, cheats, grade
from tests.grading.conftest import GOOD, make_pack

Submit = Callable[..., Result]


def graders() -> list[psutil.Process]:
    """List the grader processes of this test."""
    return [child for child in psutil.Process().children() if any("grader.main" in part for part in child.cmdline())]


@pytest.fixture(scope="session")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the cheats by name."""
    return {path.name: path for path in cheats.write(tmp_path_factory.mktemp("cheats"))}


@pytest.mark.parametrize("name", ["always_equal.py", "fake_report.py", "patch_the_grader.py", "shadows", "write_everywhere.py"])
def test_cheats_gain_nothing(name: str, attempts: dict[str, Path], pack: Path, host: CloudHost) -> None:
    result = grade(pack, attempts[name], seed=3, host=host)
    assert result.score == 0
    assert not result.passed


def test_there_are_no_other_cheats(attempts: dict[str, Path]) -> None:
    assert len(attempts) == 8, "test the new one too; those that only exit are tested as verdicts"


def test_the_graders_channel_is_out_of_reach(submit: Submit) -> None:
    channels: list[str] = []

    def look(check: object) -> None:
        (grader,) = graders()
        folder = Path(f"/proc/{grader.pid}/fd")
        channels.extend(link for path in folder.iterdir() if (link := os.readlink(path)).startswith("socket:"))

    source = """
        import os

        def handler(event, context):
            found = []
            for name in os.listdir("/proc/self/fd"):
                try:
                    found.append(os.readlink("/proc/self/fd/" + name))
                except OSError:
                    pass
            print(" ".join(found))
    """
    result = submit(source, on_progress=look)
    reachable = str(result.checks[0].params["found"]).split()
    assert any(link.startswith("socket:") for link in reachable)
    assert channels
    assert not set(channels) & set(reachable)


def test_learners_code_runs_in_no_process_of_the_grader(submit: Submit) -> None:
    source = """
        import os
        import sys

        def handler(event, context):
            names = [name for name in sys.modules if name.split(".")[0] in ("pytest", "_pytest", "labs", "moto")]
            print(names, [name for name in os.environ if "PYTEST" in name or "LAB" in name])
    """
    assert submit(source).checks[0].params["found"] == "[] []"


def test_a_killed_grader_leaves_no_verdict(submit: Submit) -> None:
    result = submit(GOOD, on_progress=lambda check: graders()[0].kill())
    assert result.status is Status.UNGRADABLE
    assert result.score == 0
    assert result.reason is not None
    assert result.reason.message_id == "grading.grader_failed"


def test_too_slow_a_machine_leaves_no_verdict_and_no_process(pack: Path, host: CloudHost, tmp_path: Path) -> None:
    assert host.pid is not None
    before = {child.pid for child in psutil.Process(host.pid).children()}
    code = tmp_path / "mine.py"
    code.write_text("def handler(event, context):\n    while True:\n        pass\n", "utf-8")
    result = grade(pack, code, seed=1, host=host, timeout=4)
    assert result.reason is not None
    assert result.reason.message_id == "grading.too_slow"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if {child.pid for child in psutil.Process(host.pid).children()} <= before:
            break
        time.sleep(0.1)
    else:
        pytest.fail("a cloud is left")
    assert not graders()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    ask(lab, lab.random.randint(1001, 2000))", "    raise ValueError('oh')", "grading.check_broken"),
        ("    ask(lab, lab.random.randint(1001, 2000))", "    __import__('pytest').skip()", "grading.check_broken"),
        ("    ask(lab, lab.random.randint(1001, 2000))", "    __import__('os')._exit(0)", "grading.grader_failed"),
        ('@check("again")\n', "", "grading.incomplete"),
        ('@check("again")\n', '@check("doubles")\n', "grading.incomplete"),
        ("import json\n", "import jsoon\n", "grading.incomplete"),
    ],
)
def test_a_lab_with_a_fault_of_ours_blames_nobody(tmp_path: Path, host: CloudHost, old: str, new: str, message: str) -> None:
    pack = make_pack(tmp_path)
    test = pack / "test_lab.py"
    assert old in test.read_text("utf-8")
    test.write_text(test.read_text("utf-8").replace(old, new), "utf-8")
    code = tmp_path / "mine.py"
    code.write_text(GOOD, "utf-8")
    result = grade(pack, code, seed=1, host=host)
    assert (result.status, result.score) == (Status.UNGRADABLE, 0)
    assert result.reason is not None
    assert result.reason.message_id == message


def test_a_template_with_a_fault_blames_nobody(tmp_path: Path, host: CloudHost) -> None:
    pack = make_pack(tmp_path)
    (pack / "template.yaml").write_text("Resources: [", "utf-8")
    result = grade(pack, pack / "handler.py", seed=1, host=host)
    assert result.reason is not None
    assert result.reason.message_id == "grading.not_deployed"


def test_the_same_submission_leaves_the_same_trace_under_load(pack: Path, tmp_path: Path) -> None:
    code = tmp_path / "mine.py"
    source = """
        import random, threading, time, uuid

        def handler(event, context):
            time.sleep(random.random())
            threads = [threading.Thread(target=time.sleep, args=(number / 10,)) for number in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print(uuid.uuid4(), time.time(), {"a", "b", "c"})
            print(2 * event["n"])
    """
    code.write_text(textwrap.dedent(source), "utf-8")
    quiet = grade(pack, code, seed=8)
    assert quiet.passed
    busy = [psutil.Popen(["/bin/sh", "-c", "while :; do :; done"], start_new_session=True) for _ in range(3)]
    try:
        loaded = grade(pack, code, seed=8)
    finally:
        for process in busy:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert loaded.trace_hash == quiet.trace_hash
    code.write_text(code.read_text("utf-8").replace("print(uuid.uuid4(), ", 'print("other", uuid.uuid4(), '), "utf-8")
    assert grade(pack, code, seed=8).trace_hash != quiet.trace_hash, "what the handler prints is part of the trace"
