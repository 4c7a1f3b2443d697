"""What the clocks of a zone do to slots, by example: gaps, repeated hours, odd offsets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.scheduler.slots import Due, following, slots
from events.cron import Cron
from events.timing import On


def on(expression: str, zone: str) -> On:
    return On(Cron.parse(expression), ZoneInfo(zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local_slots(timing: On, first: str, last: str) -> list[str]:
    """The slots of whole local days, as the clock on the wall shows them, with its offset."""
    after = datetime.fromisoformat(first).replace(tzinfo=timing.zone).astimezone(UTC)
    until = datetime.fromisoformat(last).replace(tzinfo=timing.zone, hour=23, minute=59)
    due = slots(timing, after - timedelta(microseconds=1), until, 1000)
    assert due.count == len(due.slots)
    return [f"{slot.astimezone(timing.zone):%d %H:%M%z}" for slot in due.slots]


def test_a_reading_left_out_in_spring_fires_at_the_first_moment_after_the_gap() -> None:
    assert local_slots(on("30 2 * * *", "Europe/Berlin"), "2024-03-30", "2024-04-01") == [
        "30 02:30+0100",
        "31 03:00+0200",
        "01 02:30+0200",
    ]
    assert local_slots(on("30 2 * * *", "America/New_York"), "2024-03-09", "2024-03-11") == [
        "09 02:30-0500",
        "10 03:00-0400",
        "11 02:30-0400",
    ]


def test_all_readings_left_out_fire_as_one_and_with_the_one_after_the_gap() -> None:
    assert local_slots(on("*/15 2 * * *", "Europe/Berlin"), "2024-03-31", "2024-03-31") == [
        "31 03:00+0200"
    ]
    assert local_slots(on("*/30 1-3 * * *", "Europe/Berlin"), "2024-03-31", "2024-03-31") == [
        "31 01:00+0100",
        "31 01:30+0100",
        "31 03:00+0200",
        "31 03:30+0200",
    ]


def test_a_reading_shown_twice_in_autumn_fires_the_first_time_only() -> None:
    assert local_slots(on("30 2 * * *", "Europe/Berlin"), "2024-10-26", "2024-10-28") == [
        "26 02:30+0200",
        "27 02:30+0200",
        "28 02:30+0100",
    ]
    assert local_slots(on("0 1-2 * * *", "America/New_York"), "2024-11-03", "2024-11-03") == [
        "03 01:00-0400",
        "03 02:00-0500",
    ]
    assert local_slots(on("0 */2 * * *", "Europe/Berlin"), "2024-10-27", "2024-10-27")[:3] == [
        "27 00:00+0200",
        "27 02:00+0200",
        "27 04:00+0100",
    ]


@pytest.mark.parametrize("hours", ["*", "0-23", "*/1"])
def test_a_cron_of_all_hours_fires_every_real_hour(hours: str) -> None:
    hourly = on(f"30 {hours} * * *", "Europe/Berlin")
    assert len(local_slots(hourly, "2024-03-31", "2024-03-31")) == 23
    assert local_slots(hourly, "2024-10-27", "2024-10-27")[1:5] == [
        "27 01:30+0200",
        "27 02:30+0200",
        "27 02:30+0100",
        "27 03:30+0100",
    ]
    assert len(local_slots(hourly, "2024-10-27", "2024-10-27")) == 25


def test_a_minutely_cron_never_pauses() -> None:
    minutely = on("* * * * *", "America/New_York")
    for day in ("2024-03-10", "2024-11-03"):
        four = utc(f"{day}T04:00")
        due = slots(minutely, four, four + timedelta(hours=5), 1000)
        assert due.slots == tuple(four + timedelta(minutes=count) for count in range(1, 301))


def test_lord_howe_shifts_by_half_an_hour() -> None:
    assert local_slots(on("15 2 * * *", "Australia/Lord_Howe"), "2024-10-06", "2024-10-07") == [
        "06 02:30+1100",
        "07 02:15+1100",
    ]
    assert local_slots(on("*/15 1-2 * * *", "Australia/Lord_Howe"), "2024-04-07", "2024-04-07") == [
        "07 01:00+1100",
        "07 01:15+1100",
        "07 01:30+1100",
        "07 01:45+1100",
        "07 02:00+1030",
        "07 02:15+1030",
        "07 02:30+1030",
        "07 02:45+1030",
    ]
    hourly = on("45 * * * *", "Australia/Lord_Howe")
    assert local_slots(hourly, "2024-04-07", "2024-04-07")[1:3] == [
        "07 01:45+1100",
        "07 01:45+1030",
    ]


def test_midnight_left_out_fires_at_one() -> None:
    assert local_slots(on("@daily", "America/Sao_Paulo"), "2018-11-03", "2018-11-05") == [
        "03 00:00-0300",
        "04 01:00-0200",
        "05 00:00-0200",
    ]


def test_a_day_left_out_fires_when_the_next_begins() -> None:
    assert local_slots(on("0 9 * * *", "Pacific/Apia"), "2011-12-29", "2011-12-31") == [
        "29 09:00-1000",
        "31 00:00+1400",
        "31 09:00+1400",
    ]


def test_a_day_shown_twice_fires_once() -> None:
    afternoon = on("0 13 * * *", "Pacific/Kwajalein")
    assert following(afternoon, utc("1969-09-30T00:30")) == utc("1969-09-30T02:00")
    assert following(afternoon, utc("1969-09-30T02:00")) == utc("1969-10-02T01:00")
    assert following(afternoon, utc("1969-10-01T00:30")) == utc("1969-10-02T01:00")


def test_the_slot_of_a_gap_is_found_from_the_very_moment_before() -> None:
    left_out, gap_ends = on("30 2 * * *", "Europe/Berlin"), utc("2024-03-31T01:00")
    just_before = gap_ends - timedelta(microseconds=1)
    assert slots(left_out, utc("2024-03-31T00:00"), just_before, 9) == Due((), 0)
    assert following(left_out, just_before) == gap_ends
    assert following(left_out, gap_ends) == utc("2024-04-01T00:30")


def test_a_gap_may_end_between_minutes() -> None:
    midnight = on("@daily", "Africa/Monrovia")
    assert following(midnight, utc("1972-01-06T12:00")) == utc("1972-01-07T00:44:30")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Kolkata", "2024-06-01T03:30"),
        ("Asia/Kathmandu", "2024-06-01T03:15"),
        ("America/St_Johns", "2024-06-01T11:30"),
        ("Pacific/Chatham", "2024-06-01T20:15"),
        ("Pacific/Kiritimati", "2024-06-01T19:00"),
        ("UTC", "2024-06-01T09:00"),
    ],
)
def test_nine_o_clock_is_nine_in_its_own_zone(zone: str, expected: str) -> None:
    assert following(on("0 9 * * *", zone), utc("2024-06-01T00:00")) == utc(expected)
