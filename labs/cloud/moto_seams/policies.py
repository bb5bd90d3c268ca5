"""The policies that moto stores: of roles, and of buckets, queues, topics, functions and tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import moto.awslambda.models
import moto.dynamodb.models
import moto.iam.models
import moto.s3.models
import moto.sns.models
import moto.sqs.models
import moto.sts.models

from labs.cloud.moto_seams.engine import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What a role may do: its inline and attached policies, and its boundary."""

    policies: tuple[Mapping[str, Any], ...]
    boundary: Mapping[str, Any] | None


@lru_cache(maxsize=512)
def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(document: object) -> str:
    if isinstance(document, bytes):
        return document.decode("utf-8", "replace")
    return document if isinstance(document, str) else json.dumps(document)


def role_policies(role_arn: str) -> RolePolicies:
    """Give the policies of a role; a role that is gone has none."""
    backend = moto.iam.models.iam_backends[ACCOUNT]["aws"]
    name = role_arn.rpartition("/")[2]
    role = next((one for one in backend.roles.values() if one.name == name), None)
    if role is None:
        return RolePolicies((), None)
    inline = [_document(_text(text)) for text in role.policies.values()]
    attached = [_managed(policy) for policy in role.managed_policies.values()]
    boundary = None
    if role.permissions_boundary_arn:
        limit = backend.managed_policies.get(role.permissions_boundary_arn)
        boundary = None if limit is None else _managed(limit)
    return RolePolicies((*inline, *attached), boundary)


def role_id(role_arn: str) -> str:
    """Give a role's unique id."""
    name = role_arn.rpartition("/")[2]
    roles = moto.iam.models.iam_backends[ACCOUNT]["aws"].roles.values()
    return next((str(one.id) for one in roles if one.name == name), "AROAUNKNOWNROLE00000")


def assumed_role(access_key: str) -> tuple[str, str] | None:
    """Give the role and session name of credentials that AssumeRole gave out."""
    role = moto.sts.models.sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(access_key)
    return None if role is None else (str(role.role_arn), str(role.session_name))


def _managed(policy: "moto.iam.models.ManagedPolicy") -> Mapping[str, Any]:
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return _document(_text(version.document))
    return {}


def resource_policy(arn: str) -> Mapping[str, Any] | None:
    """Give the policy that a resource itself has; None for a resource without one."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[3] not in ("", REGION) or parts[4] not in ("", ACCOUNT):
        return None  # whatever a caller wrote: nothing of this account
    service, region, account = parts[2], REGION, ACCOUNT
    match service:
        case "s3":
            bucket = moto.s3.models.s3_backends[ACCOUNT]["aws"].buckets.get(parts[5].partition("/")[0])
            return None if bucket is None or bucket.policy is None else _document(_text(bucket.policy))
        case "sqs":
            queue = moto.sqs.models.sqs_backends[account][region].queues.get(parts[5])
            return None if queue is None or not queue.policy else _document(_text(queue.policy))
        case "sns":
            topic = moto.sns.models.sns_backends[account][region].topics.get(arn)
            return None if topic is None else _document(_text(topic.policy))
        case "lambda":
            return _function_policy(arn, parts[6] if len(parts) > 6 else "", account, region)
        case "dynamodb":
            policies = moto.dynamodb.models.dynamodb_backends[account][region].resource_policies
            found = policies.get(arn)
            return None if found is None else _document(_text(found.policy_doc))
    return None


def _function_policy(arn: str, name: str, account: str, region: str) -> Mapping[str, Any] | None:
    backend = moto.awslambda.models.lambda_backends[account][region]
    try:
        function = backend.get_function(name)
    except moto.awslambda.models.UnknownFunctionException:
        return None
    # moto keeps a statement's resource as it was said: a name or an ARN, with or without what is left of $LATEST.
    statements = []
    for statement in function.policy.statements:
        said = str(statement.get("Resource", "")).rstrip(":").removesuffix(":$LATEST")
        base = said if said.startswith("arn:") else arn
        statements.append({**statement, "Resource": [base, f"{base}:$LATEST"]})
    return {"Statement": statements}
