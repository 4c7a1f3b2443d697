"""What recall asks of whoever finds texts: a small port, and the embedded way to keep it."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, TypeVar

from memory.embedding import Embedder, Vector, cosine
from memory.vectors import Entry, VectorCache, key_of, owner_of

T = TypeVar("T")
FEW = 200
"""Texts that are compared on the loop; with more, others have their turn meanwhile."""

AT_ONCE = 128
"""Texts that are embedded before their vectors are kept: who is interrupted goes on from there."""


async def beside(many: int, work: Callable[[], T]) -> T:
    """What comes of some work on so many texts, in a thread of its own where it takes long."""
    return work() if many <= FEW else await asyncio.to_thread(work)


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
        keys = await beside(
            len(passages), lambda: [key_of(one.text, one.owner) for one in passages]
        )
        found = await beside(len(keys), lambda: self._found(keys))
        known = {key: vector for key, vector in zip(keys, found, strict=True) if vector}
        new = {key: one for key, one in zip(keys, passages, strict=True) if key not in known}
        items = list(new.items())
        for first in range(0, len(items), AT_ONCE):
            some = items[first : first + AT_ONCE]
            made = await self.embedder.embed([one.text for _, one in some], "passage")
            entries = [
                Entry(key, owner_of(one.owner), vector)
                for (key, one), vector in zip(some, made, strict=True)
            ]
            self._keep(entries)
            known |= {entry.key: entry.vector for entry in entries}
        return [known[key] for key in keys]

    async def asked(self, question: str) -> Vector:
        """The vector of a question, which is kept nowhere."""
        (vector,) = await self.questions([question])
        return vector

    async def questions(self, texts: Sequence[str]) -> list[Vector]:
        """The same for several."""
        return await self.embedder.embed(texts, "query") if texts else []

    def _found(self, keys: Sequence[bytes]) -> Sequence[Vector | None]:
        if self._kept is not None:
            return self._kept.get(keys)
        return [self._made.get(key) for key in keys]

    def _keep(self, entries: Sequence[Entry]) -> None:
        if self._kept is not None:
            with suppress(OSError):  # where nothing can be kept, it is made again
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
        found = await beside(len(among), lambda: [cosine(asked, one) for one in vectors])
        matches = [Match(one.id, value) for one, value in zip(among, found, strict=True)]
        return sorted(matches, key=lambda one: (-one.score, one.id))[:limit]
