"""A cron expression names the readings it says, and says in one sentence why it cannot be read."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events.cron import ALIASES, FIELDS, BadCron, Cron, Field

steady = settings(derandomize=True, deadline=None, max_examples=200)


def readings(expression: str, begins: datetime, days: int) -> list[str]:
    walls = Cron.parse(expression).walls(begins, begins + timedelta(days=days))
    return [f"{wall:%a %d %b %H:%M}" for wall in walls]


def complaint(expression: str) -> str:
    with pytest.raises(BadCron) as caught:
        Cron.parse(expression)
    return str(caught.value)


@pytest.mark.parametrize(
    ("minute_field", "minutes"),
    [
        ("7", [7]),
        ("3,1,2,1", [1, 2, 3]),
        ("10-13", [10, 11, 12, 13]),
        ("5-5", [5]),
        ("*/20", [0, 20, 40]),
        ("*/59", [0, 59]),
        ("10-30/10", [10, 20, 30]),
        ("5/25", [5, 30, 55]),
        ("007", [7]),
        ("0-3,50/5,*/30", [0, 1, 2, 3, 30, 50, 55]),
    ],
)
def test_a_field_is_a_list_of_numbers_ranges_and_steps(
    minute_field: str, minutes: list[int]
) -> None:
    assert sorted(Cron.parse(f"{minute_field} * * * *").minutes) == minutes


@pytest.mark.parametrize(
    ("weekday_field", "weekdays"),
    [
        ("*", [0, 1, 2, 3, 4, 5, 6]),
        ("0", [0]),
        ("7", [0]),
        ("SUN", [0]),
        ("mon-fri", [1, 2, 3, 4, 5]),
        ("5-7", [0, 5, 6]),
        ("fri-sun", [0, 5, 6]),
        ("sun-mon", [0, 1]),
        ("sun-sun", [0]),
        ("sun-sat", [0, 1, 2, 3, 4, 5, 6]),
        ("0-7", [0, 1, 2, 3, 4, 5, 6]),
        ("1/2", [1, 3, 5]),
        ("7/2", [0]),
        ("*/3", [0, 3, 6]),
        ("Tue,thu", [2, 4]),
    ],
)
def test_sunday_is_zero_and_seven_and_may_end_a_range(
    weekday_field: str, weekdays: list[int]
) -> None:
    assert sorted(Cron.parse(f"0 0 * * {weekday_field}").weekdays) == weekdays


def test_months_go_by_number_or_by_name_in_any_case() -> None:
    assert Cron.parse("0 0 1 JAN-mar,Dec *").months == Cron.parse("0 0 1 1-3,12 *").months


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_names_what_its_five_fields_name(alias: str) -> None:
    begins = datetime(2024, 1, 1)
    ends = begins + timedelta(days=800)
    by_alias, by_fields = Cron.parse(f" {alias.upper()} "), Cron.parse(ALIASES[alias])
    assert by_alias.source == alias.upper()
    assert list(by_alias.walls(begins, ends)) == list(by_fields.walls(begins, ends))


def test_office_hours_are_named_on_working_days_only() -> None:
    assert readings("30 9-17/8 * * mon-fri", datetime(2024, 3, 1), 4) == [
        "Fri 01 Mar 09:30",
        "Fri 01 Mar 17:30",
        "Mon 04 Mar 09:30",
        "Mon 04 Mar 17:30",
    ]


def test_of_two_restricted_day_fields_either_is_enough() -> None:
    assert readings("0 0 13 * fri", datetime(2024, 9, 1), 20) == [
        "Fri 06 Sep 00:00",
        "Fri 13 Sep 00:00",
        "Fri 20 Sep 00:00",
    ]
    assert readings("0 0 10 * fri", datetime(2024, 9, 9), 6) == [
        "Tue 10 Sep 00:00",
        "Fri 13 Sep 00:00",
    ]


def test_a_day_field_that_begins_with_a_star_must_agree_with_the_other() -> None:
    assert readings("0 0 13 9 */5", datetime(2024, 9, 1), 30) == ["Fri 13 Sep 00:00"]
    assert readings("0 0 */10 9 sat", datetime(2024, 9, 1), 30) == ["Sat 21 Sep 00:00"]
    assert readings("0 0 10 * *", datetime(2024, 9, 1), 30) == ["Tue 10 Sep 00:00"]


def test_the_thirty_first_comes_in_seven_months_a_year() -> None:
    days = Cron.parse("0 0 31 * *").days_between(date(2023, 1, 1), date(2023, 12, 31))
    assert [day.month for day in days] == [1, 3, 5, 7, 8, 10, 12]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            "* * * *",
            "cron '* * * *' has 4 fields; write exactly five: "
            "minute hour day-of-month month day-of-week.",
        ),
        ("60 * * * *", "minute field '60': 60 is not a number from 0 to 59."),
        ("0 24 * * *", "hour field '24': 24 is not a number from 0 to 23."),
        (
            "0 0 ? * mon",
            "day-of-month field '?': `?` is not cron but Quartz; write `*`, a number from 1 to 31, "
            "or a range such as a-b, with /n behind it for a step.",
        ),
        (
            "0 0 * * mon,,tue",
            "day-of-week field 'mon,,tue': cannot read ''; write `*`, a number from 0 to 7, "
            "a name from sun to sat, or a range such as a-b, with /n behind it for a step.",
        ),
        (
            "0 0 1 janvier *",
            "month field 'janvier': janvier is not a number from 1 to 12 or one of "
            "jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec.",
        ),
        (
            "*/60 * * * *",
            "minute field '*/60': a step of 60 cannot be; write one from 1 to 59.",
        ),
        ("*/0 * * * *", "minute field '*/0': a step of 0 cannot be; write one from 1 to 59."),
        (
            "0 22-2 * * *",
            "hour field '22-2': the range 22-2 runs backwards; "
            "write 22-23,0-2 to wrap around, or swap its ends.",
        ),
        (
            "0 0 30,31 feb *",
            "cron '0 0 30,31 feb *' can never fire: day-of-month 30 is in no month of [2]; "
            "write a day from 1 to 29.",
        ),
        (
            "0 0 31 4,6,9,11 *",
            "cron '0 0 31 4,6,9,11 *' can never fire: day-of-month 31 is in no month of "
            "[4, 6, 9, 11]; write a day from 1 to 30.",
        ),
        (
            "@reboot",
            "'@reboot' is no cron alias; write one of @hourly, @daily, @midnight, @weekly, "
            "@monthly, @yearly, @annually.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_with_the_remedy(
    expression: str, sentence: str
) -> None:
    assert complaint(expression) == sentence


def test_the_remedy_for_a_range_that_wraps_around_can_be_read() -> None:
    for expression in ("0 22-2 * * *", "50-10 * * * *", "0 0 25-5 * *", "0 0 * * fri-mon"):
        remedy = re.findall(r"write (\S+) to", complaint(expression))[0]
        field = complaint(expression).split("'")[1]
        Cron.parse(expression.replace(field, remedy))


def test_a_long_text_is_not_repeated_in_full() -> None:
    assert len(complaint("x" * 10_000)) < 300
    assert len(complaint("9" * 10_000 + " * * * *")) < 300
    assert len(complaint("x" * 10_000 + " * * * *")) < 300


def test_the_thirtieth_of_february_is_no_hindrance_if_a_weekday_will_do() -> None:
    assert readings("0 0 30 feb mon", datetime(2024, 2, 20), 10) == ["Mon 26 Feb 00:00"]


def test_a_cron_cannot_be_built_from_values_that_no_clock_shows() -> None:
    one, never = frozenset({1}), frozenset[int]()
    with pytest.raises(BadCron, match=r"hour values .* from 0 to 23, at least one, not "):
        Cron("", one, never, one, one, one, either_day=False)
    with pytest.raises(BadCron, match=r"day-of-week values .* from 0 to 6, at least one, not "):
        Cron("", one, one, one, one, frozenset({7}), either_day=False)


def items(field: Field) -> st.SearchStrategy[tuple[str, set[int]]]:
    """An item of a field as text, beside the values that it means."""
    numbers = st.integers(field.low, field.top)
    ends = st.tuples(numbers, numbers).map(sorted)
    steps = st.integers(1, field.high)
    everything = range(field.low, field.top + 1)
    return st.one_of(
        st.just(("*", set(everything))),
        steps.map(lambda n: (f"*/{n}", set(everything[::n]))),
        numbers.map(lambda a: (f"{a}", {a})),
        ends.map(lambda ab: (f"{ab[0]}-{ab[1]}", set(range(ab[0], ab[1] + 1)))),
        st.tuples(numbers, steps).map(
            lambda an: (f"{an[0]}/{an[1]}", set(range(an[0], field.top + 1, an[1])))
        ),
        st.tuples(ends, steps).map(
            lambda abn: (
                f"{abn[0][0]}-{abn[0][1]}/{abn[1]}",
                set(range(abn[0][0], abn[0][1] + 1, abn[1])),
            )
        ),
    )


@st.composite
def written_crons(draw: st.DrawFn) -> tuple[str, list[set[int]]]:
    """An expression, beside the values of its five fields."""
    lists = [draw(st.lists(items(field), min_size=1, max_size=3)) for field in FIELDS]
    text = " ".join(",".join(item for item, _ in field) for field in lists)
    return text, [set().union(*(values for _, values in field)) for field in lists]


@steady
@given(written_crons())
def test_every_field_is_read_as_it_was_meant(written: tuple[str, list[set[int]]]) -> None:
    text, meant = written
    try:
        cron = Cron.parse(text)
    except BadCron:
        assert min(meant[2]) > 29, "only a day which some month lacks can never come"
        assert "can never fire" in complaint(text)
    else:
        assert [cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays] == meant


@steady
@given(
    written_crons(),
    st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1)),
    st.timedeltas(timedelta(), timedelta(days=70)),
    st.integers(0, 50),
)
def test_readings_are_counted_and_cut_as_they_are_listed(
    written: tuple[str, list[set[int]]], begins: datetime, length: timedelta, limit: int
) -> None:
    try:
        cron = Cron.parse(written[0])
    except BadCron:
        return
    listed = list(cron.walls(begins, begins + length))
    assert all(begins <= wall < begins + length for wall in listed)
    assert all(earlier < later for earlier, later in pairwise(listed))
    assert cron.count_walls(begins, begins + length) == len(listed)
    newest = listed[max(0, len(listed) - limit) :]
    assert cron.newest_walls(begins, begins + length, limit) == newest


GARBAGE = st.one_of(
    st.text(),
    st.text("0123456789*/-,?@ \t#LWadefjmnorstu", max_size=30),
    st.lists(st.text("0123456789*/-,²٣", min_size=1, max_size=6), min_size=5, max_size=5).map(
        " ".join
    ),
)


@settings(steady, max_examples=500)
@given(GARBAGE)
@example("")
@example("@")
@example("² * * * *")
@example("٣ * * * *")
@example("-1 * * * *")
@example("1- * * * *")
@example("1-2-3 * * * *")
@example("*-5 * * * *")
@example("1/2/3 * * * *")
@example("1,\n2 * * * *")
@example("0 0 1 1 \x00")
@example("0 0 * \N{LATIN SMALL LETTER LONG S}ep *")
def test_garbage_is_bad_cron_and_nothing_else(text: str) -> None:
    try:
        cron = Cron.parse(text)
    except BadCron:
        assert re.fullmatch(r".{10,300}\.", complaint(text))
    else:
        assert next(cron.walls(datetime(2024, 1, 1), datetime(2424, 1, 1)))
