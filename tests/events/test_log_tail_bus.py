"""The bus of one process keeps the contract of all buses."""

from __future__ import annotations

from events.bus import Bus, LogTailBus
from events.store import EventStore
from tests.events.bus_contract import BusContract


class TestLogTailBus(BusContract):
    """Wakes its readers by the store's own commits."""

    async def make(self, store: EventStore) -> Bus:
        return LogTailBus(store)
