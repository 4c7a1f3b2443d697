"""A worker that only pretends to train: it waits, tells progress, and measures nothing.

A rehearsal tries a home, its owner and its workers with it. Its outcomes carry no metric, so nobody
can take it for real.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

from agents.trainer.workers.failing import Broke, failed
from agents.worker import Tell, Worker
from events.catalog.training import StageCompleted, StageRequested
from events.fact import Fact
from events.message import Outcome

STEPS = 5
REHEARSAL = "rehearsal"


def pretender(seconds: float) -> Worker:
    """A worker whose stages take about so long."""

    async def grant(told: Fact, tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        if request.pipeline != REHEARSAL:
            what = f"this worker rehearses, and {request.pipeline!r} is real"
            raise Broke(what, "rehearsing", again=True)
        return await pretended(request, tell, seconds)

    return Worker(StageRequested, grant, failed)


async def pretended(request: StageRequested, tell: Tell, seconds: float) -> Outcome:
    """One stage, waited through."""
    began = time.monotonic()
    for step in range(1, STEPS + 1):
        await asyncio.sleep(seconds / STEPS)
        tell({"run": request.run, "stage": request.stage, "step": step, "steps": STEPS})
    return StageCompleted(
        run=request.run,
        stage=request.stage,
        attempt=request.attempt,
        seconds=round(time.monotonic() - began, 3),
    )
