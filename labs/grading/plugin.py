"""The pytest plugin that grades: `pytest labs/lab01_thumbnail --submission FILE`, and inside the grader process."""

import datetime
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labs import model
from labs.cloud import CloudError, CloudGoneError, CloudHost, DeploymentError, Kind, Record, Trace
from labs.grading import feedback, starting, submission
from labs.grading.checks import Misstep, check_of, fail
from labs.grading.clouds import Clouds
from labs.grading.lab_run import LabRun
from labs.grading.result import CheckResult, Reason, Result, Status, conclude
from labs.model import Lab

LABS = Path(__file__).resolve().parents[1]
NAME = "labs.grading"
UNGRADABLE = 2  # the exit status for "could not be graded"
_PATIENCE = 3  # checks in which code that never ends is stopped, at some seconds each; the rest is then not run
_NEVER_ENDS = ("grading.spinning", "grading.stuck")
_LOG_LINES = 40
_LOG_LINE = 500  # characters


class Grading:
    """Judge one submission to one lab; `tell` hears of every check as it is finished."""

    def __init__(
        self, lab: Lab, package: bytes, seed: int, host: CloudHost, tell: Callable[[CheckResult], None] = lambda result: None
    ) -> None:
        self.lab = lab
        self.results: list[CheckResult] = []
        self.reason: Reason | None = None
        self._tell = tell
        self._packages = _packages(lab)
        self._clouds = Clouds(lab, package, seed=seed, host=host, checks=[check.id for check in lab.checks])
        self._run: LabRun | None = None

    @property
    def tier(self) -> int | None:
        """Give the tier that the environments ran in, once one has."""
        return self._clouds.tier

    def close(self) -> None:
        """End what is left."""
        self._clouds.close()

    @pytest.fixture(name="lab")
    def lend(self, request: pytest.FixtureRequest) -> Iterator[LabRun]:
        """Lend a fresh cloud with the submission deployed."""
        if sum(result.message_id in _NEVER_ENDS for result in self.results) >= _PATIENCE:
            fail("grading.not_run", checks=_PATIENCE)
        with self._clouds.take(str(check_of(request.function))) as self._run:
            yield self._run

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse a lab whose checks are not those of lab.toml, and run them in its order."""
        order = [check.id for check in self.lab.checks]
        found = [_check_id(item) for item in items]
        if sorted(map(str, found)) != sorted(order):
            raise pytest.UsageError(
                f"{self.lab.tests} has the checks {found}, but lab.toml has {order}: write each once, with @check(id)"
            )
        items.sort(key=lambda item: order.index(str(_check_id(item))))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge a check when it has run, while its cloud is still there."""
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        if call.when == "call" or (call.when == "setup" and error is not None):
            self._judge(self.lab.check(str(_check_id(item))), error)
            if self.reason is not None:
                item.session.shouldstop = "this submission could not be graded"
            elif isinstance(error, Misstep):
                report.longrepr = feedback.message(self.lab, self.results[-1], feedback.language())
        return report

    def _judge(self, check: model.Check, error: BaseException | None) -> None:
        run, self._run = self._run, None
        if isinstance(error, CloudGoneError) or (run is None and not isinstance(error, Misstep)):
            self.reason = _not_started(error)
            return
        try:
            trace = Trace(()) if run is None else run.trace
        except (CloudGoneError, CloudError):
            self.reason = Reason("grading.cloud_gone")
            return
        self.reason = starting.not_loadable(trace, self._packages)
        if self.reason is not None:
            return
        if error is not None and not isinstance(error, Misstep):
            self.reason = Reason("grading.check_broken", {"check": check.id, "error": f"{type(error).__name__}: {error}"[:500]})
            return
        result = CheckResult(
            id=check.id,
            title=check.title,
            points=check.points if error is None else 0,
            max=check.points,
            passed=error is None,
            trace_hash=trace.hash(),
        )
        if error is not None:
            evidence = evidence_of(trace, error.record)
            result = replace(result, message_id=error.message_id, params=error.params, record=error.record, evidence=evidence)
        self.results.append(result)
        self._tell(result)


