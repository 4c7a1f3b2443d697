"""What every vector index promises, whatever holds it: `EdgeIndex` here, a Qdrant server by URL.

One contract test speaks for all of them. An index is a cache of the log: it may be lost at any
time. Whoever fills it does so alone, in order; any number of callers may ask at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from memory.filters import Condition

Ids = Sequence[str]
"""Ids of points are uuids in their usual, lower-case form."""


class Sparse(NamedTuple):
    """The words of a text: where they lie, and what each weighs."""

    indices: Sequence[int]
    values: Sequence[float]


class Point(NamedTuple):
    """One text as an index keeps it."""

    id: str
    dense: Sequence[float]
    """Of length 1, made by the one embedder of this index."""
    sparse: Sparse
    payload: Mapping[str, Any]


class Weights(NamedTuple):
    """How much meaning counts against words when their rankings are merged."""

    dense: float = 3.0
    sparse: float = 1.0


class Rank(NamedTuple):
    """Where one of the two rankings has a point, beginning at 1, and the score that it gave."""

    place: int
    score: float


class Found(NamedTuple):
    """One answer to a query."""

    id: str
    score: float
    """0 to 1; 1 is the first of both rankings."""
    payload: Mapping[str, Any]
    dense: Rank | None = None
    """None where this ranking does not have it among its candidates."""
    sparse: Rank | None = None


class Kept(NamedTuple):
    """A point without its vectors."""

    id: str
    payload: Mapping[str, Any]


class Stats(NamedTuple):
    """What an index holds."""

    points: int
    indexed: int
    """Vectors of them that a graph finds; the others are compared one by one."""


class VectorIndex(Protocol):
    """Points by meaning and by words."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Take points in, or others in the place of those with their ids."""

    async def amend(self, ids: Ids, payload: Mapping[str, Any]) -> None:
        """Set fields of points that are there; others are passed over."""

    async def delete(self, ids: Ids) -> None:
        """Let points go; those that are not there are passed over."""

    async def query(
        self,
        dense: Sequence[float] | None,
        sparse: Sparse | None,
        condition: Condition | None = None,
        weights: Weights = Weights(),  # noqa: B008  (a frozen value)
        limit: int = 10,
        exact: bool = False,
    ) -> list[Found]:
        """The best of both rankings, merged by rank; `exact` compares with every point."""

    async def get(self, ids: Ids) -> list[Kept]:
        """Those of the points that are there."""

    async def scroll(
        self, condition: Condition | None = None, after: str | None = None, limit: int = 256
    ) -> tuple[list[Kept], str | None]:
        """Points in an order that stays, and where to go on; None at the end."""

    async def count(self, condition: Condition | None = None) -> int:
        """How many points meet a condition."""

    async def stats(self) -> Stats:
        """What it holds."""

    async def settle(self) -> None:
        """Bring what was taken in into its quickest shape. May take a minute; others may ask."""

    async def flush(self) -> None:
        """Return when all that was taken in is on the disk."""

    async def drop(self) -> None:
        """Close it and remove all of it."""

    async def close(self) -> None:
        """Let go of it."""
