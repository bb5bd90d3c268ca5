"""What moto's Lambda stores of functions."""

from collections.abc import Mapping
from dataclasses import dataclass

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

    @property
    def log_group(self) -> str:
        """Name the function's log group."""
        return f"/aws/lambda/{self.name}"


class UnknownFunctionError(Exception):
    """There is no such function, version or alias; `arn` is what was asked for."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


def function_version(name_or_arn: str, qualifier: str | None = None) -> FunctionVersion:
    """Look a function up. Raises UnknownFunctionError."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    try:
        found = backend.get_function(name_or_arn, qualifier)
    except moto.awslambda.models.UnknownFunctionException as error:
        name = name_or_arn.rpartition(":function:")[2]
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")
        raise UnknownFunctionError(arn) from error
    # moto appends each configuration and reads the first: the newest one counts.
    configured = found.event_invoke_config[-1].config if found.event_invoke_config else {}
    version = str(found.version)
    retries, age = configured.get("MaximumRetryAttempts"), configured.get("MaximumEventAgeInSeconds")
    reserved = found.reserved_concurrency
    return FunctionVersion(
        account=ACCOUNT,
        region=REGION,
        name=found.function_name,
        version=version,
        arn=found.function_arn,
        handler=found.handler or "",
        runtime=found.run_time or "",
        role=found.role,
        # CloudFormation hands numbers over as strings.
        timeout=int(found.timeout),
        memory_mb=int(found.memory_size),
        tmp_mb=int(found.ephemeral_storage),
        environment={str(name): str(value) for name, value in (found.environment_vars or {}).items()},
        code_sha256=found.code_sha_256,
        code=bytes(found.code_bytes or b""),
        reserved_concurrency=None if reserved in (None, "") else int(reserved),
        maximum_retry_attempts=2 if retries is None else int(retries),
        maximum_event_age=21_600 if age is None else int(age),
    )
