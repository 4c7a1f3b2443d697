"""Pairs that keep length from counting, and how far it counts all the same."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.preferences import Answer, Scored, preferences
from pipelines.data.rows import Provenance
from pipelines.length import FEW, SWAY, alike, shorter, sway, words_more

ORIGIN = Provenance(source="policy", method="verifier")
answers = st.lists(
    st.tuples(st.text("ab ", min_size=1, max_size=9), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])),
    min_size=1,
    max_size=5,
)


def scored(many: list[list[tuple[str, float]]]) -> list[Scored]:
    return [
        Scored(f"prompt {place}", [Answer(*one) for one in own], ORIGIN)
        for place, own in enumerate(many)
    ]


def some(seed: int, prompts: int = 300) -> list[Scored]:
    """Answers of which the longer ones are better, most of the time."""
    luck = Random(seed)
    found = []
    for _ in range(prompts):
        own = []
        for place in range(4):
            many = luck.randrange(2, 9)
            worth = min(5, max(0, many // 2 + luck.choice((-2, -1, 0, 0, 1)))) / 5
            own.append((" ".join(["w"] * many + [str(place)]), worth))
        found.append(own)
    return scored(found)


def rows(these: list[Scored]) -> list[dict[str, object]]:
    return [one.kept() for one in preferences(these) if one.gap >= 0.2]


@pytest.mark.parametrize("seed", range(5))
def test_the_longer_side_is_no_better_than_the_shorter_one_when_all_are_taken_together(
    seed: int,
) -> None:
    these = some(seed)
    kept = rows(these)
    before = Counter(words_more(str(o["chosen"]), str(o["rejected"])) > 0 for o in kept)
    assert before[True] > 2 * before[False]
    more = shorter(kept, these, 0.2, seed)
    after = Counter(words_more(one.chosen, one.rejected) > 0 for one in more)
    assert after[True] == 0
    long = sum(words_more(str(o["chosen"]), str(o["rejected"])) > 0 for o in kept)
    short = sum(words_more(str(o["chosen"]), str(o["rejected"])) < 0 for o in kept) + len(more)
    assert 0.7 * long <= short <= long


@given(st.lists(answers, max_size=6), st.integers(0, 9))
@settings(max_examples=60)
def test_what_is_added_is_a_true_preference_of_a_known_prompt_and_stands_there_once(
    many: list[list[tuple[str, float]]], seed: int
) -> None:
    these = scored(many)
    kept = rows(these)
    found = shorter(kept, these, 0.2, seed)
    worth = {(one.prompt, own.text): own.score for one in these for own in one.answers}
    known = {(one["prompt"], one["chosen"], one["rejected"]) for one in kept}
    seen = [(one.prompt, one.chosen, one.rejected) for one in found]
    assert len(set(seen)) == len(seen)
    assert not known & set(seen)
    assert {one.prompt for one in found} <= {one["prompt"] for one in kept}
    for one in found:
        assert words_more(one.chosen, one.rejected) < 0
        assert one.gap >= 0.2
        if sum(own.text == one.chosen for own in these[int(one.prompt[7:])].answers) == 1:
            assert worth[one.prompt, one.chosen] > worth[one.prompt, one.rejected]
    assert found == shorter(kept, these, 0.2, seed)


def test_of_answers_that_are_worth_the_same_those_are_asked_that_differ_most_in_length() -> None:
    these = scored(
        [
            [("a", 0.4), ("a b c", 0.4), ("a b", 0.4), ("a b c d e f", 0.8)],
            [("a b", 0.2), ("c d", 0.2)],
            [("a", 0.2), ("b c", 0.4)],
        ]
    )
    assert [(one.prompt, one.chosen, one.rejected) for one in alike(these)] == [
        ("prompt 0", "a b c", "a")
    ]


def test_a_judge_that_counts_words_is_found_and_one_that_does_not_is_let_through() -> None:
    luck = Random(3)
    fair = sway([luck.gauss(0, 1) for _ in range(300)], 300)
    likes = sway([luck.gauss(1.2, 1) for _ in range(300)], 300)
    against = sway([luck.gauss(-1.2, 1) for _ in range(300)], 300)
    assert fair["length_sway"].high < SWAY
    assert fair["length_sway"].low == 0
    for one in (likes, against):
        assert one["length_sway"].low > SWAY
        assert one["length_sway"].low <= one["length_sway"].value <= one["length_sway"].high
    assert likes["longer_of_equals"].value > 0.5 > against["longer_of_equals"].value


def test_where_the_same_is_said_in_as_many_words_length_has_no_say() -> None:
    found = sway([1.0] * (FEW - 1), 200)
    assert set(found) == {"length_sway"}
    assert (found["length_sway"].high, found["length_sway"].n) == (0, 200)
