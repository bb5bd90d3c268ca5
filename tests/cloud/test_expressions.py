"""Schedule expressions, against a brute-force oracle that walks every day and knows no shortcuts.

Source: Amazon EventBridge user guide, "Cron expressions reference" and "Rate expressions" (2026-11-20).
"""

import datetime
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cloud.expressions import At, Cron, InvalidExpressionError, Rate, parse

_NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def times(expression: str, after: str, count: int = 3) -> list[str]:
    found = parse(expression)
    assert isinstance(found, Cron)
    start = datetime.datetime.fromisoformat(after)
    return [one.isoformat(timespec="minutes") for one in itertools.islice(found.after(start), count)]


@pytest.mark.parametrize(
    ("text", "seconds"), [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(7 days)", 604_800)]
)
def test_rates(text: str, seconds: int) -> None:
    assert parse(text) == Rate(seconds)


def test_once() -> None:
    assert parse("at(2026-11-20T13:00:00)") == At(datetime.datetime(2026, 11, 20, 13))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1.5 hours)",
        "rate(10 seconds)",
        "rate( 5 minutes )",
        "cron(0 12 * * * *)",  # both day fields name days
        "cron(0 12 ? * ? *)",
        "cron(0 12 * * ?)",  # five fields
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 12 0 * ? *)",
        "cron(0 12 32 * ? *)",
        "cron(0 12 * 13 ? *)",
        "cron(0 12 ? * 0 *)",
        "cron(0 12 ? * 8 *)",
        "cron(0 12 ? * MON#6 *)",
        "cron(0 12 * * ? 1969)",
        "cron(0 12 * * ? 2200)",
        "cron(*/0 12 * * ? *)",
        "cron(5-1 12 * * ? *)",
        "cron(a 12 * * ? *)",
        "cron(0 12 32W * ? *)",
        "cron(, 12 * * ? *)",
        "at(2026-11-20)",
        "at(2026-02-30T00:00:00)",
        "every minute",
    ],
)
def test_what_is_not_an_expression(text: str) -> None:
    with pytest.raises(InvalidExpressionError):
        parse(text)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The examples of AWS's own page, from Friday 2026-01-02 09:00.
        ("cron(0 10 * * ? *)", ["2026-01-02T10:00", "2026-01-03T10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-02T12:15", "2026-01-03T12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-02T18:00", "2026-01-05T18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01T08:00", "2026-03-01T08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-02T09:15", "2026-01-02T09:30"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-02T09:10", "2026-01-02T09:20"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-02T09:05", "2026-01-02T09:10"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-01-05T09:00", "2026-02-02T09:00"]),
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03T00:00", "2026-01-10T00:00"]),
        ("cron(0 0 3W * ? *)", ["2026-02-03T00:00", "2026-03-03T00:00"]),
        ("cron(0 0 1W 8 ? *)", ["2026-08-03T00:00", "2027-08-02T00:00"]),
        ("cron(0 0 31W 5 ? *)", ["2026-05-29T00:00", "2027-05-31T00:00"]),
        ("cron(30 6 29 FEB ? *)", ["2028-02-29T06:30", "2032-02-29T06:30"]),
        ("cron(0 0 1,15 JAN,JUL ? 2027-2030/3)", ["2027-01-01T00:00", "2027-01-15T00:00"]),
        ("cron(5 9 ? * fri#1 *)", ["2026-01-02T09:05", "2026-02-06T09:05"]),
    ],
)
def test_crons(expression: str, expected: list[str]) -> None:
    assert times(expression, "2026-01-02T09:00", 2) == expected


@pytest.mark.parametrize("expression", ["cron(0 0 30 2 ? *)", "cron(0 0 * * ? 2025)", "cron(0 0 31 4,6,9,11 ? *)"])
def test_a_cron_that_never_fires_is_one(expression: str) -> None:
    assert times(expression, "2026-01-02T09:00") == []


def _oracle_day(field: str, weekday_field: str, day: datetime.date) -> bool:
    """Decide for one day alone."""
    following = day + datetime.timedelta(days=1)
    is_last = following.month != day.month
    number = (day.weekday() + 1) % 7 + 1
    if weekday_field == "?":
        if field == "*":
            return True
        if field == "L":
            return is_last
        if field.endswith("W"):
            return _oracle_nearest(day, int(field[:-1]))
        return day.day == int(field)
    if weekday_field == "*":
        return True
    if "#" in weekday_field:
        name, _, place = weekday_field.partition("#")
        return _NAMES[number - 1] == name and (day.day - 1) // 7 + 1 == int(place)
    if weekday_field.endswith("L"):
        return number == int(weekday_field[:-1]) and (day + datetime.timedelta(days=7)).month != day.month
    return number == int(weekday_field)


def _oracle_nearest(day: datetime.date, wanted: int) -> bool:
    """Ask of all weekdays of the month which is closest to the wanted day; of two the one on its Friday or Monday side."""
    if day.weekday() > 4:
        return False
    month = [day.replace(day=1) + datetime.timedelta(days=offset) for offset in range(31)]
    month = [one for one in month if one.month == day.month]
    if wanted > len(month):
        return False
    weekdays = [one for one in month if one.weekday() < 5]
    return min(weekdays, key=lambda one: abs(one.day - wanted)) == day


_DAY_FIELDS = st.one_of(
    st.tuples(
        st.one_of(st.just("*"), st.just("L"), st.integers(1, 31).map(str), st.integers(1, 31).map(lambda n: f"{n}W")),
        st.just("?"),
    ),
    st.tuples(
        st.just("?"),
        st.one_of(
            st.just("*"),
            st.integers(1, 7).map(str),
            st.integers(1, 7).map(lambda n: f"{n}L"),
            st.tuples(st.sampled_from(_NAMES), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
        ),
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    days=_DAY_FIELDS,
    months=st.sets(st.integers(1, 12), min_size=1, max_size=4),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    start=st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2027, 12, 31)),
)
def test_cron_names_the_same_minutes_as_the_oracle(
    days: tuple[str, str], months: set[int], hour: int, minute: int, start: datetime.datetime
) -> None:
    start = start.replace(second=0, microsecond=0)
    end = start + datetime.timedelta(days=500)
    cron = parse(f"cron({minute} {hour} {days[0]} {','.join(map(str, sorted(months)))} {days[1]} *)")
    assert isinstance(cron, Cron)
    found = list(itertools.takewhile(lambda one: one <= end, cron.after(start)))
    dates = [start.date() + datetime.timedelta(days=offset) for offset in range(501)]
    expected = [
        datetime.datetime.combine(day, datetime.time(hour, minute))
        for day in dates
        if day.month in months and _oracle_day(*days, day)
    ]
    assert found == [one for one in expected if start < one <= end]


@settings(max_examples=100, deadline=None)
@given(first=st.integers(0, 59), step=st.integers(1, 70), low=st.integers(0, 23), high=st.integers(0, 23))
def test_steps_and_ranges(first: int, step: int, low: int, high: int) -> None:
    if low > high:
        low, high = high, low
    cron = parse(f"cron({first}/{step} {low}-{high} * * ? *)")
    assert isinstance(cron, Cron)
    assert cron.minutes == {minute for minute in range(60) if minute >= first and (minute - first) % step == 0}
    assert cron.hours == {hour for hour in range(24) if low <= hour <= high}
