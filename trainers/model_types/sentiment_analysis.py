"""What somebody thinks of something, clause by clause.

Reviews are built from a small language whose meaning is exact. Each clause says a word about a
topic; before the word may stand what turns it around or makes it weaker or stronger; `but` makes
all that was said before count little, and what somebody else promised counts nothing. A review is
positive, negative or neutral as its sum is, and the further from zero, the more confident.

    the food was not very good but the staff was lovely =>
    <think>food not very good</think>-1 so -1;<think>but staff lovely</think>+2 so +1;
    <think>+1</think>= positive 0.6;
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from trainers.model_types.figures import each, macro_f1, mean
from trainers.model_types.kind import (
    Measured,
    Problem,
    RewardOf,
    Step,
    Trajectory,
    Verdict,
    chance,
    for_evaluation,
    for_training,
    problem,
    share,
)
from trainers.model_types.steps import END, final, shares, written

TOPICS = (
    "food", "staff", "room", "price", "screen", "battery", "delivery", "service", "music", "view",
    "story", "coffee",
)  # fmt: skip
VERBS = ("was", "is", "seemed", "felt")
WORDS = {
    "awful": -2, "horrible": -2, "terrible": -2, "bad": -1, "poor": -1, "dull": -1, "slow": -1,
    "average": 0, "ordinary": 0, "good": 1, "nice": 1, "pleasant": 1, "decent": 1,
    "great": 2, "superb": 2, "lovely": 2,
}  # fmt: skip
LINKS = ("and", "but", ",")
HEARSAY = "supposedly"
MOST = 6
"""A sum goes no further from zero."""
LABELS = ("negative", "neutral", "positive")
PROMPT_END = "=>"
_ANSWER = re.compile(rf"({'|'.join(LABELS)})\s+(1(?:\.0{{1,6}})?|0(?:\.[0-9]{{1,6}})?)")

Label = Literal["negative", "neutral", "positive"]


class Sentiment(BaseModel):
    """A finished answer."""

    model_config = ConfigDict(frozen=True)

    text: str
    sentiment: Label
    confidence: float = Field(ge=0, le=1)


class Clause(NamedTuple):
    """`but the food was not very good` in its parts."""

    link: str
    hearsay: bool
    topic: str
    verb: str
    modifiers: tuple[str, ...]
    word: str

    def text(self) -> str:
        hearsay = (HEARSAY,) if self.hearsay else ()
        parts = (*hearsay, "the", self.topic, self.verb, *self.modifiers, self.word)
        return " ".join([self.link, *parts] if self.link else parts)

    def weight(self) -> int:
        """From -4 to 4."""
        weight = 0 if self.hearsay else WORDS[self.word]
        for modifier in reversed(self.modifiers):
            weight = MODIFIERS[modifier](weight)
        return weight

    def after(self, total: int) -> int:
        """The sum with this clause in it."""
        before = sign(total) if self.link == "but" else total
        return max(-MOST, min(MOST, before + self.weight()))


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


MODIFIERS: dict[str, Callable[[int], int]] = {
    "very": lambda weight: 2 * weight,
    "slightly": sign,
    "not": lambda weight: -sign(weight),
    "never": lambda weight: -weight,
}
"""What a word before a word makes of its weight; the nearest comes first."""
MODIFIED = (("very",), ("slightly",), ("not",), ("never",), ("not", "very"), ("never", "very"))


class SentimentAnalysis:
    """One to four clauses; the harder, the more of them, and the more is turned around."""

    name = "sentiment_analysis"
    schema: type[BaseModel] = Sentiment

    def __init__(self) -> None:
        self.rewards: Mapping[str, RewardOf] = {
            "format": lambda _, text: 0.0 if _read(text) is None else 1.0,
            "outcome": self._outcome,
            "confidence": _confidence,
        }

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        return for_training(self._drawn(seed, difficulty))

    def suite(self, seed: int, n: int) -> list[Problem]:
        return for_evaluation(self._drawn(seed, 0.5), n)

    def solve(self, problem: Problem) -> Trajectory:
        clauses = clauses_of(problem.prompt)
        rewards, total, steps = shares(len(clauses) + 1), 0, []
        for clause, reward in zip(clauses, rewards, strict=False):
            total = clause.after(total)
            hearsay = (HEARSAY,) if clause.hearsay else ()
            link = (clause.link,) if clause.link == "but" else ()
            thought = " ".join((*link, *hearsay, clause.topic, *clause.modifiers, clause.word))
            action = f"{clause.weight():+d} so {total:+d}"
            steps.append(Step(clause.topic, thought, action, reward))
        found = answer_of(clauses)
        outcome = f"{found['sentiment']} {found['confidence']}"
        steps.append(Step("verdict", f"{total:+d}", f"= {outcome}", rewards[-1]))
        return Trajectory(problem.id, problem.prompt, tuple(steps), outcome)

    def completion(self, trajectory: Trajectory) -> str:
        return "".join(written(step) for step in trajectory.steps)

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row {"text", "sentiment"} with or without "confidence", or one that has a prompt."""
        text = str(row.get("text") or str(row.get("prompt", "")).removesuffix(PROMPT_END)).strip()
        given = row.get("answer") or {key: row[key] for key in Sentiment.model_fields if key in row}
        label = str(given.get("sentiment", "")).strip().lower()
        if not text or label not in LABELS:
            raise ValueError(
                f"a row has a text, and a sentiment that is one of {', '.join(LABELS)}"
            )
        answer: dict[str, Any] = {"sentiment": label}
        if given.get("confidence") is not None:
            answer["confidence"] = min(max(float(given["confidence"]), 0.0), 1.0)
        return {**row, "prompt": f"{text} {PROMPT_END}", "answer": answer}

    def validate_output(self, text: str, problem: Problem) -> Sentiment:
        found = _read(text)
        if found is None:
            what = "an answer is steps, and at the end as = positive 0.7"
            raise ValueError(what)
        said = problem.prompt.removesuffix(PROMPT_END).strip()
        return Sentiment(text=said, sentiment=found[0], confidence=found[1])

    def verify(self, problem: Problem, text: str) -> Verdict:
        found, wanted = _read(text), _label(problem)
        if found is None:
            return Verdict(False, 0.0, ("no sentiment stands at the end",))
        if wanted is None:
            return Verdict(False, 0.0, ("nobody knows the sentiment",))
        if found[0] != wanted:
            return Verdict(False, 0.0, (f"it is {wanted}, not {found[0]}",))
        return Verdict(True, 1.0)

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        read = [_read(text) for text in outputs]
        asked = [_label(one) for one in problems]
        pairs = [(wanted, found) for wanted, found in zip(asked, read, strict=True) if wanted]
        f1 = macro_f1(
            [str(wanted) for wanted, _ in pairs],
            [found[0] if found else None for _, found in pairs],
        )
        return {"accuracy": mean(each(self._outcome, problems, outputs)), "f1": f1}

    def vocabulary(self) -> list[str]:
        numbers = [f"{number:+d}" for number in range(-MOST, MOST + 1)]
        confidences = [f"0.{tenths}" for tenths in range(5, 10)]
        return [
            "the", HEARSAY, *TOPICS, *VERBS, *WORDS, *LINKS, *MODIFIERS, PROMPT_END, "so",
            "verdict", "=", *LABELS, *numbers, *confidences, "<think>", "</think>", END,
        ]  # fmt: skip

    def _outcome(self, problem: Problem, text: str) -> float | None:
        return None if _label(problem) is None else self.verify(problem, text).reward

    def _drawn(self, seed: int, difficulty: float) -> Iterator[Problem]:
        """Of each sentiment as many, so that who always says the same is right in a third."""
        hard, turn = share(difficulty), 0
        luck = chance(self.name, seed, difficulty)
        while True:
            many = luck.randint(1 + math.floor(2 * hard), 1 + round(3 * hard))
            topics = luck.sample(TOPICS, many)
            clauses = [_clause(luck, hard, place, topic) for place, topic in enumerate(topics)]
            answer = answer_of(clauses)
            if answer["sentiment"] == LABELS[turn % len(LABELS)]:
                turn += 1
                text = " ".join(one.text() for one in clauses)
                yield problem(f"{text} {PROMPT_END}", answer, difficulty)


