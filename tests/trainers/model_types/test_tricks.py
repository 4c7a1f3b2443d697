"""No text earns what it should not, none makes a verifier raise, and none keeps it busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.model_types.kinds import NAMES, label, right, some, trusting, without_runs
from trainers.model_types import model_type
from trainers.model_types.kind import Problem
from trainers.model_types.steps import actions, written

HOSTILE = (
    "", " ", ";", "=", "=;", "<think>", "</think>", "<think></think>", "<think></think>;",
    "<think></think>=;", "<think>a</think>=" + "9" * 5000 + ";", "<think>" * 50_000,
    "=" * 200_000, "<think>x</think>y;" * 20_000, "<think>x</think>=" + "(" * 3000 + ";",
    "<think>x</think>=" + "-" * 3990 + "1;", "\x00\x01\xff", "<think>\x00</think>=\x00;",
    "\ud800", "<think>\ud800</think>=\ud800;", "<think>é</think>=१२३;", "<think>x</think>=①;",
    "<think>x</think>=positive 0.7.7;", "<think>x</think>=spam,spam low;", "\n" * 1000,
    "<think>x</think>=none none;", "<think>x</think>=clean insult;", "<think>x</think>=\\d = '\\d;",
)  # fmt: skip

STRANGE: tuple[Any, ...] = (
    {}, [], "", "what?", {"tests": None}, {"flags": 3, "severity": []}, -1.5,
)  # fmt: skip
"""No answers of any type."""

each = pytest.mark.parametrize("name", NAMES, ids=label)


def never_raises(kind: Any, one: Problem, text: str) -> None:
    verdict = kind.verify(one, text)
    assert not verdict.correct
    assert 0 <= verdict.reward < 1
    assert verdict.reasons
    for reward in kind.rewards.values():
        assert reward(one, text) is None or 0 <= reward(one, text) <= 1
    for measured in kind.metrics([one], [text]).values():
        assert len(measured.per_item) == 1
    with suppress(ValueError):
        assert isinstance(kind.validate_output(text, one), kind.schema)


@each
def test_a_reward_is_not_to_be_had_by_tricks(name: str) -> None:
    """Every answer side by side, one in the wrong place, said twice, or hidden in a thought."""
    kind, problems = trusting(name), some(model_type(name), 40)
    others = [kind.completion(kind.solve(one)) for one in problems]
    for one in problems:
        expert = kind.completion(kind.solve(one))
        steps = [written(step) for step in kind.solve(one).steps]
        tricks = {
            "every answer one after another": "".join(others),
            "twice": expert + expert,
            "an answer, and the right one after it": steps[-1] + expert,
            "the right one first": steps[-1] + "".join(steps[:-1]),
            "only thought": f"<think>{steps[-1].replace('<think>', '').replace('</think>', '')}",
            "the prompt": one.prompt,
            "the prompt again": one.prompt + expert.replace("</think>", "</think >"),
            "wide": "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in expert),
            "repeated": steps[-1] * 500,
        }
        if actions(expert):
            tricks["no steps but their text"] = "".join(actions(expert) or ())
        for trick, text in tricks.items():
            assert not kind.verify(one, text).correct, (trick, text[:200])
            assert kind.rewards["outcome"](one, text) < 1, trick


@each
def test_an_answer_of_another_shape_is_one_that_nobody_knows(name: str) -> None:
    kind = without_runs(name)
    one = some(kind, 1)[0]
    text = right(kind, one)
    for strange in STRANGE:
        unknown = one._replace(answer=strange)
        assert not kind.verify(unknown, text).correct
        assert kind.rewards["outcome"](unknown, text) in (None, 0.0)
        assert kind.metrics([unknown], [text])["accuracy"].value in (None, 0.0)


@each
def test_rubbish_is_read_in_no_time(name: str) -> None:
    kind = without_runs(name)
    one = some(kind, 1)[0]
    began = time.thread_time()
    for text in (
        "<think>" + "</thin" * 16_000 + "</think>=1;", "<think>a</think>b" * 6_000,
        "<think></think>" + " " * 99_000 + ";", "<think>a</think>=" + "spam," * 19_000 + "a low;",
        "<think>a</think>=" + "1" * 99_000 + ";", "<think>a</think>= positive 0." + "1" * 90_000,
    ):  # fmt: skip
        kind.verify(one, text)
    assert time.thread_time() - began < 2


@each
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_makes_it_raise(name: str, text: str) -> None:
    kind = without_runs(name)
    never_raises(kind, some(kind, 1)[0], text)


@pytest.fixture(scope="module", params=NAMES, ids=label)
def meets(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a text to a type, with and without the form of an answer around it."""
    kind = without_runs(request.param)
    one = some(kind, 1)[0]

    def put(text: str) -> None:
        never_raises(kind, one, text)
        if str(kind.solve(one).outcome) not in text:
            never_raises(kind, one, f"<think>{text[:5]}</think>={text};")

    return put


@settings(max_examples=60)
@given(text=st.text(max_size=40))
def test_no_text_at_all_makes_it_raise(meets: Callable[[str], None], text: str) -> None:
    meets(text)
