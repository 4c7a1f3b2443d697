"""Those who train: the worker of stages with its executor, loaded when there is something to train.

Jobs run in processes of their own below the home and go on when the owner dies: the next one takes
them up. Stages wait for each other where there are more of them than cores.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from agents.trainer.workers.failing import failed
from agents.trainer.workers.pretend import REHEARSAL, pretended
from agents.worker import Tell, Worker
from events.catalog.training import StageRequested
from events.fact import Fact
from events.message import Outcome
from infra.home import Home
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.stages import Stages


class Training:
    """A part of the house: it lets go of its jobs, which go on, when the house closes."""

    name = "those who train"
    failure = ""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._load: Callable[[], Stages] = lambda: loaded(home)
        self._pretend_seconds = settings.workers.pretend_seconds
        self._stages: Stages | None = None
        self._loading = asyncio.Lock()

    def workers(self) -> Sequence[Worker]:
        return (Worker(StageRequested, self._grant, failed),)

    async def run(self) -> None:
        """Wait until cancelled, and close what was opened."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._stages is not None:
                stages, self._stages = self._stages, None
                await asyncio.to_thread(stages.close)

    async def _grant(self, told: Fact, tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        if request.pipeline == REHEARSAL:
            return await pretended(request, tell, self._pretend_seconds)
        async with self._loading:
            if self._stages is None:
                self._stages = await asyncio.to_thread(self._load)
        return await self._stages.worker.grant(told, tell)


def loaded(home: Home) -> Stages:
    """What they work with."""
    from infra.stages import Stages

    return Stages(home, os.cpu_count() or 1)
