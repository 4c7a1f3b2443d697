"""What is asked of a reward model, and what is said of it: probes, failure modes, behaviours."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pipelines.behaviours import Answered, aligned, behaviours, by_length, table
from pipelines.convergence import convergence, report
from pipelines.data.report import markdown
from pipelines.failures import by_length as length_of
from pipelines.failures import clear, hardest, kinds, right
from pipelines.probes import ANOTHERS, EDGES, HOSTILE, TWINS, hostile, twins, worsened

GOOD = "sorry about that . we will refund your laptop . kind regards"


def row(place: int, **more: Any) -> dict[str, Any]:
    chosen = f"{GOOD} {place}"
    return {"prompt": f"p{place}", "chosen": chosen, "rejected": "no", "gap": 0.8} | more


def test_hostile_pairs_are_made_in_every_way_and_the_same_again() -> None:
    rows = [row(place) for place in range(20)]
    made = hostile(rows, 3)
    assert {one["probe"] for one in made} == {*HOSTILE, ANOTHERS}
    assert made == hostile(rows, 3)
    assert all(one["chosen"].split() != one["rejected"].split() for one in made)
    foreign = [one for one in made if one["probe"] == ANOTHERS]
    assert all(one["rejected"].split()[-1] != one["prompt"][1:] for one in foreign)


def test_odd_answers_are_none_that_are_empty_or_the_same() -> None:
    made = worsened([row(place) for place in range(8)], EDGES)
    assert {one["probe"] for one in made} == set(EDGES)
    assert worsened([{"prompt": "p", "chosen": "word", "rejected": "x"}], EDGES) == []


def test_a_twin_is_the_same_answer_in_another_form_and_worth_as_much() -> None:
    found = list(twins([row(1)], lambda *_: True))
    assert {one["probe"] for one in found} == set(TWINS)
    turned = next(one["rejected"] for one in found if "order" in one["probe"])
    assert turned.startswith("we will refund your laptop . sorry about that .")
    assert list(twins([row(1)], lambda *_: False)) == []


def test_the_kind_of_preference_that_is_hard_is_found() -> None:
    rows = [row(place, area="ab"[place % 2], gap=0.3 + place % 2 / 2) for place in range(60)]
    margins = [1.0 if one["area"] == "a" else -1.0 for one in rows]
    found = kinds(rows, margins)
    assert found["area a"].value == 1.0
    worst = hardest(found)
    assert worst is not None
    assert worst[1].value == 0.0
    assert right(margins).value == 0.5
    assert right([0.0]).value == 0.0  # a tie is wrong


def test_clear_preferences_are_told_from_others_by_their_gap() -> None:
    assert clear([row(1, gap=0.8), row(2, gap=0.2)], [2.0, 1.0]) == ([2.0], [1.0])


def test_a_model_that_likes_length_is_found_out() -> None:
    luck, rows, margins = random.Random(1), list[dict[str, Any]](), list[float]()
    for place in range(200):
        words = luck.randint(1, 20)
        rows.append(row(place, chosen="w " * words, gap=luck.random()))
        margins.append(words + luck.gauss(0, 2))
    found, alone = length_of(rows, margins)
    assert found.low > 0.8
    assert alone > 0.8


def answers(likes: str) -> list[Answered]:
    """The goal rewards `sorry`; the model rewards what it likes."""
    luck, found = random.Random(2), []
    for _ in range(300):
        words = [word for word in ("sorry", "refund", "cheap") if luck.random() < 0.5]
        filler = ["so"] * luck.randint(0, 5)
        text = " ".join([*words, *filler]) or "so"
        goal = float("sorry" in words)
        found.append(Answered(text, float(likes in words) + luck.gauss(0, 0.2), goal))
    return found


def test_a_reward_that_means_the_goal_is_aligned_and_nothing_speaks_against_it() -> None:
    found = behaviours(answers("sorry"))
    assert found[0].name in ("says 'sorry'", "polite words")
    assert found[0].rewarded.low > 0.5
    assert not any(one.against for one in found)
    assert aligned(answers("sorry")).low > 0.5
    assert abs(by_length(answers("sorry"))) < 0.3


def test_a_reward_for_something_else_is_told() -> None:
    assert aligned(answers("cheap")).high < 0.3
    known = {one.name: one for one in behaviours(answers("cheap"))}
    assert known["says 'cheap'"].rewarded.low > 0.5
    against = [
        Answered(one.text, -one.goal + one.reward / 10, one.goal) for one in answers("sorry")
    ]
    found = behaviours(against)
    assert any(one.against for one in found)
    assert any(line[-1] == "no" for line in table(found).rows)


def round_(gain: float, spread: float = 0.01) -> dict[str, Any]:
    return {
        "gain": gain, "low": gain - spread, "high": gain + spread, "score": 0.6, "kl": 0.05,
        "weak": ["refund"], "weak_gain": gain, "pairs": 300,
    }  # fmt: skip


def test_rounds_grow_fade_and_converge() -> None:
    assert convergence([round_(0.08)]) == ("growing", None, None)
    found = convergence([round_(0.08), round_(0.04)])
    assert found.state == "growing"
    assert found.fading == pytest.approx(0.5)
    assert found.left == pytest.approx(0.04)
    assert convergence([round_(0.08), round_(0.0)]).state == "converged"
    assert convergence([round_(-0.08)]).state == "declining"
    told = markdown(report("Rounds", [round_(0.08), round_(0.04)]))
    assert "0.040 is left to be won" in told
    assert "refund" in told
