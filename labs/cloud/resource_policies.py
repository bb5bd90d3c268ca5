"""Whether a resource's own policy lets an AWS service act on it for a source: what S3 and SNS need to call a target.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators" (2026-11-20).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceAction:
    """A service that acts on behalf of a source, as `s3.amazonaws.com` for a bucket."""

    service: str
    action: str
    resource: str
    source_arn: str
    account: str


def allows(policy: Mapping[str, object] | None, wanted: ServiceAction) -> bool:
    """Tell whether a resource policy allows it: some statement allows, and none denies."""
    statements = policy.get("Statement", ()) if policy else ()
    effects = {
        statement.get("Effect")
        for statement in _list(statements)
        if isinstance(statement, Mapping) and _applies(statement, wanted)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, object], wanted: ServiceAction) -> bool:
    return (
        _names(statement.get("Principal"), wanted)
        and any(_like(pattern, wanted.action, ignore_case=True) for pattern in _list(statement.get("Action", ())))
        and any(_about(str(pattern), wanted.resource) for pattern in _list(statement.get("Resource", "*")))
        and _conditions(statement.get("Condition"), wanted)
    )


def _names(principal: object, wanted: ServiceAction) -> bool:
    if isinstance(principal, Mapping):
        return wanted.service in _list(principal.get("Service", ())) or "*" in _list(principal.get("AWS", ()))
    return principal == "*"


def _about(pattern: str, resource: str) -> bool:
    # A permission of a function is about the function; moto leaves a colon where it cuts $LATEST off.
    return _like(pattern.rstrip(":"), resource) or _like(pattern.removesuffix(":$LATEST"), resource)


def _conditions(conditions: object, wanted: ServiceAction) -> bool:
    known = {"aws:sourcearn": wanted.source_arn, "aws:sourceaccount": wanted.account, "aws:sourceowner": wanted.account}
    if not isinstance(conditions, Mapping):
        return True
    for operator, tests in conditions.items():
        negated = "Not" in str(operator)
        exact = str(operator).startswith("StringEquals") or str(operator).startswith("StringNotEquals")
        for key, values in dict(tests).items():
            value = known.get(str(key).lower())
            # What a condition asks of a service's call and we do not know is absent, and an absent key does not match.
            hit = value is not None and any(value == one if exact else _like(one, value) for one in _list(values))
            if hit == negated:
                return False
    return True


def _like(pattern: object, value: str, *, ignore_case: bool = False) -> bool:
    expression = "".join(".*" if one == "*" else "." if one == "?" else re.escape(one) for one in str(pattern))
    return re.fullmatch(expression, value, re.IGNORECASE if ignore_case else 0) is not None


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else [value]
