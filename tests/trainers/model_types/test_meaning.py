"""Each type says what it should of examples that somebody has thought through by hand."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.trainers.model_types.kinds import right, some
from trainers.model_types import model_type
from trainers.model_types.kind import Problem, problem
from trainers.model_types.messages import disguised, parts_of
from trainers.model_types.sentiment_analysis import answer_of, clauses_of
from trainers.model_types.support_replies import TYPE as REPLIES

ADDING = model_type("arithmetic_reasoning")
FEELING = model_type("sentiment_analysis")
MODERATING = model_type("content_moderation")


def answers(kind: Any, one: Problem, said: str) -> bool:
    found: bool = kind.verify(one, f"<think>x</think>={said};").correct
    return found


def test_an_addition_is_written_column_by_column() -> None:
    one = problem("347+585#", 932, 0.5)
    assert right(ADDING, one) == (
        "<think>ones</think>7+5+0=12;<think>tens</think>4+8+1=13;"
        "<think>hundreds</think>3+5+1=09;<think>sum</think>=0932;"
    )
    three = problem("95+7+99#", 201, 1.0)
    assert right(ADDING, three) == (
        "<think>ones</think>5+7+9+0=21;<think>tens</think>9+0+9+2=20;<think>sum</think>=201;"
    )


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 0.75, 1.0])
def test_every_sum_is_the_sum(difficulty: float) -> None:
    for one in some(ADDING, 300, 4, difficulty):
        numbers = [int(part) for part in one.prompt[:-1].split("+")]
        assert one.answer == sum(numbers)
        assert answers(ADDING, one, str(one.answer))
        for wrong in (one.answer + 1, one.answer - 1, -one.answer - 1, f"1{one.answer}"):
            assert not answers(ADDING, one, str(wrong))
        assert len(numbers) == (3 if difficulty >= 0.75 else 2)


REVIEWS = {
    "the food was good =>": ("positive", 0.6),
    "the food was lovely =>": ("positive", 0.7),
    "the food was very lovely =>": ("positive", 0.9),
    "the food was slightly lovely =>": ("positive", 0.6),
    "the food was average =>": ("neutral", 0.9),
    "supposedly the food was lovely =>": ("neutral", 0.9),
    "the food was not awful =>": ("positive", 0.6),
    "the food was never awful =>": ("positive", 0.7),
    "the food was not very good =>": ("negative", 0.6),
    "the food was never very good =>": ("negative", 0.7),
    "the food was good and the staff was bad =>": ("neutral", 0.5),
    "the food was very bad and the staff was good =>": ("negative", 0.6),
    "the food was very bad but the staff was lovely =>": ("positive", 0.6),
    "the food was good but supposedly the staff was awful =>": ("positive", 0.6),
    "the food is superb , the staff is superb , the room is superb but the price is bad =>": (
        "neutral",
        0.5,
    ),
}


@pytest.mark.parametrize("prompt", REVIEWS)
def test_a_review_means_what_it_says(prompt: str) -> None:
    label, confidence = REVIEWS[prompt]
    assert answer_of(clauses_of(prompt)) == {"sentiment": label, "confidence": confidence}
    assert " ".join(one.text() for one in clauses_of(prompt)) + " =>" == prompt


def test_every_other_sentiment_is_wrong() -> None:
    for difficulty in (0.0, 0.5, 1.0):
        found = some(FEELING, 1000, 1, difficulty)
        counted = Counter(one.answer["sentiment"] for one in found)
        assert 300 < min(counted.values()) <= max(counted.values()) < 370
    for one in some(FEELING, 100):
        right_one = one.answer["sentiment"]
        for label in ("positive", "negative", "neutral"):
            assert answers(FEELING, one, f" {label} 0.7") == (label == right_one)
        assert not answers(FEELING, one, right_one.upper())
        assert not answers(FEELING, one, right_one), "an answer without its confidence is none"


def test_how_sure_it_is_has_a_reward_of_its_own() -> None:
    one = problem("the food was good =>", {"sentiment": "positive", "confidence": 0.6}, 0.5)
    reward = FEELING.rewards["confidence"]
    assert reward(one, "<think>x</think>= positive 0.6;") == 1
    assert reward(one, "<think>x</think>= positive 0.9;") == pytest.approx(0.7)
    for text in ("= negative 0.6", "= positive", "= positive 1.5", "positive 0.6"):
        assert reward(one, f"<think>x</think>{text};") is None


MESSAGES: dict[str, tuple[list[str], str]] = {
    "you are a loser#": (["insult"], "medium"),
    "he is a l0ser#": (["insult"], "low"),
    "you are no loser#": ([], "none"),
    "i will p.u.n.c.h you#": (["threat"], "high"),
    "i will punch the bag#": ([], "none"),
    "visit my cassino#": (["spam"], "low"),
    "i hate the casino#": ([], "none"),
    "her number is 12345#": (["private"], "medium"),
    "my order is 12345#": ([], "none"),
    "visit my casino, i will burn you, the soup was good#": (["threat", "spam"], "high"),
}


@pytest.mark.parametrize("prompt", MESSAGES)
def test_a_message_breaks_the_rules_that_it_breaks(prompt: str) -> None:
    flags, severity = MESSAGES[prompt]
    one = problem(prompt, {"flags": flags, "severity": severity}, 0.5)
    assert MODERATING.solve(one).outcome == f"{','.join(flags) or 'clean'} {severity}"
    assert ", ".join(part.text() for part in parts_of(prompt)) + "#" == prompt


def test_another_flag_or_severity_is_wrong() -> None:
    counted = Counter(one.answer["severity"] for one in some(MODERATING, 1000))
    assert min(counted.values()) > 100
    for one in some(MODERATING, 100):
        wanted = ",".join(one.answer["flags"]) or "clean"
        for severity in ("none", "low", "medium", "high"):
            assert answers(MODERATING, one, f"{wanted} {severity}") == (
                severity == one.answer["severity"]
            )
        for flags in ("clean", "insult", "threat", "spam", "private", "insult,threat,spam,private"):
            assert answers(MODERATING, one, f"{flags} {one.answer['severity']}") == (
                flags == wanted
            )


def test_flags_may_stand_in_any_order() -> None:
    one = problem("a#", {"flags": ["threat", "spam"], "severity": "high"}, 0.5)
    assert answers(MODERATING, one, "spam,threat high")
    assert not answers(MODERATING, one, "spam,spam,threat high")
    assert MODERATING.rewards["flags"](one, "<think>x</think>=spam,insult low;") == 1 / 3


def test_a_disguised_word_is_never_the_plain_one() -> None:
    luck = Random(1)
    found = {disguised("loser", luck) for _ in range(200)}
    assert {"l0ser", "lo5er", "los3r", "l.o.s.e.r", "looser", "lloser"} <= found
    assert "loser" not in found
    assert {disguised("punch", luck) for _ in range(200)} >= {"p.u.n.c.h", "ppunch"}


TICKET = "ticket : the phone is fine , but my laptop is broken . please refund it :"
ASKED = problem(TICKET, {"action": "refund", "item": "laptop"}, 0.5)
SCORES = {
    "sorry about that . we will refund your laptop . kind regards": 1.0,
    "We are sorry. I will refund the laptop today. Thank you": 1.0,
    "we will refund your laptop . kind regards": 0.8,
    "sorry about that . we will refund your laptop .": 0.8,
    "sorry about that . we will refund your phone . kind regards": 0.8,
    "sorry about that . we will repair your laptop . kind regards": 0.6,
    "we will refund your laptop .": 0.6,
    "sorry about that .": 0.2,
    "kind regards kind regards": 0.2,
    "we will refund and repair your laptop or phone .": 0.0,
    "refund " * 3 + "laptop " * 3: 0.0,
    "sorry " * 41: 0.0,
    "sorry , we will not refund your laptop . kind regards": 0.6,
    "sorry refund laptop kind regards": 0.6,
    "we will refund , not repair , your laptop .": 0.2,
    "We'll refund your laptop.": 0.6,
    "": 0.0,
    "<think>a</think>we are sorry .;<think>b</think>we will refund your laptop .;": 0.8,
    "<think>we will refund your laptop . kind regards": 0.0,
}


@pytest.mark.parametrize("reply", SCORES)
def test_the_rubric_scores_a_reply(reply: str) -> None:
    assert REPLIES.rubric(ASKED, reply) == pytest.approx(SCORES[reply])
    verdict = REPLIES.verify(ASKED, reply)
    assert verdict.reward == REPLIES.rubric(ASKED, reply)
    assert verdict.correct == (SCORES[reply] == 1)


def test_drafts_are_half_as_good_as_can_be_and_differ() -> None:
    problems = some(REPLIES, 1000)
    scores = [REPLIES.rubric(one, REPLIES.draft(one, 1)) for one in problems]
    assert 0.45 < sum(scores) / len(scores) < 0.6
    assert len(set(scores)) >= 5
    drafts = {REPLIES.draft(problems[0], seed) for seed in range(50)}
    assert len(drafts) > 20
    assert REPLIES.draft(problems[0], 3) == REPLIES.draft(problems[0], 3)
    known = set(REPLIES.vocabulary())
    assert all(set(draft.split()) <= known for draft in drafts)


def test_what_a_customer_does_not_want_is_said_too() -> None:
    prompts = [one.prompt for one in some(REPLIES, 200, 1, 1.0)]
    assert sum("do not" in one or "no money" in one for one in prompts) > 150
    assert all(" works , but" in one or " is fine , but" in one for one in prompts)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sentiment_analysis", {"text": "Loved it!", "sentiment": "Positive", "confidence": 0.9}),
        ("content_moderation", {"content": "Buy!", "flags": ["spam"], "severity": "low"}),
        ("code_generation", {"prompt": "double n", "tests": ["assert f(2) == 4"]}),
        ("support_replies", {"ticket": "It broke.", "action": "repair", "item": "laptop"}),
        ("arithmetic_reasoning", {"prompt": "12 + 30"}),
    ],
)
def test_rows_in_the_shape_of_the_schema_are_taken(name: str, row: dict[str, Any]) -> None:
    kind = model_type(name)
    prepared = kind.preprocess(row)
    assert prepared["answer"]
    assert prepared["prompt"]
    assert kind.preprocess(prepared)["prompt"] == prepared["prompt"]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sentiment_analysis", {"text": "a", "sentiment": "angry"}),
        ("sentiment_analysis", {"text": "a", "sentiment": "positive", "confidence": "much"}),
        ("content_moderation", {"content": "a", "flags": "spam", "severity": "low"}),
        ("content_moderation", {"content": "a", "flags": ["spam"], "severity": "grave"}),
        ("content_moderation", {"content": "a", "flags": [["spam"]], "severity": "low"}),
        ("code_generation", {"prompt": "a", "tests": []}),
        ("code_generation", {"prompt": "a", "tests": ["assert f(1) == f(2)"]}),
        ("support_replies", {"ticket": "a", "action": "dance", "item": "laptop"}),
    ],
)
def test_rows_of_another_shape_are_refused(name: str, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        model_type(name).preprocess(row)
