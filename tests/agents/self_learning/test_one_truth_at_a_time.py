"""Whatever is told about a subject in whatever order: at no moment do two facts hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given as supposing
from hypothesis import settings
from hypothesis import strategies as any_of

from agents.self_learning import SELF_LEARNING
from agents.self_learning.items import Item
from tests.agents.self_learning.roles import SUPPORT, fact
from tests.agents.spec import BEGIN, given

Told = tuple[int, int, str]
TELLINGS = any_of.lists(
    any_of.tuples(any_of.integers(0, 12), any_of.integers(0, 6), any_of.sampled_from("abcd")),
    max_size=10,
)


@supposing(TELLINGS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_of_one_subject_at_most_one_fact_holds_at_any_moment(tellings: list[Told]) -> None:
    history = given(SELF_LEARNING, SUPPORT)
    for begin, lasts, letter in tellings:
        history.tell(
            fact(
                f"It is {letter * 3}.",
                about="it",
                valid_from=day(begin),
                valid_to=day(begin + lasts) if lasts else None,
            )
        )
    items: list[Item] = list(history.state.items.get("support", {}).values())
    spans = sorted(
        (one.valid_from, one.valid_to or day(99))
        for one in items
        if one.valid_from and one.valid_from != one.valid_to
    )
    assert all(begin < end for begin, end in spans)
    assert all(before[1] <= behind[0] for before, behind in pairwise(spans))


@supposing(TELLINGS)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_newest_telling_is_what_holds_at_its_beginning(tellings: list[Told]) -> None:
    history = given(SELF_LEARNING, SUPPORT)
    for number, (begin, _, letter) in enumerate(tellings):
        text = f"It is {letter * 3}."
        history.tell(fact(text, about="it", valid_from=day(begin)), f"t{number}")
        (holds,) = [
            name
            for name, one in history.state.items["support"].items()
            if one.valid_from and one.valid_from <= day(begin) and one.lasts_beyond(day(begin))
        ]
        assert f"t{number}" in history.state.items["support"][holds].sources


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)
