"""The type example keeps what trainers and gates rely on: `pytest test_example.py`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from trainers.model_types import model_type
from trainers.model_types.kind import Problem
from trainers.model_types.steps import actions

TYPE = model_type(str(Path(__file__).with_name("example.py")))
DIFFICULTIES = (0.0, 0.5, 1.0)
NO_ANSWERS = ("", "=", "=;", "<think>", "\x00", "<think></think>=;", "9" * 10_000, "\ud800", "é;")


def some(seed: int = 1, difficulty: float = 0.5, many: int = 100) -> list[Problem]:
    return list(islice(TYPE.problems(seed, difficulty), many))


def right(problem: Problem) -> str:
    written: str = TYPE.completion(TYPE.solve(problem))
    return written


def test_the_same_seed_gives_the_same_problems() -> None:
    assert some(1) == some(1)
    assert some(1) != some(2)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_expert_is_always_right(difficulty: float) -> None:
    for one in some(difficulty=difficulty):
        assert TYPE.verify(one, right(one)).correct, one.prompt


def test_the_rewards_of_the_steps_sum_to_one() -> None:
    for one in some():
        assert sum(step.reward for step in TYPE.solve(one).steps) == 1


def test_a_completion_is_read_as_the_steps_that_it_was_written_from() -> None:
    for one in some():
        trajectory = TYPE.solve(one)
        assert actions(TYPE.completion(trajectory)) == [step.action for step in trajectory.steps]


def test_the_answer_to_another_problem_is_wrong() -> None:
    for one, other in zip(some(1), some(2), strict=True):
        if one.answer != other.answer:
            assert not TYPE.verify(one, right(other)).correct


def test_nothing_that_evaluates_is_among_what_is_trained_on() -> None:
    asked = {one.prompt for one in TYPE.suite(1, 50)}
    assert len(asked) == 50
    assert not asked & {one.prompt for one in some(many=1000)}


def test_every_symbol_has_a_token() -> None:
    known = set(TYPE.vocabulary())
    for one in some(difficulty=1.0):
        text = f"{one.prompt} {right(one)}"
        assert not set(text.split() if isinstance(TYPE.vocabulary(), list) else text) - known


@pytest.mark.parametrize("text", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_no_text_makes_the_verifier_raise(text: str) -> None:
    one = some(many=1)[0]
    assert not TYPE.verify(one, text).correct
    assert all(reward(one, text) in (None, 0.0) for reward in TYPE.rewards.values())
    with pytest.raises(ValueError):  # noqa: PT011  (its words are the type's own)
        TYPE.validate_output(text, one)


def test_metrics_keep_every_item() -> None:
    problems = some(many=10)
    found = TYPE.metrics(problems, [right(problems[0]), *[""] * 9])
    assert found["accuracy"].value == pytest.approx(0.1)
    assert len(found["accuracy"].per_item) == 10


def test_a_row_of_data_becomes_a_problem() -> None:
    one = some(many=1)[0]
    row = TYPE.preprocess({"prompt": one.prompt})
    assert (row["prompt"], row["answer"]) == (one.prompt, one.answer)
    with pytest.raises(ValueError):  # noqa: PT011  (its words are the type's own)
        TYPE.preprocess({"no": "prompt"})
