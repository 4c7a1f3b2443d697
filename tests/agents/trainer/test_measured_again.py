"""Where a figure is unclear, more items are measured, and nothing is trained again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from agents.trainer.workers.jobs import Jobs
from agents.trainer.workers.measuring import asked
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.changes import Change
from events.catalog.jobs import JobSpec
from events.catalog.training import Artifact, StageRequested
from events.errors import NotFound
from pipelines.remedies import times
from trainers.executor import Executor, State
from trainers.outcome import Outcome


class Done:
    """An executor whose jobs are done at once; it remembers which were new to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.new: list[str] = []

    def submit(self, spec: JobSpec) -> State:
        if spec.job not in self.new:
            self.new.append(spec.job)
            (self.folder(spec.job) / "model").mkdir(parents=True)
        return self.poll(spec.job)

    def poll(self, job: str) -> State:
        if job not in self.new:
            raise NotFound("nobody submitted it", where=job)
        return State(job, "ended", outcome=Outcome())

    def folder(self, job: str) -> Path:
        return self._folder / job

    def trainers(self) -> list[str]:
        """Of the new ones: what each of them does."""
        return [job.split("-")[2] for job in self.new]


async def carried_out(
    executor: Done, folder: Path, attempt: int, changes: Iterable[Change]
) -> Artifact:
    """A stage as they all are: something is trained, and it answers fresh problems."""
    example = json.dumps(StageRequested.example | {"run": "r1", "stage": "srl", "attempt": attempt})
    request = StageRequested.model_validate_json(example)
    request = request.model_copy(update={"changes": tuple(changes)})
    jobs = Jobs(cast(Executor, executor))
    work = Work(request, jobs, Artifacts(str(folder / "artifacts")), folder, lambda _: None)
    rows = await work.keep_rows([{"prompt": "a", "completion": "b"}] * 64, "train")
    trained = await work.train("sft", "base", {"train": rows})
    problems = await asked(work)
    await work.train("measure", trained.model, {"held_out": problems}, name="after")
    return problems


def prompts(folder: Path, problems: Artifact) -> set[str]:
    content = Artifacts(str(folder / "artifacts")).read(problems.sha256)
    rows: list[dict[str, Any]] = [json.loads(line) for line in content.splitlines()]
    return {row["prompt"] for row in rows}


def test_more_items_are_other_items_of_the_same_training(tmp_path: Path) -> None:
    executor = Done(tmp_path)
    first = asyncio.run(carried_out(executor, tmp_path, 1, ()))
    assert executor.trainers() == ["sft", "after"]
    doubled = times("srl", "items", 2.0)
    second = asyncio.run(carried_out(executor, tmp_path, 2, [doubled]))
    assert executor.trainers() == ["sft", "after", "after"]
    asyncio.run(carried_out(executor, tmp_path, 3, [doubled, doubled]))
    assert executor.trainers() == ["sft", "after", "after", "after"]
    few, many = prompts(tmp_path, first), prompts(tmp_path, second)
    assert len(many) == 2 * len(few)
    assert len(few & many) < len(few) / 2  # fresh ones, as far as the type has so many


def test_what_moves_the_training_itself_is_another_training(tmp_path: Path) -> None:
    executor = Done(tmp_path)
    asyncio.run(carried_out(executor, tmp_path, 1, ()))
    slower = times("srl", "learning_rate", 0.5)
    asyncio.run(carried_out(executor, tmp_path, 2, [slower]))
    assert executor.trainers() == ["sft", "after", "sft", "after"]


def test_the_same_attempt_after_a_crash_does_nothing_again(tmp_path: Path) -> None:
    executor = Done(tmp_path)
    asyncio.run(carried_out(executor, tmp_path, 1, ()))
    asyncio.run(carried_out(executor, tmp_path, 1, ()))
    assert executor.trainers() == ["sft", "after"]
