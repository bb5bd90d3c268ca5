"""SNS's filter policies: their grammar, and which messages they let through.

Source: Amazon SNS developer guide, "Amazon SNS subscription filter policies", "Filter policy constraints", "String value
matching", "Numeric value matching", "Key matching", "AND/OR logic" (2026-11-20).
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labs.cloud import limits

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_OPERATORS = ("anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "cidr")


class FilterPolicyError(ValueError):
    """SNS refuses this policy; the message is SNS's own."""


class NumberOutOfRangeError(FilterPolicyError):
    """A number is too large; SNS answers with an internal error."""


def check(text: str, scope: str) -> None:
    """Refuse a policy that SNS would refuse. Raises FilterPolicyError."""
    try:
        policy = json.loads(text)
    except ValueError as error:
        raise FilterPolicyError("FilterPolicy: failed to parse JSON.") from error
    if not isinstance(policy, dict):
        raise FilterPolicyError("FilterPolicy: failed to parse JSON.")
    if len(policy) > limits.SNS_FILTER_KEYS.value:
        raise FilterPolicyError("FilterPolicy: Filter policy can not have more than 5 keys")
    combinations = 1
    for rules, depth in _leaves(policy, scope, 1):
        combinations *= len(rules) * depth
        for rule in rules:
            _check_rule(rule)
    if combinations > limits.SNS_FILTER_COMBINATIONS.value:
        raise FilterPolicyError("FilterPolicy: Filter policy is too complex")


def matches_attributes(policy: Mapping[str, Any], attributes: Mapping[str, tuple[str, str]]) -> bool:
    """Tell whether a message with these attributes (type, value) passes."""
    return _all(policy, lambda name: _attribute_values(attributes.get(name)))


def matches_body(policy: Mapping[str, Any], body: str) -> bool:
    """Tell whether a message with this body passes; what is no JSON object passes no policy."""
    try:
        document = json.loads(body)
    except ValueError:
        return False
    return isinstance(document, dict) and _body(policy, document)


def _leaves(policy: Mapping[str, Any], scope: str, depth: int) -> Iterable[tuple[list[Any], int]]:
    for key, value in policy.items():
        if isinstance(value, dict):
            if scope != "MessageBody":
                raise FilterPolicyError("Filter policy scope MessageAttributes does not support nested filter policy")
            yield from _leaves(value, scope, depth + 1)
        elif not isinstance(value, list):
            raise FilterPolicyError(f'FilterPolicy: "{key}" must be an object or an array')
        elif not value:
            raise FilterPolicyError("FilterPolicy: Empty arrays are not allowed")
        elif key == "$or" and all(isinstance(one, dict) for one in value):
            for one in value:
                yield from _leaves(one, scope, depth)
        else:
            yield value, depth


def _check_rule(rule: object) -> None:
    if rule is None or isinstance(rule, str | bool):
        return
    if isinstance(rule, int | float):
        if abs(rule) >= limits.SNS_FILTER_NUMBER.value:
            raise NumberOutOfRangeError("Unknown")
        return
    if not isinstance(rule, dict):
        raise FilterPolicyError("FilterPolicy: Match value must be String, number, true, false, or null")
    if len(rule) != 1:
        raise FilterPolicyError("FilterPolicy: Only one key allowed in match expression")
    ((operator, value),) = rule.items()
    if operator not in _OPERATORS:
        raise FilterPolicyError(f"FilterPolicy: Unrecognized match type {operator}")
    if operator == "exists" and not isinstance(value, bool):
        raise FilterPolicyError("FilterPolicy: exists match pattern must be either true or false.")
    if operator in ("prefix", "suffix", "equals-ignore-case") and not isinstance(value, str):
        raise FilterPolicyError(f"FilterPolicy: {operator} match pattern must be a string")
    if operator == "cidr":
        _check_cidr(value)
    elif operator == "anything-but":
        _check_anything_but(value)
    elif operator == "numeric":
        _check_numeric(value)


def _check_cidr(value: object) -> None:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError as error:
        raise FilterPolicyError("FilterPolicy: Malformed CIDR, one '/' required") from error


def _check_anything_but(value: object) -> None:
    if isinstance(value, dict):
        operator = next(iter(value), None)
        if operator not in ("prefix", "suffix") or len(value) != 1:
            raise FilterPolicyError(f"FilterPolicy: Unsupported anything-but pattern: {operator}")
        if not isinstance(value[operator], str):
            raise FilterPolicyError(f"FilterPolicy: {operator} match pattern must be a string")
    elif isinstance(value, list) and not value:
        raise FilterPolicyError("FilterPolicy: Empty arrays are not allowed")


