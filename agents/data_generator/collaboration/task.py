"""What is to be made of one part of a set, whoever makes it: so many rows, from which problems.

Two parts of a set that share a seed share no problem, and everything follows from the seed: what is
tried, in which order, and what models are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from events.errors import Malformed
from guardrails.budget import Budget
from guardrails.endpoint import Endpoint
from trainers.model_types.kind import FRUITLESS, ModelType, Problem

TRIES = 2
"""Problems that are tried for each row that is wanted, at most. So many are each part's own."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One part of a data set, as it is to be made."""

    dataset: str
    part: int
    type: ModelType
    quantity: int
    """Rows that are wanted."""
    seed: int
    """Of the problems, and of what the models are asked."""
    budget: Budget
    difficulty: float = 0.5
    first: int = 0
    """Problems before the first of this part."""
    problems: int | None = None
    """How many are tried at most; left out, twice as many as rows are wanted."""
    in_flight: int
    """Of what is tried, so many at the same time."""
    purpose: str = ""
    """What the role is for, in a sentence."""
    focus: tuple[str, ...] = ()
    """What the role is weak in."""
    licence: str = "generated"
    max_tokens: int
    """Of one answer."""

    def __post_init__(self) -> None:
        for name, value in (("quantity", self.quantity), ("in_flight", self.in_flight)):
            self.at_least_one(name, value)

    @property
    def where(self) -> str:
        """The part, as errors name it."""
        return f"dataset {self.dataset}, part {self.part}"

    @property
    def tries(self) -> int:
        """How many problems are tried at most."""
        return TRIES * self.quantity if self.problems is None else self.problems

    def name(self, index: int) -> str:
        """Of what is tried: the same in every process, and after every death."""
        return f"{self.dataset}/{self.part}/{index}"

    def own(self) -> Iterator[Problem]:
        """The problems of this part: each once, and none of another part. It may take seconds to
        pass by those of the parts before."""
        drawn = _different(self.type.problems(self.seed, self.difficulty))
        return islice(drawn, self.first, self.first + self.tries)

    def at_least_one(self, name: str, value: int) -> None:
        if value < 1:
            raise Malformed(f"{name} is {value}", where=self.where, right="at least 1")

    def apart(self, one: Endpoint, other: Endpoint, wrong: str, right: str) -> None:
        """Refuse a plan in which somebody would mark his own work."""
        if one.name == other.name or (one.url, one.model) == (other.url, other.model):
            raise Malformed(wrong, where=self.where, right=right)


def _different(drawn: Iterator[Problem]) -> Iterator[Problem]:
    """Each problem once, as long as new ones come."""
    seen: set[str] = set()
    fruitless = 0
    for one in drawn:
        if one.id not in seen:
            seen.add(one.id)
            fruitless = 0
            yield one
        elif (fruitless := fruitless + 1) >= FRUITLESS:
            return
