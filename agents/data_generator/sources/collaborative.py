"""Data sets that other roles of the same type were trained on: accepted once, verified again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from agents.data_generator.sources.aside import aside
from agents.data_generator.sources.sieve import Sieve
from agents.data_generator.sources.source import Built, Order, SourceFailed
from agents.data_generator.sources.web import UNKNOWN, sliced
from events.artifacts import Artifacts
from events.errors import RatchetError
from pipelines.data.rows import read


class Shared(NamedTuple):
    """An accepted data set of another role."""

    dataset: str
    role: str
    rows: str
    """Its artifact, by reference."""
    provenance: str


SharedSets = Callable[[str, str, int], Awaitable[Sequence[Shared]]]
"""The accepted sets of a model type, but not of this role, before this position; newest first."""


class Collaborative:
    """Takes rows of the newest sets first."""

    name = "collaborative"

    def __init__(
        self, shared: SharedSets, artifacts: Artifacts, sieve: type[Sieve] = Sieve
    ) -> None:
        self._shared, self._artifacts, self._sieve = shared, artifacts, sieve

    async def build(self, order: Order) -> Built:
        asked = order.asked
        sets = await self._shared(asked.model_type, asked.role, order.position)
        if not sets:
            raise SourceFailed(
                f"no other role has a data set of the type {asked.model_type!r}",
                right="another source, until one has",
                retryable=False,
            )
        return await aside(self._taken, sets, order)

    def _taken(self, sets: Sequence[Shared], order: Order) -> Built:
        sieve = self._sieve(order.type, self.name, redact=False)
        wanted = order.asked.first + order.asked.quantity
        for one in sets:
            try:
                rows = read(self._artifacts.read(one.rows))
                provenance = read(self._artifacts.read(one.provenance))
            except RatchetError:  # deleted, or not what it was
                sieve.rejected["set-not-read"] += 1
                continue
            for place, row in enumerate(rows):
                if len(sieve.rows) >= wanted:
                    break
                origin = provenance[place] if place < len(provenance) else {}
                licence = str(origin.get("licence") or UNKNOWN)
                sieve.take(row, licence, f"dataset {one.dataset} of role {one.role}")
            order.tell({"source": self.name, "rows": len(sieve.rows)})
        return sliced(sieve, order, more=len(sieve.rows) >= wanted)
