"""The command line: exit statuses, JSON, languages, a cloud that leaves nothing behind; and pytest with --submission."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import psutil
import pytest

from labs.grading import CheckResult, Result, Status
from labs.grading.result import SCHEMA
from tests.grading.conftest import LAB01, PROJECT

TEXT = {"type": "object", "required": ["ko", "en"], "additionalProperties": {"type": "string"}}
REASON = {
    "type": "object",
    "required": ["message_id", "params"],
    "properties": {"message_id": {"type": "string"}, "params": {"type": "object"}},
    "additionalProperties": False,
}
RECORD = {
    "type": "object",
    "required": ["id", "t", "cause", "kind", "resource", "detail", "measured"],
    "properties": {"id": {"type": "integer"}, "t": {"type": "integer"}, "cause": {"type": ["integer", "null"]}},
}
FIELDS = {
    "id": {"type": "string"},
    "title": TEXT,
    "points": {"type": "integer"},
    "max": {"type": "integer"},
    "passed": {"type": "boolean"},
    "message_id": {"type": ["string", "null"]},
    "params": {"type": "object"},
    "record": {"type": ["integer", "null"]},
    "evidence": {"type": "array", "items": RECORD},
    "trace_hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}
CHECK = {"type": "object", "properties": FIELDS, "required": list(FIELDS), "additionalProperties": False}
FIELDS_OF_RESULT = {
    "schema": {"const": SCHEMA},
    "lab": {"type": "string"},
    "lab_version": {"type": "string"},
    "seed": {"type": "integer"},
    "engine": {"type": "string"},
    "python": {"type": "string"},
    "tier": {"type": ["integer", "null"]},
    "status": {"enum": ["graded", "ungradable"]},
    "score": {"type": "integer"},
    "max": {"type": "integer"},
    "checks": {"type": "array", "items": CHECK},
    "reason": {"anyOf": [{"type": "null"}, REASON]},
    "submission": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
    "trace_hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "started": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    "duration": {"type": "number"},
}
RESULT = {
    "type": "object",
    "properties": FIELDS_OF_RESULT,
    "required": list(FIELDS_OF_RESULT),
    "additionalProperties": False,
}


def run(*arguments: str, cwd: Path = PROJECT, language: str = "en_US.UTF-8") -> subprocess.CompletedProcess[str]:
    """Run a command as a person would."""
    environment = {**os.environ, "LANG": language, "PYTHONUTF8": "1"}
    environment.pop("LC_ALL", None)
    return subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, timeout=150)


def labs(*arguments: str, language: str = "en_US.UTF-8") -> subprocess.CompletedProcess[str]:
    """Run python -m labs."""
    return run(sys.executable, "-m", "labs", *arguments, language=language)


def test_help_helps_in_both_languages() -> None:
    assert "could not be graded" in " ".join(labs("--help").stdout.split())
    assert "채점할 수 없으면" in " ".join(labs("--help", language="ko_KR.UTF-8").stdout.split())
    assert "핸들러 파일" in labs("grade", "--help", "--lang", "ko").stdout
    assert "handler file" in labs("--lang=en", "grade", "--help", language="ko_KR.UTF-8").stdout
    for wrong in ([], ["nothing"], ["grade", "lab01"], ["check", "--what"]):
        done = labs(*wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage:" in done.stderr


def test_all_points_are_exit_status_0_and_json_keeps_its_shape() -> None:
    done = labs("grade", "lab01", "--submission", str(LAB01 / "solutions" / "streaming"), "--json", "--seed", "4")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    jsonschema.validate(document, RESULT)
    result = Result.from_json(document)
    assert result.passed
    assert (result.lab, result.seed, result.score) == ("lab01_thumbnail", 4, 100)
    assert result.to_json() == document


def test_fewer_points_are_exit_status_1_and_a_report_in_a_language(tmp_path: Path) -> None:
    done = labs("grade", str(LAB01), "--submission", str(LAB01 / "handler.py"), "--lang", "ko", "--hints", "1")
    assert done.returncode == 1
    assert "올린 사진마다 썸네일 만들기: 100점 중" in done.stdout
    assert "힌트 1:" in done.stdout
    assert "invocation.started" in done.stdout


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_what_cannot_be_graded_is_exit_status_2(tmp_path: Path, flags: list[str]) -> None:
    missing = labs("grade", "lab01", "--submission", str(tmp_path / "no.py"), *flags)
    assert (missing.returncode, missing.stderr) == (2, "")
    (tmp_path / "broken.py").write_text("def handler(event, context)\n    pass\n", "utf-8")
    broken = labs("grade", "lab01", "--submission", str(tmp_path / "broken.py"), *flags)
    assert (broken.returncode, broken.stderr) == (2, "")
    if flags:
        for done in (missing, broken):
            jsonschema.validate(json.loads(done.stdout), RESULT)
        assert Result.from_json(json.loads(broken.stdout)).status is Status.UNGRADABLE
    else:
        assert "Check the path." in missing.stdout
        assert "`handler.py`, line 1" in broken.stdout
        assert "costs nothing" in broken.stdout


def test_a_lab_that_is_not_there_is_exit_status_2() -> None:
    done = labs("grade", "lab77", "--submission", "x.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "lab01_thumbnail" in done.stderr


def test_results_of_another_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="serverless-lab/result/v1"):
        Result.from_json({"schema": "other/v2"})
    with pytest.raises(ValueError, match="whole number"):
        CheckResult.from_json({"id": "x", "title": {"ko": "", "en": ""}, "record": None, "message_id": None, "points": True})


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_cloud_is_there_for_any_client_and_leaves_nothing(end: signal.Signals) -> None:
    command = [sys.executable, "-m", "labs", "cloud", "--port", "0", "--lang", "en"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = "".join(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
        found = re.search(r"export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:(\d+))", said)
        assert found is not None
        assert "AWS_ACCESS_KEY_ID" in said
        with urllib.request.urlopen(urllib.request.Request(f"{found[1]}/album", method="PUT")) as answer:
            assert answer.status == 200
        below = psutil.Process(process.pid).children(recursive=True)
        assert below
        process.send_signal(end)
        assert process.wait(20) == 130
    # That nobody of the family is left is the evidence; the port may have been given to somebody else by now.
    _, alive = psutil.wait_procs(below, 10)
    assert not alive


def test_a_port_in_use_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = labs("cloud", "--port", port)
    assert done.returncode == 1
    assert f"Is port {port} in use?" in done.stderr


def test_doctor_answers() -> None:
    assert "tier" in labs("doctor").stdout


def pytest_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command `pytest`, which does not put the working folder on sys.path."""
    return run(str(Path(sys.executable).with_name("pytest")), *arguments, cwd=cwd)


