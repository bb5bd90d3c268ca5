"""Every lab can be passed and failed: what `python -m labs check` proves."""

import dataclasses
import datetime
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labs import labs
from labs.content import Text
from labs.grading import CheckResult, Reason, Result, Status
from labs.grading.prove import Case, Kind, Problem, judge
from tests.grading.conftest import PROJECT


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lab", [lab.id for lab in labs()])
def test_every_pack_is_proven(lab: str) -> None:
    command = [sys.executable, "-m", "labs", "check", lab, "--seeds", "2", "--lang", "en"]
    done = subprocess.run(command, cwd=PROJECT, env={**os.environ, "PYTHONUTF8": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{lab}: all as it should be" in done.stdout


def result(points: int, message: str | None = None, status: Status = Status.GRADED) -> Result:
    """Make up a result."""
    check = CheckResult("first", Text("", ""), points, 10, points == 10, "", message)
    reason = None if status is Status.GRADED else Reason("grading.cloud_gone")
    now = datetime.datetime.now(datetime.UTC)
    return Result("lab", "", 1, "", "", 2, status, points, 10, (check,), reason, "", "", now, 0.0)


FULL, NONE, GONE = result(10), result(0, "why"), result(0, None, Status.UNGRADABLE)


@pytest.mark.parametrize(
    ("kind", "outcome", "problem"),
    [
        (Kind.START, NONE, None),
        (Kind.START, FULL, Problem.START_PASSES),
        (Kind.START, GONE, Problem.NOT_GRADED),
        (Kind.SOLUTION, FULL, None),
        (Kind.SOLUTION, NONE, Problem.SOLUTION_FAILS),
        (Kind.SOLUTION, GONE, Problem.NOT_GRADED),
        (Kind.MISTAKE, NONE, None),
        (Kind.MISTAKE, FULL, Problem.MISTAKE_PASSES),
        (Kind.MISTAKE, result(0, "other"), Problem.MISTAKE_NOT_NAMED),
        (Kind.CHEAT, NONE, None),
        (Kind.CHEAT, GONE, None),
        (Kind.CHEAT, FULL, Problem.CHEAT_GAINS),
        (Kind.CHEAT, result(5, "why"), Problem.CHEAT_GAINS),
    ],
)
def test_problems_of_packs_are_found(kind: Kind, outcome: Result, problem: Problem | None) -> None:
    case = Case(kind, "why", Path("why"))
    assert judge(case, outcome, outcome, NONE) == problem
    other = dataclasses.replace(outcome, score=outcome.score + 1)
    assert judge(case, outcome, other, NONE) is Problem.SEEDS_DISAGREE
