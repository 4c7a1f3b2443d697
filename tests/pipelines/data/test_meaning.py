"""Leaks by meaning: what an embedder finds near is compared before it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pipelines.data.contamination import Guarded
from pipelines.data.language import Language, language_of
from pipelines.data.meaning import BEYOND, other_numbers, says_again, shared
from tests.memory.direct import Direct
from tests.memory.knowledge.sayings import SAYINGS
from trainers.model_types.finding import model_type

ITEM = "A customer who returns shoes within two weeks gets the full price back."
AGAIN = "Anybody bringing footwear back in the first fourteen days receives a complete refund."


def test_what_is_near_for_the_words_that_it_shares_is_no_leak() -> None:
    other = "A customer who buys two pairs of shoes gets the cheaper pair at half the price."
    assert shared(AGAIN, ITEM) < 0.2 < shared(other, ITEM)
    assert says_again(AGAIN, ITEM, 0.65)
    assert not says_again(other, ITEM, 0.65)


def test_what_is_hardly_near_is_no_leak_and_neither_is_an_item_that_says_nothing() -> None:
    assert not says_again(AGAIN, ITEM, BEYOND - 0.01)
    assert not says_again(AGAIN, "", 1.0)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("3 apples at 20 cents", "20 cents for each of 3", False),
        ("3 apples at 20 cents", "4 pears at 25 cents", True),
        ("three apples", "4 pears", False),
        ("3 apples", "apples", False),
    ],
)
def test_two_texts_whose_numbers_differ_are_two_problems(
    one: str, other: str, differ: bool
) -> None:
    assert other_numbers(one, other) is differ
    assert other_numbers(other, one) is differ


def test_texts_of_a_closed_language_are_left_to_its_own_rule() -> None:
    language = language_of(model_type("arithmetic_reasoning"))
    asked: list[str] = []

    def nearest(texts: Sequence[str]) -> list[tuple[int, float] | None]:
        asked.extend(texts)
        return [(0, 0.99) for _ in texts]

    assert isinstance(language, Language)
    guarded = Guarded(["347+585#"], language)
    found = guarded.leaks(["348+586#", "What do you get for 347 plus 585?"], nearest)
    assert found == [None, None]
    assert asked == ["What do you get for 347 plus 585?"]


def test_what_runs_of_words_miss_is_found_by_meaning_and_its_like_is_left() -> None:
    items = [one.text for one in SAYINGS]
    embedder = Direct()
    kept = asyncio.run(embedder.embed(items, "passage"))

    def nearest(texts: Sequence[str]) -> list[tuple[int, float] | None]:
        made = asyncio.run(embedder.embed(texts, "passage"))
        alike = [[sum(map(float.__mul__, one, item)) for item in kept] for one in made]
        return [max(enumerate(row), key=lambda one: one[1]) for row in alike]

    guarded = Guarded(items)
    again = [one.reworded for one in SAYINGS]
    assert not any(guarded.leaks(again))
    found = guarded.leaks(again, nearest)
    assert [hit.item for hit in found if hit] == [n for n, hit in enumerate(found) if hit]
    assert sum(map(bool, found)) >= 0.55 * len(SAYINGS)
    siblings = [one.sibling for one in SAYINGS]
    assert guarded.leaks(siblings, nearest) == guarded.leaks(siblings)
