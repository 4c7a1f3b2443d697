"""A schedule falls due once at each of its slots, whatever the clocks and the intervals do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.scheduler.slots import Due, following, slots
from events.cron import Cron
from events.timing import BadEvery, Every, On, Timing

steady = settings(derandomize=True, deadline=None, max_examples=80)

MINUTE = timedelta(minutes=1)
PLENTY = 100_000


def on(expression: str, zone: str = "UTC") -> On:
    return On(Cron.parse(expression), ZoneInfo(zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def listed(timing: Timing, after: datetime, until: datetime) -> list[datetime]:
    """The slots of an interval by asking for one after the other."""
    found = []
    slot = following(timing, after)
    while slot <= until:
        found.append(slot)
        slot = following(timing, slot)
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("0 0 29 2 */7", "2088-03-01T00:00", "2128-02-29T00:00"),
        ("0 0 */28 2 mon", "2024-12-01T00:00", "2027-02-01T00:00"),
        ("59 23 31 12 *", "2024-12-31T23:59", "2025-12-31T23:59"),
    ],
)
def test_a_rare_slot_is_found_however_far_away(expression: str, after: str, expected: str) -> None:
    assert following(on(expression), utc(after)) == utc(expected)


def test_the_newest_are_kept_and_all_are_counted() -> None:
    due = slots(on("* * * * *", "Europe/Berlin"), utc("2023-01-01"), utc("2024-01-01"), 2)
    assert due == Due((utc("2023-12-31T23:59"), utc("2024-01-01T00:00")), 525_600)
    every = Every(timedelta(seconds=1), utc("1970-01-01"))
    due = slots(every, utc("1970-01-01"), utc("2370-01-01"), 1)
    assert due == Due((utc("2370-01-01"),), 146_097 * 86_400)


def test_a_limit_of_none_at_all_only_counts() -> None:
    assert slots(on("@hourly"), utc("2024-01-01"), utc("2024-01-02"), 0) == Due((), 24)
    with pytest.raises(ValueError, match=r"limit is -1; write 0 or more\."):
        slots(on("@hourly"), utc("2024-01-01"), utc("2024-01-02"), -1)


def test_an_interval_excludes_its_beginning_and_includes_its_end() -> None:
    noon, one = utc("2024-01-01T12:00"), utc("2024-01-01T13:00")
    every = Every(timedelta(hours=1), utc("2024-01-01"))
    for timing in (on("@hourly"), every):
        assert slots(timing, noon, one, 9) == Due((one,), 1)
        assert slots(timing, noon, one - timedelta(microseconds=1), 9) == Due((), 0)
        assert slots(timing, noon - timedelta(microseconds=1), one, 9) == Due((noon, one), 2)
        assert slots(timing, one, one, 9) == slots(timing, one, noon, 9) == Due((), 0)


def test_every_has_no_slot_at_or_before_its_anchor() -> None:
    every = Every(timedelta(hours=1), utc("2024-01-01T12:00"))
    assert following(every, utc("2020-01-01")) == utc("2024-01-01T13:00")
    assert slots(every, utc("2020-01-01"), utc("2024-01-01T12:59"), 9) == Due((), 0)


def test_every_counts_elapsed_time_across_daylight_saving() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    every = Every(timedelta(days=1), datetime(2024, 3, 30, 12, tzinfo=berlin))
    assert following(every, datetime(2024, 3, 30, 13, tzinfo=berlin)) == utc("2024-03-31T11:00")


def test_an_every_is_not_built_with_a_period_out_of_bounds_or_a_naive_anchor() -> None:
    with pytest.raises(BadEvery, match="from 1s to 366d"):
        Every(timedelta(milliseconds=999), utc("2024-01-01"))
    with pytest.raises(BadEvery, match="from 1s to 366d"):
        Every(timedelta(days=-1), utc("2024-01-01"))
    with pytest.raises(ValueError, match="has no zone"):
        Every(timedelta(days=1), utc("2024-01-01").replace(tzinfo=None))


Ask = Callable[[Timing, datetime], object]

ASK: tuple[Ask, ...] = (
    following,
    lambda timing, moment: slots(timing, moment, utc("2024-01-01"), 1),
    lambda timing, moment: slots(timing, utc("2024-01-01"), moment, 1),
)


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("timing", [on("@daily"), Every(timedelta(days=1), utc("2024-01-01"))])
def test_a_moment_must_have_a_zone_and_lie_in_reach_of_the_calendar(
    ask: Ask, timing: Timing
) -> None:
    with pytest.raises(ValueError, match=r"2024-01-01T00:00:00 has no zone; write an aware moment"):
        ask(timing, utc("2024-01-01").replace(tzinfo=None))
    for moment in (datetime.min, datetime.max):
        with pytest.raises(ValueError, match="too far away; write a year from 2 to 9500"):
            ask(timing, moment.replace(tzinfo=UTC))


UNQUIET = (
    ("Europe/Berlin", "2024-03-31T01:00"),
    ("Europe/Berlin", "2024-10-27T01:00"),
    ("America/New_York", "2024-03-10T07:00"),
    ("America/New_York", "2024-11-03T06:00"),
    ("Australia/Lord_Howe", "2024-04-06T15:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30"),
    ("Pacific/Chatham", "2024-04-06T14:00"),
    ("Pacific/Chatham", "2024-09-28T14:00"),
    ("America/St_Johns", "2006-04-02T03:31"),
    ("America/St_Johns", "2006-10-29T02:31"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2019-02-17T02:00"),
    ("America/Havana", "2024-11-03T05:00"),
    ("Africa/Casablanca", "2024-03-10T02:00"),
    ("Antarctica/Troll", "2024-03-31T01:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
    ("Pacific/Kwajalein", "1969-09-30T13:00"),
    ("Asia/Pyongyang", "2018-05-04T15:00"),
    ("Asia/Kolkata", "2024-06-01T00:00"),
    ("UTC", "2024-02-29T00:00"),
)
"""Zones with a moment (UTC) at which something happens to their clocks, or to the calendar."""

AMBLES = st.timedeltas(timedelta(days=-2), timedelta(days=2))

MINUTES = st.sampled_from(("*", "0", "30", "*/15", "*/7", "59", "1,31", "10-40/5"))
HOURS = st.sampled_from(("*", "0", "1", "2", "3", "0-23", "*/2", "1-3", "0,2", "23", "9-17"))
DAYS = st.sampled_from(("*", "*", "*", "1-7,20-31", "*/2", "30", "31"))
WEEKDAYS = st.sampled_from(("*", "*", "*", "sun", "mon-fri", "fri-sun", "*/2"))


@st.composite
def unquiet_crons(draw: st.DrawFn) -> tuple[On, datetime]:
    """A cron beside a moment near to which its zone's clocks change, not on whole minutes."""
    zone, moment = draw(st.sampled_from(UNQUIET))
    text = f"{draw(MINUTES)} {draw(HOURS)} {draw(DAYS)} * {draw(WEEKDAYS)}"
    return on(text, zone), utc(moment) + draw(AMBLES)


