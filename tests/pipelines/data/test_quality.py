"""Good data is called good for every type, and each part of the measure falls when it should."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data.contamination import Guarded
from pipelines.data.quality import (
    COSTLY,
    PARTS,
    TARGET,
    Quality,
    evaluated,
    guarding,
    leaks_of,
    wrong_with,
)
from pipelines.data.rows import Row
from tests.pipelines.data.prose import texts
from tests.pipelines.data.solved import KINDS, examination, rows_of, solved
from trainers.model_types.kind import problem_of

MANY = 300
MEASURED = ("sentiment_analysis", "support_replies", "arithmetic_reasoning")


@cache
def clean(name: str) -> list[Row]:
    return rows_of(name, MANY)


@cache
def guarded(name: str) -> Guarded:
    return guarding([one.prompt for one in examination(name)], KINDS[name])


def judged(name: str, rows: Sequence[Row]) -> Quality:
    return evaluated(rows, KINDS[name], guarded(name))


@pytest.mark.parametrize("name", KINDS)
def test_a_thousand_rows_of_an_exact_expert_are_good_enough(name: str) -> None:
    quality = judged(name, rows_of(name, 1_000, 17))
    assert tuple(quality.parts) == PARTS
    assert quality.overall.value >= TARGET, quality.parts
    assert quality.parts["duplicates"].n == 1_000
    assert quality.parts["validity"].n == (COSTLY if name == "code_generation" else 1_000)
    for part in ("validity", "duplicates", "contamination"):
        assert quality.parts[part].value == 1
    assert not quality.invalid
    assert not quality.repeats
    assert not quality.leaks


@pytest.mark.parametrize("name", MEASURED)
def test_what_a_teacher_has_hidden_in_its_reasoning_is_a_leak(name: str) -> None:
    rows = [dict(row) for row in clean(name)[:50]]
    for row, item in zip(rows, examination(name), strict=False):
        first, *others = row["steps"]
        row["steps"] = [{**first, "reasoning": item.prompt}, *others]
    assert len(leaks_of(rows, guarded(name))) == 50


def test_the_title_of_a_step_is_no_leak_of_an_item_that_is_a_word() -> None:
    words = Guarded(["verdict", "sum", "close", "apology"])
    assert not leaks_of(clean("support_replies"), words)


@pytest.mark.parametrize("many", [20, 100])
@pytest.mark.parametrize("name", MEASURED)
def test_few_rows_are_not_blamed_for_being_few(name: str, many: int) -> None:
    figures = [judged(name, rows_of(name, many, seed)).overall.value for seed in range(5)]
    assert sum(figure >= TARGET for figure in figures) >= 4, figures


def planted_wrong(name: str, rows: list[Row], places: Sequence[int]) -> None:
    """Well-formed, but the answers to other problems."""
    others = [row["completion"] for row in clean(name)]
    for place in places:
        one = problem_of(rows[place])
        wrong = (text for text in others if not KINDS[name].verify(one, text).correct)
        rows[place] = rows[place] | {"completion": next(wrong)}


def planted_repeats(_name: str, rows: list[Row], places: Sequence[int]) -> None:
    kept = next(place for place in range(len(rows)) if place not in places)
    for number, place in enumerate(places):
        other = [rows[kept], rows[(kept + 1) % len(rows)]][number % 2]
        rows[place] = other if number % 3 else other | {"prompt": f"Please: {other['prompt']}"}


def planted_leaks(name: str, rows: list[Row], places: Sequence[int]) -> None:
    leaked = solved(KINDS[name], examination(name))
    for number, place in enumerate(places):
        rows[place] = leaked[number % len(leaked)]


def planted_sameness(name: str, rows: list[Row], places: Sequence[int]) -> None:
    """Rows that differ as little as their language allows."""
    words = rows[0]["prompt"].split()[:3] if " " in rows[0]["prompt"] else ["3"]
    alike = sorted(rows_of(name, 1_500, 23), key=lambda row: _unlike(row["prompt"], words))
    for number, place in enumerate(places):
        rows[place] = alike[number % 30]


def planted_one_class(name: str, rows: list[Row], places: Sequence[int]) -> None:
    first = str(rows[0]["outcome"]).split()[0]
    same = [row for row in rows_of(name, 1_500, 29) if str(row["outcome"]).split()[0] == first]
    for number, place in enumerate(places):
        rows[place] = same[number]


def _unlike(prompt: str, words: list[str]) -> tuple[int, str]:
    return sum(word not in prompt for word in words), prompt


Plant = Callable[[str, list[Row], Sequence[int]], None]
PLANTS: dict[str, Plant] = {
    "validity": planted_wrong,
    "duplicates": planted_repeats,
    "contamination": planted_leaks,
}


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("part", PLANTS)
@settings(max_examples=3)
@given(share=st.floats(0.09, 0.5), seed=st.integers(0, 99))
def test_a_part_falls_with_what_is_planted_and_takes_the_whole_with_it(
    name: str, part: str, share: float, seed: int
) -> None:
    rows = list(clean(name))
    places = random.Random(seed).sample(range(MANY), int(share * MANY))
    PLANTS[part](name, rows, places)
    quality = judged(name, rows)
    assert quality.parts[part].value <= 1 - 0.7 * share
    assert quality.parts[part].low <= quality.parts[part].value <= quality.parts[part].high
    assert quality.overall.value < TARGET
    assert quality.overall.value == min(one.value for one in quality.parts.values())


@pytest.mark.parametrize("name", [*MEASURED, "content_moderation"])
def test_diversity_falls_where_rows_are_much_alike(name: str) -> None:
    before = judged(name, clean(name)).parts["diversity"].value
    rows = list(clean(name))
    planted_sameness(name, rows, range(0, MANY, 2))
    quality = judged(name, rows)
    assert quality.parts["diversity"].value < min(TARGET, before - 0.03)
    assert quality.overall.value < TARGET


def test_diversity_falls_where_all_answers_are_the_same_words() -> None:
    rows = list(clean("support_replies"))
    (reply,) = {row["completion"] for row in rows[:1]}
    rows[::2] = [row | {"completion": reply} for row in rows[::2]]
    assert judged("support_replies", rows).parts["diversity"].value < TARGET


@pytest.mark.parametrize("name", ["sentiment_analysis"])
def test_balance_falls_where_one_answer_is_most_of_them(name: str) -> None:
    rows = list(clean(name))
    planted_one_class(name, rows, range(0, MANY, 2))
    quality = judged(name, rows)
    assert quality.parts["balance"].value < TARGET
    assert quality.parts["validity"].value == 1
    assert quality.overall.value < TARGET


def test_prose_without_a_type_is_measured_as_prose() -> None:
    rows: list[Row] = [{"prompt": one, "completion": two} for one, two in _said(31, 400)]
    quality = evaluated(rows, None, Guarded(texts(33, 50)))
    assert quality.overall.value >= TARGET, quality.parts
    alike = [{"prompt": f"write a short mail about {n}", "completion": one} for n, (one, _) in
             enumerate(_said(34, 160))]  # fmt: skip
    rows[::3] = alike[: len(rows[::3])]
    assert evaluated(rows, None).parts["diversity"].value < TARGET


def test_a_pair_is_valid_where_the_chosen_answer_is_the_better_one() -> None:
    kind = KINDS["support_replies"]
    row = clean("support_replies")[0]
    pair = {"prompt": row["prompt"], "answer": row["answer"]}
    good = pair | {"chosen": row["completion"], "rejected": "we will see"}
    assert wrong_with(good, kind) == ""
    turned = pair | {"chosen": "we will see", "rejected": row["completion"]}
    assert wrong_with(turned, kind) == "the rejected one is the better"
    assert "the same" in wrong_with(pair | {"chosen": "a", "rejected": "a"}, kind)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"completion": 5}, "completion"),
        ({"completion": ""}, "completion"),
        ({"prompt": "no sum"}, "addition"),
        ({"steps": []}, "steps"),
        ({"completion": "<think>sum</think>=1;"}, "not the sum"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(changed: dict[str, Any], told: str) -> None:
    kind = KINDS["arithmetic_reasoning"]
    row = clean("arithmetic_reasoning")[0]
    assert wrong_with(row, kind) == ""
    assert told in wrong_with(row | changed, kind)


def test_no_rows_are_no_good() -> None:
    assert evaluated([], KINDS["support_replies"]).overall.value == 0


def _said(seed: int, many: int) -> list[tuple[str, str]]:
    return list(zip(texts(seed, many, 25), texts(seed + 1, many, 25), strict=True))
