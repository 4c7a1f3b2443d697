"""What a reward model says of answers: a job that measures, carried out beside everything else.

The model is the newest that a run of the role has made. A job bears the name of what it reads, so
whoever is killed meanwhile finds it again, running or done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from agents.data_generator.pairing.rewards import Asked, Rewarded
from agents.data_generator.sources.source import SourceFailed
from agents.trainer.workers.failing import Broke
from agents.trainer.workers.jobs import Jobs
from agents.trainer.workers.models import brought
from events.artifacts import Artifacts
from events.catalog.jobs import DataRef, JobSpec, Recipe
from infra.history import History
from trainers.local import LocalExecutor


class RewardModels:
    """Has them score answers."""

    def __init__(self, history: History, artifacts: Artifacts, work: Path) -> None:
        self._history, self._artifacts, self._work = history, artifacts, work
        self._jobs: Jobs | None = None
        self._executor: LocalExecutor | None = None

    async def scores(self, asked: Asked) -> Rewarded:
        """Of each answer, as the model has it."""
        model = await self._history.reward_model(asked.role, asked.position)
        if model is None:
            raise SourceFailed(
                f"no run of role {asked.role!r} has made a reward model",
                where="scorer",
                right="a run of `srf` or `dpo` before it, or another scorer",
                retryable=False,
            )
        folder = await asyncio.to_thread(brought, self._artifacts, model, self._work / "models")
        rows = list(_rows(asked))
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row, _ in rows).encode()
        ref = await asyncio.to_thread(self._artifacts.put, text)
        key = sha256(f"{model} {ref.sha256}".encode()).hexdigest()[:24]
        spec = JobSpec(
            job=f"rewards-{key}",
            base=str(folder),
            model_type=asked.model_type,
            data=(DataRef(name="held_out", sha256=ref.sha256, size=ref.size, rows=len(rows)),),
            recipe=Recipe(trainer="measure", settings={"of": "scores"}),
            seed=0,
        )
        try:
            ended = await (await self._carried()).done(spec, lambda _: None)
        except Broke as broke:
            raise SourceFailed(f"the reward model has scored nothing: {broke}") from None
        found = [0.0] * len(asked.sides)
        for (_, places), item in zip(rows, ended.items, strict=True):
            for place, side in zip(places, ("chosen", "rejected"), strict=False):
                found[place] = float(item[side])
        return Rewarded(found, model)

    async def close(self) -> None:
        """Let go; jobs that run go on."""
        if self._executor is not None:
            await asyncio.to_thread(self._executor.close)

    async def _carried(self) -> Jobs:
        if self._jobs is None:
            self._executor = await asyncio.to_thread(
                LocalExecutor, self._work / "scoring", self._artifacts.chunks
            )
            self._jobs = Jobs(self._executor)
        return self._jobs


def _rows(asked: Asked) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Answers to the same prompt, two by two, as a job reads them, and their places. An odd one
    stands beside the first once more, whose second score counts nothing."""
    groups: list[list[int]] = []
    for place, (prompt, _) in enumerate(asked.sides):
        if groups and asked.sides[groups[-1][0]][0] == prompt:
            groups[-1].append(place)
        else:
            groups.append([place])
    for group in groups:
        for start in range(0, len(group), 2):
            places = tuple(group[start : start + 2])
            prompt, text = asked.sides[places[0]]
            other = asked.sides[places[1] if len(places) == 2 else group[0]][1]
            yield {"prompt": prompt, "chosen": text, "rejected": other}, places
