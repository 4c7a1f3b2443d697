"""A store to be examined, in a place, by a clock and with a key of the test's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from events.chain import GENESIS, Signer, holds, signed
from events.envelope import Envelope
from events.keeper import Keeper
from events.merkle import Frontier
from events.store import EventStore, every
from tests.events.messages import Clock


class StoreCase(ABC):
    """Whoever inherits says how such a store is made."""

    place: Path
    clock: Clock
    signer: Signer
    keeper: Keeper

    @abstractmethod
    async def make(self, place: Path, clock: Clock, signer: Signer) -> EventStore:
        """A store that writes to `place`: fresh, or, where it lasts, what was left there."""

    @pytest.fixture(autouse=True)
    def setting(self, tmp_path: Path) -> None:
        self.place, self.clock, self.signer = tmp_path, Clock(), Signer.fresh()
        self.keeper = Keeper.fresh()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[EventStore]:
        store = await self.make(self.place, self.clock, self.signer)
        try:
            yield store
        finally:
            await store.close()

    async def intact(self, store: EventStore) -> list[Envelope]:
        """All that the log holds, once the chain, the tree and the signed head were checked."""
        log = [envelope async for batch in every(store, batch=100) for envelope in batch]
        previous = GENESIS
        for index, envelope in enumerate(log):
            assert envelope.position == index + 1
            assert holds(envelope, previous)
            previous = envelope.hash
        head = await store.head()
        assert (head.position, head.hash) == (len(log), previous)
        tree, segments = Frontier().grown(bytes.fromhex(envelope.hash) for envelope in log)
        assert head.root == (tree.root().hex() if log else "")
        assert await store.segments() == [root.hex() for root in segments.values()]
        assert signed(head, self.signer.public) is bool(log)
        return log
