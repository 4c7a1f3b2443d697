"""What recall asks of whoever finds texts: a small port, and the embedded way to keep it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from memory.embedding import Embedder, Vector, cosine
from memory.vectors import Entry, VectorCache, key_of, owner_of


class Passage(NamedTuple):
    """A text that may be found."""

    id: str
    text: str
    owner: str | None = None
    """The key id of the person it is about: its vector goes with them."""


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


class Vectors:
    """The vectors of an embedder, made once for each text: kept in a file where there is one."""

    def __init__(
        self, embedder: Embedder, kept: VectorCache | None = None, most: int = 20_000
    ) -> None:
        self.embedder, self._kept, self._most = embedder, kept, most
        self._made: dict[bytes, Vector] = {}

    async def of(self, passages: Sequence[Passage]) -> list[Vector]:
        """A vector for each passage, in order."""
        keys = [key_of(one.text, one.owner) for one in passages]
        known = {key: vector for key, vector in zip(keys, self._found(keys), strict=True) if vector}
        new = {key: one for key, one in zip(keys, passages, strict=True) if key not in known}
        if new:
            made = await self.embedder.embed([one.text for one in new.values()], "passage")
            entries = [
                Entry(key, owner_of(one.owner), vector)
                for (key, one), vector in zip(new.items(), made, strict=True)
            ]
            self._keep(entries)
            known |= {entry.key: entry.vector for entry in entries}
        return [known[key] for key in keys]

    async def asked(self, question: str) -> Vector:
        """The vector of a question, which is kept nowhere."""
        (vector,) = await self.embedder.embed([question], "query")
        return vector

    def _found(self, keys: Sequence[bytes]) -> Sequence[Vector | None]:
        if self._kept is not None:
            return self._kept.get(keys)
        return [self._made.get(key) for key in keys]

    def _keep(self, entries: Sequence[Entry]) -> None:
        if self._kept is not None:
            self._kept.put(entries)
            return
        if len(self._made) + len(entries) > self._most:
            self._made.clear()
        self._made |= {one.key: array("f", one.vector) for one in entries}


class ByMeaning:
    """Finds by vectors alone."""

    def __init__(self, embedder: Embedder, bar: float) -> None:
        self.name, self.bar = embedder.id, bar
        self._vectors = Vectors(embedder)

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """By the cosine of their vectors."""
        vectors = await self._vectors.of(among)
        asked = await self._vectors.asked(question)
        found = [
            Match(one.id, cosine(asked, vector)) for one, vector in zip(among, vectors, strict=True)
        ]
        return sorted(found, key=lambda one: (-one.score, one.id))[:limit]
