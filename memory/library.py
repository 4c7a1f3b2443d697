"""The library: one generation of the index that answers, kept up with the log, made anew at need.

It is made anew when there is none, when the embedder, the rules for words or the log are others,
when its folder cannot be read, when somebody was forgotten whose texts lie in its files, and on
request; what answers meanwhile is the former one, by words alone where its vectors are others'.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from events.errors import LogUnavailable
from events.store import EventStore, append
from memory.edge import IndexGone, IndexRefused
from memory.embedding import Embedder, EmbedderAway
from memory.filling import Told
from memory.fingerprint import EmbedderChanged, Identity, identified
from memory.generations import Shelf
from memory.knowledge import HEARS
from memory.making import BeingMade, Engine, Maker, Serving, traits
from memory.vectors import purge_all

SETTLE_AT = 20_000
"""Points that may be compared one by one; with more, the index is brought into its quick shape."""
ASKED = "it was asked for"
DAMAGED = "it could not be read"


class Library:
    """All generations of one home, and the vectors that they are made of."""

    def __init__(self, store: EventStore, folder: Path, engine: Engine, embedder: Embedder) -> None:
        self._store, self._engine, self.embedder = store, engine, embedder
        self.shelf, self._vectors = Shelf(folder / "index"), folder / "vectors"
        self._maker = Maker(store, self.shelf, self._vectors, engine, embedder)
        self._turn = asyncio.Lock()
        self._identity: Identity | None = None
        self._anew = ""
        self._any, self._silent = False, 0
        """Whether anything was heard; if not, up to where."""
        self.serving: Serving | None = None

    @property
    def building(self) -> tuple[int, int] | None:
        """The position up to which a new generation has come, and the one it goes to."""
        return self._maker.building

    def make_anew(self, reason: str = ASKED) -> None:
        """At the next look a new generation is made. If a person asks, by whatever embedder."""
        self._anew = reason

    async def look(self, told: Told | None = None) -> int:
        """Take in what the log has; the position up to which that was done."""
        async with self._turn:
            head = (await self._store.head()).position
            if self.serving is None and not await self.anything():
                return head
            if self.serving is None or self.serving.filler is None or self._anew:
                await self._open(head, told)
            assert self.serving is not None
            assert self.serving.filler is not None
            try:
                if await self.serving.filler.fill(head, told):
                    self.serving.traits = await traits(self.serving.index)
            except IndexGone:
                await self._let_go()
                raise
            except IndexRefused:
                if await _is_damaged(self.serving):
                    self._anew = DAMAGED
                raise
            return head

    async def anything(self) -> bool:
        """Whether the log tells of any knowledge at all."""
        head = (await self._store.head()).position
        if not self._any and head > self._silent:
            self._any = bool(await self._store.read(self._silent, head, 1, HEARS))
            self._silent = head
        return self._any

    async def keep(self) -> None:
        """Bring what was taken in to the disk."""
        async with self._turn:
            if self.serving is not None and self.serving.filler is not None:
                await self.serving.filler.keep()

    async def settle(self) -> None:
        """Bring the index into its quickest shape, where it has grown: a copy of it, in another
        process, which is then filled up and takes its place."""
        async with self._turn:
            serving = self.serving
            if not self._engine.settles or serving is None or serving.filler is None:
                return
            await serving.filler.keep()
            done, identity = serving.filler.done, self._identity
            if done.points - done.settled < max(SETTLE_AT, done.settled // 4) or identity is None:
                return
            name = await asyncio.to_thread(self.shelf.copied, serving.name)
        index = await self._engine.open(self.shelf, name, done.dim)
        try:
            await index.settle()
            async with self._turn:
                if self.serving is not serving or serving.filler.done.residue:
                    raise BeingMade("another generation took its place meanwhile")
                done = replace(done, settled=done.points)
                new = await self._maker.serving(name, index, done, identity)
                assert new.filler is not None
                await new.filler.fill((await self._store.head()).position)
                await self._swap(new)
        except BaseException:
            with suppress(LogUnavailable):
                await index.drop()
            self.shelf.remove(name)
            raise

    async def forget(self, key_id: str) -> None:
        """Purge what is kept of somebody: vectors, points, and what points leave in files."""
        async with self._turn:
            await self._let_go()
            await self._maker.close_cache()
            await asyncio.to_thread(purge_all, self._vectors, key_id)
            await asyncio.to_thread(self.shelf.sweep)
        await self.look()
        filler = None if self.serving is None else self.serving.filler
        if self._engine.settles and filler is not None and filler.done.residue:
            self._anew = "somebody was forgotten"
            await self.look()

    async def gone(self, serving: Serving) -> None:
        """Whoever found its engine ended says so; the next look opens it again."""
        async with self._turn:
            if self.serving is serving:
                await self._let_go()

    async def mended(self, serving: Serving) -> bool:
        """Whoever was refused says so; where the index itself is at fault, it is made anew at the
        next look."""
        async with self._turn:
            if self.serving is serving and await _is_damaged(serving):
                self._anew = DAMAGED
            return bool(self._anew) or self.serving is not serving

    async def close(self) -> None:
        async with self._turn:
            if self.serving is not None and self.serving.filler is not None:
                with suppress(LogUnavailable, OSError):  # it is taken in again from the log
                    await self.serving.filler.keep()
            await self._let_go()
            await self._maker.close_cache()

    async def stats(self) -> dict[str, Any]:
        """What there is."""
        serving, building = self.serving, self.building
        told: dict[str, Any] = {
            "generation": None,
            "embedder": self.embedder.id,
            "degraded": self.embedder.degraded,
            "points": 0,
            "position": 0,
            "building": building and {"done": building[0], "of": building[1]},
        }
        if serving is not None:
            told |= {"generation": serving.name, **(await serving.index.stats())._asdict()}
        if serving is not None and serving.filler is not None:
            told |= {"position": serving.filler.done.position}
            told |= {"vectors": len(serving.filler.cache), "settled": serving.filler.done.settled}
        return told

    async def _open(self, head: int, told: Told | None) -> None:
        """Open the current generation, or make one; who asks meanwhile is told that it goes on."""
        if self.serving is None:
            self._maker.building = (0, head)
        try:
            await self._opened(head, told)
        finally:
            self._maker.building = None

    async def _opened(self, head: int, told: Told | None) -> None:
        name, why = self.shelf.current(), self._anew or "there was none"
        try:
            self._identity = await identified(self.embedder, self._vectors, self._anew == ASKED)
        except (EmbedderAway, EmbedderChanged):
            if self.serving is None and name is not None:
                self.serving = await self._maker.by_words(name)
            raise
        if name is not None and not self._anew:
            why = await self._maker.wrong(name, self._identity)
            if not why:
                await self._let_go()
                self.serving = await self._maker.reopened(name, self._identity)
                if self.serving is not None:
                    await asyncio.to_thread(self.shelf.sweep)
                    return
                why = DAMAGED
            elif self.serving is None:
                self.serving = await self._maker.by_words(name)
        new, made = await self._maker.made(self._identity, head, why, told)
        try:
            await self._swap(new)
        except BaseException:
            if self.serving is not new:  # whoever tries again opens the same folder
                with suppress(LogUnavailable):
                    await new.index.close()
            raise
        self._anew = ""
        await append(self._store, made, actor="knowledge")

    async def _swap(self, new: Serving) -> None:
        """From now on this one answers; the former one goes."""
        old, name = self.serving, self.shelf.current()
        assert new.filler is not None
        await new.filler.keep()
        await asyncio.to_thread(self.shelf.make_current, new.name)
        self.serving = new
        with suppress(LogUnavailable):
            if old is not None:
                await old.index.drop()
            elif name is not None and name != new.name:
                await self._engine.remove(self.shelf, name)
        await asyncio.to_thread(self.shelf.sweep)

    async def _let_go(self) -> None:
        serving, self.serving = self.serving, None
        if serving is not None:
            with suppress(LogUnavailable):
                await serving.index.close()


async def _is_damaged(serving: Serving) -> bool:
    """Whether it refuses the plainest question, too, for which every vector is looked at."""
    filler = serving.filler
    if filler is None:
        return False
    try:
        await serving.index.query([1.0] + [0.0] * (filler.done.dim - 1), None, limit=1, exact=True)
        await serving.index.scroll(limit=1)
    except IndexRefused:
        return True
    except LogUnavailable:
        return False
    return False
