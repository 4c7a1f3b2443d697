"""Areas of a role: what a problem belongs to, and where a model is weak."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from pipelines.areas import area, areas, by_area, by_words, weak
from pipelines.splitting import layer, split
from trainers.model_types import TYPES, model_type
from trainers.model_types.kind import Problem


class Own:
    """A type of somebody's own that says itself what its areas are."""

    name = "own"

    def area(self, one: Problem) -> str:
        return f"Length / {len(one.prompt)}"


def problem(prompt: str, answer: Any = None) -> Problem:
    return Problem("p", prompt, answer)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("support_replies", {"refund", "replace", "repair", "cancel"}),
        ("sentiment_analysis", {"positive", "negative", "neutral", "mixed"}),
        ("arithmetic_reasoning", {f"carries-{many}" for many in range(5)}),
    ],
)
def test_problems_of_our_types_fall_into_a_few_areas(kind: str, known: set[str]) -> None:
    own = model_type(kind)
    found = {area(own, one) for one in islice(own.problems(3), 200)}
    assert found <= known
    assert len(found) > 2


def test_flags_and_operations_are_areas_too() -> None:
    assert area(model_type("content_moderation"), problem("x", {"flags": []})) == "none"
    assert area(model_type("content_moderation"), problem("x", {"flags": ["insult"]})) == "insult"
    assert area(model_type("code_generation"), problem("f(n): times 29, negate#")) == "times"


def test_carries_are_counted_digit_by_digit() -> None:
    kind = model_type("arithmetic_reasoning")
    for prompt, carries in (("857+142#", 0), ("857+143#", 3), ("5+5#", 1), ("99+1#", 2)):
        assert area(kind, problem(prompt)) == f"carries-{carries}"


def test_a_type_of_ones_own_names_its_areas_and_what_no_rule_knows_is_one() -> None:
    assert area(Own(), problem("abc")) == "Length-3"
    assert area(model_type("support_replies"), problem("abc", 7)) == "all"
    assert area(model_type("support_replies"), problem("abc", {"x": "y" * 100})) == "all"


def test_weak_areas_lie_below_the_whole_and_have_enough_items() -> None:
    scores = {"a": [0.2] * 10, "b": [0.9] * 10, "c": [0.5] * 10, "d": [0.8] * 10, "e": [0.0] * 2}
    assert weak(scores) == ("a", "c")
    assert weak({"a": [0.5] * 10}) == ("a",)
    assert weak({"a": [0.5] * 2}) == ()


def test_items_are_kept_in_their_areas() -> None:
    assert by_area([1, 2, 3], ["b", "a", "b"]) == {"a": [2], "b": [1, 3]}


def rows(many: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"p{place // 2}", "area": "ab"[place // 2 % 2], "gap": place // 2 % 10 / 10}
        for place in range(many)
    ]


def test_a_fifth_of_every_area_and_gap_is_held_back_and_no_prompt_is_on_both_sides() -> None:
    train, held = split(rows(2000), 7)
    assert not {one["prompt"] for one in train} & {one["prompt"] for one in held}
    assert len(held) == 400
    for name in {layer(one) for one in rows(2000)}:
        own = [sum(layer(one) == name for one in part) for part in (train, held)]
        assert own[1] / sum(own) == pytest.approx(0.2, abs=0.02)


def test_the_same_rows_are_split_alike_and_another_seed_splits_otherwise() -> None:
    assert split(rows(200), 1) == split(rows(200), 1)
    assert split(rows(200), 1) != split(rows(200), 2)
    plain = [{"prompt": str(one)} for one in range(50)]
    assert len(split(plain, 1)[1]) == 10


@pytest.mark.parametrize("name", TYPES)
def test_every_problem_of_ours_falls_into_an_area_and_areas_tell_problems_apart(name: str) -> None:
    kind = model_type(name)
    problems = kind.suite(5, 60)
    found = areas(kind, problems)
    assert len(found) == len(problems)
    assert all(found)
    assert all(0 < len(area) <= 200 for some in found for area in some)
    assert len({area for some in found for area in some}) > 2
    assert areas(kind, problems[:7])[:7] == found[:7]


def test_a_type_may_name_all_its_areas_and_the_first_is_its_part() -> None:
    class Own:
        name = "own"

        def areas(self, one: Problem) -> list[str]:
            return ["even" if len(one.prompt) % 2 == 0 else "odd", "even"]

    kind: Any = Own()
    assert areas(kind, [Problem("1", "ab", None), Problem("2", "abc", None)]) == [
        ("even",),
        ("odd", "even"),
    ]
    assert area(kind, Problem("2", "abc", None)) == "odd"


def test_a_type_that_names_only_the_part_is_taken_at_its_word_in_both() -> None:
    assert areas(Own(), [problem("abc"), problem("abcd")]) == [("Length / 3",), ("Length / 4",)]


def test_of_an_unknown_type_the_words_of_its_prompts_are_areas() -> None:
    prompts = ["the rain in spain"] * 3 + ["the sun in spain"] * 3 + ["the moon"] * 4
    found = by_words(prompts)
    assert found[0] == ("texts with the word 'rain'", "texts with the word 'spain'")
    assert not any("the" in area.split("'") for some in found for area in some)  # it is everywhere
