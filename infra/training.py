"""Those who train: the worker of stages with its executor, loaded when there is something to train.

Jobs run in processes of their own below the home and go on when the owner dies: the next one takes
them up. Stages wait for each other where there are more of them than cores. Torch takes seconds to
load, so that begins with a run and not with its first training: while data is made, nobody waits.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from agents.trainer.workers.failing import failed
from agents.trainer.workers.pretend import REHEARSAL, pretended
from agents.worker import Tell, Worker
from events.bus import Bus, Ear
from events.catalog.training import RunStarted, StageRequested
from events.errors import LogUnavailable
from events.fact import Fact
from events.message import Outcome
from events.store import EventStore
from infra.home import Home
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.stages import Stages

IDLE = 60.0
"""Seconds between looks whether a run has begun, where no bell rings."""
NEEDED = ("torch", "transformers", "peft")


class Trainers:
    """They work beside the log or far from it; what they open, they let go of in `close`."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._load: Callable[[], Stages] = lambda: loaded(home)
        self._pretend_seconds = settings.workers.pretend_seconds
        self._stages: Stages | None = None
        self._loading = asyncio.Lock()

    def workers(self) -> Sequence[Worker]:
        return (Worker(StageRequested, self._grant, failed),)

    async def stages(self) -> Stages:
        """What they work with, loaded when it is first needed; those who verify share it."""
        async with self._loading:
            if self._stages is None:
                self._stages = await asyncio.to_thread(self._load)
            return self._stages

    async def close(self) -> None:
        """Let go of the jobs, which go on."""
        if self._stages is not None:
            stages, self._stages = self._stages, None
            await asyncio.to_thread(stages.close)

    async def _grant(self, told: Fact, tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        if request.pipeline == REHEARSAL:
            return await pretended(request, tell, self._pretend_seconds)
        return await (await self.stages()).worker.grant(told, tell)


class Training(Trainers):
    """A part of the house."""

    name = "those who train"
    failure = ""

    def __init__(self, home: Home, settings: Settings, store: EventStore, bus: Bus) -> None:
        super().__init__(home, settings)
        self._store, self._bus = store, bus

    async def run(self) -> None:
        """Wait until cancelled, and close what was opened."""
        ear = self._bus.ear({RunStarted.wire})
        try:
            with suppress(LogUnavailable, OSError):  # then the first training waits for it
                await self._begun(ear)
            await asyncio.Event().wait()
        finally:
            ear.close()
            await self.close()

    async def _begun(self, ear: Ear) -> None:
        """Return when all is loaded, because a run has begun that will train."""
        position = (await self._store.head()).position
        while True:
            for one in await self._store.read(position, types=[RunStarted.wire]):
                position = one.position
                if cast(RunStarted, one.event()).pipeline != REHEARSAL:
                    await self.stages()
                    return
            await ear.wait(IDLE)


def loaded(home: Home) -> Stages:
    """What they work with."""
    from infra.stages import Stages

    return Stages(home, os.cpu_count() or 1)


def missing() -> str:
    """What is not installed here and would be needed to train, or ''."""
    return next((name for name in NEEDED if find_spec(name) is None), "")


def pipelines() -> tuple[str, ...]:
    """All whose stages this version can carry out."""
    from agents.trainer.workers.stages import STAGES

    return (*STAGES, REHEARSAL)
