"""Which languages are closed, and what is foreign in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from pipelines.data.language import PROSE, language_of
from pipelines.data.words import tokens
from tests.pipelines.data.prose import texts
from tests.pipelines.data.solved import KINDS, some
from trainers.model_types.kind import Problem, problem


class Told:
    """A type whose problems come from somewhere; nothing else of it is asked."""

    def __init__(self, prompts: list[str]) -> None:
        self._prompts = prompts

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        n = len(self._prompts)
        for number in count(seed % n):
            yield problem(self._prompts[number % n], None, difficulty)


def told(prompts: list[str]) -> Any:
    return Told(prompts)


@pytest.mark.parametrize("name", KINDS)
def test_the_languages_of_our_types_are_closed_and_know_their_words(name: str) -> None:
    language = language_of(KINDS[name])
    assert language.closed
    strange = [
        token
        for difficulty in (0.2, 0.7)
        for one in some(name, 150, 8, difficulty)
        for token in tokens(one.prompt)
        if not language.knows(token)
    ]
    assert len(strange) <= 2


def test_prose_is_open_and_so_is_a_source_that_soon_repeats_itself() -> None:
    assert language_of(told(texts(21, 9_000, 12))) == PROSE
    assert language_of(told(texts(22, 40, 12))) == PROSE
    assert not PROSE.closed


def test_what_all_problems_begin_and_end_with_is_learned() -> None:
    assert language_of(KINDS["support_replies"]).begins == ("ticket", ":")
    assert language_of(KINDS["support_replies"]).ends == (":",)
    assert language_of(KINDS["arithmetic_reasoning"]).ends == ("#",)
    assert language_of(KINDS["arithmetic_reasoning"]).begins == ()


def test_another_sum_around_a_sum_is_another_problem() -> None:
    language = language_of(KINDS["arithmetic_reasoning"])

    def cores(text: str) -> set[tuple[str, ...]]:
        return set(language.cores(tokens(text)))

    assert ("347", "+", "585") in cores("What is 347 + 585# please?")
    assert ("347", "+", "585") not in cores("12+347+585#")
    assert ("347", "+", "585") not in cores("347+5850#")
