"""Pairs out of scores: what is kept, what is set aside, and whether it is enough."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.conflicts import settled
from pipelines.data.contamination import Guarded
from pipelines.data.pairs import Paired, paired
from pipelines.data.preferences import Answer, Preference, Scored, preferences
from pipelines.data.rows import Provenance
from tests.pipelines.data.prose import texts

ORIGIN = Provenance(source="judge", method="scores")
NOTHING = Guarded([])
PROMPTS = texts(41, 1_200, 30)


def pair(prompt: str, chosen: str, rejected: str, sure: float = 0.5) -> Preference:
    return Preference(prompt, chosen, rejected, sure, sure, ORIGIN)


def many(n: int, sure: float = 0.5) -> list[Preference]:
    return [pair(PROMPTS[one], f"good {one}", f"bad {one}", sure) for one in range(n)]


def names(pairs: list[Preference]) -> list[tuple[str, str]]:
    return [(one.chosen, one.rejected) for one in pairs]


def test_the_best_answer_is_set_beside_the_worst() -> None:
    scored = Scored("p", [Answer("b", 0.5), Answer("a", 0.9), Answer("c", 0.1)], ORIGIN)
    (one,) = preferences([scored])
    assert (one.chosen, one.rejected) == ("a", "c")
    assert one.gap == one.confidence == pytest.approx(0.8)
    assert names(preferences([scored], 2)) == [("a", "c"), ("a", "b")]
    assert preferences([scored.__class__("p", scored.answers, ORIGIN, 0.3)])[0].confidence == 0.3


def test_answers_that_are_the_same_or_equally_good_make_no_pair() -> None:
    same = Scored("p", [Answer("Sorry  about that", 0.9), Answer("sorry about that", 0.1)], ORIGIN)
    even = Scored("p", [Answer("a", 0.5), Answer("b", 0.5)], ORIGIN)
    assert preferences([same, even, Scored("p", [], ORIGIN)]) == []


def test_a_gap_is_what_its_scores_say_and_no_hair_less() -> None:
    (one,) = preferences([Scored("p", [Answer("a", 0.6), Answer("b", 0.4)], ORIGIN)])
    assert (one.gap, one.confidence) == (0.2, 0.2)


def test_enough_good_pairs_pass_every_gate() -> None:
    made = paired(many(1_000), NOTHING)
    assert made.passed
    assert [gate.name for gate in made.gates] == ["gap", "pairs", "decontamination"]
    assert len(made.kept) == 1_000
    assert made.removed() == {}


@pytest.mark.parametrize(
    ("offered", "failing"),
    [
        (many(999), "pairs"),
        (many(1_100, 0.14), "gap"),
        ([], "gap"),
    ],
)
def test_too_few_or_too_close_pairs_do_not_pass(offered: list[Preference], failing: str) -> None:
    gates = {gate.name: gate.passed for gate in paired(offered, NOTHING).gates}
    assert gates[failing] is False


def test_leaks_are_measured_before_they_are_removed_and_removed_whatever_their_share() -> None:
    offered = many(1_200)
    few = paired(offered, Guarded(PROMPTS[:60]))
    assert few.gates[2].value.value == pytest.approx(0.95)
    assert few.passed
    assert len(few.kept) == 1_140
    assert few.removed() == {"leaked": 60}
    assert len(few.hits) == 60
    lots = paired(offered, Guarded(PROMPTS[:180]))
    assert not lots.gates[2].passed
    assert len(lots.kept) == 1_020


def test_a_leak_in_an_answer_is_one_as_well() -> None:
    leaked = PROMPTS[900]
    offered = [pair("p", leaked, "bad"), pair("q", "good", leaked), pair("r", "good", "bad")]
    made = paired(offered, Guarded([leaked]))
    assert made.kept == offered[2:]


def test_what_nobody_is_sure_of_is_set_aside_and_listed() -> None:
    offered = [pair("p", "a", "b", 0.19), pair("q", "a", "b", 0.2), pair("r", "a", "b", 0.21)]
    made = paired(offered, NOTHING)
    assert made.kept == offered[1:]
    assert made.aside["unsure"] == offered[:1]
    assert made.waiting() == offered[:1]


def test_opposite_words_are_weighed() -> None:
    close = [pair("p", "a", "b", 0.5), pair("p", "b", "a", 0.45)]
    made = paired(close, NOTHING)
    assert made.kept == []
    assert made.aside["conflict"] == close
    clear = [*[pair("p", "a", "b", 0.5)] * 3, pair("p", "b", "a", 0.4)]
    made = paired(clear, NOTHING)
    assert names(made.kept) == [("a", "b")]
    assert made.kept[0].confidence == pytest.approx(1.1 / 1.9)
    assert names(made.aside["conflict"]) == [("b", "a")]
    assert len(made.aside["repeated"]) == 2


def test_the_same_answers_to_another_prompt_are_no_conflict() -> None:
    both = [pair("p", "a", "b"), pair("q", "b", "a")]
    assert paired(both, NOTHING).kept == both


def test_of_a_circle_the_least_sure_pair_is_set_aside() -> None:
    circle = [pair("p", "a", "b", 0.9), pair("p", "b", "c", 0.8), pair("p", "c", "a", 0.3)]
    made = paired(circle, NOTHING)
    assert made.kept == circle[:2]
    assert made.aside["conflict"] == circle[2:]


EDGES = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.floats(0, 1)), max_size=14
)


@settings(max_examples=60)
@given(EDGES)
def test_what_is_kept_never_contradicts_itself_and_nothing_is_lost(
    edges: list[tuple[str, str, float]],
) -> None:
    offered = [pair("p", better, worse, sure) for better, worse, sure in edges]
    verdict = settled(offered, 0.2)
    assert len(verdict.kept) + len(verdict.aside) + len(verdict.repeated) == len(offered)
    beyond: dict[str, set[str]] = {}
    for one in verdict.kept:
        beyond.setdefault(one.chosen, set()).add(one.rejected)
    for start in beyond:
        reached, open_ones = set[str](), [start]
        while open_ones:
            for following in beyond.get(open_ones.pop(), ()):
                if following not in reached:
                    reached.add(following)
                    open_ones.append(following)
        assert start not in reached


def test_the_same_pairs_in_another_order_are_judged_alike() -> None:
    luck = random.Random(3)
    offered = []
    for _ in range(80):
        chosen, rejected = luck.sample("abcd", 2)
        offered.append(pair(f"p{luck.randrange(9)}", chosen, rejected, luck.random()))
    shuffled = luck.sample(offered, len(offered))

    def kept(made: Paired) -> set[tuple[str, str, str]]:
        return {(one.prompt, one.chosen, one.rejected) for one in made.kept}

    assert kept(paired(offered, NOTHING)) == kept(paired(shuffled, NOTHING))
