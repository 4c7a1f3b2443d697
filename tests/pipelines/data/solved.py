"""Rows that a type's own expert has solved, and types whose verifying takes no sandbox."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

from pipelines.data.rows import Row
from tests.trainers.model_types.kinds import trusting
from trainers.model_types import TYPES
from trainers.model_types.kind import Problem, distinct

KINDS: dict[str, Any] = {name: trusting(name) for name in TYPES}
"""Each once, so that its language is learned once."""


def solved(kind: Any, problems: list[Problem]) -> list[Row]:
    """The rows of these problems."""
    found = []
    for one in problems:
        right = kind.solve(one)
        found.append(
            {
                "prompt": one.prompt,
                "completion": kind.completion(right),
                "answer": one.answer,
                "difficulty": one.difficulty,
                "steps": [step._asdict() for step in right.steps],
                "outcome": right.outcome,
            }
        )
    return found


def rows_of(name: str, many: int, seed: int = 1, difficulty: float = 0.5) -> list[Row]:
    """So many different problems, solved."""
    kind = KINDS[name]
    return solved(kind, distinct(kind.problems(seed, difficulty), many))


def some(name: str, many: int, seed: int = 1, difficulty: float = 0.5) -> list[Problem]:
    """Problems as they are drawn."""
    return list(islice(KINDS[name].problems(seed, difficulty), many))


@cache
def examination(name: str) -> list[Problem]:
    """What models of this type are evaluated with."""
    suite: list[Problem] = KINDS[name].suite(3, 100)
    return suite
