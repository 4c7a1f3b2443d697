"""Histories of knowledge and libraries over them, for tests."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from events.catalog.knowledge import KnowledgeAdded
from events.envelope import Envelope
from events.memory import MemoryStore
from events.store import EventStore, append
from infra.knowledge import Keeper
from memory.edge import EdgeEngine
from memory.embedding import Embedder, EmbedderAway, Kind, Vector
from memory.lexical import LexicalEmbedder, lexical
from memory.library import Library

FACTS = (
    "A refund above 500 EUR needs the approval of a second person.",
    "Parcels to Norway take six days, because they pass the customs.",
    "The night shift restarts the label printer when it jams.",
    "Customers with a contract may return goods for ninety days.",
    "Invoices are sent on the first working day of the month.",
)


async def told(store: EventStore, *texts: str, **more: object) -> list[Envelope]:
    """Say some facts."""
    said: list[Envelope] = []
    for text in texts:
        said += await append(store, KnowledgeAdded(text=text, **more), actor="test")  # type: ignore[arg-type]
    return said


async def history() -> MemoryStore:
    """A log with all the facts."""
    store = MemoryStore()
    await told(store, *FACTS)
    return store


@asynccontextmanager
async def keeping(
    store: EventStore, folder: Path, embedder: Embedder | None = None
) -> AsyncIterator[Keeper]:
    """A keeper that has looked once."""
    library = Library(store, folder, EdgeEngine(), embedder or LexicalEmbedder())
    keeper = Keeper(store, library)
    try:
        await keeper.look()
        yield keeper
    finally:
        await keeper.close()


class Counting:
    """The lexical embedder under another name; it counts the texts that it was given, may be away,
    and may answer as another one would."""

    def __init__(self, name: str = "counting") -> None:
        self.id, self.dim, self.degraded = name, 384, ""
        self.texts: list[str] = []
        self.away = self.hangs = False
        self.turned = False

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:
        if self.away:
            raise EmbedderAway("the embedder does not answer", where=self.id)
        if self.hangs:
            await asyncio.Event().wait()
        if kind == "passage":
            self.texts += texts
        return [lexical(_turned(text) if self.turned else text) for text in texts]


def _turned(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
