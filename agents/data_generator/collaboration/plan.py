"""What three models are to make together, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.data_generator.collaboration.task import Task
from guardrails.endpoint import Endpoint

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


@dataclass(frozen=True, kw_only=True)
class Plan(Task):
    """One part of a data set, as three models are to make it together."""

    teacher: Endpoint
    verifier: Endpoint
    """Another model than the teacher: nobody marks his own work."""
    retriever: Endpoint | None = None
    """Puts what is looked for in the knowledge base into other words; it may be any model."""
    together: int = 1
    """Problems of one session, put to the models in one call."""
    in_flight: int = 50
    """Sessions at the same time."""
    sources: Sources = field(default_factory=Sources)
    source: str = "synthetic"
    method: str = "collaboration"
    max_tokens: int = 2048
    """Of one answer, for each problem in it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least_one("together", self.together)
        self.apart(
            self.teacher,
            self.verifier,
            f"the teacher {self.teacher.model!r} would verify its own work",
            "a verifier with another model, or at another endpoint",
        )
