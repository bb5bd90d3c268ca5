"""What may be called at all: whether a function, a queue or a topic exists, and its own policy."""

import json
from collections.abc import Mapping

import moto.awslambda.models
import moto.sns.models
import moto.sqs.models


class MissingTargetError(Exception):
    """There is no such function, queue or topic."""


def target_policy(arn: str) -> Mapping[str, object] | None:
    """Give the resource policy of a function, a queue or a topic, None for none. Raises MissingTargetError."""
    _, _, service, region, account, *_ = [*arn.split(":"), "", "", "", "", ""]
    if service == "lambda":
        return _function_policy(arn, account, region)
    if service == "sqs":
        queue = moto.sqs.models.sqs_backends[account][region].queues.get(arn.rpartition(":")[2])
        if queue is None:
            raise MissingTargetError(arn)
        return dict(json.loads(queue.policy)) if queue.policy else None
    if service == "sns":
        topic = moto.sns.models.sns_backends[account][region].topics.get(arn)
        if topic is None:
            raise MissingTargetError(arn)
        return dict(json.loads(topic.policy))
    raise MissingTargetError(arn)


def _function_policy(arn: str, account: str, region: str) -> Mapping[str, object]:
    parts = arn.split(":")
    name, qualifier = parts[6] if len(parts) > 6 else "", parts[7] if len(parts) > 7 else None
    backend = moto.awslambda.models.lambda_backends[account][region]
    try:
        function = backend.get_function(name, qualifier)
    except moto.awslambda.models.UnknownFunctionException as error:
        raise MissingTargetError(arn) from error
    found: list[dict[str, object]] = list(function.policy.statements)
    if qualifier is not None:
        found += backend.get_function(name).policy.statements
    # moto keeps a statement's resource as it was said: a name, an ARN, with or without $LATEST.
    return {"Statement": [{**statement, "Resource": _resource(statement, arn)} for statement in found]}


def _resource(statement: Mapping[str, object], arn: str) -> str:
    said = str(statement.get("Resource", "")).rstrip(":").removesuffix(":$LATEST")
    return said if said.startswith("arn:") else arn
