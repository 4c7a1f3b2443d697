"""What recall asks of whoever finds texts: a small port, and the embedded way to keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from memory.embedding import Embedder, Vector, cosine


class Passage(NamedTuple):
    """A text that may be found."""

    id: str
    text: str


class Match(NamedTuple):
    """How well a passage answers a question: 1 is all that was asked for, 0 nothing."""

    id: str
    score: float


class Search(Protocol):
    """Finds, among some passages, those that answer a question."""

    @property
    def name(self) -> str:
        """Which way of finding it is; scores of different ways are not compared."""

    @property
    def bar(self) -> float:
        """Below this score a match is none, as measured for this way."""

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """The best matches, the best first."""


class ByMeaning:
    """Finds by the vectors of an embedder, which are made once for each text."""

    def __init__(self, embedder: Embedder, bar: float, most: int = 100_000) -> None:
        self.name, self.bar = embedder.id, bar
        self._embedder, self._most = embedder, most
        self._vectors: dict[str, Vector] = {}

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """By the cosine of their vectors."""
        new = list(dict.fromkeys(one.text for one in among if one.text not in self._vectors))
        if len(self._vectors) + len(new) > self._most:
            self._vectors.clear()
            new = list(dict.fromkeys(one.text for one in among))
        made = await self._embedder.embed(new, "passage") if new else []
        self._vectors.update(zip(new, made, strict=True))
        (asked,) = await self._embedder.embed([question], "query")
        found = [Match(one.id, cosine(asked, self._vectors[one.text])) for one in among]
        return sorted(found, key=lambda one: (-one.score, one.id))[:limit]
