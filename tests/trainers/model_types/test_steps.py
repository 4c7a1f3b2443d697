"""Steps as text and back, what a trajectory teaches, and how like two actions are."""

from __future__ import annotations

from difflib import SequenceMatcher
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trainers.model_types.kind import Step
from trainers.model_types.steps import (
    actions,
    final,
    instances,
    parsed,
    shares,
    similarity,
    written,
)

thought = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=12)
action = st.text(st.characters(exclude_characters="<;", exclude_categories=["Cs"]), max_size=12)
action = action.map(str.strip).filter(bool)
step = st.builds(Step, st.just("title"), thought, action, st.just(0.5))
steps = st.lists(step, min_size=1, max_size=5)
near = st.text("abc ", max_size=30)


def longest(one: str, other: str) -> tuple[int, int, int]:
    """The first longest text that is in both, tried out place by place."""
    found = (0, 0, 0)
    for i in range(len(one)):
        for j in range(len(other)):
            size = 0
            while (
                i + size < len(one) and j + size < len(other) and one[i + size] == other[j + size]
            ):
                size += 1
            if size > found[2]:
                found = (i, j, size)
    return found


def shared(one: str, other: str) -> int:
    """Characters in the longest text that is in both, and in those before and behind it."""
    i, j, size = longest(one, other)
    if size == 0:
        return 0
    return size + shared(one[:i], other[:j]) + shared(one[i + size :], other[j + size :])


@given(near, near)
def test_similarity_is_twice_what_is_shared_by_what_there_is(one: str, other: str) -> None:
    both = len(one) + len(other)
    wanted = Fraction(2 * shared(one, other), both) if both else Fraction(1)
    assert abs(similarity(one, other) - wanted) < 1e-12


@given(st.text(max_size=400), st.text(max_size=400))
def test_similarity_is_difflibs_without_its_heuristic(one: str, other: str) -> None:
    assert similarity(one, other) == SequenceMatcher(None, one, other, False).ratio()
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) == 1


def test_what_is_frequent_counts_in_long_texts_too() -> None:
    """By its heuristic difflib would leave out characters of texts beyond 200."""
    one = "ab" * 150
    assert similarity(one, "b" + one) > 0.99
    assert SequenceMatcher(None, one, "b" + one).ratio() < 0.01


@given(steps)
def test_what_is_written_is_read(steps: list[Step]) -> None:
    text = "".join(written(one) for one in steps)
    assert actions(text) == [one.action for one in steps]
    assert actions(" ".join(written(one) for one in steps)) == [one.action for one in steps]
    assert [parsed(written(one)) for one in steps] == [one.action for one in steps]


@given(st.text(alphabet="<>/think;=a \n", max_size=60))
def test_any_text_is_read_or_refused_and_reading_agrees_with_itself(text: str) -> None:
    found = actions(text)
    if found is not None:
        again = "".join(f"<think></think>{one};" for one in found)
        assert actions(again) == found
    if parsed(text) is not None:
        assert found == [parsed(text)]


def test_what_stands_between_steps_is_not_overlooked() -> None:
    one = "<think>a</think>b;"
    assert actions(one + one) == ["b", "b"]
    for text in ("x" + one, one + "x", one + "x" + one, "<think>" + one, one + ";", "b;", ""):
        assert actions(text) is None
        assert final(text) is None
    assert parsed(one + one) is None


def test_the_answer_stands_behind_the_sign_in_the_last_step() -> None:
    assert final("<think>a</think>b;<think>c</think>= positive 0.7;") == "positive 0.7"
    assert final("<think>a</think>=b") == "b"
    assert final("<think>a</think>=b;<think>c</think>d;") is None
    assert final("<think>a</think>=b;<think>c</think>=b;") is None, "several answers are none"


@given(steps, st.text("ab #", max_size=8))
def test_a_trajectory_is_cut_where_its_steps_begin(steps: list[Step], prompt: str) -> None:
    row = {"prompt": prompt, "steps": [one._asdict() for one in steps]}
    found = instances(row)
    assert len(found) == len(steps)
    assert found[0]["prompt"] == prompt
    for one, following in pairwise(found):
        assert following["prompt"] == one["prompt"] + one["completion"]
    assert [parsed(one["completion"]) for one in found] == [one["action"] for one in found]
    assert found[:-1] == instances(row, last=False)
    titled = instances(row, titled=True)
    gap = " " if " " in prompt else ""
    assert [one["prompt"] for one in titled] == [f"{one['prompt']}{gap}title" for one in found]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_the_step_that_is_worth_most_weighs_one(rewards: list[float]) -> None:
    made = [Step("t", "r", "a", one)._asdict() for one in rewards]
    weights = [one["weight"] for one in instances({"prompt": "p", "steps": made})]
    assert max(weights) == 1
    assert weights == [one / max(rewards) for one in rewards]


def test_shares_sum_to_exactly_one() -> None:
    for many in range(1, 40):
        assert len(shares(many)) == many
        assert sum(shares(many)) == 1
