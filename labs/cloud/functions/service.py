"""Lambda's data plane: where an invocation runs, and when it is refused."""

import uuid
from collections.abc import Callable
from pathlib import Path

from labs.cloud import moto_seams
from labs.cloud.functions.concurrency import Concurrency
from labs.cloud.functions.environment import Environment
from labs.cloud.functions.invocation import Invocation, Mode, Outcome, Status, ThrottleReason
from labs.cloud.functions.package import PackageError, Packages
from labs.cloud.functions.platform import Platform, State
from labs.cloud.functions.quotas import Quotas
from labs.cloud.functions.runtime_api import not_started
from labs.cloud.functions.sandbox import SandboxError
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import FunctionVersion


class Functions:
    """Place invocations: a provisioned environment first, an idle one, a new one where concurrency allows, else a throttle."""

    def __init__(self, platform: Platform, workspace: Path, quotas: Quotas) -> None:
        self._platform = platform
        self._packages = Packages(workspace)
        self._environments: list[Environment] = []
        self._numbers: dict[str, int] = {}
        self.quotas = quotas
        # How much concurrency is provisioned for a function; functions/provisioned.py says so.
        self.provisioned: Callable[[str], int] = lambda name: 0
        self.concurrency = Concurrency(lambda: platform.kernel.now, quotas, lambda name: self.provisioned(name))

    def request_id(self) -> str:
        """Draw a request id."""
        return str(uuid.UUID(int=self._platform.kernel.chance("request-id").getrandbits(128), version=4))

    def find(self, name_or_arn: str, qualifier: str | None = None) -> FunctionVersion:
        """Look a function up; an alias with two versions is drawn. Raises moto_seams.UnknownFunctionError."""
        return moto_seams.function_version(
            name_or_arn, qualifier, lambda arn: self._platform.kernel.chance(f"alias/{arn}").random()
        )

    @property
    def running(self) -> int:
        """Give the number of environments that handle an invocation, or prepare for one."""
        return sum(one.state in (State.INIT, State.BUSY) for one in self._environments)

    def running_of(self, name: str) -> int:
        """Give how many of them are of one function."""
        return sum(one.state in (State.INIT, State.BUSY) and one.function.name == name for one in self._environments)

    def start(self, invocation: Invocation) -> ThrottleReason | None:
        """Run an invocation now, or say why not and leave a record of it."""
        function = invocation.function
        self._end_outdated(function)
        idle = [one for one in self._environments if one.state is State.IDLE and _serves(one, function)]
        # Most recently used first, and what is paid for before what is not.
        chosen = max(idle, key=lambda one: (one.provisioned, one.last_used), default=None)
        ahead = chosen is not None and chosen.provisioned
        reason = self.concurrency.refuse(function, self._environments, ahead=ahead, idle=chosen is not None)
        if reason is not None:
            detail = {"request_id": invocation.request_id, "reason": reason.value}
            resource = f"lambda:{function.name}"
            self._platform.recorder.add(Kind.INVOCATION_THROTTLED, resource, detail, cause=invocation.cause)
            return reason
        if chosen is not None:
            chosen.invoke(invocation)
        else:
            self._boot(invocation)
        return None

    def _boot(self, invocation: Invocation) -> None:
        try:
            self._add(invocation.function, invocation, invocation.cause)
        except (SandboxError, PackageError) as error:
            self._not_started(invocation, str(error))

    def initialise_ahead(self, function: FunctionVersion, cause: int | None) -> Environment:
        """Start a provisioned environment. Raises SandboxError or PackageError."""
        return self._add(function, None, cause)

    def _add(self, function: FunctionVersion, invocation: Invocation | None, cause: int | None) -> Environment:
        number = self._numbers[function.name] = self._numbers.get(function.name, 0) + 1
        code, layers = self._packages.code(function), self._packages.layers(function)
        environment = Environment(self._platform, function, number, code, layers, invocation, cause)
        environment.on_end = self._forget
        if environment.state is not State.ENDED:
            self._environments.append(environment)
        return environment

    def _not_started(self, invocation: Invocation, why: str) -> None:
        """Answer for an environment that this machine could not start."""
        name = f"environment:{invocation.function.name}/{self._numbers[invocation.function.name]}"
        detail = {"reason": f"not started: {why}"}
        record = self._platform.recorder.add(Kind.ENVIRONMENT_ENDED, name, detail, cause=invocation.cause)
        failure = not_started(why)
        outcome = Outcome(Status.CRASH, failure.document, failure.error_type, failure.message, record=record.id)
        self._platform.kernel.after(0, lambda: invocation.done(outcome))

    def _end_outdated(self, function: FunctionVersion) -> None:
        for environment in list(self._environments):
            old = environment.function
            if environment.state is State.IDLE and old.arn == function.arn and not _same(old, function):
                environment.end("updated", None)

    def _forget(self, environment: Environment) -> None:
        if environment in self._environments:
            self._environments.remove(environment)

    def close(self) -> None:
        """End every environment."""
        for environment in list(self._environments):
            environment.end("closed", None)


def _serves(environment: Environment, function: FunctionVersion) -> bool:
    """Tell whether an environment is of this version; one that is provisioned serves its own alias or version only."""
    mine = not environment.provisioned or environment.function.qualifier == function.qualifier
    return mine and _same(environment.function, function)


def _same(one: FunctionVersion, other: FunctionVersion) -> bool:
    return one.arn == other.arn and _makings(one) == _makings(other)


def _makings(one: FunctionVersion) -> tuple[object, ...]:
    """Give what an environment is made of: a change of any of it needs a new one."""
    return (
        one.code_sha256,
        one.handler,
        one.environment,
        one.layers,
        (one.memory_mb, one.timeout, one.tmp_mb, one.runtime, one.role),
        (one.log_format, one.application_log_level, one.system_log_level, one.log_group),
    )


def synchronous(
    functions: Functions, function: FunctionVersion, payload: bytes, source: str, cause: int, done: Callable[[Outcome], None]
) -> Invocation:
    """Make an invocation whose caller waits for the answer."""
    return Invocation(function, functions.request_id(), payload, source, Mode.REQUEST_RESPONSE, cause, done)
