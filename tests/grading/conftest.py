"""A lab small enough to be graded in a moment, and handlers to hand in."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.cloud import CloudHost
from labs.grading import Result, grade
from labs.model import Lab, load

PROJECT = Path(__file__).resolve().parents[2]
LAB01 = PROJECT / "labs" / "lab01_thumbnail"

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: work
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: 10
      MemorySize: 256
Outputs:
  Function:
    Value: !Ref Work
"""

LAB_TOML = """\
id = "lab09_tiny"
title.ko = "시험"
title.en = "Trial"
summary.ko = "요약"
summary.en = "Summary"
concept = "events"
minutes = 5
points = 30
seeds = [1, 2]

[[checks]]
id = "doubles"
task = 1
points = 10
title.ko = "두 배"
title.en = "Doubles"

[[checks]]
id = "again"
task = 1
points = 20
title.ko = "또 두 배"
title.en = "Doubles again"
"""

HINTS = """\
[doubles]
ko = ["가 {given}", "나 {nothing}", "다"]
en = ["a {given}", "b {nothing}", "c"]
[again]
ko = ["가", "나", "다"]
en = ["a", "b", "c"]
"""

MESSAGES = """\
not_doubled = "For `{given}` the answer was `{found}`, {found}."
start = "The answer was `{found}`."

[passed]
doubles = "Good."
again = "Good again."
"""

TEST_LAB = """\
import json

from labs.cloud import Kind
from labs.grading import LabRun, check, fail


@check("doubles")
def test_doubles(lab: LabRun) -> None:
    ask(lab, lab.random.randint(1, 1000))


@check("again")
def test_again(lab: LabRun) -> None:
    ask(lab, lab.random.randint(1001, 2000))


def ask(lab: LabRun, given: int) -> None:
    function = lab.stack.outputs["Function"]
    payload = json.dumps({"n": given}).encode()
    lab.cloud.call("lambda", "Invoke", FunctionName=function, InvocationType="Event", Payload=payload)
    lab.run()
    lab.cloud.advance(0.5)
    started = lab.trace.of(Kind.INVOCATION_STARTED)[0]
    lines = [str(record.detail["message"]) for record in lab.trace.of(Kind.LOG_LINE, request_id=started.detail["request_id"])]
    if str(2 * given) not in lines:
        fail("not_doubled", record=started, given=given, found=lines[0] if lines else "")
"""

GOOD = "def handler(event, context):\n    print(2 * event['n'])\n"


def make_pack(folder: Path) -> Path:
    """Write the lab into a folder, which may then be changed."""
    pack = folder / "lab09_tiny"
    pack.mkdir()
    for name, text in {
        "lab.toml": LAB_TOML,
        "template.yaml": TEMPLATE,
        "handler.py": "def handler(event, context):\n    print(event['n'])\n",
        "test_lab.py": TEST_LAB,
        "hints.toml": HINTS,
        "messages.ko.toml": MESSAGES,
        "messages.en.toml": MESSAGES,
        "ko.md": "## 할 일 {#task-1}\n\n하세요.\n",
        "en.md": "## The task {#task-1}\n\nDo it.\n",
    }.items():
        (pack / name).write_text(text, "utf-8")
    return pack


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the small lab."""
    return make_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="session")
def tiny(pack: Path) -> Lab:
    """Give the small lab."""
    return load(pack)


@pytest.fixture
def submit(tiny: Lab, host: CloudHost, tmp_path: Path) -> Callable[..., Result]:
    """Give a way to grade a handler's source, or a folder of files, for the small lab."""

    def run(source: str | dict[str, str], *, seed: int = 5, **options: object) -> Result:
        if isinstance(source, str):
            code = tmp_path / "mine.py"
            code.write_text(textwrap.dedent(source), "utf-8")
        else:
            code = tmp_path / "mine"
            for name, text in source.items():
                (code / name).parent.mkdir(parents=True, exist_ok=True)
                (code / name).write_text(textwrap.dedent(text), "utf-8")
        return grade(tiny, code, seed=seed, host=host, **options)  # type: ignore[arg-type]

    return run
