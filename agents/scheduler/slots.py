"""When a schedule falls due: its slots, as moments of UTC.

Pure: nothing here knows what time it is; the caller brings both ends of an interval, and only the
zone database of `zoneinfo` is read. A slot belongs to (after, until], so that intervals laid end to
end give every slot once. Which readings of a clock a cron names is the subject of `events/cron.py`.

Daylight saving, two rules:

* A cron whose hour field allows all 24 hours follows elapsed time. It fires at each real moment at
  which the clock shows a named reading: in both of autumn's repeated hours, not in spring's gap.
* Any other cron (`*/2` too) follows the clock as it moves forward. A named reading fires once, when
  the clock first reaches or passes it: in the first of autumn's repeated hours only, and at the
  first moment after spring's gap, where all readings left out and the moment's own are one slot.

Left out: sub-second periods, leap seconds, and moments outside the years 2 to 9500.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from events.cron import BadCron
from events.timing import DAY, SECOND, Every, On, Timing, naive_utc

TICK = timedelta.resolution


class Due(NamedTuple):
    """The newest slots of an interval, ascending, and how many it has altogether."""

    slots: tuple[datetime, ...]
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of two fields


def slots(timing: Timing, after: datetime, until: datetime, limit: int) -> Due:
    """The newest `limit` slots with after < slot <= until, and how many there are in all."""
    if limit < 0:
        raise ValueError(f"limit is {limit}; write 0 or more.")
    begins, ends = naive_utc(after) + TICK, naive_utc(until) + TICK
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
    begins = naive_utc(after) + TICK
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


def _periods_by(every: Every, moment: datetime) -> int:
    """How many slots there are up to and including a moment of naive UTC."""
    return max(0, (moment - naive_utc(every.anchor)) // every.period)


def _nth(every: Every, number: int) -> datetime:
    return every.anchor.astimezone(UTC) + number * every.period
