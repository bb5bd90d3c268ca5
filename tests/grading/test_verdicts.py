"""What a grading says: right, wrong, or that it could not be graded."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.cloud import CloudHost
from labs.grading import Reason, Result, Status, feedback, grade, grade_source
from labs.model import Lab
from tests.grading.conftest import GOOD, make_pack

Submit = Callable[..., Result]


def append(path: Path, text: str, *changes: tuple[str, str]) -> None:
    """Add to a file of a pack."""
    found = path.read_text("utf-8")
    for old, new in changes:
        found = found.replace(old, new)
    path.write_text(found + text, "utf-8")


def reason_of(result: Result) -> Reason:
    """Give the reason of a result that must have one."""
    assert result.status is Status.UNGRADABLE
    assert result.score == 0
    assert result.reason is not None
    return result.reason


def test_right_code_gets_all_points(submit: Submit) -> None:
    heard: list[str] = []
    result = submit(GOOD, on_progress=lambda check: heard.append(check.id))
    assert result.passed
    assert (result.score, result.max) == (30, 30)
    assert heard == ["doubles", "again"]
    assert result.tier in (0, 1, 2)
    assert Result.from_json(result.to_json()).to_json() == result.to_json()


def test_wrong_code_gets_a_message_with_evidence(submit: Submit, tiny: Lab) -> None:
    result = submit("def handler(event, context):\n    print(0 if event['n'] > 1000 else 2 * event['n'])\n")
    assert result.status is Status.GRADED
    assert (result.score, [check.passed for check in result.checks]) == (10, [True, False])
    check = result.checks[1]
    assert check.message_id == "not_doubled"
    assert check.params["found"] == "0"
    assert f"For `{check.params['given']}` the answer was `0`" in feedback.message(tiny, check, "en")
    kinds = [record.kind for record in check.evidence]
    assert kinds == ["api.call", "event.queued", "invocation.started", "log.line", "invocation.ended"]
    assert check.record == next(record.id for record in check.evidence if record.kind == "invocation.started")
    assert "For the same reason" not in feedback.report(tiny, result, "en")


def test_what_is_drawn_follows_from_the_seed(submit: Submit) -> None:
    silent = "def handler(event, context):\n    pass\n"
    first, second, other = (submit(silent, seed=seed).checks[0].params["given"] for seed in (1, 1, 2))
    assert first == second != other


def test_a_syntax_error_is_not_wrong_but_ungradable(submit: Submit) -> None:
    reason = reason_of(submit("import json\n\ndef handler(event context):\n    pass\n"))
    assert reason.message_id == "grading.syntax_error"
    assert reason.params["file"] == "handler.py"
    assert reason.params["line"] == 3
    assert reason.params["code"] == "def handler(event context):"
    for language in ("ko", "en"):
        assert "handler.py" in feedback.own(reason, language)


def test_a_syntax_error_in_another_file_is_found_there(submit: Submit) -> None:
    reason = reason_of(submit({"handler.py": "import mine.helper\n" + GOOD, "mine/helper.py": "x = 1\ny = (\n"}))
    assert reason.message_id == "grading.syntax_error"
    assert (reason.params["file"], reason.params["line"]) == ("helper.py", 2)


@pytest.mark.parametrize(
    ("source", "message", "param"),
    [
        ("def handle(event, context):\n    pass\n", "grading.handler_not_found", "missing on module 'handler'"),
        ("import bototree\n" + GOOD, "grading.no_such_module", "bototree"),
        ("from json import lods\n" + GOOD, "grading.import_error", "lods"),
        ("", "grading.handler_not_found", "missing on module 'handler'"),
    ],
)
def test_code_that_cannot_be_loaded_is_ungradable(submit: Submit, source: str, message: str, param: str) -> None:
    reason = reason_of(submit(source))
    assert reason.message_id == message
    assert param in str(reason.params)


def test_files_that_are_no_submission_are_ungradable(tiny: Lab, tmp_path: Path) -> None:
    def message(path: Path) -> str:
        result = grade(tiny, path)
        assert "{" not in feedback.report(tiny, result, "ko")
        return reason_of(result).message_id

    assert message(tmp_path / "nothing.py") == "grading.no_such_file"
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    assert message(tmp_path / "latin.py") == "grading.not_text"
    (tmp_path / "zero.py").write_bytes(b"x = 1\0\n")
    assert message(tmp_path / "zero.py") == "grading.not_text"
    (tmp_path / "large.py").write_bytes(b"#" * 5_000_001)
    assert message(tmp_path / "large.py") == "grading.too_large"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "other.py").write_text("", "utf-8")
    assert message(tmp_path / "folder") == "grading.no_handler_file"
    for number in range(501):
        (tmp_path / "folder" / f"{number}.txt").write_text("", "utf-8")
    assert message(tmp_path / "folder") == "grading.too_many_files"
    assert reason_of(grade_source(tiny, "\ud800")).message_id == "grading.not_text"


def test_links_lead_nowhere(submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "password.txt").write_text("hunter2", "utf-8")
    (tmp_path / "mine" / "link.txt").symlink_to(tmp_path / "secret" / "password.txt")
    (tmp_path / "mine" / "linked").symlink_to(tmp_path / "secret", target_is_directory=True)
    result = submit(
        {"handler.py": "import os\n\ndef handler(event, context):\n    print(sorted(os.listdir(os.path.dirname(__file__))))\n"}
    )
    assert result.checks[0].params["found"] == "['handler.py']"


def test_an_endless_loop_is_wrong_and_ends_soon(tmp_path: Path, host: CloudHost) -> None:
    pack = make_pack(tmp_path)
    more = ("third", "fourth")
    table = '[[checks]]\nid = "{0}"\ntask = 1\npoints = 10\ntitle.ko = "{0}"\ntitle.en = "{0}"\n'
    append(pack / "lab.toml", "".join(map(table.format, more)), ("points = 30", "points = 50"))
    for name in more:
        append(pack / "hints.toml", f'[{name}]\nko = ["가", "나", "다"]\nen = ["a", "b", "c"]\n')
        append(pack / "test_lab.py", f'\n\n@check("{name}")\ndef test_{name}(lab: LabRun) -> None:\n    ask(lab, 1)\n')
        for language in ("ko", "en"):
            append(pack / f"messages.{language}.toml", f'{name} = "Good."\n')
    code = tmp_path / "mine.py"
    code.write_text("import time\n\ndef handler(event, context):\n    while True:\n        time.sleep(0)\n", "utf-8")
    started = time.monotonic()
    result = grade(pack, code, seed=1, host=host)
    assert result.status is Status.GRADED
    assert [check.message_id for check in result.checks] == ["grading.spinning"] * 3 + ["grading.not_run"]
    assert result.checks[0].evidence
    assert time.monotonic() - started < 60


def test_waiting_for_ever_is_wrong(submit: Submit) -> None:
    result = submit(
        "import threading\n\nlock = threading.Lock()\n\ndef handler(event, context):\n    lock.acquire()\n    lock.acquire()\n"
    )
    assert [check.message_id for check in result.checks] == ["grading.stuck"] * 2


@pytest.mark.parametrize("where", ["top", "handler"])
def test_leaving_early_is_wrong(submit: Submit, where: str) -> None:
    leave = "import sys\nsys.exit(0)\n" if where == "top" else ""
    result = submit(f"{leave}def handler(event, context):\n    import sys\n    sys.exit(0)\n")
    assert result.status is Status.GRADED
    assert result.score == 0


def test_equal_file_names_do_no_harm(submit: Submit, tiny: Lab, tmp_path: Path, host: CloudHost) -> None:
    for name in ("test_lab.py", "conftest.py", "pytest.py", "json.py"):
        (tmp_path / name).write_text(GOOD, "utf-8")
        assert grade(tiny, tmp_path / name, seed=1, host=host).passed
    assert submit(
        {"handler.py": GOOD, "conftest.py": "raise SystemExit(0)", "test_lab.py": "", "pytest.ini": "[pytest]"}
    ).passed
