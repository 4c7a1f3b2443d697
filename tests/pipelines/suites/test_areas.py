"""Areas: what problems of each type have in common, in words for a request of data."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.suites.areas import areas, by_words
from trainers.model_types import TYPES, model_type
from trainers.model_types.kind import Problem


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


def test_a_type_may_name_its_areas_itself() -> None:
    class Own:
        name = "own"

        def areas(self, one: Problem) -> list[str]:
            return ["even" if len(one.prompt) % 2 == 0 else "odd", "even"]

    kind: Any = Own()
    assert areas(kind, [Problem("1", "ab", None), Problem("2", "abc", None)]) == [
        ("even",),
        ("odd", "even"),
    ]


def test_of_an_unknown_type_the_words_of_its_prompts_are_areas() -> None:
    prompts = ["the rain in spain"] * 3 + ["the sun in spain"] * 3 + ["the moon"] * 4
    found = by_words(prompts)
    assert found[0] == ("texts with the word 'rain'", "texts with the word 'spain'")
    assert not any("the" in area.split("'") for some in found for area in some)  # it is everywhere
