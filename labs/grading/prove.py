"""Prove that a lab can be passed and failed: start fails, solutions pass, mistakes are named, cheats gain nothing."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from labs.cloud import CloudHost
from labs.grading import cheats
from labs.grading.result import Result, Status
from labs.grading.run import grade
from labs.model import Lab

MAIN_SEED = 1


class Kind(StrEnum):
    """What a submission is in the pack."""

    START = "start"
    SOLUTION = "solution"
    MISTAKE = "mistake"
    CHEAT = "cheat"


class Problem(StrEnum):
    """What is wrong with a pack."""

    NOT_GRADED = "not_graded"
    START_PASSES = "start_passes"
    SOLUTION_FAILS = "solution_fails"
    MISTAKE_PASSES = "mistake_passes"
    MISTAKE_NOT_NAMED = "mistake_not_named"
    CHEAT_GAINS = "cheat_gains"
    SEEDS_DISAGREE = "seeds_disagree"
    NO_SOLUTIONS = "no_solutions"


@dataclass(frozen=True, slots=True)
class Case:
    """One submission to grade with one seed."""

    kind: Kind
    name: str
    code: Path
    seed: int = MAIN_SEED


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a case."""

    case: Case
    result: Result
    problem: Problem | None

    @property
    def messages(self) -> tuple[str, ...]:
        """Give the message ids of the failed checks, each once."""
        return tuple(dict.fromkeys(str(check.message_id) for check in self.result.checks if not check.passed))


def prove(
    lab: Lab, *, host: CloudHost, seeds: int = 10, jobs: int = 2, on_proof: Callable[[Proof], None] = lambda proof: None
) -> tuple[Proof, ...]:
    """Grade everything in a pack, and the cheats; with further seeds the first solution and the first mistake."""
    with tempfile.TemporaryDirectory(prefix="serverless-lab-") as folder, ThreadPoolExecutor(jobs) as threads:
        cases = list(_cases(lab, Path(folder), seeds))
        results = threads.map(lambda case: grade(lab, case.code, seed=case.seed, host=host), cases)
        first: dict[tuple[Kind, str], Result] = {}
        proofs: list[Proof] = []
        for case, result in zip(cases, results, strict=True):
            earlier = first.setdefault((case.kind, case.name), result)
            proofs.append(Proof(case, result, judge(case, result, earlier, first[Kind.START, "handler.py"])))
            on_proof(proofs[-1])
    return tuple(proofs)


def _cases(lab: Lab, folder: Path, seeds: int) -> Iterator[Case]:
    yield Case(Kind.START, "handler.py", lab.handler)
    for code in lab.solutions:
        yield Case(Kind.SOLUTION, code.name, code)
    for code in lab.mistakes:
        yield Case(Kind.MISTAKE, code.name, code)
    for code in cheats.write(folder):
        yield Case(Kind.CHEAT, code.name, code)
    others = [seed for seed in dict.fromkeys([*lab.seeds, *range(1, MAIN_SEED + seeds + 1)]) if seed != MAIN_SEED]
    for kind, codes in ((Kind.SOLUTION, lab.solutions), (Kind.MISTAKE, lab.mistakes)):
        for seed in others[: seeds - 1] if codes else ():
            yield Case(kind, codes[0].name, codes[0], seed)


def judge(case: Case, result: Result, earlier: Result, start: Result) -> Problem | None:
    """Tell what is wrong with the outcome of a case. `earlier` is the same code's with the first seed."""
    if verdict(result) != verdict(earlier):
        return Problem.SEEDS_DISAGREE
    if case.kind is Kind.CHEAT:
        # A cheat that cannot be graded has gained nothing either.
        gained = result.status is Status.GRADED and (result.passed or result.score > start.score)
        return Problem.CHEAT_GAINS if gained else None
    if result.status is not Status.GRADED:
        return Problem.NOT_GRADED
    if case.kind is Kind.SOLUTION:
        return None if result.passed else Problem.SOLUTION_FAILS
    if case.kind is Kind.START:
        return Problem.START_PASSES if result.passed else None
    if result.passed:
        return Problem.MISTAKE_PASSES
    named = any(check.message_id == case.name for check in result.checks)
    return None if named else Problem.MISTAKE_NOT_NAMED


def verdict(result: Result) -> tuple[str, int, tuple[tuple[str, str | None], ...]]:
    """Give what must not depend on the seed."""
    return result.status.value, result.score, tuple((check.id, check.message_id) for check in result.checks)
