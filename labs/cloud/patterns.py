"""Event patterns: the grammar of EventBridge's rules, which Lambda's event source mappings filter with too.

Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns" and "Event patterns" (2026-11-20).
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_Test = Callable[[object], bool]  # of one value
_Match = Callable[[Mapping[str, object]], bool]  # of one object

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class PatternError(ValueError):
    """A pattern is not valid; the message says why, in the words of EventBridge."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is ready to be matched against events."""

    source: Mapping[str, object]
    _match: _Match

    def matches(self, event: Mapping[str, object]) -> bool:
        """Tell whether an event is what the pattern asks for."""
        return self._match(event)


def compile_pattern(pattern: str | Mapping[str, object]) -> Pattern:
    """Read a pattern, as JSON or as what JSON says. Raises PatternError."""
    if isinstance(pattern, str):
        try:
            pattern = json.loads(pattern)
        except ValueError as error:
            raise PatternError("Filter is not an object") from error
    if not isinstance(pattern, dict):
        raise PatternError("Filter is not an object")
    return Pattern(pattern, _fields(pattern))


# objects
def _fields(pattern: Mapping[str, object]) -> _Match:
    """Every field of the pattern must match."""
    if not pattern:
        raise PatternError("Empty objects are not allowed")
    parts = [_either(value) if name == "$or" else _field(name, value) for name, value in pattern.items()]
    return lambda event: all(part(event) for part in parts)


def _either(alternatives: object) -> _Match:
    if not isinstance(alternatives, list) or len(alternatives) < 2 or not all(isinstance(one, dict) for one in alternatives):
        raise PatternError("There must have at least 2 Objects in $or relationship.")
    parts = [_fields(one) for one in alternatives]
    return lambda event: any(part(event) for part in parts)


def _field(name: str, asked: object) -> _Match:
    if isinstance(asked, dict):
        inner = _fields(asked)
        return lambda event: any(inner(one) for one in _objects(event.get(name)))
    if not isinstance(asked, list):
        raise PatternError(f'"{name}" must be an object or an array')
    if not asked:
        raise PatternError("Empty arrays are not allowed")
    tests = [_test(one) for one in asked if not _says_absent(one)]
    absent = len(tests) < len(asked)

    def match(event: Mapping[str, object]) -> bool:
        values = _values(event[name]) if name in event else []
        return any(test(value) for value in values for test in tests) if values else absent

    return match


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    """Give the objects that a field holds; one that holds none has none of the fields below it."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [inner for one in value for inner in _objects(one) if isinstance(one, (dict, list))] or [{}]
    return [{}]


def _values(value: object) -> list[object]:
    """Give the values that a field holds: a list matches if one of its elements does, an object is no value."""
    if isinstance(value, list):
        return [inner for one in value for inner in _values(one)]
    return [] if isinstance(value, dict) else [value]


def _says_absent(asked: object) -> bool:
    return isinstance(asked, dict) and asked.get("exists") is False and len(asked) == 1


# values
def _test(asked: object) -> _Test:
    if isinstance(asked, dict):
        if len(asked) != 1:
            raise PatternError("Only one key allowed in match expression")
        ((name, operand),) = asked.items()
        operator = _OPERATORS.get(name)
        if operator is None:
            raise PatternError(f"Unrecognized match type {name}")
        return operator(operand)
    if isinstance(asked, list):
        raise PatternError("Match value must be String, number, true, false, or null")
    return lambda value: _same(value, asked)


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _same(one: object, other: object) -> bool:
    if _number(one) is not None and _number(other) is not None:
        return one == other
    return type(one) is type(other) and one == other


def _text(operator: str, operand: object) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{operator} match pattern must be a string")
    return operand


def _of_text(test: Callable[[str], bool]) -> _Test:
    return lambda value: isinstance(value, str) and test(value)


def _end(operator: str, operand: object) -> _Test:
    """Match a prefix or a suffix, in this case or in any."""
    any_case = isinstance(operand, dict) and operand.keys() == {"equals-ignore-case"}
    part = _text(operator, operand["equals-ignore-case"] if isinstance(operand, dict) and any_case else operand)
    if any_case:
        folded = part.lower()
        if operator == "prefix":
            return _of_text(lambda value: value.lower().startswith(folded))
        return _of_text(lambda value: value.lower().endswith(folded))
    return _of_text(lambda value: value.startswith(part) if operator == "prefix" else value.endswith(part))


def _ignoring_case(operand: object) -> _Test:
    folded = _text("equals-ignore-case", operand).lower()
    return _of_text(lambda value: value.lower() == folded)


def _wildcard(operand: object) -> _Test:
    text, expression, position = _text("wildcard", operand), "", 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            if position == len(text) or text[position] not in "*\\":
                raise PatternError(f"Invalid escape character at pos {position - 1}")
            expression += re.escape(text[position])
        elif character == "*":
            if text[position + 1 : position + 2] == "*":
                raise PatternError(f"Consecutive wildcard characters at pos {position}")
            expression += ".*"
        else:
            expression += re.escape(character)
        position += 1
    compiled = re.compile(expression, re.DOTALL)
    return _of_text(lambda value: compiled.fullmatch(value) is not None)


def _anything_but(operand: object) -> _Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise PatternError("Only one key allowed in match expression")
        ((name, inner),) = operand.items()
        if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise PatternError(f"Unsupported anything-but pattern: {name}")
        tests = [_OPERATORS[name](one) for one in _some(inner)]
    else:
        tests = [_test(one) for one in _some(operand)]
        if any(isinstance(one, (dict, list, bool)) or one is None for one in _some(operand)):
            raise PatternError("Inside anything but list, start|null|boolean is not supported.")
    return lambda value: not any(test(value) for test in tests)


def _some(operand: object) -> list[object]:
    found = operand if isinstance(operand, list) else [operand]
    if not found:
        raise PatternError("Empty arrays are not allowed")
    return found


def _numeric(operand: object) -> _Test:
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    if len(operand) not in (2, 4):
        raise PatternError("Invalid member in numeric match: expected one comparison, or two that make a range")
    bounds = []
    for operator, bound in zip(operand[::2], operand[1::2], strict=True):
        if operator not in _COMPARE:
            raise PatternError(f"Unrecognized numeric range operator: {operator}")
        number = _number(bound)
        if number is None:
            raise PatternError(f"Value of {operator} must be numeric")
        bounds.append((_COMPARE[operator], number))
    if len(bounds) == 2:
        if operand[0] not in (">", ">=") or operand[2] not in ("<", "<="):
            raise PatternError(f"Bad numeric range operator: {operand[2]}")
        if bounds[0][1] >= bounds[1][1]:
            raise PatternError("Bottom must be less than top")

    def test(value: object) -> bool:
        number = _number(value)
        return number is not None and all(compare(number, bound) for compare, bound in bounds)

    return test


def _exists(operand: object) -> _Test:
    if operand is not True:  # false is seen where the field is absent
        raise PatternError("exists match pattern must be either true or false.")
    return lambda value: True


def _cidr(operand: object) -> _Test:
    try:
        network = ipaddress.ip_network(_text("cidr", operand), strict=False)
    except ValueError as error:
        raise PatternError(f"Malformed CIDR, one '/' required: {operand}") from error

    def test(value: str) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return _of_text(test)


_OPERATORS: Mapping[str, Callable[[object], _Test]] = {
    "prefix": lambda operand: _end("prefix", operand),
    "suffix": lambda operand: _end("suffix", operand),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
