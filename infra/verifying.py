"""Those who verify: models answer suites and benchmarks, in jobs beside those of the trainings.

They share executor and host with those who train, so that both wait for each other where there are
more of them than cores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from agents.trainer.workers.failing import Broke
from agents.trainer.workers.jobs import Jobs
from agents.trainer.workers.models import brought
from agents.verifier.workers.examining import Examiner
from agents.verifier.workers.ports import Answer, Asked, Say
from agents.worker import Worker
from events.artifacts import Artifacts
from events.catalog.jobs import DataRef, JobSpec, Recipe, Setting
from infra.home import Home
from infra.settings import Settings
from infra.training import Trainers
from pipelines.suites.tasks import task_rows, task_suites

SMALL = 1 << 26
"""Bytes of a model up to which it is taken for one that was made here."""
RIGHT = 0.5
"""From this share of right samples on an item counts as answered."""


def verifiers(home: Home, settings: Settings, trainers: Trainers) -> Sequence[Worker]:
    """Those who carry examinations out; what they work with is loaded when there is one."""
    artifacts = Artifacts(home.artifacts)
    measures = _Measures(trainers, artifacts, _tasks(home, settings), settings.workers.harness)
    return (Examiner(measures, artifacts).worker(),)


def suites(home: Home, settings: Settings) -> list[str]:
    """The benchmarks that lie here, as suites are named; a worker far away has its own."""
    return task_suites(_tasks(home, settings))


def _tasks(home: Home, settings: Settings) -> Path:
    return Path(settings.workers.tasks) if settings.workers.tasks else home.folder / "tasks"


class _Measures:
    """Models answer in jobs of their own; the same job is not done twice."""

    def __init__(self, trainers: Trainers, artifacts: Artifacts, tasks: Path, through: str) -> None:
        self._trainers, self._artifacts = trainers, artifacts
        self._tasks, self._through = tasks, through

    async def answers(self, asked: Asked, say: Say) -> Sequence[Answer]:
        items = await self._done(asked, "measure", {"of": "answers"}, say)
        return [
            Answer(
                min(1.0, max(0.0, fmean(float(reward) for reward in one["rewards"]))),
                bool(one["greedy"]),
            )
            for one in items
        ]

    async def task(self, asked: Asked, say: Say) -> Sequence[Answer]:
        items = await self._done(asked, "harness", {"through": self._through}, say)
        return [Answer(float(one["score"]), bool(one["right"])) for one in items]

    def rows(self, task: str) -> Sequence[Mapping[str, Any]]:
        return task_rows(self._tasks, task)

    async def _done(
        self, asked: Asked, trainer: str, settings: dict[str, Setting], say: Say
    ) -> list[dict[str, Any]]:
        stages = await self._trainers.stages()
        model = await asyncio.to_thread(brought, self._artifacts, asked.model.sha256, stages.models)
        spec = JobSpec(
            job=asked.job,
            base=str(model),
            model_type=asked.model_type,
            data=(await asyncio.to_thread(self._ref, asked),),
            recipe=Recipe(
                trainer=trainer,
                profile="tiny" if asked.model.size <= SMALL else "real",
                settings=settings,
            ),
            seed=asked.seed,
        )
        ended = await Jobs(stages.executor).done(spec, say)
        many = spec.data[0].rows
        items = await asyncio.to_thread(lambda: ended.items)
        if len(items) != many:
            raise Broke(f"{len(items)} of {many} items were answered", "defect", again=True)
        return items

    def _ref(self, asked: Asked) -> DataRef:
        content = self._artifacts.read(asked.rows.sha256)
        return DataRef(
            name="held_out", sha256=asked.rows.sha256, size=len(content),
            rows=content.count(b"\n"),
        )  # fmt: skip
