"""The knowledge base as a part of the house: it follows the log, and answers what is asked.

What is asked right after it was said is answered with it: a search waits for what this process has
just written, for a moment at most. One who has no house takes a `Keeper` too, looks once, and asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from typing import Any, NamedTuple

from events.bus import Bus
from events.errors import LogUnavailable, RatchetError
from events.memory import utc_now
from events.store import EventStore
from infra.embedders import Reached, configured
from infra.home import Home
from infra.nearness import Nearness
from infra.recalling import Recollection
from infra.settings import Settings
from memory.edge import EdgeEngine, IndexGone, IndexRefused
from memory.embedding import Embedder, EmbedderAway
from memory.filters import Condition
from memory.index import Found
from memory.knowledge import HEARS
from memory.lexical import LexicalEmbedder
from memory.library import Library
from memory.making import BeingMade, Engine
from memory.search import Hit, Question, found, hit

log = logging.getLogger(__name__)

FOLDER, MEMORIES, ITEMS = "knowledge", "memories", "items"
IDLE = 5.0
"""Seconds without news after which what was taken in is brought to the disk."""
AGAIN = 2.0
CATCH_UP = 2.0
"""Seconds that a search waits for what was written just before it."""
STEP = 0.02
NO_EMBEDDER = "the embedder does not answer: found by words alone"
OTHER_VECTORS = "the index is being made anew: found by words alone"


class Answer(NamedTuple):
    """What a search found, and how."""

    hits: list[Hit]
    embedder: str
    degraded: str
    """Why it could be better, or ''."""
    generation: str | None
    position: int
    """Of the log, up to which it knows."""

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "hits": [one.to_json() for one in self.hits]}


class Keeper:
    """Keeps the library up with the log, and asks it."""

    name = "knowledge"

    def __init__(
        self,
        store: EventStore,
        library: Library,
        bus: Bus | None = None,
        reached: Reached | None = None,
        recollection: Recollection | None = None,
        nearness: Nearness | None = None,
    ) -> None:
        self.store, self.library, self._bus, self._reached = store, library, bus, reached
        self.recollection = recollection
        """Finds memories by meaning; none where no embedder knows meanings."""
        self.nearness = nearness
        """Finds evaluation items by meaning, likewise."""
        self.failure = ""
        self._heard = self._done = 0
        self._caught_up = asyncio.Event()
        self._settling: asyncio.Task[None] | None = None
        self._ring: Callable[[], None] = lambda: None
        self._told = ""

    async def run(self) -> None:
        """Follow the log until cancelled."""
        assert self._bus is not None
        ear = self._bus.ear(HEARS)
        self._ring = ear.ring
        stop = self.store.listen(self._hear)
        try:
            while True:
                try:
                    await self.look()
                except RatchetError as trouble:
                    self._trouble(str(trouble))
                    await ear.wait(AGAIN)
                    continue
                self._trouble("")
                if not await ear.wait(IDLE):
                    await self._rest()
        finally:
            stop()
            ear.close()
            await self.close()

    async def look(self, told: Callable[[int, int], None] | None = None) -> None:
        """Take in what is new."""
        with _disk():
            self._done = await self.library.look(told)
        if self._done >= self._heard:
            self._caught_up.set()

    async def search(self, question: Question, tries: int = 3) -> Answer:
        """The items that answer, the best first. An engine that ends is opened again, and one that
        ends with each try is no matter of luck."""
        await self._just_written()
        serving = self.library.serving
        if serving is None:
            return await self._nothing_yet(question)
        embedder = None if serving.filler is None else self.library.embedder
        degraded = self.library.embedder.degraded if embedder else OTHER_VECTORS
        asked = serving.index, embedder, question, serving.traits, utc_now()
        try:
            points = await found(*asked)
        except EmbedderAway:
            degraded = NO_EMBEDDER
            points = await found(serving.index, None, *asked[2:])
        except IndexGone:
            if tries == 1:
                raise
            if self.library.serving is serving:
                await self.library.gone(serving)
                await self.look()
            return await self.search(question, tries - 1)
        except IndexRefused:
            if tries == 1 or not await self.library.mended(serving):
                raise
            return await self._made_anew(question, tries)
        position = self._done if serving.filler is not None else 0
        hits = await self._told_plainly(points)
        return Answer(hits, self.library.embedder.id, degraded, serving.name, position)

    async def hits(
        self, text: str, limit: int = 10, condition: Condition | None = None
    ) -> list[Hit]:
        """The same for who only wants the items."""
        return (await self.search(Question(text, limit, condition=condition))).hits

    async def stats(self) -> dict[str, Any]:
        """What there is, and what hinders it."""
        told = await self.library.stats()
        return {**told, "position": self._done, "failure": self.failure}

    def make_anew(self) -> None:
        """A person asks for a new generation."""
        self.library.make_anew()
        self._ring()

    async def forget(self, key_id: str) -> None:
        """Purge what is kept of somebody."""
        with _disk():
            if self.recollection is not None:
                await self.recollection.forget(key_id)
            await self.library.forget(key_id)

    async def close(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
        await self.library.close()
        if self.recollection is not None:
            self.recollection.close()
        if self.nearness is not None:
            self.nearness.close()
        if self._reached is not None:
            await self._reached.close()

    def _hear(self, position: int, types: frozenset[str]) -> None:
        if types & HEARS:
            self._heard = position
            self._caught_up.clear()

    async def _just_written(self) -> None:
        if self._heard > self._done:
            with suppress(TimeoutError):
                async with asyncio.timeout(CATCH_UP):
                    await self._caught_up.wait()

    async def _nothing_yet(self, question: Question) -> Answer:
        """Nothing is known, or it comes in a moment, or later."""
        idle = self.library.building is None and not self.failure
        if idle and not await self.library.anything():
            return Answer([], self.library.embedder.id, self.library.embedder.degraded, None, 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                while self.library.serving is None and not self.failure:
                    await asyncio.sleep(STEP)
        if self.library.serving is not None:
            return await self.search(question)
        done, whole = self.library.building or (0, (await self.store.head()).position)
        raise BeingMade(
            self.failure or f"the knowledge base is being made: {done:,} of {whole:,} events",
            where="knowledge",
            right="ask again in a moment; `ratchet knowledge stats` shows how far it is",
        )

    async def _made_anew(self, question: Question, tries: int) -> Answer:
        """Files of the index are damaged, and it is a cache: who has no house waits for it."""
        if self._bus is None:
            await self.look()
            return await self.search(question, tries - 1)
        self._ring()
        what, right = "the index was damaged and is made anew", "ask again in a moment"
        raise BeingMade(what, where="knowledge", right=right)

    async def _told_plainly(self, points: list[Found]) -> list[Hit]:
        """The hits with their texts; what is about people is unsealed for this answer only."""
        sealed = [str(one.payload["source_event"]) for one in points if "owner" in one.payload]
        texts: dict[str, str] = {}
        if sealed:
            known = await self.store.find(sealed)
            plain = await self.store.reveal(list(known.values()))
            texts = {one.event_id: str(one.to_json()["data"]["text"]) for one in plain}
        return [hit(one, texts.get(str(one.payload["source_event"]), "")) for one in points]

    async def _rest(self) -> None:
        """Nothing is new: what there is, is put in order."""
        try:
            with _disk():
                await self.library.keep()
        except LogUnavailable as trouble:
            self._trouble(str(trouble))
            return
        if self._settling is not None and self._settling.done():
            failed = self._settling.exception()
            if failed is not None:
                log.warning("the index stays as it is for now: %s", failed)
            self._settling = None
        if self._settling is None:
            self._settling = asyncio.create_task(self.library.settle(), name="settling")

    def _trouble(self, what: str) -> None:
        self.failure = what
        if what and what != self._told:
            log.warning("the knowledge base: %s", what)
        self._told = what


@contextmanager
def _disk() -> Iterator[None]:
    """A disk that is full, or a folder that is none, is a trouble that passes, and no defect."""
    try:
        yield
    except OSError as error:
        raise LogUnavailable(
            f"the knowledge base cannot keep its files: {error.strerror or error}",
            where=str(error.filename or "knowledge"),
            right="room and rights for its folder; it is a cache, and may be removed whole",
        ) from None


def keeper(
    home: Home, settings: Settings, store: EventStore, bus: Bus | None = None
) -> Keeper | None:
    """The keeper of a home as it is configured; None where no engine is installed."""
    engine = _engine(home, settings)
    if engine is None:
        return None
    reached = configured(settings.models.embedder, home.folder)
    folder = home.folder / FOLDER
    embedder: Embedder = LexicalEmbedder() if reached is None else reached.embedder()
    library = Library(store, folder, engine, embedder)
    if reached is None:
        return Keeper(store, library, bus)
    recollection = Recollection(embedder, folder / MEMORIES)
    return Keeper(store, library, bus, reached, recollection, Nearness(embedder, folder / ITEMS))


def _engine(home: Home, settings: Settings) -> Engine | None:
    if settings.knowledge.url:
        from memory.qdrant import QdrantEngine

        mine = sha256(str(home.folder.resolve()).encode()).hexdigest()[:12]
        key = settings.knowledge.key.get_secret_value()
        return QdrantEngine(settings.knowledge.url, mine, key)
    return EdgeEngine() if find_spec("qdrant_edge") else None
