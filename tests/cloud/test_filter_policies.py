"""SNS's filter policies, example by example of the Amazon SNS developer guide."""

import json
from typing import Any

import pytest

from labs.cloud.filter_policies import FilterPolicyError, NumberOutOfRangeError, check, matches_attributes, matches_body

STRING, NUMBER, ARRAY, BINARY = "String", "Number", "String.Array", "Binary"

# A policy for the key `k`, an attribute that passes or None, and one that does not.
ATTRIBUTES: list[tuple[list[Any], list[tuple[str, str] | None], list[tuple[str, str] | None]]] = [
    # String value matching: exact
    (["rugby", "tennis"], [(STRING, "rugby"), (ARRAY, '["golf", "tennis"]')], [(STRING, "golf"), (STRING, "Rugby"), None]),
    # anything-but
    ([{"anything-but": ["rugby", "tennis"]}], [(STRING, "golf"), (ARRAY, '["golf"]')], [(ARRAY, '["golf", "rugby"]'), None]),
    ([{"anything-but": {"prefix": "order-"}}], [(STRING, "data-entry")], [(STRING, "order-number"), None]),
    ([{"anything-but": {"suffix": "ball"}}], [(STRING, "rugby")], [(STRING, "baseball")]),
    ([{"anything-but": [100, 500]}], [(NUMBER, "101")], [(NUMBER, "100.0")]),
    # equals-ignore-case, prefix, suffix, IP address
    ([{"equals-ignore-case": "TENNIS"}], [(STRING, "tennis"), (ARRAY, '["Tennis"]')], [(STRING, "golf")]),
    ([{"prefix": "bas"}], [(STRING, "baseball")], [(STRING, "rugby"), None]),
    ([{"suffix": "ball"}], [(ARRAY, '["rugby", "baseball"]')], [(STRING, "ballet")]),
    ([{"cidr": "10.0.0.0/24"}], [(STRING, "10.0.0.255")], [(STRING, "10.1.1.0"), (STRING, "x")]),
    # Numeric value matching
    ([{"numeric": ["=", 301.5]}], [(NUMBER, "301.5"), (NUMBER, "3.015e2")], [(NUMBER, "3.016e2"), (STRING, "301.5")]),
    ([{"numeric": [">", 0, "<=", 150]}], [(NUMBER, "1"), (NUMBER, "150")], [(NUMBER, "0"), (NUMBER, "151")]),
    ([5], [(NUMBER, "5"), (ARRAY, "[4, 5]")], [(STRING, "5"), (NUMBER, "6")]),
    (["5"], [(STRING, "5")], [(NUMBER, "5")]),
    ([0.00001], [(NUMBER, "0.00001")], [(NUMBER, "0.00002")]),
    # Key matching
    ([{"exists": True}], [(STRING, "x"), (BINARY, "AA==")], [None]),
    ([{"exists": False}], [None], [(STRING, "x")]),
    ([{"exists": False}, "x"], [None, (STRING, "x")], [(STRING, "y")]),
    # true, false and null, in arrays
    ([True], [(ARRAY, "[true]")], [(ARRAY, "[1]"), (STRING, "true")]),
    ([None], [(ARRAY, "[null]")], [(ARRAY, "[0]"), None]),
    # Binary is never compared; what is no array has no elements
    (["AA=="], [(STRING, "AA==")], [(BINARY, "AA=="), (ARRAY, "[")]),
]


@pytest.mark.parametrize(("rules", "passing", "failing"), ATTRIBUTES)
def test_attributes(rules: list[Any], passing: list[tuple[str, str] | None], failing: list[tuple[str, str] | None]) -> None:
    """Developer guide: "String value matching", "Numeric value matching", "Key matching"."""
    check(json.dumps({"k": rules}), "MessageAttributes")
    for expected, values in ((True, passing), (False, failing)):
        for value in values:
            attributes = {"other": (STRING, "o")} if value is None else {"k": value}
            assert matches_attributes({"k": rules}, attributes) is expected, (rules, value)


