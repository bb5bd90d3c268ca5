"""Provisioned concurrency: environments of a version or an alias that are initialised before anybody invokes it.

Source: AWS Lambda developer guide, "Configuring provisioned concurrency for a function", and API reference,
PutProvisionedConcurrencyConfig (2026-11-20).
"""

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labs.cloud import moto_seams
from labs.cloud.api_call import ApiCall
from labs.cloud.front import Response
from labs.cloud.functions.control_plane import Body, Refused, answer, named, take_over, too_little_left
from labs.cloud.functions.environment import Environment
from labs.cloud.functions.package import PackageError
from labs.cloud.functions.platform import State
from labs.cloud.functions.sandbox import SandboxError
from labs.cloud.moto_seams import UnknownFunctionError

if TYPE_CHECKING:
    from labs.cloud.account import Account

_UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."


@dataclass(slots=True)
class Config:
    """What was asked for a qualifier, and the environments that there are for it."""

    requested: int
    modified_ns: int
    environments: list[Environment] = field(default_factory=list)
    failed: str | None = None

    @property
    def available(self) -> int:
        """Give the number of environments that can take, or are handling, an invocation."""
        return sum(one.state in (State.IDLE, State.BUSY) for one in self.environments)

    @property
    def status(self) -> str:
        """Give AWS's word for how far it is."""
        lost = any(one.state is State.ENDED for one in self.environments)
        return "FAILED" if self.failed or lost else "READY" if self.available >= self.requested else "IN_PROGRESS"


def attach(account: "Account") -> None:
    """Offer the operations that moto lacks."""
    own = Provisioned(account)
    account.functions.provisioned = own.of
    take_over(account, "PutProvisionedConcurrencyConfig", own.put)
    take_over(account, "GetProvisionedConcurrencyConfig", own.get)
    take_over(account, "DeleteProvisionedConcurrencyConfig", own.delete)
    take_over(account, "ListProvisionedConcurrencyConfigs", own.list)


class Provisioned:
    """Keep the configurations, by function and qualifier, and the environments alive."""

    def __init__(self, account: "Account") -> None:
        self._functions, self._kernel = account.functions, account.kernel
        self._configs: dict[tuple[str, str], Config] = {}

    def of(self, name: str) -> int:
        """Give how much is provisioned for a function, over all its versions and aliases."""
        return sum(config.requested for (function, _), config in self._configs.items() if function == name)

    def put(self, call: ApiCall, body: Body) -> Response:
        """Provision; the environments start now and are ready when their INIT has ended."""
        name, qualifier = named(call)
        wanted = body.get("ProvisionedConcurrentExecutions")
        if qualifier in (None, "$LATEST"):
            raise Refused(400, "InvalidParameterValueException", _UNPUBLISHED)
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
            raise Refused(400, "InvalidParameterValueException", "ProvisionedConcurrentExecutions must be 1 or more")
        key = (name, str(qualifier))
        self._room(name, wanted - (self._configs[key].requested if key in self._configs else 0), wanted)
        moto_seams.function_version(name, qualifier)
        self._end(key, "updated")
        config = self._configs[key] = Config(wanted, self._kernel.wall_ns)
        self._kernel.after(0, lambda: self._start(key, config))
        return answer(202, **self._told(config))

    def _room(self, name: str, more: int, wanted: int) -> None:
        quotas, reserved = self._functions.quotas, moto_seams.reserved(name)
        if reserved is not None:
            if self.of(name) + more > reserved:
                message = (
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
                )
                raise Refused(400, "InvalidParameterValueException", message)
        elif quotas.concurrency - self._functions.concurrency.set_aside() - more < quotas.unreserved_least:
            message = too_little_left(quotas.unreserved_least).replace("ReservedConcurrentExecutions", "ConcurrentExecutions")
            raise Refused(400, "InvalidParameterValueException", message)

    def _start(self, key: tuple[str, str], config: Config) -> None:
        if self._configs.get(key) is not config:
            return
        try:
            function = moto_seams.function_version(*key)
            for _ in range(config.requested):
                environment = self._functions.initialise_ahead(function, None)
                config.environments.append(environment)
        except (SandboxError, PackageError, UnknownFunctionError) as error:
            config.failed = str(error)

    def get(self, call: ApiCall, body: Body) -> Response:
        """Tell how far a configuration is."""
        return answer(200, **self._told(self._configs[self._key(call)]))

    def delete(self, call: ApiCall, body: Body) -> Response:
        """Give the concurrency back."""
        key = self._key(call)
        self._end(key, "deleted")
        del self._configs[key]
        return answer(204)

    def list(self, call: ApiCall, body: Body) -> Response:
        """Give the configurations of a function."""
        name, _ = named(call)
        arn = moto_seams.function_version(name).invoked_arn
        found = [
            {"FunctionArn": f"{arn}:{qualifier}", **self._told(config)}
            for (function, qualifier), config in sorted(self._configs.items())
            if function == name
        ]
        return answer(200, ProvisionedConcurrencyConfigs=found)

    def _key(self, call: ApiCall) -> tuple[str, str]:
        name, qualifier = named(call)
        key = (name, qualifier or "$LATEST")
        if key not in self._configs:
            message = "No Provisioned Concurrency Config found for this function"
            raise Refused(404, "ProvisionedConcurrencyConfigNotFoundException", message)
        return key

    def _end(self, key: tuple[str, str], reason: str) -> None:
        config = self._configs.get(key)
        for environment in config.environments if config is not None else ():
            if environment.state is State.BUSY:
                environment.provisioned = False  # it ends like any other when it has been idle
            else:
                environment.end(reason, None)

    def _told(self, config: Config) -> Body:
        told: Body = {
            "RequestedProvisionedConcurrentExecutions": config.requested,
            "AvailableProvisionedConcurrentExecutions": config.available,
            "AllocatedProvisionedConcurrentExecutions": config.available,
            "Status": config.status,
            "LastModified": _iso(config.modified_ns),
        }
        if config.failed:
            told["StatusReason"] = config.failed
        return told


def _iso(wall_ns: int) -> str:
    now = datetime.datetime.fromtimestamp(wall_ns / 1e9, datetime.UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}+0000"
