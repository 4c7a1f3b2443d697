"""Near duplicates are found, and what only resembles them stays."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from pipelines.data.language import language_of
from pipelines.data.near import repeated
from tests.infra.processes import ROOT
from tests.pipelines.data.prose import one_word_changed, one_word_moved, texts
from tests.pipelines.data.solved import KINDS, some
from trainers.model_types.kind import distinct

LUCK = random.Random("near")
HASHED = """
from pipelines.data.near import repeated
from tests.pipelines.data.prose import texts
many = texts(3, 200, 30)
print([near and near.of for near in repeated([*many, *(text[:-40] for text in many)])])
"""


@pytest.mark.parametrize("length", [10, 20, 24, 30, 60])
def test_one_word_edits_of_prose_are_found_and_nothing_else_is(length: int) -> None:
    many = texts(1, 2_000, length)
    edited = [one_word_changed(text, LUCK) for text in many[:500]]
    found = repeated([*many, *edited])
    assert sum(near is not None for near in found[:2_000]) <= 0.01 * 2_000
    right = sum(near is not None and near.of == number for number, near in enumerate(found[2_000:]))
    assert right >= 0.99 * 500


@pytest.mark.parametrize("length", [10, 24, 31, 40])
def test_prose_in_which_a_word_has_been_moved_is_found(length: int) -> None:
    many = texts(6, 1_000, length)
    moved = [one_word_moved(text, LUCK) for text in many[:300]]
    found = repeated([*many, *moved])
    assert sum(near is not None for near in found[:1_000]) <= 0.01 * 1_000
    assert sum(near is not None for near in found[1_000:]) >= 0.99 * 300


def test_the_first_of_a_group_stays() -> None:
    (text,) = texts(2, 1)
    again = [text, one_word_changed(text, LUCK), text.upper(), one_word_changed(text, LUCK)]
    assert [near and near.of for near in repeated(again)] == [None, 0, 0, 0]
    assert [near and near.exact for near in repeated(again)] == [None, False, True, False]


def test_short_texts_that_differ_in_a_word_are_two_texts() -> None:
    assert repeated(["what is a cat", "what is a dog", "What is a DOG?"]) == [None, None, (1, True)]


def test_texts_without_words_are_compared_as_they_stand() -> None:
    assert repeated(["+++", "---", "+++", ""]) == [None, None, (0, True), None]


def test_a_phrase_of_everybodys_finds_nobody_and_costs_nothing() -> None:
    many = [
        f"{'as an assistant i will gladly help you with this and say '} {t}"
        for t in texts(4, 300, 40)
    ]
    assert not any(repeated(many))


def test_what_is_found_does_not_depend_on_how_a_process_hashes() -> None:
    said = {
        subprocess.check_output(
            [sys.executable, "-c", HASHED], cwd=ROOT, env={"PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert "1, 2, 3" in said.pop()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("difficulty", [0.3, 0.5, 0.9])
def test_different_problems_of_a_closed_language_are_no_near_duplicates(
    name: str, difficulty: float
) -> None:
    kind = KINDS[name]
    drawn = distinct(kind.problems(5, difficulty), 90 if difficulty < 0.5 else 300)
    assert not any(repeated([one.prompt for one in drawn], language_of(kind)))


@pytest.mark.parametrize("name", KINDS)
def test_a_problem_said_with_foreign_words_is_a_near_duplicate(name: str) -> None:
    kind = KINDS[name]
    prompts = list(dict.fromkeys(one.prompt for one in some(name, 400)))
    altered = {
        "spaced": lambda text: text.replace(" ", "  ").upper(),
        "wrapped": lambda text: f"Hey bot! Solve {text} quickly",
        "filled": lambda text: _filled(text),
    }
    for how, alter in altered.items():
        found = repeated([*prompts, *map(alter, prompts)], language_of(kind))
        assert not any(found[: len(prompts)]), how
        right = sum(
            near is not None and near.of == n for n, near in enumerate(found[len(prompts) :])
        )
        assert right >= 0.99 * len(prompts), how


@pytest.mark.parametrize("name", ["sentiment_analysis", "support_replies"])
def test_a_word_replaced_by_a_foreign_one_is_a_near_duplicate(name: str) -> None:
    kind = KINDS[name]
    prompts = list(dict.fromkeys(one.prompt for one in some(name, 400)))
    edited = []
    for text in prompts:
        read = text.split()
        place = LUCK.randrange(3, len(read) - 2)
        edited.append(" ".join([*read[:place], "zebra", *read[place + 1 :]]))
    found = repeated([*prompts, *edited], language_of(kind))
    assert not any(found[: len(prompts)])
    assert sum(near is not None for near in found[len(prompts) :]) >= 0.99 * len(prompts)


def test_a_problem_without_foreign_words_stays_even_behind_one_with_some() -> None:
    kind = KINDS["sentiment_analysis"]
    (one, *_) = some("sentiment_analysis", 1)
    found = repeated([f"Please solve: {one.prompt}", one.prompt], language_of(kind))
    assert found[1] is None
    assert found[0] is not None
    assert found[0].of == 1


def _filled(text: str) -> str:
    """A foreign word in the middle, at a blank or between two signs."""
    read = text.split(" ")
    if len(read) > 3:
        half = len(read) // 2
        return " ".join([*read[:half], "kindly", *read[half:]])
    return text.replace("+", " kindly + ", 1).replace(":", ": kindly ", 1)
