"""The store in memory keeps the contract."""

from __future__ import annotations

from pathlib import Path

from events.chain import Signer
from events.memory import MemoryStore
from tests.events.messages import Clock
from tests.events.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    """Everything but lasting."""

    async def make(self, place: Path, clock: Clock, signer: Signer) -> MemoryStore:  # noqa: ARG002
        return MemoryStore(clock, signer, self.keeper)