def test_pytest_grades_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "test_lab.py").write_bytes((LAB01 / "mistakes" / "no_metadata" / "handler.py").read_bytes())
    done = pytest_command(str(LAB01), "--submission", "test_lab.py", "--lab-seed", "3", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "A thumbnail for every photo: 80 of 100 points" in done.stdout
    assert "seed 3" in done.stdout
    assert "1 failed, 6 passed" in done.stdout


def test_pytest_says_what_it_cannot_grade(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def handler(:\n", "utf-8")
    done = pytest_command(str(LAB01), "--submission", "mine.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "could not be graded; this costs nothing" in done.stdout
    assert pytest_command(str(LAB01), "--submission", "no.py", cwd=tmp_path).returncode == 4
    several = pytest_command("tests", "--submission", "mine.py", cwd=PROJECT)
    assert several.returncode == 4


def test_a_bare_pytest_grades_nothing() -> None:
    def collected(*arguments: str) -> Mapping[str, int]:
        done = pytest_command("--collect-only", "-q", "-p", "no:cacheprovider", *arguments, cwd=PROJECT)
        return {line: done.returncode for line in done.stdout.splitlines() if line.startswith("labs/")}

    assert not collected("labs")
    assert not collected("labs/lab01_thumbnail")
    assert not collected("labs/lab01_thumbnail/test_lab.py")
    assert not collected("--ignore=tests", ".")
