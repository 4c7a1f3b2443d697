"""Filling a generation from the log, batch by batch, with a checkpoint behind what is on the disk.

A batch that was taken in and not yet kept as done is taken in again after a crash, which changes
nothing. Vectors come out of the cache where the text was embedded before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from events.catalog.knowledge import PersonalKnowledgeAdded
from events.envelope import Envelope
from events.store import EventStore
from memory.embedding import Embedder, Vector
from memory.filters import any_of, eq
from memory.generations import Checkpoint, Shelf
from memory.index import Point, VectorIndex
from memory.knowledge import HEARS, Changes, Known, folded
from memory.sparse import of_passage
from memory.vectors import Entry, VectorCache, key_of, owner_of

BATCH = 256
KEEP_EVERY = 8192
"""Events after which what was taken in is brought to the disk, in a long filling."""
SOME = 1000

Told = Callable[[int, int], None]
"""How far a filling has come: the position, and the one it goes to."""


class Filler:
    """Brings one index up to the log. One at a time; others may ask the index meanwhile."""

    def __init__(
        self,
        store: EventStore,
        index: VectorIndex,
        embedder: Embedder,
        cache: VectorCache,
        shelf: Shelf,
        name: str,
        done: Checkpoint,
    ) -> None:
        self._store, self.index, self._embedder = store, index, embedder
        self.cache, self._shelf, self.name = cache, shelf, name
        self.done = done
        """What the index holds; what of it is on the disk is kept now and then."""
        self._kept = done
        self._read = done.position
        """Up to here the log was read, in this process: the last events may not have been ours."""

    async def fill(self, until: int, told: Told | None = None) -> bool:
        """Take in the log up to a position; whether anything there was for us."""
        began = self.done.position
        while self._read < until:
            envelopes = await self._store.read(self._read, until, BATCH, HEARS)
            if not envelopes:
                self._read = until
                break
            await self._take(await self._revealed(envelopes))
            last = envelopes[-1]
            self._read = last.position
            self.done = replace(self.done, position=last.position, hash=last.hash)
            if told is not None:
                told(last.position, until)
            if self.done.position - self._kept.position >= KEEP_EVERY:
                await self.keep()
        return self.done.position > began

    async def keep(self) -> None:
        """Bring what was taken in to the disk, and remember how far that is."""
        if self.done != self._kept:
            await self.index.flush()
            self.done = replace(self.done, points=await self.index.count())
            await asyncio.to_thread(self._shelf.keep, self.name, self.done)
            self._kept = self.done

    async def _revealed(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Personal texts in plain, where their person was not forgotten."""
        kind = PersonalKnowledgeAdded.wire
        sealed = [one for one in envelopes if one.type == kind]
        if not sealed:
            return list(envelopes)
        plain = {one.event_id: one for one in await self._store.reveal(sealed)}
        return [plain.get(one.event_id, one) for one in envelopes]

    async def _take(self, envelopes: Sequence[Envelope]) -> None:
        changes = folded(envelopes)
        points = await self._points(changes.known)
        repeated = await self._repeated(changes)
        await self.index.upsert(points)
        for item, fields in changes.ended.items():
            await self.index.amend([item], fields)
        for owner in sorted(changes.forgotten):
            repeated |= await self._of(owner)
        await self.index.delete(sorted((changes.gone | repeated) - set(changes.known)))

    async def _points(self, known: dict[str, Known]) -> list[Point]:
        items = list(known.values())
        keys = [key_of(one.text, one.owner) for one in items]
        vectors = dict(zip(keys, self.cache.get(keys), strict=True))
        texts = {key: one for key, one in zip(keys, items, strict=True) if vectors[key] is None}
        if texts:
            made = await self._embedder.embed([one.text for one in texts.values()], "passage")
            fresh = list(zip(texts.items(), made, strict=True))
            vectors |= {key: vector for (key, _), vector in fresh}
            self.cache.put([Entry(key, owner_of(one.owner), v) for (key, one), v in fresh])
        return await asyncio.to_thread(_made, known, [vectors[key] for key in keys])

    async def _repeated(self, changes: Changes) -> set[str]:
        """Items that say what is now said anew, also where that was withdrawn at once."""
        contents = list(changes.contents)
        found: set[str] = set()
        after: str | None = None
        while contents:
            some, after = await self.index.scroll(any_of("content", contents), after, SOME)
            found |= {one.id for one in some}
            if after is None:
                break
        return found

    async def _of(self, owner: str) -> set[str]:
        """All items of somebody; what they leave in the files is noted before they go."""
        found: set[str] = set()
        after: str | None = None
        while True:
            some, after = await self.index.scroll(eq("owner", owner), after, SOME)
            found |= {one.id for one in some}
            if after is None:
                break
        if found and not self.done.residue:
            self.done = replace(self.done, residue=True)
            self._kept = replace(self._kept, residue=True)
            await asyncio.to_thread(self._shelf.keep, self.name, self._kept)
        return found


def _made(known: dict[str, Known], vectors: Sequence[Vector | None]) -> list[Point]:
    return [
        Point(item, vector or (), of_passage(one.text), one.payload)
        for (item, one), vector in zip(known.items(), vectors, strict=True)
    ]
