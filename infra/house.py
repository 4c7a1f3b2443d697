"""What runs in one process around one log: its parts, their troubles, its warm projections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from agents.shell import Shell
from events.bus import Bus
from events.errors import LogUnavailable
from events.memory import utc_now
from events.projection import Fold, Projection, restored
from events.store import EventStore
from infra.knowledge import Keeper
from infra.rejected import Rejected

log = logging.getLogger(__name__)

KEEP_EVERY = 5000
"""Events after which the projections are caught up and kept, so that others begin from there."""
LOOK = 5.0


class Part(Protocol):
    """Something that runs until it is cancelled, and can say what hinders it."""

    name: str

    @property
    def failure(self) -> str:
        """What hinders it just now, or ''."""

    async def run(self) -> None:
        """Run until cancelled."""


@dataclass
class House:
    """Everything around one log."""

    store: EventStore
    bus: Bus
    shells: Sequence[Shell[Any]]
    parts: Sequence[Part]
    """All that runs, the shells among them."""
    projections: dict[str, Projection]
    rejected: Rejected | None = None
    """What was refused at its doors."""
    knowledge: Keeper | None = None
    """Who keeps what is known; none where no engine is installed."""
    started_at: datetime = field(default_factory=utc_now)
    stopped: dict[str, str] = field(default_factory=dict)
    """Parts that came to an end by a defect, and why."""
    _folds: dict[str, Fold] = field(default_factory=dict)
    _folding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def troubles(self) -> dict[str, str]:
        """What does not work just now, by part."""
        hindered = {part.name: part.failure for part in self.parts if part.failure}
        return hindered | self.stopped

    async def fold(self, name: str) -> Fold:
        """A projection and its present state, kept warm."""
        async with self._folding:  # else two callers would fold the same events into one state
            fold = self._folds.get(name)
            if fold is None:
                fold = self._folds[name] = await restored(self.projections[name], self.store)
            await fold.catch_up(self.store)
        return fold

    async def run(self) -> None:
        """Run all parts until cancelled. One that fails by a defect stands still, alone."""
        async with asyncio.TaskGroup() as group:
            for part in self.parts:
                group.create_task(self._guarded(part), name=part.name)
            group.create_task(self._keep_on())

    async def _guarded(self, part: Part) -> None:
        try:
            await part.run()
        except Exception as error:  # reported at /readyz: an agent that fails must not hide
            self.stopped[part.name] = f"{type(error).__name__}: {error}"
            log.exception("%s stands still", part.name)

    async def _keep_on(self) -> None:
        kept = 0
        while True:
            await asyncio.sleep(LOOK)
            try:
                position = (await self.store.head()).position
                if position - kept >= KEEP_EVERY:
                    await self._keep()
                    kept = position
            except LogUnavailable as away:
                log.warning("projections are kept later: %s", away)

    async def _keep(self) -> None:
        for name in self.projections:
            await (await self.fold(name)).keep(self.store)

    async def close(self) -> None:
        """Keep what may be kept, and let go of the log."""
        try:
            await self._keep()
        finally:
            await self.bus.close()
            await self.store.close()
