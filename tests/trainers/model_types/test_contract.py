"""What every model type keeps: the five of ours, and the one that people begin their own with."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from tests.trainers.model_types.kinds import (
    DIFFICULTIES,
    NAMES,
    asked_before,
    label,
    right,
    some,
    without_runs,
)
from trainers.model_types import model_type
from trainers.model_types.kind import Problem, problem_of
from trainers.model_types.steps import actions, instances, parsed, written
from trainers.tokens import tokenizer_of

each = pytest.mark.parametrize("name", NAMES, ids=label)
hard = pytest.mark.parametrize("difficulty", DIFFICULTIES)


def symbols(kind: Any, text: str) -> set[str]:
    """What of a text has to have a token."""
    if isinstance(kind.vocabulary(), str):
        return set(text)
    return set(re.sub(r"(</?think>|;)", r" \1 ", text).split())


@each
@hard
def test_a_seed_gives_its_problems_and_another_seed_others(name: str, difficulty: float) -> None:
    kind = model_type(name)
    first = some(kind, 50, 1, difficulty)
    assert first == some(kind, 50, 1, difficulty)
    assert first != some(kind, 50, 2, difficulty)
    assert first != some(kind, 50, 1, abs(difficulty - 0.3))
    assert all(one.difficulty == difficulty for one in first)


@each
def test_what_is_harder_takes_more_words(name: str) -> None:
    kind = model_type(name)

    def long(difficulty: float) -> float:
        return sum(
            len(right(kind, one)) + len(one.prompt) for one in some(kind, 200, 1, difficulty)
        )

    assert 1.2 * long(0.0) < 1.1 * long(0.5) < long(1.0)


@each
@hard
def test_there_are_too_many_problems_to_learn_them_by_heart(name: str, difficulty: float) -> None:
    found = {one.id for one in some(model_type(name), 1000, 1, difficulty)}
    assert len(found) > (50 if difficulty == 0 else 750)


@each
@hard
def test_the_expert_is_right_by_the_verifier(name: str, difficulty: float) -> None:
    problems = some(model_type(name), 500, 3, difficulty)
    kind = asked_before(name, problems)
    for one in problems:
        verdict = kind.verify(one, right(kind, one))
        assert verdict.correct, (one, verdict)
        assert verdict.reward == 1
        assert verdict.reasons == ()


@each
@hard
def test_the_rewards_of_the_steps_sum_to_one(name: str, difficulty: float) -> None:
    kind = model_type(name)
    for one in some(kind, 200, 1, difficulty):
        steps = kind.solve(one).steps
        assert sum(step.reward for step in steps) == 1
        assert all(step.reward > 0 for step in steps)
        assert all(step.title and step.reasoning and step.action for step in steps)


@each
@hard
def test_steps_are_read_as_they_were_written(name: str, difficulty: float) -> None:
    kind = model_type(name)
    for one in some(kind, 200, 1, difficulty):
        steps = kind.solve(one).steps
        assert actions("".join(written(step) for step in steps)) == [one.action for one in steps]
        assert [parsed(written(step)) for step in steps] == [one.action for one in steps]


@each
def test_a_completion_is_a_finished_answer(name: str) -> None:
    kind = without_runs(name)
    for one in some(kind, 100):
        answer = kind.validate_output(right(kind, one), one)
        assert isinstance(answer, kind.schema)
        assert issubclass(kind.schema, BaseModel)
        assert kind.schema.model_validate_json(answer.model_dump_json()) == answer


@each
@hard
def test_every_symbol_is_in_the_vocabulary(name: str, difficulty: float) -> None:
    kind = model_type(name)
    known = set(kind.vocabulary())
    assert len(known) == len(kind.vocabulary())
    for one in some(kind, 300, 1, difficulty):
        row = {"prompt": one.prompt, "steps": [step._asdict() for step in kind.solve(one).steps]}
        for step in instances(row, titled=True):
            assert symbols(kind, step["prompt"] + step["completion"]) <= known
        assert symbols(kind, f"{one.prompt} {right(kind, one)}") - {" "} <= known


@each
def test_a_tokenizer_gives_back_what_is_still_right(name: str) -> None:
    problems = some(model_type(name), 20)
    kind = asked_before(name, problems)
    tokenizer = tokenizer_of(kind)
    for one in problems:
        ids = tokenizer(right(kind, one), add_special_tokens=False)["input_ids"]
        asked = tokenizer(one.prompt, add_special_tokens=False)["input_ids"]
        assert tokenizer.unk_token_id not in [*ids, *asked]
        assert kind.verify(one, tokenizer.decode(ids, skip_special_tokens=True)).correct


@each
def test_a_suite_has_nothing_of_what_is_trained_on(name: str) -> None:
    kind = model_type(name)
    suite = kind.suite(7, 100)
    assert len({one.id for one in suite}) == 100
    assert suite == kind.suite(7, 100)
    assert suite != kind.suite(8, 100)
    asked = {one.prompt for one in suite}
    for difficulty in DIFFICULTIES:
        for seed in (1, 7):
            assert not asked & {one.prompt for one in some(kind, 1000, seed, difficulty)}


@each
def test_a_problem_is_a_row_of_json_and_comes_back(name: str) -> None:
    kind = model_type(name)
    for one in some(kind, 20):
        row = json.loads(json.dumps(one._asdict()))
        assert problem_of(row) == one
        prepared = kind.preprocess(row)
        assert (prepared["prompt"], prepared["answer"]) == (one.prompt, one.answer)
        assert kind.preprocess(prepared) == prepared


@each
@pytest.mark.parametrize("row", [{}, {"prompt": ""}, {"prompt": 3, "answer": {}}, {"text": "a"}])
def test_a_row_that_is_no_problem_is_told(name: str, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a row has|is no "):
        model_type(name).preprocess(row)


@each
def test_what_the_expert_cannot_read_is_told(name: str) -> None:
    strange = Problem("1", "what is love?", None)
    with pytest.raises(ValueError, match=r"is no|nobody knows"):
        model_type(name).solve(strange)


@each
def test_where_the_answer_is_not_known_nothing_is_scored(name: str) -> None:
    kind = without_runs(name)
    one = some(kind, 1)[0]
    unknown = one._replace(answer=None)
    text = right(kind, one)
    assert kind.rewards["outcome"](unknown, text) is None
    assert kind.rewards["format"](unknown, text) == 1
    assert not kind.verify(unknown, text).correct
    assert kind.metrics([unknown], [text])["accuracy"] == (None, (None,))


@each
def test_form_and_outcome_are_two_rewards(name: str) -> None:
    problems = some(model_type(name), 60)
    kind = asked_before(name, problems)
    for one in problems:
        found = {title: reward(one, right(kind, one)) for title, reward in kind.rewards.items()}
        assert set(found.values()) == {1.0}, found
        assert kind.rewards["format"](one, "<think>nonsense") == 0
        assert kind.rewards["outcome"](one, "<think>nonsense") == 0


@each
def test_metrics_are_the_same_whatever_the_order(name: str) -> None:
    problems = some(model_type(name), 30)
    kind = asked_before(name, problems)
    outputs = [right(kind, one) if n % 3 else "?" for n, one in enumerate(problems)]
    found = kind.metrics(problems, outputs)
    turned = kind.metrics(problems[::-1], outputs[::-1])
    for title, measured in found.items():
        assert measured.value == pytest.approx(turned[title].value)
        assert measured.per_item == turned[title].per_item[::-1]
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert found["accuracy"].per_item == tuple(float(n % 3 > 0) for n in range(30))


@each
def test_nothing_measured_is_no_zero(name: str) -> None:
    for measured in without_runs(name).metrics([], []).values():
        assert measured == (None, ())
