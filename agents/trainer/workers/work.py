"""What a stage is given to work with, and what it makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agents.trainer.bases import GIVEN, TINY
from agents.trainer.workers.jobs import Ended, Jobs, Say
from agents.trainer.workers.models import brought, kept
from events.artifacts import Artifacts
from events.catalog.jobs import DataRef, JobSpec, Limits, Recipe, Setting
from events.catalog.training import Artifact, Measured, StageRequested
from events.errors import NotFound
from events.ids import derived_id
from pipelines.data.report import Report, markdown, page
from pipelines.remedies import settled
from trainers.model_types import model_type
from trainers.model_types.kind import ModelType, Problem
from trainers.recipes import settings_of

BASE = "base"
"""What a base is among the artifacts that a run has made or kept itself."""
SMALL = 1 << 26
"""Bytes of a registered model up to which it is taken for one that was made here."""


class Made(NamedTuple):
    """What came of a stage."""

    metrics: dict[str, Measured]
    artifacts: tuple[Artifact, ...] = ()
    key: str = ""
    """Of a queue for people: which of the two answers is the new policy's, item by item."""


@dataclass(frozen=True)
class Work:
    """One stage of one run."""

    request: StageRequested
    jobs: Jobs
    artifacts: Artifacts
    shelf: Path
    """Where models lie that were brought here."""
    say: Say

    @property
    def profile(self) -> Literal["real", "tiny"]:
        given = next((one for one in self.request.inputs if one.kind == GIVEN), None)
        made_here = self.request.base == TINY if given is None else given.size <= SMALL
        return "tiny" if made_here else "real"

    @cached_property
    def kind(self) -> ModelType:
        found: ModelType = model_type(self.request.model_type)
        return found

    def seed(self, *of: object) -> int:
        """One of this stage's own, from the run's; another attempt has another."""
        return self.seed_at(self.request.stage, self.request.attempt, *of)

    def seed_at(self, stage: str, attempt: int, *of: object) -> int:
        """That of any stage of the run, also of one that is still to come."""
        return int(derived_id("stage", self.request.seed, stage, attempt, *of)[:8], 16)

    def setting(self, name: str, default: float) -> float:
        """A number of this stage, as remedies have left it."""
        return settled(self.request.changes, self.request.stage, {name: default}).get(name, default)

    def input(self, kind: str) -> Artifact:
        """What an earlier stage has made."""
        found = next((one for one in self.request.inputs if one.kind == kind), None)
        if found is None:
            there = ", ".join(one.kind for one in self.request.inputs) or "nothing"
            raise NotFound(f"the run has no {kind!r}", where=self.request.stage, right=there)
        return found

    async def model(self, kind: str) -> Path:
        """The folder of a model that an earlier stage has made."""
        one = self.input(kind)
        return await asyncio.to_thread(brought, self.artifacts, one.sha256, self.shelf)

    async def base(self) -> Path | str:
        """What the run begins from: a registered model or one that was made for it, brought here;
        else the path or the hub id that was named."""
        there = {one.kind for one in self.request.inputs}
        kept = next((kind for kind in (BASE, GIVEN) if kind in there), None)
        return self.request.base if kept is None else await self.model(kept)

    async def keep(self, folder: Path, kind: str) -> Artifact:
        return await asyncio.to_thread(kept, self.artifacts, folder, kind)

    async def keep_rows(self, rows: Iterable[Mapping[str, Any]], kind: str) -> Artifact:
        """Rows as JSON lines; the same rows are the same artifact."""
        text = "".join(json.dumps(one, sort_keys=True) + "\n" for one in rows)
        ref = await asyncio.to_thread(self.artifacts.put, text.encode())
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)

    async def keep_file(self, ended: Ended, kind: str) -> Artifact:
        """What a training said of each of its steps."""
        file = ended.folder / "metrics.jsonl"
        ref = await asyncio.to_thread(self.artifacts.put_file, file)
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)

    async def rows(self, kind: str) -> list[dict[str, Any]]:
        return await self.rows_of(self.input(kind))

    async def rows_of(self, one: Artifact) -> list[dict[str, Any]]:
        content = await asyncio.to_thread(self.artifacts.read, one.sha256)
        return [json.loads(line) for line in content.splitlines()]

    def has(self, kind: str) -> bool:
        """Whether an earlier stage has made such a thing, or somebody has given it to the run."""
        return any(one.kind == kind for one in self.request.inputs)

    async def keep_report(self, told: Report, name: str) -> tuple[Artifact, Artifact]:
        """A report twice: for a terminal, and as a page with its plots."""
        kept = []
        for kind, text in ((f"report.{name}", markdown(told)), (f"page.{name}", page(told))):
            ref = await asyncio.to_thread(self.artifacts.put, text.encode())
            kept.append(Artifact(kind=kind, sha256=ref.sha256, size=ref.size))
        return kept[0], kept[1]

    def fresh(self, many: int, *of: object) -> list[Problem]:
        """Held-out problems that nobody was asked in this run."""
        return self.kind.suite(self.seed("held out", *of), many)

    def asked_later(self, stage: str, many: int) -> list[Problem]:
        """Those that a stage will ask at its first attempts, each time twice as many: none of them
        belongs into what is learned."""
        turns = ((attempt, many * 2 ** (attempt - 1)) for attempt in (1, 2, 3))
        seeds = [(self.seed_at(stage, attempt, "held out"), n) for attempt, n in turns]
        return [problem for seed, n in seeds for problem in self.kind.suite(seed, n)]

    async def train(
        self,
        trainer: str,
        base: Path | str,
        rows: Mapping[str, Artifact],
        limits: Limits | None = None,
        reference: Path | None = None,
        name: str = "",
        **settings: Setting,
    ) -> Ended:
        """A job of this stage; remedies move what it is set to."""
        chosen = {**settings, **self._changed(trainer, settings)}
        spec = JobSpec(
            job="job",
            base=str(base),
            reference=None if reference is None else str(reference),
            model_type=self.request.model_type,
            data=tuple([await self._ref(part, one) for part, one in rows.items()]),
            recipe=Recipe(trainer=trainer, profile=self.profile, settings=chosen),
            seed=0,
            limits=limits or Limits(),
        )
        return await self.jobs.done(await self._named(spec, name or trainer), self.say)

    def _changed(self, trainer: str, settings: Mapping[str, Setting]) -> dict[str, Setting]:
        """What remedies make of the numbers that this trainer would take."""
        recipe = Recipe(trainer=trainer, profile=self.profile, settings=dict(settings))
        whole = settings_of(recipe).model_dump()
        numbers = {name: one for name, one in whole.items() if isinstance(one, int | float)}
        found = settled(self.request.changes, self.request.stage, numbers)
        return {
            name: _alike(numbers[name], value) for name, value in found.items() if name in numbers
        }

    async def _named(self, spec: JobSpec, name: str) -> JobSpec:
        """Under a name that says what it does: the same training is not done twice, whatever else
        of its stage is done again. Of one that broke, this attempt is another try."""
        words = (self.request.seed, self.request.stage, name)
        key = derived_id("job", self.request.run, *words, spec.model_dump_json())[:8]
        job, again = "-".join((self.request.run, self.request.stage, name, key)), ""
        if await self.jobs.broke_before(job):
            again = f"-{self.request.attempt}"
        seed = int(derived_id("seed", *words, again, _anywhere(spec).model_dump_json())[:8], 16)
        return spec.model_copy(update={"job": job + again, "seed": seed})

    async def _ref(self, name: str, one: Artifact) -> DataRef:
        content = await asyncio.to_thread(self.artifacts.read, one.sha256)
        return DataRef(name=name, sha256=one.sha256, size=len(content), rows=content.count(b"\n"))


def _alike(was: float, value: float) -> Setting:
    """The value as what it was: on or off, a count of at least one, or any number."""
    if isinstance(was, bool):
        return value > 0
    return max(1, round(value)) if isinstance(was, int) else value


def _anywhere(spec: JobSpec) -> JobSpec:
    """The job without the folders of this home, so that a run can be repeated in another."""
    settings = {
        name: Path(one).name if isinstance(one, str) else one
        for name, one in spec.recipe.settings.items()
    }
    return spec.model_copy(
        update={
            "base": Path(spec.base).name,
            "reference": None if spec.reference is None else Path(spec.reference).name,
            "recipe": spec.recipe.model_copy(update={"settings": settings}),
        }
    )
