"""A fresh cloud for each check, the next one made ready while the present one is judged."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from labs.cloud import CloudHost, Stack
from labs.grading.lab_run import GradedCloud, LabRun
from labs.model import Lab

NICE = 10  # a page must answer while a class is graded


class Clouds:
    """Start clouds for checks, one ahead. Each is deployed with the same package, so all start from the same state."""

    def __init__(self, lab: Lab, package: bytes, *, seed: int, host: CloudHost, checks: Sequence[str]) -> None:
        self._lab, self._package, self._seed, self._host = lab, package, seed, host
        self._template = lab.template.read_text("utf-8")
        self._left = len(checks)
        self._thread = ThreadPoolExecutor(1)
        self._next: Future[tuple[GradedCloud, Stack]] | None = None
        self.tier: int | None = None
        self._prepare()

    def _prepare(self) -> None:
        self._next = self._thread.submit(self._start) if self._left > 0 else None
        self._left -= 1

    def _start(self) -> tuple[GradedCloud, Stack]:
        # Always modelled: a grade must not depend on how busy the machine is.
        cloud = GradedCloud(self._seed, durations="modelled", host=self._host)
        try:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, cloud.pid, NICE)
            stack = cloud.deploy_package(self._template, self._package, name=self._lab.id.replace("_", "-"))
        except BaseException:
            cloud.close()
            raise
        return cloud, stack

    @contextlib.contextmanager
    def take(self, check: str) -> Iterator[LabRun]:
        """Lend a cloud for a check and end it afterwards. Raises DeploymentError, CloudGoneError or OSError."""
        ready = self._next or self._thread.submit(self._start)
        self._prepare()
        cloud, stack = ready.result()
        self.tier = int(cloud.tier)
        with cloud:
            yield LabRun(cloud, stack, seed=self._seed, check=check)

    def close(self) -> None:
        """End the cloud that nobody took."""
        self._left = 0
        if self._next is not None:
            with contextlib.suppress(Exception):
                self._next.result()[0].close()
        self._thread.shutdown()
