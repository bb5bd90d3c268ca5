"""Schedule expressions as EventBridge writes them: rate(), cron() with its six fields, and at(). Knows nothing of clocks.

Sources: Amazon EventBridge user guide, "Cron expressions reference" and "Rate expressions"; EventBridge Scheduler user guide,
"Schedule types" (2026-11-20). No kept library speaks this dialect (years, ?, L, W and # together).
"""

import calendar
import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, name in enumerate(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class InvalidExpressionError(ValueError):
    """An expression that EventBridge refuses."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class At:
    """Once, at a local time."""

    when: datetime.datetime


@dataclass(frozen=True, slots=True)
class Cron:
    """At every minute that the six fields name."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    days: Callable[[int, int], frozenset[int]]  # the days of a month that the two day fields name

    def after(self, when: datetime.datetime) -> Iterator[datetime.datetime]:
        """Give the local times later than `when`, in order; none where the fields never meet."""
        for year in sorted(one for one in self.years if one >= when.year):
            for month in sorted(self.months):
                if (year, month) < (when.year, when.month):
                    continue
                for day in sorted(self.days(year, month)):
                    if (year, month, day) < (when.year, when.month, when.day):
                        continue
                    for hour in sorted(self.hours):
                        for minute in sorted(self.minutes):
                            found = datetime.datetime(year, month, day, hour, minute)
                            if found > when:
                                yield found


Expression = Rate | At | Cron


def parse(text: str) -> Expression:
    """Read an expression. Raises InvalidExpressionError."""
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", text):
        value, unit, plural = int(match[1]), match[2], bool(match[3])
        # One is singular, everything else plural: rate(1 hours) and rate(5 hour) are not valid.
        if value == 0 or plural != (value != 1):
            raise InvalidExpressionError(text)
        return Rate(value * _UNITS[unit])
    if match := re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", text):
        try:
            return At(datetime.datetime.fromisoformat(match[1]))
        except ValueError as error:
            raise InvalidExpressionError(text) from error
    if match := re.fullmatch(r"cron\(([^()]*)\)", text):
        fields = match[1].upper().split()
        if len(fields) == 6:
            try:
                return _cron(fields)
            except ValueError as error:
                raise InvalidExpressionError(text) from error
    raise InvalidExpressionError(text)


def _cron(fields: list[str]) -> Cron:
    minutes, hours, day_of_month, month, day_of_week, year = fields
    # Either day field may name days; the other one says ?.
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError("exactly one of the day fields is ?")
    days = _days_of_week(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month)
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(month, 1, 12, _MONTHS),
        years=_numbers(year, _FIRST_YEAR, _LAST_YEAR),
        days=days,
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and (not step.isdecimal() or int(step) == 0):
            raise ValueError(part)
        if span in ("*", "") and (slash or span == "*"):
            begin, end = low, high
        else:
            begin = _number(first, names)
            end = _number(last, names) if dash else high if slash else begin
        if not low <= begin <= end <= high:
            raise ValueError(part)
        found.update(range(begin, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not text.isdecimal() or not text.isascii():
        raise ValueError(text)
    return int(text)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """Give the day of the week as EventBridge counts: 1 is Sunday."""
    return (datetime.date(year, month, day).weekday() + 1) % 7 + 1


def _days_of_month(field: str) -> Callable[[int, int], frozenset[int]]:
    if field == "L":
        return lambda year, month: frozenset({_length(year, month)})
    if field == "LW":
        return lambda year, month: frozenset({_nearest_weekday(year, month, _length(year, month))})
    if match := re.fullmatch(r"(\d{1,2})W", field):
        wanted = int(match[1])
        if not 1 <= wanted <= 31:
            raise ValueError(field)
        return lambda year, month: (
            frozenset({_nearest_weekday(year, month, wanted)}) if wanted <= _length(year, month) else frozenset()
        )
    numbers = _numbers(field, 1, 31)
    return lambda year, month: frozenset(day for day in numbers if day <= _length(year, month))


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Give the weekday closest to a day, without leaving its month."""
    weekday = _weekday(year, month, day)
    if weekday == 7:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < _length(year, month) else day - 2
    return day


def _days_of_week(field: str) -> Callable[[int, int], frozenset[int]]:
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        weekday, place = _week_day(match[1]), int(match[2])
        return lambda year, month: frozenset(_those(year, month, {weekday})[place - 1 : place])
    if (match := re.fullmatch(r"(\w+)L", field)) and match[1]:
        last = _week_day(match[1])
        return lambda year, month: frozenset(_those(year, month, {last})[-1:])
    numbers = frozenset({7}) if field == "L" else _numbers(field, 1, 7, _DAYS)
    return lambda year, month: frozenset(_those(year, month, numbers))


def _week_day(text: str) -> int:
    number = _number(text, _DAYS)
    if not 1 <= number <= 7:
        raise ValueError(text)
    return number


def _those(year: int, month: int, weekdays: frozenset[int] | set[int]) -> list[int]:
    return [day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in weekdays]
