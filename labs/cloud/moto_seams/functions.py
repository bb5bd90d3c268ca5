"""What moto's Lambda stores of functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import moto.awslambda.models

from labs.cloud.moto_seams.engine import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """What Lambda knows of one version of a function. Times in seconds, sizes in MB."""

    account: str
    region: str
    name: str
    version: str
    arn: str
    handler: str
    runtime: str
    role: str
    timeout: int
    memory_mb: int
    tmp_mb: int
    environment: Mapping[str, str]
    code_sha256: str
    code: bytes
    reserved_concurrency: int | None
    maximum_retry_attempts: int
    maximum_event_age: int
    invoked_arn: str = ""  # as the caller asked for it: with an alias, with a version, or with neither
    qualifier: str | None = None
    layers: tuple[str, ...] = ()
    dead_letter_arn: str | None = None
    on_success: str | None = None
    on_failure: str | None = None
    log_format: str = "Text"
    application_log_level: str = "INFO"
    system_log_level: str = "INFO"
    log_group: str = ""
    revision: str = ""
    initialization: str = "on-demand"
    recursion: str = "Terminate"


class UnknownFunctionError(Exception):
    """There is no such function, version or alias; `arn` is what was asked for."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


def split_name(name_or_arn: str) -> tuple[str, str | None]:
    """Take a name, a partial or a full ARN apart into the function's name and its qualifier."""
    name = name_or_arn.rpartition("function:")[2]
    name, _, qualifier = name.partition(":")
    return name, qualifier or None


def function_version(
    name_or_arn: str, qualifier: str | None = None, draw: Callable[[str], float] | None = None
) -> FunctionVersion:
    """Look a function up. Raises UnknownFunctionError.

    `draw` gives a number from 0 to 1 for an alias that is split between two versions; without it the alias's own counts.
    """
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    name, inside = split_name(name_or_arn)
    qualifier = inside or qualifier
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    asked = f"{arn}:{qualifier}" if qualifier else arn
    try:
        latest = backend.get_function(name, "$LATEST")
        found = backend.get_function(name, _weighed(backend, name, qualifier, asked, draw))
    except moto.awslambda.models.UnknownFunctionException as error:
        raise UnknownFunctionError(asked) from error
    if found is None or (name_or_arn.startswith("arn:") and name_or_arn.split(":")[3:5] != [REGION, ACCOUNT]):
        raise UnknownFunctionError(asked)
    configured: Mapping[str, Any] = latest.invoke_configs.get(qualifier or "$LATEST", {})
    destinations = configured.get("DestinationConfig") or {}
    retries, age = configured.get("MaximumRetryAttempts"), configured.get("MaximumEventAgeInSeconds")
    reserved = latest.reserved_concurrency
    logging = found.kept.get("LoggingConfig") or {}
    return FunctionVersion(
        account=ACCOUNT,
        region=REGION,
        name=found.function_name,
        version=str(found.version),
        arn=found.function_arn,
        handler=found.handler or "",
        runtime=found.run_time or "",
        role=found.role,
        # CloudFormation hands numbers over as strings.
        timeout=int(found.timeout),
        memory_mb=int(found.memory_size),
        tmp_mb=int(found.ephemeral_storage),
        environment={str(key): str(value) for key, value in (found.environment_vars or {}).items()},
        code_sha256=found.code_sha_256,
        code=bytes(found.code_bytes or b""),
        reserved_concurrency=None if reserved in (None, "") else int(reserved),
        maximum_retry_attempts=2 if retries is None else int(retries),
        maximum_event_age=21_600 if age is None else int(age),
        invoked_arn=asked,
        qualifier=qualifier,
        layers=tuple(str(layer["Arn"]) for layer in found.layers),
        dead_letter_arn=(found.kept.get("DeadLetterConfig") or {}).get("TargetArn") or None,
        on_success=(destinations.get("OnSuccess") or {}).get("Destination") or None,
        on_failure=(destinations.get("OnFailure") or {}).get("Destination") or None,
        log_format=logging.get("LogFormat", "Text"),
        application_log_level=logging.get("ApplicationLogLevel", "INFO"),
        system_log_level=logging.get("SystemLogLevel", "INFO"),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{found.function_name}",
        revision=found.revision,
        recursion=getattr(latest, "recursion", "Terminate"),
    )


def _weighed(backend: Any, name: str, qualifier: str | None, asked: str, draw: Callable[[str], float] | None) -> str | None:
    """Give the version that an alias stands for this time; any other qualifier as it is."""
    alias = backend._lambdas._aliases[asked.removesuffix(f":{qualifier}")].get(qualifier) if qualifier else None
    if alias is None:
        return qualifier
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    if weights and draw is not None:
        drawn = draw(asked)
        for version, weight in sorted(weights.items()):
            if drawn < float(weight):
                return str(version)
            drawn -= float(weight)
    return str(alias.function_version)


def layer_code(arn: str) -> bytes:
    """Give the zip of a layer version; nothing for one that has been deleted."""
    found = moto.awslambda.models.lambda_backends[ACCOUNT][REGION].layers_versions_by_arn(arn)
    return bytes(found.code_bytes) if found is not None else b""
