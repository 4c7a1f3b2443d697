"""What models remember, asked from outside: by meaning where the home has an embedder that knows
meanings, and by words else, which the answer then says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from events.envelope import Envelope
from events.errors import NotFound
from events.memory import utc_now
from events.message import Moment, Name
from events.personal import is_sealed
from events.store import EventStore
from events.suggest import near
from memory.embedding import Embedder, EmbedderAway
from memory.fingerprint import EmbedderChanged, identified
from memory.remembering.both import ByBoth
from memory.remembering.lexical import ByWords
from memory.remembering.recall import Reader, Recalled, budget_of, recall
from memory.remembering.scale import measured
from memory.remembering.searching import Search, Vectors
from memory.vectors import SUFFIX, VectorCache, purge_all

PATIENCE = 8.0
"""Seconds that an embedder has for memories that are new to it, and for the question."""
NO_EMBEDDER = "found by words alone: no embedder that knows meanings is set (models.embedder)"
AWAY = "found by words alone: the embedder does not answer"
LATE = "found by words alone: the embedder is not ready with these memories yet, ask again"
STEP = 500


class Asked(BaseModel):
    """What somebody wants a model to remember."""

    model_config = ConfigDict(extra="forbid")

    role: Name
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    model: Annotated[str, Field(max_length=200)] = ""
    session: Annotated[str, Field(max_length=200)] = ""
    at: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 5
    tokens: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """0 takes the share of the role's window."""
    reveal: bool = False
    """Personal memories too, for who has the scope admin."""


class Recollection:
    """Finds by meaning; keeps the vectors of memories in a folder of their own."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder, self._folder = embedder, folder
        self._turn = asyncio.Lock()
        self._cache: VectorCache | None = None
        self._search: Search | None = None

    @asynccontextmanager
    async def search(self) -> AsyncIterator[Search]:
        """The way of finding, for one at a time; raises where no embedder helps."""
        async with self._turn:
            if self._search is None:
                self._search = await self._opened()
            yield self._search

    async def forget(self, key_id: str) -> None:
        """Let go of the vectors of somebody's memories."""
        async with self._turn:
            self.close()
            if self._folder.is_dir():
                await asyncio.to_thread(purge_all, self._folder, key_id)

    def close(self) -> None:
        self._search = None
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    async def _opened(self) -> Search:
        identity = await identified(self._embedder, self._folder, accept=True)
        scale = await measured(self._embedder)
        if not scale.knows:
            what = "the embedder does not tell what belongs together from what does not"
            raise EmbedderAway(what, where=self._embedder.id)
        file = self._folder / f"{identity.fingerprint}{SUFFIX}"
        self._cache = await asyncio.to_thread(VectorCache, file, identity.dim)
        return ByBoth(Vectors(self._embedder, self._cache), scale)


async def recalled(
    asked: Asked,
    rows: Iterable[Mapping[str, Any]],
    profiles: Mapping[str, Any],
    recollection: Recollection | None,
    patience: float = PATIENCE,
) -> dict[str, Any]:
    """What comes to mind, as it is shown; `degraded` says why it could be better."""
    if asked.role not in profiles:
        meant = near(asked.role, profiles)
        right = f"did you mean {meant!r}?" if meant else "`ratchet roles list` shows them"
        raise NotFound(f"there is no role {asked.role!r}", where="ROLE", right=right)
    window = profiles[asked.role]["profile"]["memory"]["context_window"]
    reader = Reader(asked.role, asked.model or None, asked.session or None)
    budget = asked.tokens or budget_of(window)
    kept = [dict(row) for row in rows]  # a house goes on while an embedder is waited for

    async def by(search: Search) -> Recalled:
        moment = asked.at or utc_now()
        return await recall(asked.text, kept, reader, search, moment, budget, asked.limit)

    degraded = NO_EMBEDDER
    if recollection is not None:
        try:
            async with asyncio.timeout(patience), recollection.search() as search:
                return _shown(await by(search), "")
        except TimeoutError:
            degraded = LATE
        except (EmbedderAway, EmbedderChanged, OSError):
            degraded = AWAY
    return _shown(await by(ByWords()), degraded)


def _shown(found: Recalled, degraded: str) -> dict[str, Any]:
    items = [one._asdict() for one in found.items]
    return {**found._asdict(), "items": items, "degraded": degraded}


async def revealed(rows: Iterable[Mapping[str, Any]], store: EventStore) -> list[dict[str, Any]]:
    """The same, with sealed texts opened as far as they can be."""
    plain = [dict(row) for row in rows]
    sealed = {row["id"]: row for row in plain if is_sealed(row["text"])}
    names = list(sealed)
    for first in range(0, len(names), STEP):
        there = await store.find(names[first : first + STEP])
        opened: list[Envelope] = await store.reveal(list(there.values()))
        for one in opened:
            sealed[one.event_id]["text"] = getattr(one.event(), "text", None)
    return plain