def test_and_or() -> None:
    """Developer guide, "AND/OR logic": keys are AND, values are OR, $or is an OR of keys."""
    policy = {"a": ["1"], "b": ["2", "3"]}
    assert matches_attributes(policy, {"a": (STRING, "1"), "b": (STRING, "3"), "c": (STRING, "x")})
    assert not matches_attributes(policy, {"a": (STRING, "1")})
    either = {"source": ["aws.cloudwatch"], "$or": [{"metric": ["cpu"]}, {"space": ["ec2"]}]}
    check(json.dumps(either), "MessageAttributes")
    assert matches_attributes(either, {"source": (STRING, "aws.cloudwatch"), "space": (STRING, "ec2")})
    assert not matches_attributes(either, {"source": (STRING, "aws.cloudwatch"), "space": (STRING, "rds")})
    assert matches_body(either, '{"source": "aws.cloudwatch", "metric": "cpu"}')
    assert not matches_body(either, '{"source": "aws.cloudwatch"}')


@pytest.mark.parametrize(
    ("policy", "body", "passes"),
    [
        ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": {"b": ["x"]}}, {"b": "x"}, False),
        ({"a": ["x"]}, {"a": ["y", "x"]}, True),
        ({"a": [{"numeric": [">", 1]}]}, {"a": 2}, True),
        ({"a": [{"numeric": [">", 1]}]}, {"a": "2"}, False),
        ({"a": [True]}, {"a": True}, True),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": ["y", "x"]}, False),
        # One object of a list must match everything that is asked of it.
        ({"Records": {"n": ["a"], "m": ["b"]}}, {"Records": [{"n": "a", "m": "x"}, {"n": "a", "m": "b"}]}, True),
        ({"Records": {"n": ["a"], "m": ["b"]}}, {"Records": [{"n": "a", "m": "x"}, {"n": "x", "m": "b"}]}, False),
    ],
)
def test_bodies(policy: dict[str, Any], body: object, passes: bool) -> None:
    """Developer guide, "Message filtering: payload-based"."""
    check(json.dumps(policy), "MessageBody")
    assert matches_body(policy, json.dumps(body)) is passes


@pytest.mark.parametrize("body", ["text", '"x"', "[1]", "1", ""])
def test_a_body_that_is_no_object_passes_nothing(body: str) -> None:
    """Developer guide, "Filter policy constraints": payload-based filtering wants a well-formed JSON object."""
    assert not matches_body({"a": [{"exists": False}]}, body)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{", "FilterPolicy: failed to parse JSON."),
        ("[]", "FilterPolicy: failed to parse JSON."),
        ({str(n): ["x"] for n in range(6)}, "Filter policy can not have more than 5 keys"),
        ({"a": [str(n) for n in range(13)], "b": [str(n) for n in range(12)]}, "Filter policy is too complex"),
        ({"a": {"b": ["x"]}}, "Filter policy scope MessageAttributes does not support nested filter policy"),
        ({"a": "x"}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": [["x"]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{"like": "x"}]}, "Unrecognized match type like"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
        ({"a": [{"anything-but": {"numeric": [1]}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"a": [{"numeric": [1]}]}, "Invalid member in numeric match: 1"),
        ({"a": [{"numeric": ["!", 1]}]}, "Unrecognized numeric range operator: !"),
        ({"a": [{"numeric": ["<", "1"]}]}, "Value of < must be numeric"),
        ({"a": [{"numeric": ["<", 1, ">", 0]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 1, ">", 2]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">", 2, "<", 1]}]}, "Bottom must be less than top"),
    ],
)
def test_policies_that_sns_refuses(policy: object, message: str) -> None:
    """Developer guide, "Filter policy constraints"."""
    with pytest.raises(FilterPolicyError) as refused:
        check(policy if isinstance(policy, str) else json.dumps(policy), "MessageAttributes")
    assert message in str(refused.value)


def test_nesting_multiplies_the_combinations() -> None:
    """Developer guide, "Filter policy constraints": a nested key counts its values times its depth; 3 x 4 x 2 x 3 = 72 is taken."""
    policy = {"a": {"b": {"c": ["1", "2", "3", "4"]}}, "d": {"e": ["1", "2", "3"]}}
    check(json.dumps(policy), "MessageBody")
    policy["d"]["e"] = [str(n) for n in range(7)]
    with pytest.raises(FilterPolicyError, match="too complex"):
        check(json.dumps(policy), "MessageBody")


def test_numbers_have_a_range() -> None:
    """Developer guide, "Filter policy constraints": from minus to plus one billion."""
    with pytest.raises(NumberOutOfRangeError):
        check('{"a": [1000000000]}', "MessageAttributes")
