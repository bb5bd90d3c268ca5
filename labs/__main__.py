"""The command line: python -m labs serve | cloud | grade | check | doctor | bench."""

import argparse
import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FrameType

from labs import Lab, labs, serve
from labs.cloud import Cloud, CloudGoneError, CloudHost, Pace
from labs.cloud.functions.sandbox import SandboxError
from labs.content import ContentError, Text, read_toml
from labs.grading import feedback
from labs.grading.prove import Problem, Proof, prove
from labs.grading.result import Status
from labs.grading.run import grade

PASSED, FAILED, UNGRADABLE = 0, 1, 2
_FOREVER = 2**62  # no trace has so many records


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    language = _language(arguments)
    options, rest = _parser(language).parse_known_args(arguments)
    if options.command == "bench":
        found: int | None = importlib.import_module("labs.bench").main(rest)
        return found or PASSED
    if rest:
        _parser(language).error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "serve":
        return serve.serve(options.port, options.address)
    try:
        labs()
    except ContentError as error:
        print(_say("check", "content", language, detail=str(error)), file=sys.stderr)
        return UNGRADABLE if options.command == "grade" else FAILED
    try:
        return {"cloud": _cloud, "grade": _grade, "check": _check, "doctor": _doctor}[options.command](options, language)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser(language: str) -> argparse.ArgumentParser:
    words = {name: text.of(language) for name, text in _words("help").items()}
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=["ko", "en"], help=words["lang"])
    parser = argparse.ArgumentParser(prog="python -m labs", description=words["description"], parents=[common])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, *, adds_help: bool = True) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words[name], description=words[name], parents=[common], add_help=adds_help)

    serving = command("serve")
    serving.add_argument("--port", type=int, default=8501, metavar="N", help=words["serve_port"])
    serving.add_argument("--address", default="localhost", metavar="HOST", help=words["address"])
    cloud = command("cloud")
    cloud.add_argument("--port", type=int, default=4566, metavar="N", help=words["port"])
    cloud.add_argument("--seed", type=int, default=0, metavar="N", help=words["cloud_seed"])
    cloud.add_argument("--pace", choices=[pace.value for pace in Pace], default=Pace.LIVE.value, help=words["pace"])
    cloud.add_argument("--factor", type=float, default=1.0, metavar="X", help=words["factor"])
    cloud.add_argument("--durations", choices=["modelled", "measured"], default="modelled", help=words["durations"])
    grading = command("grade")
    grading.add_argument("lab", metavar="LAB", help=words["lab"])
    grading.add_argument("--submission", type=Path, required=True, metavar="PATH", help=words["submission"])
    grading.add_argument("--json", action="store_true", help=words["json"])
    grading.add_argument("--seed", type=int, metavar="N", help=words["seed"])
    grading.add_argument("--hints", type=int, choices=range(4), default=0, help=words["hints"])
    proving = command("check")
    proving.add_argument("labs", nargs="*", metavar="LAB", help=words["labs"])
    proving.add_argument("--seeds", type=int, default=10, metavar="N", help=words["seeds"])
    proving.add_argument("--jobs", type=int, default=max(1, min(4, os.cpu_count() or 1)), metavar="N", help=words["jobs"])
    command("doctor")
    command("bench", adds_help=False)
    return parser


