"""Lambda's data plane: where an invocation runs, and when it is refused."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

from labs.cloud import limits, moto_seams
from labs.cloud.functions.environment import Environment, Platform, State
from labs.cloud.functions.invocation import Invocation, Mode, Outcome, Status, ThrottleReason
from labs.cloud.functions.package import PackageError, unpack
from labs.cloud.functions.runtime_api import document
from labs.cloud.functions.sandbox import SandboxError
from labs.cloud.kinds import Kind
from labs.cloud.moto_seams import FunctionVersion


class Functions:
    """Place invocations: an idle environment first, a new one where concurrency allows, else a throttle."""

    def __init__(self, platform: Platform, workspace: Path) -> None:
        self._platform = platform
        self._workspace = workspace
        self._environments: list[Environment] = []
        self._numbers: dict[str, int] = {}

    def request_id(self) -> str:
        """Draw a request id."""
        return str(uuid.UUID(int=self._platform.kernel.chance("request-id").getrandbits(128), version=4))

    def find(self, name_or_arn: str, qualifier: str | None = None) -> FunctionVersion:
        """Look a function up. Raises moto_seams.UnknownFunctionError."""
        return moto_seams.function_version(name_or_arn, qualifier)

    def start(self, invocation: Invocation) -> ThrottleReason | None:
        """Run an invocation now, or say why not and leave a record of it."""
        function = invocation.function
        self._end_outdated(function)
        idle = [
            environment
            for environment in self._environments
            if environment.state is State.IDLE and _same(environment.function, function)
        ]
        reason = self._throttled(function)
        if reason is not None:
            detail = {"request_id": invocation.request_id, "reason": reason.value}
            resource = f"lambda:{function.name}"
            self._platform.recorder.add(Kind.INVOCATION_THROTTLED, resource, detail, cause=invocation.cause)
            return reason
        if idle:
            max(idle, key=lambda environment: environment.last_used).invoke(invocation)
        else:
            self._boot(invocation)
        return None

    def _throttled(self, function: FunctionVersion) -> ThrottleReason | None:
        busy = [one for one in self._environments if one.state in (State.INIT, State.BUSY)]
        reserved = function.reserved_concurrency
        if reserved is not None and sum(one.function.name == function.name for one in busy) >= reserved:
            return ThrottleReason.RESERVED_CONCURRENCY
        if len(busy) >= limits.ACCOUNT_CONCURRENCY.value:
            return ThrottleReason.CONCURRENT_INVOCATIONS
        return None

    def _boot(self, invocation: Invocation) -> None:
        function = invocation.function
        number = self._numbers[function.name] = self._numbers.get(function.name, 0) + 1
        try:
            environment = Environment(self._platform, function, number, self._package(function), invocation)
        except (SandboxError, PackageError) as error:
            self._not_started(invocation, str(error))
            return
        environment.on_end = self._forget
        if environment.state is not State.ENDED:
            self._environments.append(environment)

    def _not_started(self, invocation: Invocation, why: str) -> None:
        """Answer for an environment that this machine could not start; the learner's code is not to blame."""
        name = f"environment:{invocation.function.name}/{self._numbers[invocation.function.name]}"
        detail = {"reason": f"not started: {why}"}
        record = self._platform.recorder.add(Kind.ENVIRONMENT_ENDED, name, detail, cause=invocation.cause)
        body = document(errorType="ServiceException", errorMessage=f"the execution environment could not be started: {why}")
        outcome = Outcome(Status.CRASH, body, "ServiceException", why, record=record.id)
        self._platform.kernel.after(0, lambda: invocation.done(outcome))

    def _package(self, function: FunctionVersion) -> Path:
        target = self._workspace / hashlib.sha256(function.code).hexdigest()
        if not target.exists():
            unpack(function.code, target)
        return target

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


def _same(one: FunctionVersion, other: FunctionVersion) -> bool:
    return (
        one.arn == other.arn
        and one.code_sha256 == other.code_sha256
        and one.handler == other.handler
        and one.environment == other.environment
        and (one.memory_mb, one.timeout, one.runtime) == (other.memory_mb, other.timeout, other.runtime)
    )


def synchronous(
    functions: Functions, function: FunctionVersion, payload: bytes, source: str, cause: int, done: Callable[[Outcome], None]
) -> Invocation:
    """Make an invocation whose caller waits for the answer."""
    return Invocation(function, functions.request_id(), payload, source, Mode.REQUEST_RESPONSE, cause, done)