class Terminal:
    """Grade for somebody who runs pytest by hand: the options, and the report at the end."""

    def __init__(self, lab: Lab, path: Path, seed: int) -> None:
        self._seed = seed
        self._started, self._clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        self._read = submission.read(path)
        self._host = CloudHost()
        self.grading = Grading(lab, self._read.package, seed, self._host)
        self.result: Result | None = None

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Come to a verdict."""
        grading = self.grading
        self.result = conclude(
            grading.lab,
            grading.results,
            grading.reason,
            seed=self._seed,
            tier=grading.tier,
            submission=self._read.digest,
            started=self._started,
            duration=time.monotonic() - self._clock,
        )
        if self.result.status is Status.UNGRADABLE:
            session.exitstatus = UNGRADABLE

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report."""
        if self.result is not None:
            terminalreporter.section(self.grading.lab.id)
            terminalreporter.write_line(feedback.report(self.grading.lab, self.result, feedback.language()))

    def pytest_unconfigure(self) -> None:
        """End what is left."""
        self.grading.close()
        self._host.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a grading."""
    group = parser.getgroup("labs", "grading a submission to a lab")
    group.addoption("--submission", metavar="PATH", type=Path, help="grade this handler file, or folder with handler.py")
    group.addoption("--lab-seed", metavar="N", type=int, default=0, help="draw the checks' inputs from this seed (default 0)")


def pytest_configure(config: pytest.Config) -> None:
    """Make ready to grade, if there is a submission."""
    path = config.getoption("--submission", None)
    if path is None or config.getoption("--collect-only", False):
        return
    folders = {folder for argument in config.args if (folder := _lab_folder(config.invocation_params.dir / argument))}
    if len(folders) != 1:
        raise pytest.UsageError("name the one lab that the submission is for: pytest labs/lab01_thumbnail --submission FILE")
    try:
        terminal = Terminal(model.load(folders.pop()), config.invocation_params.dir / path, config.getoption("--lab-seed"))
    except submission.UnreadableError as error:
        raise pytest.UsageError(feedback.own(error.reason, feedback.language())) from error
    config.pluginmanager.register(terminal, f"{NAME}.terminal")
    config.pluginmanager.register(terminal.grading, NAME)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave labs alone unless one is to be graded."""
    ignored = config.getoption("--submission", None) is None and _lab_folder(collection_path) is not None
    return True if ignored else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave checks alone that were named on the command line without a submission, too."""
    if config.getoption("--submission", None) is None:
        ignored = [item for item in items if _lab_folder(item.path) is not None]
        items[:] = [item for item in items if item not in ignored]
        config.hook.pytest_deselected(items=ignored)


def evidence_of(trace: Trace, record_id: int | None) -> tuple[Record, ...]:
    """Give the record that proves a mistake, what led to it, and the log and the end of the run it belongs to."""
    if record_id is None or not any(record.id == record_id for record in trace):
        return ()
    chain = [trace.record(record_id), *trace.ancestors(record_id)]
    phases = (Kind.INVOCATION_STARTED, Kind.INIT_STARTED)
    phase = next((record for record in chain if record.kind in phases), None)
    around = trace.children(phase.id) if phase is not None else []
    lines = [_shortened(record) for record in around if record.kind == Kind.LOG_LINE][-_LOG_LINES:]
    ends = [record for record in around if record.kind in (Kind.INVOCATION_ENDED, Kind.INIT_ENDED)]
    return tuple(sorted({record.id: record for record in [*lines, *ends, *chain]}.values(), key=lambda record: record.id))


def _shortened(line: Record) -> Record:
    message = str(line.detail.get("message"))
    if len(message) <= _LOG_LINE:
        return line
    return replace(line, detail={**line.detail, "message": message[: _LOG_LINE - 1] + "…"})


def _not_started(error: BaseException | None) -> Reason:
    if isinstance(error, DeploymentError):
        return Reason("grading.not_deployed", {"error": str(error)[:500]})
    if error is None or isinstance(error, CloudGoneError | CloudError | OSError):
        return Reason("grading.cloud_gone")
    return Reason("grading.grader_failed", {"error": f"{type(error).__name__}: {error}"[:500]})


def _check_id(item: pytest.Item) -> str | None:
    return check_of(item.function) if isinstance(item, pytest.Function) else None


def _lab_folder(path: Path) -> Path | None:
    """Give the lab's folder that a path leads into, if it does."""
    target = Path(str(path).partition("::")[0]).resolve()
    for folder in (target, *target.parents):
        if folder.parent == LABS and (folder / "lab.toml").is_file():
            return folder
    return None


def _packages(lab: Lab) -> tuple[str, ...]:
    """List the packages that the lab's functions can import beside Python's own."""
    try:
        lines = (lab.folder / "requirements.txt").read_text("utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    return tuple(dict.fromkeys(["boto3", *(line.strip() for line in lines if line.strip() and not line.startswith("#"))]))


def serve(lab: Lab, package: bytes, seed: int, host: CloudHost, tell: Callable[[CheckResult], None]) -> Grading:
    """Run the lab's checks in this process, which is the grader's own."""
    grading = Grading(lab, package, seed, host, tell)
    try:
        own = Path(__file__).with_name("grader.ini")
        pytest.main(
            [
                *("-c", str(own), "--rootdir", str(lab.folder), "--confcutdir", str(lab.folder), "--noconftest"),
                *("--import-mode=importlib", "-p", "no:cacheprovider", "-q", str(lab.tests)),
            ],
            plugins=[grading],
        )
    finally:
        grading.close()
        sys.stdout.flush()
    return grading