def _cloud(options: argparse.Namespace, language: str) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        cloud = Cloud(
            options.seed, pace=Pace(options.pace), factor=options.factor, durations=options.durations, port=options.port
        )
    except (CloudGoneError, OSError, SandboxError) as error:
        print(_say("cloud", "not_started", language, error=str(error), port=options.port), file=sys.stderr)
        return FAILED
    with cloud:
        print(_say("cloud", "ready", language, endpoint=cloud.endpoint))
        print(f"  export AWS_ENDPOINT_URL={cloud.endpoint}")
        print("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1")
        print(_say("cloud", "how", language), flush=True)
        for _ in cloud.watch(after=_FOREVER):
            pass
    print(_say("cloud", "ended", language), file=sys.stderr)
    return FAILED


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _grade(options: argparse.Namespace, language: str) -> int:
    lab = _find(options.lab)
    if lab is None:
        return _no_lab(options.lab, language)
    shown = sys.stderr.isatty() and not options.json
    done = iter(range(1, len(lab.checks) + 1))

    def show(result: object) -> None:
        if shown:
            print(f"\r{_say('grade', 'progress', language, done=next(done), all=len(lab.checks))}", end="", file=sys.stderr)

    result = grade(lab, options.submission, seed=options.seed, on_progress=show)
    if shown:
        print("\r", end="", file=sys.stderr)
    if options.json:
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=2))
    else:
        print(feedback.report(lab, result, language, rungs=options.hints))
    if result.status is Status.UNGRADABLE:
        return UNGRADABLE
    return PASSED if result.passed else FAILED


def _check(options: argparse.Namespace, language: str) -> int:
    chosen = [_find(name) for name in options.labs] or list(labs())
    if None in chosen:
        return _no_lab(options.labs[chosen.index(None)], language)
    good = True
    with CloudHost() as host:
        for lab in filter(None, chosen):
            proofs = prove(
                lab, host=host, seeds=options.seeds, jobs=options.jobs, on_proof=lambda proof: _show(proof, language)
            )
            problems = sum(proof.problem is not None for proof in proofs)
            if len(lab.solutions) < 2 or not lab.mistakes:
                print(_say("check", Problem.NO_SOLUTIONS, language))
                problems += 1
            print(_say("check", "bad" if problems else "good", language, lab=lab.id, problems=problems), flush=True)
            good = good and not problems
    return PASSED if good else FAILED


def _show(proof: Proof, language: str) -> None:
    case, result = proof.case, proof.result
    seed = _say("check", "seed", language, seed=case.seed)
    score = f"{result.score}/{result.max}" if result.status is Status.GRADED else "-"
    named = ", ".join(proof.messages) or (result.reason.message_id if result.reason else "")
    sign = "✓" if proof.problem is None else "✗"
    print(f"{sign} {case.kind:<8} {case.name:<20} {seed:<8} {score:>7} {result.duration:5.1f} s  {named}", flush=True)
    if proof.problem is not None:
        detail = feedback.own(result.reason, language) if result.reason else named
        print("    " + _say("check", proof.problem, language, name=case.name, detail=detail), flush=True)


def _doctor(options: argparse.Namespace, language: str) -> int:
    found: int = importlib.import_module("labs.doctor").main()
    return found


def _find(name: str) -> Lab | None:
    """Find a lab by its id, the beginning of its id, or its folder."""
    id = Path(name).name
    found = [lab for lab in labs() if lab.id == id] or [lab for lab in labs() if lab.id.startswith(id)]
    return found[0] if len(found) == 1 else None


def _no_lab(name: str, language: str) -> int:
    print(_say("grade", "no_lab", language, lab=name, labs=", ".join(lab.id for lab in labs())), file=sys.stderr)
    return UNGRADABLE


def _language(arguments: list[str]) -> str:
    """Find the language before the arguments are parsed: the help is in it too."""
    for given, following in zip(arguments, [*arguments, ""][1:], strict=True):
        value = following if given == "--lang" else given.removeprefix("--lang=")
        if given.startswith("--lang") and value in ("ko", "en"):
            return value
    return feedback.language()


def _say(table: str, id: str, language: str, /, **params: str | int) -> str:
    return feedback.fill(_words(table)[id].of(language), params)


@cache
def _words(table: str) -> Mapping[str, Text]:
    here = Path(__file__).parent
    ko, en = (read_toml(here / f"words.{language}.toml").table(table) for language in ("ko", "en"))
    return {key: Text(ko.string(key), en.string(key)) for key in en.keys()}  # noqa: SIM118


if __name__ == "__main__":
    sys.exit(main())
