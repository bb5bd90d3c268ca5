"""What moto's Lambda forgets of a function's configuration, kept and shown as AWS shows it.

moto ignores several properties, keeps numbers as CloudFormation writes them (as strings), has no revision ids, gives the
version number of a deleted version away again, and shares one event invoke configuration between all versions.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import moto.awslambda.models
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.moto_api._internal import mock_random

from labs.cloud.moto_seams.engine import ACCOUNT, REGION

Spec = dict[str, Any]

# Kept as they were given; the rest has attributes of moto's.
_KEPT = ("DeadLetterConfig", "LoggingConfig", "SnapStart")
# What moto's CloudFormation does not hand over when it creates a function.
_LEFT_OUT = (*_KEPT, "EphemeralStorage", "Layers", "TracingConfig", "KmsKeyArn")
_CREATING = {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
_UPDATING = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}


def complete_functions() -> None:
    """Let moto keep what AWS keeps. Done once per process."""
    kind = moto.awslambda.models.LambdaFunction
    create, configuration = kind.__init__, kind.get_configuration
    update, update_code = kind.update_configuration, kind.update_function_code
    set_version, from_template = kind.set_version, kind.create_from_cloudformation_json.__func__

    def __init__(self: Any, account_id: str, spec: Spec, region: str, version: str = "$LATEST") -> None:
        spec = numbers(spec)
        create(self, account_id, spec, region, version)
        self.kept = {name: spec[name] for name in _KEPT if spec.get(name)}
        self.invoke_configs = {}
        _revise(self)

    def get_configuration(self: Any, on_create: bool = False) -> Spec:
        found = {name: value for name, value in configuration(self, on_create).items() if value is not None}
        return _document(self, numbers(found), on_create)

    def update_configuration(self: Any, updates: Spec) -> Spec:
        updates = numbers(updates)
        if "Environment" in updates:
            updates["Environment"] = {"Variables": dict((updates["Environment"] or {}).get("Variables") or {})}
        update(self, updates)
        # A new table: published versions hold on to the old one.
        self.kept = {**self.kept, **{name: updates[name] for name in _KEPT if name in updates}}
        if updates.get("TracingConfig"):
            self.tracing_config = updates["TracingConfig"]
        if updates.get("EphemeralStorage"):
            self.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        _revise(self)
        return {**self.get_configuration(), **_UPDATING}

    def update_function_code(self: Any, spec: Spec) -> Spec:
        # A published version never changes; moto would give it the code a second time when an update publishes.
        if str(self.version) == "$LATEST" and not spec.get("DryRun"):
            self.code = dict(self.code)
            update_code(self, spec)
            _revise(self)
        return {**self.get_configuration(), **_UPDATING}

    def publish(self: Any, version: int) -> None:
        set_version(self, getattr(self, "next_version", version))
        _revise(self)

    def create_from_cloudformation_json(cls: Any, name: str, template: Spec, *args: Any, **more: Any) -> Any:
        made = from_template(cls, name, template, *args, **more)
        made.update_configuration({key: value for key, value in template["Properties"].items() if key in _LEFT_OUT})
        made.code_or_config_updated = False
        return made

    kind.__init__, kind.get_configuration, kind.set_version = __init__, get_configuration, publish
    kind.update_configuration, kind.update_function_code = update_configuration, update_function_code
    kind.create_from_cloudformation_json = classmethod(create_from_cloudformation_json)
    _count_versions()
    _revise_aliases()


def _count_versions() -> None:
    storage = moto.awslambda.models.LambdaStorage
    publish = storage.publish_version

    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        latest = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        published = getattr(latest, "published", 0)
        latest.next_version = published + 1
        found = publish(self, name_or_arn, description)
        if found is not None and str(found.version) == str(published + 1):
            latest.published, latest.code_or_config_updated = published + 1, False
        return found

    storage.publish_version = publish_version


def _revise_aliases() -> None:
    update = moto.awslambda.models.LambdaAlias.update

    def update_and_revise(self: Any, *changes: Any) -> None:
        update(self, *changes)
        self.revision_id = str(mock_random.uuid4())

    moto.awslambda.models.LambdaAlias.update = update_and_revise


def _revise(function: Any) -> None:
    function.revision = str(mock_random.uuid4())
    function.last_modified = iso_8601_datetime_with_nanoseconds()


def numbers(properties: Mapping[str, Any]) -> Spec:
    """Give properties with the numbers that CloudFormation hands over as strings made numbers."""
    found = dict(properties)
    for name in ("Timeout", "MemorySize", "ReservedConcurrentExecutions"):
        if found.get(name) not in (None, ""):
            found[name] = int(found[name])
    if found.get("EphemeralStorage"):
        found["EphemeralStorage"] = {"Size": int(found["EphemeralStorage"]["Size"])}
    return found


def runtime_version_arn(runtime: str) -> str:
    """Name the version of a managed runtime; there is one of each here."""
    return f"arn:aws:lambda:{REGION}::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"


def _document(function: Any, found: Spec, on_create: bool) -> Spec:
    """Give the document as AWS does (AWS Lambda API reference: FunctionConfiguration, 2026-11-20)."""
    logging = {
        "LogFormat": "Text",
        "LogGroup": f"/aws/lambda/{function.function_name}",
        **(function.kept.get("LoggingConfig") or {}),
    }
    if logging["LogFormat"] == "JSON":
        logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
    found |= {
        "LastModified": f"{function.last_modified[:23]}+0000",
        "RevisionId": function.revision,
        "LoggingConfig": logging,
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version_arn(function.run_time or "")},
        "SnapStart": {
            "ApplyOn": (function.kept.get("SnapStart") or {}).get("ApplyOn", "None"),
            "OptimizationStatus": "Off",
        },
    }
    if (dead := function.kept.get("DeadLetterConfig")) and dead.get("TargetArn"):
        found["DeadLetterConfig"] = {"TargetArn": dead["TargetArn"]}
    if not found.get("Layers"):
        found.pop("Layers", None)
    return {**found, **_CREATING} if on_create else found


# What is kept per function, whatever its version
def latest(name: str) -> Any:
    """Give moto's function. Raises its own UnknownFunctionException."""
    return moto.awslambda.models.lambda_backends[ACCOUNT][REGION].get_function(name, "$LATEST")


def invoke_configs(name: str) -> dict[str, Spec]:
    """Give the configurations of asynchronous invocation of a function, by qualifier, to be read and written."""
    found: dict[str, Spec] = latest(name).invoke_configs
    return found


def function_names() -> list[str]:
    """List the names of all functions."""
    return [str(one.function_name) for one in moto.awslambda.models.lambda_backends[ACCOUNT][REGION]._lambdas.latest()]


def reserved(name: str) -> int | None:
    """Give a function's reserved concurrency; None too for one that is gone."""
    try:
        found = latest(name).reserved_concurrency
    except moto.awslambda.models.UnknownFunctionException:
        return None
    return None if found in (None, "") else int(found)


def code_sizes() -> list[int]:
    """List the sizes of all code that is stored."""
    return [int(one.code_size) for one in moto.awslambda.models.lambda_backends[ACCOUNT][REGION]._lambdas.all()]
