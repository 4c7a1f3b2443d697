"""When a schedule falls due: its slots, as moments of UTC.

Pure: nothing here knows what time it is; the caller brings both ends of an interval, and only the
zone database of `zoneinfo` is read. A slot belongs to (after, until], so that intervals laid end to
end give every slot once. Which readings of a clock a cron names is the subject of `cron.py`.

Daylight saving, two rules:

* A cron whose hour field allows all 24 hours follows elapsed time. It fires at each real moment at
  which the clock shows a named reading: in both of autumn's repeated hours, not in spring's gap.
* Any other cron (`*/2` too) follows the clock as it moves forward. A named reading fires once, when
  the clock first reaches or passes it: in the first of autumn's repeated hours only, and at the
  first moment after spring's gap, where all readings left out and the moment's own are one slot.

Left out: sub-second periods, leap seconds, and moments outside the years 2 to 9500.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from agents.scheduler.cron import BadCron, Cron

PERIOD = re.compile(
    r"(?:(?P<weeks>[0-9]{1,8})w)?(?:(?P<days>[0-9]{1,8})d)?(?:(?P<hours>[0-9]{1,8})h)?"
    r"(?:(?P<minutes>[0-9]{1,8})m)?(?:(?P<seconds>[0-9]{1,8})s)?"
)

TICK, SECOND, DAY = timedelta.resolution, timedelta(seconds=1), timedelta(days=1)


class BadEvery(ValueError):
    """The text is no period, or one outside a second to 366 days."""


class BadZone(ValueError):
    """The zone database has no zone of that name."""


@dataclass(frozen=True)
class Every:
    """The slots are anchor + period, anchor + 2 * period, ..., whatever was missed: no drift."""

    period: timedelta
    anchor: datetime

    def __post_init__(self) -> None:
        _naive_utc(self.anchor)
        _kept(self.period)


@dataclass(frozen=True)
class On:
    """The slots are the readings which a cron names, on the clocks of a zone."""

    cron: Cron
    zone: ZoneInfo


Timing = Every | On


class Due(NamedTuple):
    """The newest slots of an interval, ascending, and how many it has altogether."""

    slots: tuple[datetime, ...]
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of two fields


def parse_every(text: str) -> timedelta:
    match = PERIOD.fullmatch(text.strip())
    if match is None or not match[0]:
        raise BadEvery(
            f"{text[:60]!r} is no period; write whole numbers of w, d, h, m or s, the larger unit "
            "first, from 1s to 366d, such as 90s, 5m or 1h30m."
        )
    return _kept(timedelta(**{unit: int(many or 0) for unit, many in match.groupdict().items()}))


def zone_named(text: str = "UTC") -> ZoneInfo:
    if text in _zone_names():
        return ZoneInfo(text)
    by_lower = {name.lower(): name for name in sorted(_zone_names())}
    near = get_close_matches(text[:60].lower(), by_lower, n=1, cutoff=0.5)
    remedy = f"did you mean {by_lower[near[0]]}?" if near else "write one such as Europe/Berlin."
    raise BadZone(f"there is no time zone {text[:60]!r}; {remedy}")


def slots(timing: Timing, after: datetime, until: datetime, limit: int) -> Due:
    """The newest `limit` slots with after < slot <= until, and how many there are in all."""
    if limit < 0:
        raise ValueError(f"limit is {limit}; write 0 or more.")
    begins, ends = _naive_utc(after) + TICK, _naive_utc(until) + TICK
    if ends <= begins:
        return Due((), 0)
    if isinstance(timing, Every):
        first, last = _periods_by(timing, begins - TICK), _periods_by(timing, ends - TICK)
        kept = range(max(first, last - limit) + 1, last + 1)
        return Due(tuple(_nth(timing, number) for number in kept), last - first)
    count, newest = 0, list[datetime]()
    for opens, closes, offset in reversed(list(_stretches(timing, begins, ends))):
        count += timing.cron.count_walls(opens, closes)
        walls = timing.cron.newest_walls(opens, closes, limit - len(newest))
        newest = [wall - offset for wall in walls] + newest
    return Due(tuple(slot.replace(tzinfo=UTC) for slot in newest), count)


def following(timing: Timing, after: datetime) -> datetime:
    """The first slot after `after`."""
    begins = _naive_utc(after) + TICK
    if isinstance(timing, Every):
        return _nth(timing, _periods_by(timing, begins - TICK) + 1)
    horizon = begins + 146_097 * DAY  # 400 years, when the calendar repeats to the weekday
    while begins < horizon:
        ends = begins + 2 * DAY
        for stretch in _stretches(timing, begins, ends):
            for wall in timing.cron.walls(stretch.begins, stretch.ends):
                return (wall - stretch.offset).replace(tzinfo=UTC)
        # A slot lies within a day of the reading which it stands for, as no offset reaches a day.
        wall = next(timing.cron.walls(ends - DAY, horizon), horizon)
        begins = max(ends, wall - DAY)
    raise BadCron(f"cron {timing.cron.source!r} has no slot within 400 years of {after}.")


class Span(NamedTuple):
    """A stretch of UTC, start <= moment < end, in which a zone keeps one offset."""

    start: datetime
    end: datetime
    offset: timedelta


class Stretch(NamedTuple):
    """Readings, begins <= wall < ends, each of which fires at wall - offset (naive UTC)."""

    begins: datetime
    ends: datetime
    offset: timedelta


def _stretches(timing: On, begins: datetime, ends: datetime) -> Iterator[Stretch]:
    """The readings that count between two moments of naive UTC, in the order in which they fire."""
    # The two days before settle what the wall has shown: no offsets lie further than 32 h apart.
    shown = begins - 4 * DAY
    for span in _spans(timing.zone, begins - 2 * DAY, ends):
        opens, closes = span.start + span.offset, span.end + span.offset
        if not timing.cron.every_hour:
            if opens > shown and begins <= span.start < ends:
                opens += TICK
                left_out = next(timing.cron.walls(shown, opens), None)
                if left_out is not None:
                    yield Stretch(left_out, left_out + TICK, left_out - span.start)
            opens = max(opens, shown)
        shown = max(shown, closes)
        first, last = max(opens, begins + span.offset), min(closes, ends + span.offset)
        if first < last:
            yield Stretch(first, last, span.offset)


def _spans(zone: ZoneInfo, begins: datetime, ends: datetime) -> Iterator[Span]:
    """The spans which cover an interval, and the rest of its outermost days of UTC."""
    # Looking once a day finds all: no zone of the database has changed twice within three days.
    start = mark = datetime.combine(begins, time())
    last = datetime.combine(ends, time()) + DAY
    offset = _offset(zone, start)
    while mark < last:
        mark, before = datetime.combine(mark, time()) + DAY, mark
        if _offset(zone, mark) != offset:
            mark = _change(zone, before, mark)
            yield Span(start, mark, offset)
            start, offset = mark, _offset(zone, mark)
    yield Span(start, last, offset)


def _change(zone: ZoneInfo, before: datetime, behind: datetime) -> datetime:
    """The first second at which the offset is no longer that of `before`."""
    offset, seconds = _offset(zone, before), range((behind - before) // SECOND)
    after = bisect_left(seconds, True, key=lambda n: _offset(zone, before + n * SECOND) != offset)
    return before + after * SECOND


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return zone.fromutc(moment.replace(tzinfo=zone)).replace(tzinfo=None) - moment


def _kept(period: timedelta) -> timedelta:
    if not SECOND <= period <= 366 * DAY:
        raise BadEvery(f"a period of {period} cannot be kept; write one from 1s to 366d.")
    return period


def _periods_by(every: Every, moment: datetime) -> int:
    """How many slots there are up to and including a moment of naive UTC."""
    return max(0, (moment - _naive_utc(every.anchor)) // every.period)


def _nth(every: Every, number: int) -> datetime:
    return every.anchor.astimezone(UTC) + number * every.period


def _naive_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no zone; write an aware moment, such as UTC.")
    if not 2 <= moment.year <= 9500:
        raise ValueError(f"{moment.isoformat()} is too far away; write a year from 2 to 9500.")
    return moment.astimezone(UTC).replace(tzinfo=None)


@cache
def _zone_names() -> frozenset[str]:
    """All but `localtime`, which differs from machine to machine, and `Factory`, no place."""
    return frozenset(available_timezones() - {"localtime", "Factory"})
