"""Decide what policies allow: pure evaluation of IAM's policy language, without knowing who stores the policies.

Sources: IAM user guide, "Policy evaluation logic", "IAM JSON policy elements reference" and "Condition operators" (2026-11-20).
"""

import datetime
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

Policy = Mapping[str, Any]


class Decision(StrEnum):
    """What the policies say together."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "no policy allows it"
    DENIED_BY_IDENTITY = "explicit deny in an identity-based policy"
    DENIED_BY_RESOURCE = "explicit deny in a resource-based policy"
    OUTSIDE_BOUNDARY = "no permissions boundary allows it"


@dataclass(frozen=True, slots=True)
class Question:
    """May this principal do this? `principals` are all the names that a resource policy may call it by."""

    action: str  # "s3:GetObject"
    resource: str
    principals: frozenset[str] = frozenset()
    service: str | None = None  # "events.amazonaws.com" for a service that calls by itself
    context: Mapping[str, str] = field(default_factory=dict)  # condition keys in lower case


def decide(
    question: Question, identity: Sequence[Policy], resource: Policy | None = None, boundary: Policy | None = None
) -> Decision:
    """Evaluate: an explicit deny wins; then either kind of policy may allow, within one account."""
    if _any(identity, "Deny", question) or (boundary is not None and _any([boundary], "Deny", question)):
        return Decision.DENIED_BY_IDENTITY
    own = [] if resource is None else [resource]
    if _any(own, "Deny", question, principal=True):
        return Decision.DENIED_BY_RESOURCE
    if _any(own, "Allow", question, principal=True):
        return Decision.ALLOWED
    if not _any(identity, "Allow", question):
        return Decision.NOT_ALLOWED
    if boundary is not None and not _any([boundary], "Allow", question):
        return Decision.OUTSIDE_BOUNDARY
    return Decision.ALLOWED


def _any(policies: Iterable[Policy], effect: str, question: Question, *, principal: bool = False) -> bool:
    return any(
        isinstance(statement, Mapping)
        and statement.get("Effect") == effect
        and (not principal or _names(statement, question))
        and _applies(statement, question)
        for policy in policies
        for statement in _list(policy.get("Statement", ()))
    )


def _applies(statement: Mapping[str, Any], question: Question) -> bool:
    if "NotAction" in statement:
        acts = not any(like(pattern, question.action, ignore_case=True) for pattern in _list(statement["NotAction"]))
    else:
        acts = any(like(pattern, question.action, ignore_case=True) for pattern in _list(statement.get("Action", ())))
    if not acts:
        return False
    if "NotResource" in statement:
        if any(_like_variable(pattern, question.resource, question.context) for pattern in _list(statement["NotResource"])):
            return False
    elif "Resource" in statement and not any(
        _like_variable(pattern, question.resource, question.context) for pattern in _list(statement["Resource"])
    ):
        return False
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, Mapping) or not all(isinstance(tests, Mapping) for tests in conditions.values()):
        return False
    return all(
        _condition(operator, key, _list(values), question.context)
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _names(statement: Mapping[str, Any], question: Question) -> bool:
    if "NotPrincipal" in statement:
        return not _in_principal(statement["NotPrincipal"], question)
    return _in_principal(statement.get("Principal"), question)


def _in_principal(principal: Any, question: Question) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    if question.service is not None:
        return question.service in _list(principal.get("Service", ()))
    named = _list(principal.get("AWS", ()))
    return "*" in named or any(isinstance(one, str) and one in question.principals for one in named)


def like(pattern: Any, value: str, *, ignore_case: bool = False) -> bool:
    """Match with * and ? as IAM does."""
    if ignore_case:
        pattern, value = str(pattern).lower(), value.lower()
    return _compiled(str(pattern)).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(one) or re.escape(one) for one in pattern), re.DOTALL)


_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def _like_variable(pattern: Any, value: str, context: Mapping[str, str]) -> bool:
    """Match a pattern with policy variables; one without a value matches nothing."""
    text = str(pattern)
    if "${" not in text:
        return like(text, value)
    parts, place = [], 0
    for match in _VARIABLE.finditer(text):
        name, _, default = match[1].partition(",")
        known = name if name in ("*", "?", "$") else context.get(name.strip().lower(), default.strip().strip("'") or None)
        if known is None:
            return False
        parts += [_compiled(text[place : match.start()]).pattern, re.escape(known)]
        place = match.end()
    parts.append(_compiled(text[place:]).pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


# conditions
def _condition(operator: str, key: str, wanted: Sequence[Any], context: Mapping[str, str]) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    value = context.get(key.lower())
    if name == "Null":
        return any((value is None) is (str(one).lower() == "true") for one in wanted)
    if value is None:
        # A negated operator matches where the key is absent; a set is empty, and "for all of none" is true.
        return if_exists or quantifier == "ForAllValues" or (_is_negated(name) and quantifier != "ForAnyValue")
    if _is_negated(name):
        positive = "NotIpAddress".removeprefix("Not") if name == "NotIpAddress" else name.replace("Not", "", 1)
        return not any(_compare(positive, str(one), value, context) for one in wanted)
    return any(_compare(name, str(one), value, context) for one in wanted)


def _is_negated(operator: str) -> bool:
    return "Not" in operator


def _compare(operator: str, wanted: str, value: str, context: Mapping[str, str]) -> bool:
    match operator:
        case "StringEquals":
            return _filled(wanted, context) == value
        case "StringEqualsIgnoreCase":
            return _filled(wanted, context).lower() == value.lower()
        case "StringLike":
            return _like_variable(wanted, value, context)
        case "ArnEquals" | "ArnLike":
            return _arn_like(wanted, value)
        case "Bool":
            return wanted.lower() == value.lower()
        case "IpAddress":
            return _in_network(wanted, value)
    compare = _ORDERS.get(operator.removeprefix("Numeric").removeprefix("Date"))
    convert: Callable[[str], float] | None = (
        float if operator.startswith("Numeric") else _instant if operator.startswith("Date") else None
    )
    if compare is None or convert is None:
        return False
    try:
        return compare(convert(value), convert(wanted))
    except ValueError:
        return False


_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}


def _filled(text: str, context: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: context.get(match[1].lower(), match[0]), text)


def _arn_like(pattern: str, value: str) -> bool:
    """Match ARNs part by part: a wildcard does not reach across a colon, except in the last part."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(like(one, other) for one, other in zip(wanted, given, strict=True))


def _in_network(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _instant(text: str) -> float:
    if re.fullmatch(r"[\d.]+", text):
        return float(text)
    found = datetime.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]
