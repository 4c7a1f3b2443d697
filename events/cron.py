"""A cron expression: which readings of a wall clock it names.

A reading (`wall` in the code) is a naive datetime; zones, daylight saving and UTC are the subject
of `agents/scheduler/slots.py`. The dialect is Vixie's: five fields, minute hour day-of-month month
day-of-week, each a list of `*`, `a`, `a-b`, with an optional step (`*/n`, `a-b/n`, and `a/n` for
"from a on"); names for months and weekdays; Sunday is 0 and 7, and ends a range as 7 (`fri-sun`).
When both day fields are restricted (neither begins with `*`), either of them is enough; otherwise
both must agree.

Left out: seconds and years, `@reboot` (no time), Quartz's `?`, `L`, `W`, `#`, and ranges which wrap
around (`22-2` is written `22-23,0-2`). A step longer than its field is refused: in the minute field
`*/90` means "at minute 0" to cron, and "every 90 minutes" to nearly everybody else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import product
from typing import NamedTuple


class BadCron(ValueError):
    """The text is no cron expression, or one which never fires."""


class Field(NamedTuple):
    """What a field may say. `*` and `a/n` end at `top`: Saturday, so that Sunday comes once."""

    name: str
    low: int
    high: int
    top: int
    names: tuple[str, ...] = ()


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

FIELDS = (
    Field("minute", 0, 59, 59),
    Field("hour", 0, 23, 23),
    Field("day-of-month", 1, 31, 31),
    Field("month", 1, 12, 12, MONTHS),
    Field("day-of-week", 0, 7, 6, WEEKDAYS),
)

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

ITEM = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,4}|[a-z]{1,12})(?:-(?P<last>[0-9]{1,4}|[a-z]{1,12}))?)(?:/(?P<step>[0-9]{1,4}))?"
)


@dataclass(frozen=True)
class Cron:
    """What the fields allow; Sunday is 0. With `either_day` one of the two day fields is enough."""

    source: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def __post_init__(self) -> None:
        held = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        for field, values in zip(FIELDS, held, strict=True):
            if not values or min(values) < field.low or max(values) > field.top:
                raise BadCron(
                    f"the {field.name} values of a cron must be numbers from {field.low} to "
                    f"{field.top}, at least one, not {sorted(values)}."
                )
        # 29 February falls on every weekday within 400 years, so only the month can rule a day out.
        longest = max(monthrange(2024, month)[1] for month in self.months)
        if not self.either_day and min(self.days) > longest:
            raise BadCron(
                f"cron {_shown(self.source)} can never fire: day-of-month {min(self.days)} is in "
                f"no month of {sorted(self.months)}; write a day from 1 to {longest}."
            )

    @classmethod
    def parse(cls, text: str) -> Cron:
        source = text.strip()
        expression = ALIASES.get(source.lower(), source)
        if expression.startswith("@"):
            raise BadCron(f"{_shown(source)} is no cron alias; write one of {', '.join(ALIASES)}.")
        parts = expression.split()
        if len(parts) != len(FIELDS):
            raise BadCron(
                f"cron {_shown(source)} has {len(parts)} fields; write exactly five: "
                f"{' '.join(field.name for field in FIELDS)}."
            )
        minutes, hours, days, months, weekdays = map(_values, FIELDS, parts)
        return cls(
            source=source,
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(weekday % 7 for weekday in weekdays),
            either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
        )

    @property
    def every_hour(self) -> bool:
        return len(self.hours) == 24

    @cached_property
    def times(self) -> tuple[timedelta, ...]:
        """What the minute and hour fields name, as time since midnight, ascending."""
        pairs = product(sorted(self.hours), sorted(self.minutes))
        return tuple(timedelta(hours=hour, minutes=minute) for hour, minute in pairs)

    def names_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday

    def days_between(self, first: date, last: date) -> Iterator[date]:
        """The named days from `first` to `last`, both included; months not named cost nothing."""
        for year, month in product(range(first.year, last.year + 1), sorted(self.months)):
            if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                for number in range(1, monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if first <= day <= last and self.names_day(day):
                        yield day

    def walls(self, begins: datetime, ends: datetime) -> Iterator[datetime]:
        """The named readings with begins <= reading < ends, ascending."""
        for day in self.days_between(begins.date(), ends.date()):
            yield from self._walls_of(day, begins, ends)

    def newest_walls(self, begins: datetime, ends: datetime, limit: int) -> list[datetime]:
        """The last `limit` of `walls(begins, ends)`, ascending."""
        found: list[datetime] = []
        for day in reversed(list(self.days_between(begins.date(), ends.date()))):
            if len(found) >= limit:
                break
            found.extend(reversed(self._walls_of(day, begins, ends)))
        return found[:limit][::-1]

    def count_walls(self, begins: datetime, ends: datetime) -> int:
        """How many `walls(begins, ends)` are, counted by the day and not by the minute."""
        if ends <= begins:
            return 0
        days = sum(1 for _ in self.days_between(begins.date(), ends.date() - timedelta(days=1)))
        return days * len(self.times) + self._named_before(ends) - self._named_before(begins)

    def _named_before(self, wall: datetime) -> int:
        """How many readings are named on the day of `wall`, before it."""
        into_day = wall - datetime.combine(wall, time())
        return bisect_left(self.times, into_day) if self.names_day(wall) else 0

    def _walls_of(self, day: date, begins: datetime, ends: datetime) -> list[datetime]:
        midnight = datetime.combine(day, time())
        low = bisect_left(self.times, begins - midnight)
        high = bisect_left(self.times, ends - midnight)
        return [midnight + into_day for into_day in self.times[low:high]]


def _values(field: Field, text: str) -> frozenset[int]:
    return frozenset(value for item in text.split(",") for value in _item(field, text, item))


def _item(field: Field, text: str, item: str) -> range:
    where = f"{field.name} field {_shown(text)}: "
    match = ITEM.fullmatch(item.lower())
    if match is None:
        named = f", a name from {field.names[0]} to {field.names[-1]}" if field.names else ""
        wrong = "`?` is not cron but Quartz" if "?" in item else f"cannot read {_shown(item)}"
        raise BadCron(
            f"{where}{wrong}; write `*`, a number from {field.low} to {field.high}{named}, "
            "or a range such as a-b, with /n behind it for a step."
        )
    step = 1 if match["step"] is None else int(match["step"])
    if not 1 <= step <= field.high:
        raise BadCron(f"{where}a step of {step} cannot be; write one from 1 to {field.high}.")
    if match["first"] is None:
        return range(field.low, field.top + 1, step)
    first = last = _number(field, where, match["first"])
    if match["last"] is not None:
        last = _number(field, where, match["last"])
        last = 7 if field.high == 7 and last == 0 < first else last
    elif match["step"] is not None:
        last = max(first, field.top)
    if last < first:
        raise BadCron(
            f"{where}the range {first}-{last} runs backwards; "
            f"write {first}-{field.high},{field.low}-{last} to wrap around, or swap its ends."
        )
    return range(first, last + 1, step)


def _number(field: Field, where: str, word: str) -> int:
    if word in field.names:
        return field.low + field.names.index(word)
    if word.isdigit() and field.low <= int(word) <= field.high:
        return int(word)
    named = f" or one of {', '.join(field.names)}" if field.names else ""
    raise BadCron(f"{where}{word} is not a number from {field.low} to {field.high}{named}.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
