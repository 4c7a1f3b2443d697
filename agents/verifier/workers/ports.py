"""What a verification needs of the house: somebody who has models answer, whoever that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from events.catalog.training import Artifact

Say = Callable[[Mapping[str, Any]], None]


class Asked(NamedTuple):
    """One job: a model, and what it answers."""

    job: str
    """The same name is the same job: asked for again, it is not done again."""
    model: Artifact
    model_type: str
    rows: Artifact
    seed: int


class Answer(NamedTuple):
    """How one row was answered."""

    score: float
    """From 0 to 1."""
    right: bool


class Measures(Protocol):
    """Has models answer."""

    async def answers(self, asked: Asked, say: Say) -> Sequence[Answer]:
        """Problems of the model's type, checked by its verifier; in the order of the rows."""

    async def task(self, asked: Asked, say: Say) -> Sequence[Answer]:
        """Rows of a benchmark's task, as `pipelines.suites.tasks` has read them."""

    def rows(self, task: str) -> Sequence[Mapping[str, Any]]:
        """Those of a task in the folder of benchmarks."""
