"""EventBridge's pattern grammar. Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns"."""

import json

import pytest

from labs.cloud.patterns import PatternError, compile_pattern

# pattern, an event that matches, an event that does not
CASES: dict[str, tuple[object, object, object]] = {
    "exact": ({"a": ["x", "y"]}, {"a": "y"}, {"a": "z"}),
    "exact is exact in type": ({"a": [1]}, {"a": 1.0}, {"a": "1"}),
    "true is not one": ({"a": [True]}, {"a": True}, {"a": 1}),
    "null": ({"a": [None]}, {"a": None}, {"a": ""}),
    "empty text": ({"a": [""]}, {"a": ""}, {}),
    "every field": ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y", "c": 1}, {"a": "x"}),
    "nested": ({"a": {"b": {"c": ["x"]}}}, {"a": {"b": {"c": "x"}}}, {"a": {"b": "x"}}),
    "a list matches if one element does": ({"a": ["x"]}, {"a": ["w", "x"]}, {"a": ["w"]}),
    "one object of a list must match as a whole": (
        {"a": {"b": ["x"], "c": ["y"]}},
        {"a": [{"b": "x", "c": "y"}]},
        {"a": [{"b": "x", "c": "z"}, {"b": "w", "c": "y"}]},
    ),
    "prefix": ({"a": [{"prefix": "eu-"}]}, {"a": "eu-west-1"}, {"a": "us-east-1"}),
    "prefix in any case": ({"a": [{"prefix": {"equals-ignore-case": "EU-"}}]}, {"a": "eu-west-1"}, {"a": "us"}),
    "suffix": ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, {"a": "x.jpg"}),
    "suffix in any case": ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.png"}, {"a": "x.jpg"}),
    "equals-ignore-case": ({"a": [{"equals-ignore-case": "AlIcE"}]}, {"a": "alice"}, {"a": "alic"}),
    "anything-but": ({"a": [{"anything-but": "x"}]}, {"a": "y"}, {"a": "x"}),
    "anything-but needs the field": ({"a": [{"anything-but": "x"}]}, {"a": 1}, {}),
    "anything-but a list": ({"a": [{"anything-but": ["x", 5]}]}, {"a": 6}, {"a": 5}),
    "anything-but a prefix": ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "run"}, {"a": "init-1"}),
    "anything-but suffixes": ({"a": [{"anything-but": {"suffix": [".a", ".b"]}}]}, {"a": "x.c"}, {"a": "x.b"}),
    "anything-but in any case": ({"a": [{"anything-but": {"equals-ignore-case": ["X"]}}]}, {"a": "y"}, {"a": "x"}),
    "numeric": ({"a": [{"numeric": ["=", 100]}]}, {"a": 1e2}, {"a": 101}),
    "numeric below": ({"a": [{"numeric": ["<", 10]}]}, {"a": 9.99}, {"a": 10}),
    "numeric range": ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, {"a": 0}),
    "numeric is of numbers": ({"a": [{"numeric": [">=", 0]}]}, {"a": 0}, {"a": "5"}),
    "exists": ({"a": [{"exists": True}]}, {"a": None}, {"b": 1}),
    "exists is about leaves": ({"a": [{"exists": True}]}, {"a": ["x"]}, {"a": {"b": 1}}),
    "does not exist": ({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}}, {"a": {"b": 1}}),
    "an empty list counts as absent": ({"a": [{"exists": False}]}, {"a": []}, {"a": [1]}),
    "absent or something": ({"a": [{"exists": False}, "x"]}, {}, {"a": "y"}),
    "wildcard": ({"a": [{"wildcard": "dir/*/x*.png"}]}, {"a": "dir/a/b/x1.png"}, {"a": "dir/x.jpg"}),
    "wildcard escaped": ({"a": [{"wildcard": "a\\*b"}]}, {"a": "a*b"}, {"a": "axb"}),
    "cidr": ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, {"a": "10.0.1.0"}),
    "$or": ({"$or": [{"a": ["x"]}, {"b": [{"numeric": [">", 1]}]}]}, {"b": 2}, {"a": "y", "b": 1}),
    "$or inside, and more": (
        {"d": {"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": [1]}},
        {"d": {"b": "y", "c": 1}},
        {"d": {"b": "y"}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_pattern_matches_what_it_says_and_nothing_else(name: str) -> None:
    pattern, yes, no = CASES[name]
    compiled = compile_pattern(json.dumps(pattern))
    assert isinstance(yes, dict)
    assert isinstance(no, dict)
    assert compiled.matches(yes)
    assert not compiled.matches(no)


@pytest.mark.parametrize(
    "pattern",
    [
        "not json",
        "[]",
        "{}",
        '{"a": {}}',
        '{"a": []}',
        '{"a": "x"}',
        '{"a": 1}',
        '{"a": [["x"]]}',
        '{"a": [{"prefix": 1}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": [{"like": "x"}]}',
        '{"a": [{"exists": "yes"}]}',
        '{"a": [{"numeric": 5}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": ["~", 5]}]}',
        '{"a": [{"numeric": [">", "5"]}]}',
        '{"a": [{"numeric": [">", 5, "<", 1]}]}',
        '{"a": [{"anything-but": []}]}',
        '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
        '{"a": [{"wildcard": "a**b"}]}',
        '{"a": [{"wildcard": "a\\\\b"}]}',
        '{"a": [{"cidr": "nowhere"}]}',
        '{"$or": [{"a": ["x"]}]}',
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)
