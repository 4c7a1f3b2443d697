"""Opening a generation of the index, and making another one beside it from the log."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from events.catalog.knowledge import KnowledgeGenerationMade
from events.errors import LogUnavailable
from events.store import EventStore
from memory.edge import IndexRefused
from memory.embedding import Embedder
from memory.filling import Filler, Told
from memory.filters import eq, exists
from memory.fingerprint import Identity
from memory.generations import Checkpoint, Shelf
from memory.index import VectorIndex
from memory.knowledge import YES
from memory.search import Traits
from memory.sparse import SPARSE
from memory.vectors import SUFFIX, VectorCache

log = logging.getLogger(__name__)

TELL = 5.0
"""Seconds between two words about a long filling."""


class Engine(Protocol):
    """Where the indexes of generations are."""

    @property
    def settles(self) -> bool:
        """Its index has to be told to bring itself into its quickest shape."""

    async def open(self, shelf: Shelf, name: str, dim: int) -> VectorIndex:
        """The index of a generation, made where there is none."""

    async def remove(self, shelf: Shelf, name: str) -> None:
        """Let go of one that nobody has open."""


class BeingMade(LogUnavailable):
    """The index is being made; nothing answers yet."""


@dataclass
class Serving:
    """A generation that answers."""

    name: str
    index: VectorIndex
    traits: Traits
    filler: Filler | None = None
    """Keeps it up with the log; none where its vectors are not those of our embedder."""


class Maker:
    """Opens and makes generations. `building` says how far a new one has come."""

    def __init__(
        self, store: EventStore, shelf: Shelf, vectors: Path, engine: Engine, embedder: Embedder
    ) -> None:
        self._store, self._shelf, self._vectors = store, shelf, vectors
        self._engine, self._embedder = engine, embedder
        self._cache: tuple[str, VectorCache] | None = None
        self.building: tuple[int, int] | None = None

    async def wrong(self, name: str, identity: Identity) -> str:
        """Why a generation cannot go on; '' where it can."""
        done = self._shelf.checkpoint(name)
        if done is None or not await self._same_log(done):
            return "it was made of another log"
        if done.residue:
            return "somebody was forgotten"
        if done.sparse != SPARSE:
            return "words are counted otherwise"
        return "" if done.fingerprint == identity.fingerprint else "the embedder is another"

    async def reopened(self, name: str, identity: Identity) -> Serving | None:
        """A generation that goes on; None where it cannot be read."""
        done = self._shelf.checkpoint(name)
        index = None if done is None else await self._readable(name, done)
        if done is None or index is None:
            return None
        return await self.serving(name, index, done, identity)

    async def by_words(self, name: str) -> Serving | None:
        """A generation of another embedder: its words are as good as ever."""
        done = self._shelf.checkpoint(name)
        if done is None or done.sparse != SPARSE or not await self._same_log(done):
            return None
        index = await self._readable(name, done)
        return None if index is None else Serving(name, index, await traits(index))

    async def serving(
        self, name: str, index: VectorIndex, done: Checkpoint, identity: Identity
    ) -> Serving:
        """An open index with who keeps it up with the log."""
        cache = await self._cached(identity)
        shelf = self._shelf
        filler = Filler(self._store, index, self._embedder, cache, shelf, name, done)
        return Serving(name, index, await traits(index), filler)

    async def made(
        self, identity: Identity, head: int, why: str, told: Told | None
    ) -> tuple[Serving, KnowledgeGenerationMade]:
        """A whole new generation, from the log and the cache of vectors."""
        began = time.monotonic()
        name, done = await self._beginning(identity)
        log.info("the index of the knowledge base is made: %s (%s)", name, why)
        index = await self._readable(name, done)
        if index is None:
            await asyncio.to_thread(self._shelf.remove, name)
            raise BeingMade("the index is made anew", where="knowledge", right="try again")
        self.building = (done.position, head)
        try:
            new = await self.serving(name, index, done, identity)
            assert new.filler is not None
            await new.filler.fill(head, self._progress(told))
            await new.filler.keep()
        except BaseException:
            with suppress(LogUnavailable):
                await index.close()
            raise
        finally:
            self.building = None
        new.traits = await traits(index)
        return new, KnowledgeGenerationMade(
            generation=name,
            embedder=identity.embedder,
            fingerprint=identity.fingerprint,
            sparse=SPARSE,
            dim=identity.dim,
            degraded=self._embedder.degraded,
            through=head,
            points=new.filler.done.points,
            seconds=round(time.monotonic() - began, 3),
            reason=why,
        )

    async def close_cache(self) -> None:
        """Let go of the vectors."""
        if self._cache is not None:
            self._cache[1].close()
            self._cache = None

    async def _beginning(self, identity: Identity) -> tuple[str, Checkpoint]:
        """Where to begin: behind what a crash left of this very work, else at nothing."""
        name = self._shelf.begun(identity.fingerprint, SPARSE)
        done = None if name is None else self._shelf.checkpoint(name)
        if name is not None and done is not None and await self._same_log(done):
            return name, done
        name = self._shelf.following(identity.fingerprint)
        done = Checkpoint(0, "", identity.fingerprint, identity.dim, SPARSE)
        await asyncio.to_thread(self._shelf.keep, name, done)
        return name, done

    async def _same_log(self, done: Checkpoint) -> bool:
        if not done.position:
            return True
        return await self._store.hashes(done.position - 1, done.position) == [done.hash]

    async def _readable(self, name: str, done: Checkpoint) -> VectorIndex | None:
        try:
            index = await self._engine.open(self._shelf, name, done.dim)
        except IndexRefused as refused:
            log.warning("the index %s cannot be read: %s", name, refused)
            return None
        if done.points and not await index.count():
            log.warning("the points of the index %s are gone", name)
            await index.drop()
            return None
        return index

    async def _cached(self, identity: Identity) -> VectorCache:
        if self._cache is not None and self._cache[0] == identity.fingerprint:
            return self._cache[1]
        await self.close_cache()
        file = self._vectors / f"{identity.fingerprint}{SUFFIX}"
        cache = await asyncio.to_thread(VectorCache, file, identity.dim)
        self._cache = (identity.fingerprint, cache)
        return cache

    def _progress(self, told: Told | None) -> Told:
        last = time.monotonic()

        def progress(done: int, whole: int) -> None:
            nonlocal last
            self.building = (done, whole)
            if told is not None:
                told(done, whole)
            elif time.monotonic() - last > TELL:
                last = time.monotonic()
                log.info("the knowledge base: %d of %d events", done, whole)

        return progress


async def traits(index: VectorIndex) -> Traits:
    """What an index holds any of."""
    bounded, personal = await index.count(eq("bounded", YES)), await index.count(exists("owner"))
    return Traits(bool(bounded), bool(personal))