def _check_numeric(value: object) -> None:
    if not isinstance(value, list) or not value:
        raise FilterPolicyError("FilterPolicy: Invalid member in numeric match: ]")
    operator, *rest = value
    if not isinstance(operator, str):
        raise FilterPolicyError(f"FilterPolicy: Invalid member in numeric match: {operator}")
    if operator not in _COMPARE:
        raise FilterPolicyError(f"FilterPolicy: Unrecognized numeric range operator: {operator}")
    if not rest or not _number(rest[0]):
        raise FilterPolicyError(f"FilterPolicy: Value of {operator} must be numeric")
    if len(rest) == 1:
        return
    if operator not in (">", ">="):
        raise FilterPolicyError("FilterPolicy: Too many elements in numeric expression")
    if rest[1] not in ("<", "<="):
        raise FilterPolicyError(f"FilterPolicy: Bad numeric range operator: {rest[1]}")
    if len(rest) < 3 or not _number(rest[2]):
        raise FilterPolicyError(f"FilterPolicy: Value of {rest[1]} must be numeric")
    if rest[2] <= rest[0]:
        raise FilterPolicyError("FilterPolicy: Bottom must be less than top")
    if len(rest) > 3:
        raise FilterPolicyError("FilterPolicy: Too many terms in numeric range expression")


def _all(policy: Mapping[str, Any], values: Callable[[str], list[Any] | None]) -> bool:
    return all(
        any(_all(one, values) for one in rules) if _is_or(key, rules) else _any(rules, values(key))
        for key, rules in policy.items()
    )


def _is_or(key: str, rules: object) -> bool:
    return key == "$or" and isinstance(rules, list) and all(isinstance(one, dict) for one in rules)


def _attribute_values(attribute: tuple[str, str] | None) -> list[Any] | None:
    """Give what a policy is compared with: a string, a number, or the elements of an array; binary is never compared."""
    if attribute is None:
        return None
    kind, value = attribute
    try:
        if kind == "Number":
            return [float(value)]
        if kind == "String.Array":
            found = json.loads(value)
            return found if isinstance(found, list) else [found]
    except ValueError:
        return []
    return [] if kind.startswith("Binary") else [value]


def _body(policy: Mapping[str, Any], value: object) -> bool:
    if isinstance(value, list):
        # One element must match all that is asked of an object.
        return any(_body(policy, one) for one in value)
    found = value if isinstance(value, dict) else {}
    for key, rules in policy.items():
        if _is_or(key, rules):
            passes = any(_body(one, value) for one in rules)
        elif isinstance(rules, dict):
            passes = _body(rules, found.get(key, {}))
        else:
            passes = _any(rules, _body_values(found[key]) if key in found else None)
        if not passes:
            return False
    return True


def _body_values(value: object) -> list[Any] | None:
    if isinstance(value, list):
        flat = [inner for one in value for inner in (_body_values(one) or ())]
        return flat or None
    # Rules are about the leaves of a document; an object is none.
    return None if isinstance(value, dict) else [value]


def _any(rules: Iterable[Any], values: list[Any] | None) -> bool:
    """Tell whether one of the rules matches; `values` is None for a key that is absent."""
    return any(_rule(rule, values) for rule in rules)


def _rule(rule: Any, values: list[Any] | None) -> bool:
    if isinstance(rule, dict):
        ((operator, wanted),) = rule.items()
        if operator == "exists":
            return (values is not None) is bool(wanted)
        if values is None:
            return False
        if operator == "anything-but":
            return bool(values) and not any(_excluded(wanted, value) for value in values)
        return any(_operator(operator, wanted, value) for value in values)
    return any(_equal(rule, value) for value in values or ())


def _excluded(unwanted: Any, value: Any) -> bool:
    if isinstance(unwanted, dict):
        ((operator, part),) = unwanted.items()
        return _operator(operator, part, value)
    return any(_equal(one, value) for one in (unwanted if isinstance(unwanted, list) else [unwanted]))


def _operator(operator: str, wanted: Any, value: Any) -> bool:
    if operator == "numeric":
        pairs = zip(wanted[0::2], wanted[1::2], strict=False)
        return _number(value) and all(_COMPARE[sign](value, bound) for sign, bound in pairs)
    if not isinstance(value, str):
        return False
    if operator == "prefix":
        return value.startswith(str(wanted))
    if operator == "suffix":
        return value.endswith(str(wanted))
    if operator == "cidr":
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
        except ValueError:
            return False
    return value.lower() == str(wanted).lower()


def _equal(wanted: Any, value: Any) -> bool:
    if _number(wanted) and _number(value):
        # Five digits after the decimal point count.
        return round(float(wanted), 5) == round(float(value), 5)
    return type(wanted) is type(value) and bool(wanted == value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