def clauses_of(prompt: str) -> list[Clause]:
    """A review of our own making in its parts."""
    words = prompt.split()
    clauses: list[Clause] = []
    while words and words[0] != PROMPT_END:
        link = words.pop(0) if clauses else ""
        hearsay = words[0] == HEARSAY
        end = next((place for place, word in enumerate(words) if word in WORDS), -1)
        _, topic, verb, *modifiers, word = words[hearsay : end + 1] if end >= 3 else [""] * 4
        if topic not in TOPICS or (bool(clauses) and link not in LINKS):
            break
        if any(one not in MODIFIERS for one in modifiers):
            break
        clauses.append(Clause(link, hearsay, topic, verb, tuple(modifiers), word))
        words = words[end + 1 :]
    if words != [PROMPT_END] or not clauses:
        raise ValueError(f"{prompt[:60]!r} is not in the language of these reviews")
    return clauses


def answer_of(clauses: Sequence[Clause]) -> dict[str, Any]:
    """What is right."""
    total = 0
    for clause in clauses:
        total = clause.after(total)
    if total == 0:
        said = any(clause.weight() for clause in clauses)
        return {"sentiment": "neutral", "confidence": 0.5 if said else 0.9}
    label = "positive" if total > 0 else "negative"
    return {"sentiment": label, "confidence": round(0.5 + 0.1 * min(abs(total), 4), 1)}


def _clause(luck: Random, hard: float, place: int, topic: str) -> Clause:
    link = "" if place == 0 else "but" if luck.random() < 0.5 * hard else luck.choice(("and", ","))
    hearsay = luck.random() < 0.2 * hard
    modifiers = luck.choice(MODIFIED) if luck.random() < min(hard, 0.8) else ()
    return Clause(link, hearsay, topic, luck.choice(VERBS), modifiers, luck.choice(list(WORDS)))


def _read(text: str) -> tuple[Label, float] | None:
    """Label and confidence at the end of well-formed steps."""
    said = final(text)
    match = _ANSWER.fullmatch(said) if said else None
    if match is None:
        return None
    label: Any = match[1]
    return label, float(match[2])


def _label(problem: Problem) -> str | None:
    """What is right, where it is known."""
    said = problem.answer.get("sentiment") if isinstance(problem.answer, Mapping) else None
    return said if said in LABELS else None


def _confidence(problem: Problem, text: str) -> float | None:
    """How near the confidence is, where the sentiment is right and a confidence is known."""
    found = _read(text)
    if found is None or found[0] != _label(problem):
        return None
    wanted = problem.answer.get("confidence")
    return 1 - abs(found[1] - wanted) if isinstance(wanted, int | float) else None


TYPE = SentimentAnalysis()
