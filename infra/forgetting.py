"""Purging what belongs to people who were forgotten: what lies outside the log, on their account.

The log has done its part with the event itself. What follows may be done twice and is never lost:
the checkpoint goes on only behind what was purged, so a crash leaves the rest for the next owner.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from events.artifacts import Artifacts
from events.bus import Bus
from events.catalog.people import SubjectForgotten
from events.errors import CheckpointMoved, LogUnavailable
from events.store import EventStore, Move, append, every

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds between looks when nobody rings."""
AGAIN = 1.0

Purge = Callable[[str], Awaitable[None]]
"""Deletes what was kept under the id of a subject's key; done twice, it changes nothing."""


class Purger:
    """Follows the log, and purges after each `SubjectForgotten`."""

    def __init__(
        self, store: EventStore, bus: Bus, purges: Sequence[Purge], checkpoint: str = "purge"
    ) -> None:
        self._store, self._bus, self._purges = store, bus, purges
        self._checkpoint = checkpoint
        """Of this machine alone, where several share a log and not their artifacts."""
        self.name = "purge"
        self.failure = ""

    async def run(self) -> None:
        """Purge until cancelled; what cannot be deleted now is tried again."""
        ear = self._bus.ear([SubjectForgotten.wire])
        try:
            while True:
                try:
                    await self.look()
                except (LogUnavailable, OSError) as trouble:
                    self.failure = f"what was forgotten is not purged yet: {trouble}"
                    log.warning(self.failure)
                    await asyncio.sleep(AGAIN)
                    continue
                except CheckpointMoved:  # another owner was quicker
                    continue
                self.failure = ""
                await ear.wait(IDLE)
        finally:
            ear.close()

    async def look(self) -> None:
        """Purge whoever was forgotten since the last look."""
        done = await self._store.checkpoint(self._checkpoint)
        async for batch in every(self._store, done, types=[SubjectForgotten.wire], batch=100):
            for envelope in batch:
                assert envelope.key_id is not None
                for purge in self._purges:
                    await purge(envelope.key_id)
                move = Move(self._checkpoint, done, envelope.position)
                await append(self._store, move=move)
                done = envelope.position


def from_artifacts(url: str) -> Purge:
    """Purges the artifacts at a URL, beside the loop: a store far away takes its time."""

    async def purge(key_id: str) -> None:
        await asyncio.to_thread(Artifacts(url).purge, key_id)

    return purge
