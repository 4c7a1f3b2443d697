"""Jobs of a stage: handed to an executor under names of their own, and waited for.

The name follows from the run, the stage and the attempt, so whoever is granted the stage again
finds the job where it stands, running or done, and nothing is trained twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agents.trainer.workers.failing import Broke
from agents.trainer.workers.progress import Pace
from events.catalog.jobs import JobSpec
from events.errors import NotFound
from trainers.executor import Executor, State
from trainers.outcome import Outcome

LOOK = 0.05
"""Seconds between looks at a job."""

Say = Callable[[Mapping[str, Any]], None]


class Ended(NamedTuple):
    """What a job has made."""

    metrics: Mapping[str, float | None]
    folder: Path
    file: str
    """Of what was measured, item by item."""
    stopped_by: str
    seconds: float

    @property
    def items(self) -> list[dict[str, Any]]:
        if not self.file:
            return []
        content = (self.folder / self.file).read_bytes()
        return [json.loads(line) for line in content.splitlines()]

    @property
    def model(self) -> Path:
        return self.folder / "model"


class Jobs:
    """Has jobs carried out, one after another or side by side."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def done(self, spec: JobSpec, say: Say) -> Ended:
        """Carried out to its end, its steps told on the way; `Broke` where it ended badly."""
        state = await asyncio.to_thread(self._executor.submit, spec)
        told, pace = -1, Pace(spec)
        while state.status != "ended":
            await asyncio.sleep(LOOK)
            state = await asyncio.to_thread(self._executor.poll, spec.job)
            if state.step != told:
                told = state.step
                last = await self._last(state)
                say({"job": spec.trainer, "step": told, **last, **pace.after(last)})
        outcome = state.outcome
        assert outcome is not None
        if outcome.status != "completed":
            raise broke(outcome)
        folder = await asyncio.to_thread(self._executor.folder, spec.job)
        return Ended(outcome.metrics, folder, outcome.per_item, outcome.stopped_by, outcome.seconds)

    async def broke_before(self, job: str) -> bool:
        """Whether a job of this name was carried out before, and ended badly."""
        try:
            state = await asyncio.to_thread(self._executor.poll, job)
        except NotFound:
            return False
        return state.outcome is not None and state.outcome.status != "completed"

    async def _last(self, state: State) -> dict[str, Any]:
        """The numbers of the last step."""
        folder = await asyncio.to_thread(self._executor.folder, state.job)
        try:
            with (folder / "metrics.jsonl").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - 4096))
                return dict(json.loads(file.read().splitlines()[-1]))
        except (OSError, ValueError, IndexError):
            return {}


def broke(outcome: Outcome) -> Broke:
    """As a worker says it."""
    where = f" ({outcome.where})" if outcome.where else ""
    right = f": {outcome.right}" if outcome.right else ""
    what = f"{outcome.stopped_by}{where}{right}"
    return Broke(what, outcome.failure or "defect", outcome.again)
