"""Pairs out of queues that people have answered.

A set that waits for its own queue gets that one's; any other gets all answered queues of its role.
Where nobody found one answer the better, there is no pair.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from agents.data_generator.pairing.sieve import PairSieve
from agents.data_generator.sources.aside import aside
from agents.data_generator.sources.real import OWN
from agents.data_generator.sources.source import Built, Order, SourceFailed
from agents.data_generator.sources.web import sliced
from events.artifacts import Artifacts
from events.catalog.reviews import Choice
from events.errors import RatchetError
from pipelines.data.reviewing import labels
from pipelines.data.rows import read

LARGEST = 256 << 20
"""Bytes of a queue's items."""


class Answered(NamedTuple):
    """A queue, and what people said so far, by the number of the item."""

    review: str
    items: str
    """Its artifact, by reference."""
    answers: Mapping[str, Choice]


Reviews = Callable[[str, str, int], Awaitable[Sequence[Answered]]]
"""The queues of a role before a position that somebody has answered; of a set that has a queue of
its own, that one alone."""


class Queues:
    """Reads them from the oldest."""

    name = "people"

    def __init__(self, reviews: Reviews, artifacts: Artifacts) -> None:
        self._reviews, self._artifacts = reviews, artifacts

    async def build(self, order: Order) -> Built:
        asked = order.asked
        found = await self._reviews(asked.role, asked.dataset, order.position)
        if not found:
            raise SourceFailed(
                f"nobody has answered a queue of role {asked.role!r}",
                right="`ratchet review list` shows what waits",
                retryable=False,
            )
        return await aside(self._labelled, found, order)

    def _labelled(self, found: Sequence[Answered], order: Order) -> Built:
        sieve = PairSieve(order.type, self.name, scorer="people", verify=False)
        wanted = order.asked.first + order.asked.quantity
        for one in found:
            try:
                rows = [_item(row) for row in read(self._artifacts.read(one.items, LARGEST))]
            except RatchetError:  # deleted, or no queue at all
                sieve.rejected["queue-not-read"] += 1
                continue
            for row in labels(rows, one.answers):
                if len(sieve.rows) < wanted:
                    sieve.take(row, OWN, f"review {one.review}")
        return sliced(sieve, order, more=False)


def _item(row: Mapping[str, object]) -> dict[str, str]:
    return {name: str(row.get(name, "")) for name in ("prompt", "a", "b")}