@st.composite
def everies(draw: st.DrawFn) -> tuple[Every, datetime]:
    period = draw(st.timedeltas(timedelta(minutes=5), timedelta(days=9)))
    anchor = utc("2024-01-01") + draw(AMBLES)
    return Every(period, anchor), anchor + draw(st.timedeltas(timedelta(-5), timedelta(400)))


def names(cron: Cron, wall: datetime) -> bool:
    by_date, by_weekday = wall.day in cron.days, wall.isoweekday() % 7 in cron.weekdays
    named = by_date or by_weekday if cron.either_day else by_date and by_weekday
    return named and wall.minute in cron.minutes and wall.hour in cron.hours


def fires(timing: On, moment: datetime) -> bool:
    """The rules for daylight saving once more, for a whole minute, by looking at the clock."""
    now = moment.astimezone(timing.zone)
    wall = now.replace(tzinfo=None, fold=0)
    if timing.cron.hours == set(range(24)):
        return names(timing.cron, wall)
    before = (moment - MINUTE).astimezone(timing.zone).replace(tzinfo=None, fold=0)
    reached = ((wall - before) // MINUTE) if now.fold == 0 else 0
    return any(names(timing.cron, wall - back * MINUTE) for back in range(reached))


@steady
@given(unquiet_crons())
def test_slots_are_those_found_by_looking_at_the_clock_every_minute(
    case: tuple[On, datetime],
) -> None:
    timing, after = case
    until = after + timedelta(days=2, hours=1)
    first = after.replace(second=0, microsecond=0) + MINUTE
    minutes = (first + count * MINUTE for count in range(3 * 1440))
    looked_at = takewhile(lambda minute: minute <= until, minutes)
    expected = [minute for minute in looked_at if fires(timing, minute)]
    assert listed(timing, after, until) == expected
    assert slots(timing, after, until, PLENTY) == Due(tuple(expected), len(expected))


@settings(steady, max_examples=400)
@given(
    st.one_of(unquiet_crons(), everies()),
    st.lists(st.timedeltas(timedelta(), timedelta(days=5)), min_size=1, max_size=6),
)
@example((on("30 2 * * *", "Europe/Berlin"), utc("2024-03-30T12:00")), [timedelta(hours=13)])
@example((on("30 2 * * *", "Europe/Berlin"), utc("2024-10-26T12:00")), [timedelta(hours=13)])
def test_an_interval_split_anywhere_has_the_same_slots(
    case: tuple[Timing, datetime], cuts: list[timedelta]
) -> None:
    timing, after = case
    whole = slots(timing, after, after + timedelta(days=5), PLENTY)
    bounds = [after + cut for cut in sorted([timedelta(), *cuts, timedelta(days=5)])]
    parts = [slots(timing, start, end, PLENTY) for start, end in pairwise(bounds)]
    assert sum((part.slots for part in parts), ()) == whole.slots
    assert sum(part.count for part in parts) == whole.count == len(whole.slots)


@steady
@given(st.one_of(unquiet_crons(), everies()), st.integers(0, 30))
def test_an_interval_split_at_its_own_slots_has_the_same_slots(
    case: tuple[Timing, datetime], limit: int
) -> None:
    timing, after = case
    until = after + timedelta(days=2)
    whole = slots(timing, after, until, PLENTY).slots
    for slot in whole[:: 1 + len(whole) // 5]:
        before, behind = slots(timing, after, slot, PLENTY), slots(timing, slot, until, PLENTY)
        assert before.slots[-1] == slot
        assert before.slots + behind.slots == whole
    newest = slots(timing, after, until, limit)
    assert newest == Due(whole[max(0, len(whole) - limit) :], len(whole))


@steady
@given(st.one_of(unquiet_crons(), everies()))
def test_slots_are_those_that_follow_each_other(case: tuple[Timing, datetime]) -> None:
    timing, after = case
    until = after + timedelta(days=2)
    due = slots(timing, after, until, PLENTY)
    assert list(due.slots) == listed(timing, after, until)
    assert all(slot.tzinfo is UTC for slot in due.slots)


@steady
@given(unquiet_crons(), st.sampled_from(("1", "13", "28", "31", "*/28")), WEEKDAYS)
def test_sparse_slots_are_those_that_follow_each_other(
    case: tuple[On, datetime], days: str, weekdays: str
) -> None:
    (frequent, after), until = case, case[1] + timedelta(days=200)
    timing = on(f"30 2 {days} * {weekdays}", frequent.zone.key)
    assert list(slots(timing, after, until, PLENTY).slots) == listed(timing, after, until)


@steady
@given(everies(), st.integers(1, 10**6))
def test_every_never_drifts(case: tuple[Every, datetime], number: int) -> None:
    every, _ = case
    slot = every.anchor + number * every.period
    assert following(every, slot - timedelta(microseconds=1)) == slot
    assert following(every, slot) == slot + every.period
    assert slots(every, every.anchor, slot, 1) == Due((slot,), number)
