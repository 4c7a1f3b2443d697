"""A period and a zone are read from words, or refused with words that would be right."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.timing import BadEvery, BadZone, parse_every, zone_named


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("1s", timedelta(seconds=1)),
        ("90s", timedelta(seconds=90)),
        (" 5m ", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1w", timedelta(weeks=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_period_is_written_in_units(text: str, period: timedelta) -> None:
    assert parse_every(text) == period


@pytest.mark.parametrize(
    "text", ["", "5", "m", "500ms", "1.5h", "-1h", "30m1h", "1h1h", "1h 30m", "5M", "²s", "٣s"]
)
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadEvery) as caught:
        parse_every(text)
    assert str(caught.value) == (
        f"{text!r} is no period; write whole numbers of w, d, h, m or s, the larger unit first, "
        "from 1s to 366d, such as 90s, 5m or 1h30m."
    )


@pytest.mark.parametrize("text", ["0s", "367d", "366d1s", "99999999w99999999d99999999h"])
def test_a_period_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(BadEvery, match=r"^a period of .* cannot be kept; write one from 1s to "):
        parse_every(text)


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.text(), st.text("0123456789wdhms", max_size=12)))
def test_garbage_is_bad_every_and_nothing_else(text: str) -> None:
    try:
        period = parse_every(text)
    except BadEvery:
        return
    assert timedelta(seconds=1) <= period <= timedelta(days=366)


def test_a_zone_goes_by_its_name_and_is_utc_unless_told() -> None:
    assert zone_named().key == "UTC"
    assert zone_named("Europe/Berlin") is ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Europe/Berln", "there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"),
        ("europe/berlin", "there is no time zone 'europe/berlin'; did you mean Europe/Berlin?"),
        ("New_York", "there is no time zone 'New_York'; did you mean America/New_York?"),
        ("%%%", "there is no time zone '%%%'; write one such as Europe/Berlin."),
        ("", "there is no time zone ''; write one such as Europe/Berlin."),
    ],
)
def test_an_unknown_zone_is_refused_with_a_near_one(text: str, sentence: str) -> None:
    with pytest.raises(BadZone) as caught:
        zone_named(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ["../etc/passwd", "/etc/passwd", "America", "a\x00b", "localtime"])
def test_no_name_opens_a_file_that_is_not_a_zone(text: str) -> None:
    with pytest.raises(BadZone):
        zone_named(text)
