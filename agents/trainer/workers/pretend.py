"""A worker that only pretends to train: it waits, tells progress, and measures nothing.

It is there so that runs can be led from end to end before the real trainers arrive. Its actor
in the log is `worker:pretend`, and its outcomes carry no metric, so nobody can take it for real.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

from agents.worker import Tell, Worker
from events.catalog.training import StageCompleted, StageFailed, StageRequested
from events.fact import Fact
from events.message import Outcome

STEPS = 5


def pretender(seconds: float) -> Worker:
    """A worker whose stages take about so long."""

    async def grant(told: Fact, tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
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

    return Worker(StageRequested, grant, failed)


def failed(told: Fact, error: Exception) -> Outcome:
    request = cast(StageRequested, told.event)
    return StageFailed(
        run=request.run,
        stage=request.stage,
        attempt=request.attempt,
        reason=f"{type(error).__name__}: {error}"[:2000],
    )
