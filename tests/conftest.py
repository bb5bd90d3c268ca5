"""What all tests share: a warm parent of clouds, and CI's rule that nothing is skipped."""

import os
from collections.abc import Iterator

import pytest

from labs.cloud import CloudHost


@pytest.fixture(scope="session")
def host() -> Iterator[CloudHost]:
    """Give a warm parent from which a cloud takes milliseconds to start."""
    with CloudHost() as warm:
        yield warm


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a CI run that skipped a test: there everything is installed, so a skip hides a missing part."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line(f"CI: {len(reporter.stats['skipped'])} tests were skipped, none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
