"""Event patterns as filter criteria use them: the small subset that streams need. See EventBridge's grammar for the whole."""

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Tell whether a document matches: every field of the pattern, by one of its alternatives."""
    for name, expected in pattern.items():
        if name == "$or":
            if not any(matches(one, document) for one in expected):
                return False
        elif isinstance(expected, Mapping):
            inner = document.get(name)
            if not isinstance(inner, Mapping) or not matches(expected, inner):
                return False
        elif not any(_accepts(one, document, name) for one in expected):
            return False
    return True


def _accepts(alternative: Any, document: Mapping[str, Any], name: str) -> bool:
    if isinstance(alternative, Mapping) and "exists" in alternative:
        return (name in document) is bool(alternative["exists"])
    if name not in document:
        return False
    value = document[name]
    values = value if isinstance(value, list) else [value]
    return any(_one(alternative, one) for one in values)


def _one(alternative: Any, value: Any) -> bool:
    if not isinstance(alternative, Mapping):
        return bool(alternative == value and isinstance(alternative, bool) == isinstance(value, bool))
    ((operator, operand),) = alternative.items()
    match operator:
        case "prefix":
            return isinstance(value, str) and value.startswith(operand)
        case "suffix":
            return isinstance(value, str) and value.endswith(operand)
        case "equals-ignore-case":
            return isinstance(value, str) and value.lower() == operand.lower()
        case "anything-but":
            return value not in (operand if isinstance(operand, list) else [operand])
        case "numeric":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            pairs = zip(operand[::2], operand[1::2], strict=True)
            return all(_COMPARE[sign](value, bound) for sign, bound in pairs)
    return False


_COMPARE = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
