"""What a model type is: problems without end, an exact expert, a verifier, rewards, metrics."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from events.errors import Refused

LONGEST = 100_000
"""Characters of an answer; a longer one is not read, and is wrong."""
FRUITLESS = 2_500
"""Draws without a new problem, after which there is none left to be found."""

_WORD = re.compile("[a-z]{2,}")


class Problem(NamedTuple):
    """Something to be answered, and what its verifier knows of the answer."""

    id: str
    prompt: str
    answer: Any
    """As JSON has it; None where nothing is known."""
    difficulty: float = 0.5


class Step(NamedTuple):
    """One step of an expert; only the action is compared with others'."""

    title: str
    reasoning: str
    action: str
    reward: float


class Trajectory(NamedTuple):
    """How an expert solves a problem. The rewards of the steps sum to 1."""

    problem_id: str
    prompt: str
    steps: tuple[Step, ...]
    outcome: str


class Verdict(NamedTuple):
    """What a verifier says of an answer."""

    correct: bool
    reward: float
    """From 0 to 1."""
    reasons: tuple[str, ...] = ()
    """What is wrong with it."""


RewardOf = Callable[[Problem, str], float | None]
"""From 0 to 1; None where nothing can be said."""


class Measured(NamedTuple):
    """A metric over some answers, and what it was for each of them."""

    value: float | None
    """None where no item says anything: nothing was measured, and that is no zero."""
    per_item: tuple[float | None, ...]
    """None for an item that the metric does not speak of."""


class ModelType(Protocol):
    """What a model is for."""

    name: str
    schema: type[BaseModel]
    """What a finished answer is."""
    rewards: Mapping[str, RewardOf]
    """By name, never mixed: form and outcome are two. A type may also say that it is `costly`: that
    verifying an answer takes a process, so that nobody does it without need."""

    def problems(self, seed: int, difficulty: float = 0.5) -> Iterator[Problem]:
        """Without end; the same seed gives the same. The difficulty goes from 0 to 1."""

    def solve(self, problem: Problem) -> Trajectory:
        """Rightly, step by step; a ValueError where the problem is not of our own making."""

    def completion(self, trajectory: Trajectory) -> str:
        """The text that a model is to write."""

    def preprocess(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of somebody's data as a problem's row; a ValueError where it cannot be one."""

    def validate_output(self, text: str, problem: Problem) -> BaseModel:
        """The answer that the text is; a ValueError where it is none."""

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Whether the text answers the problem. Never raises, whatever the text is."""

    def metrics(self, problems: Sequence[Problem], outputs: Sequence[str]) -> dict[str, Measured]:
        """What people want to know of a model of this type."""

    def suite(self, seed: int, n: int) -> list[Problem]:
        """Held-out problems: none of them is among those of training."""

    def vocabulary(self) -> str | list[str]:
        """All symbols that prompts and completions are made of: characters, or words.

        A type of characters may name `pieces` beside: texts of several of them, each one token, and
        none with a mark of thinking or the end of a step in it.
        """


def problem_of(row: Mapping[str, Any]) -> Problem:
    """The problem that a row of data holds."""
    prompt = str(row["prompt"])
    found = str(row.get("id") or identity(prompt))
    return Problem(found, prompt, row.get("answer"), float(row.get("difficulty", 0.5)))


def problem(prompt: str, answer: Any, difficulty: float) -> Problem:
    """One that bears the id of its prompt."""
    return Problem(identity(prompt), prompt, answer, difficulty)


def identity(prompt: str) -> str:
    """The id of a problem: the same prompt is the same problem."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def held_out(prompt: str) -> bool:
    """Whether a prompt belongs to evaluation: one in eight does, by its hash, for ever."""
    return int(identity(prompt)[:4], 16) % 8 == 0


def for_training(drawn: Iterator[Problem]) -> Iterator[Problem]:
    """Those that no evaluation asks."""
    return (one for one in drawn if not held_out(one.prompt))


def for_evaluation(drawn: Iterator[Problem], n: int) -> list[Problem]:
    """Distinct ones that no training sees."""
    return distinct((one for one in drawn if held_out(one.prompt)), n)


def distinct(drawn: Iterator[Problem], n: int) -> list[Problem]:
    """So many that differ: what is trained on, or evaluated with, should hold none twice."""
    found: dict[str, Problem] = {}
    fruitless = 0
    while len(found) < n:
        one = next(drawn)
        if one.id not in found:
            found[one.id], fruitless = one, 0
        elif (fruitless := fruitless + 1) > FRUITLESS:
            raise Refused(
                f"there are no {n} different problems",
                where="problems",
                right=f"at most {len(found)}, or a source of more problems",
            )
    return list(found.values())


def chance(*of: object) -> random.Random:
    """Randomness that follows from these words alone."""
    return random.Random(" ".join(str(one) for one in of))


def pieces_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The words of a language, with and without the blank before them: what may be one token."""
    words = {word for text in texts for word in _WORD.findall(text)}
    return tuple(sorted({*words, *(f" {word}" for word in words)}))


def share(difficulty: float) -> float:
    """A difficulty, held between 0 and 1."""
    return min(max(difficulty, 0.0), 1.0)
