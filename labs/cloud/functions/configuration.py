"""What a function's configuration may be: Lambda's own limits, with its own words.

Sources: AWS Lambda developer guide, "Lambda quotas" and "Working with Lambda environment variables" (2026-11-20); AWS SDK
service model, Lambda (2026-11-17).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from labs.cloud import limits

# "Lambda has reserved environment variables": these cannot be set by a function.
RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_HANDLER = re.compile(r"\S{0,128}")
_FUNCTION = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_DESTINATIONS = ("sqs", "sns", "lambda", "events", "s3")
_DEAD_LETTERS = ("sqs", "sns")

Problem = tuple[str, str]  # AWS's code and message


def problem(asked: Mapping[str, Any]) -> Problem | None:
    """Say what Lambda would refuse in a request that creates or configures a function."""
    return next(_problems(asked), None)


def _problems(asked: Mapping[str, Any]) -> Iterator[Problem]:
    name = str(asked.get("FunctionName", "f")).rpartition(":")[2]
    if not _FUNCTION.fullmatch(name):
        yield _constraint(name, "functionName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]{1,64}")
    handler = asked.get("Handler")
    if handler is not None and not _HANDLER.fullmatch(str(handler)):
        yield _constraint(handler, "handler", "Member must have length less than or equal to 128 and no white space")
    for field, least, most in (
        ("Timeout", 1, limits.TIMEOUT.value),
        ("MemorySize", limits.MEMORY_LEAST.value, limits.MEMORY.value),
    ):
        value = asked.get(field)
        if value is not None:
            yield from _range(value, field[0].lower() + field[1:], least, most)
    storage = (asked.get("EphemeralStorage") or {}).get("Size")
    if storage is not None:
        yield from _range(storage, "ephemeralStorage.size", 512, 10_240)
    if len(asked.get("Layers") or ()) > limits.LAYERS.value:
        yield "InvalidParameterValueException", f"Cannot reference more than {limits.LAYERS.value} layers."
    if target := (asked.get("DeadLetterConfig") or {}).get("TargetArn"):
        yield from _target(str(target), _DEAD_LETTERS, "DeadLetterConfig")
    logging = asked.get("LoggingConfig") or {}
    if logging.get("LogFormat", "Text") == "Text" and {"ApplicationLogLevel", "SystemLogLevel"} & logging.keys():
        yield "InvalidParameterValueException", "Log level is not supported when LogFormat is set to Text."
    yield from _variables((asked.get("Environment") or {}).get("Variables") or {})


def _variables(variables: Mapping[str, Any]) -> Iterator[Problem]:
    taken = sorted(RESERVED & variables.keys())
    if taken:
        message = (
            "Lambda was unable to configure your environment variables because the environment variables you have provided"
            " contains reserved keys that are currently not supported for modification."
            f" Reserved keys used in this request: {', '.join(taken)}"
        )
        yield "InvalidParameterValueException", message
    for name in variables:
        if not _NAME.fullmatch(name):
            pattern = "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"
            yield _constraint(name, "environment.variables", pattern)
    written = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(written.encode()) > limits.ENVIRONMENT_VARIABLES.value:
        message = (
            "Lambda was unable to configure your environment variables because the environment variables you have provided"
            f" exceeded the 4KB limit. String measured: {written}"
        )
        yield "InvalidParameterValueException", message


def invoke_config_problem(asked: Mapping[str, Any]) -> Problem | None:
    """Say what Lambda would refuse in a configuration of asynchronous invocation."""
    return next(_invoke_config_problems(asked), None)


def _invoke_config_problems(asked: Mapping[str, Any]) -> Iterator[Problem]:
    for field, least, most in (("MaximumRetryAttempts", 0, 2), ("MaximumEventAgeInSeconds", 60, 21_600)):
        value = asked.get(field)
        if value is not None:
            yield from _range(value, field[0].lower() + field[1:], least, most)
    destinations = asked.get("DestinationConfig") or {}
    for side in ("OnSuccess", "OnFailure"):
        target = (destinations.get(side) or {}).get("Destination")
        if target:
            # S3 takes failures only.
            allowed = _DESTINATIONS if side == "OnFailure" else _DESTINATIONS[:-1]
            yield from _target(str(target), allowed, side)


def _target(arn: str, services: tuple[str, ...], what: str) -> Iterator[Problem]:
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in services or arn.endswith(".fifo"):
        message = f"The provided {what} target ARN is invalid: {arn} (supported: {', '.join(services)}; no FIFO queue or topic)"
        yield "InvalidParameterValueException", message


def _range(value: object, field: str, least: int, most: int) -> Iterator[Problem]:
    if not isinstance(value, int) or value < least:
        yield _constraint(value, field, f"Member must have value greater than or equal to {least}")
    elif value > most:
        yield _constraint(value, field, f"Member must have value less than or equal to {most}")


def _constraint(value: object, field: str, rule: str) -> Problem:
    message = f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {rule}"
    return "ValidationException", message
