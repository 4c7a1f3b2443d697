"""What three models are to make together, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from events.errors import Malformed
from guardrails.budget import Budget
from guardrails.endpoint import Endpoint
from trainers.model_types.kind import ModelType

REGENERATIONS = 3
LEAST_SCORE = 0.7


class Hit(Protocol):
    """Something that the knowledge base knows, and the event that it comes from."""

    @property
    def text(self) -> str: ...

    @property
    def source_event(self) -> str: ...


@dataclass(frozen=True)
class Sources:
    """Where the context of a problem comes from; each may be absent, and each may fail."""

    rules: tuple[str, ...] = ()
    """What holds for the role, in sentences."""
    examples: tuple[Mapping[str, Any], ...] = ()
    """Rows from earlier, with a prompt, steps and an outcome."""
    knowledge: Callable[[str, int], Awaitable[Sequence[Hit]]] | None = None
    """Asks the knowledge base for so many hits."""
    engines: tuple[str, ...] = ()
    """Addresses of rules engines; what they say is fetched once for all problems."""
    fetch: Callable[[str], Awaitable[str]] | None = None
    """Reads the text behind such an address, within bounds of its own."""


@dataclass(frozen=True)
class Plan:
    """One part of a data set, as it is to be made."""

    dataset: str
    part: int
    type: ModelType
    quantity: int
    """Rows that are wanted."""
    seed: int
    """Of the problems, and of what the models are asked."""
    teacher: Endpoint
    verifier: Endpoint
    """Another model than the teacher: nobody marks his own work."""
    budget: Budget
    retriever: Endpoint | None = None
    """Puts what is looked for in the knowledge base into other words; it may be any model."""
    difficulty: float = 0.5
    first: int = 0
    """Problems before the first of this part; parts of a set that share a seed share no problem."""
    problems: int | None = None
    """How many are tried at most; left out, twice as many as rows are wanted."""
    together: int = 1
    """Problems of one session, put to the models in one call."""
    in_flight: int = 50
    """Sessions at the same time."""
    purpose: str = ""
    """What the role is for, in a sentence."""
    focus: tuple[str, ...] = ()
    """What the role is weak in."""
    sources: Sources = field(default_factory=Sources)
    source: str = "synthetic"
    method: str = "collaboration"
    licence: str = "generated"
    max_tokens: int = 2048
    """Of one answer, for each problem in it."""

    def __post_init__(self) -> None:
        where = f"dataset {self.dataset}, part {self.part}"
        one, other = self.teacher, self.verifier
        if one.name == other.name or (one.url, one.model) == (other.url, other.model):
            raise Malformed(
                f"the teacher {one.model!r} would verify its own work",
                where=where,
                right="a verifier with another model, or at another endpoint",
            )
        for name, value in (
            ("quantity", self.quantity),
            ("together", self.together),
            ("in_flight", self.in_flight),
        ):
            if value < 1:
                raise Malformed(f"{name} is {value}", where=where, right="at least 1")

    def tries(self) -> int:
        """How many problems are tried at most."""
        return 2 * self.quantity if self.problems is None else self.problems

    def session(self, index: int) -> str:
        """The name of a session: the same in every process, and after every death."""
        return f"{self.dataset}/{self.part}/{index}"
