"""The worker of examinations: both models answer the same items, and everything is counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, cast

from agents.verifier.suites import EXAMPLES, FIXED, FRESH, TASK, is_task
from agents.verifier.workers.examples import Examples, examined
from agents.verifier.workers.ports import Answer, Asked, Measures, Say
from agents.verifier.workers.questions import Question, questions
from agents.worker import Tell, Worker
from events.artifacts import Artifacts
from events.catalog.examinations import AreaCount, ExaminationRequested, SuiteMeasured
from events.catalog.training import Artifact
from events.catalog.verification import ModelVerified, VerificationFailed
from events.errors import LogUnavailable, RatchetError
from events.fact import Fact
from events.message import Outcome
from pipelines.areas import areas_of_rows
from pipelines.evidence.intervals import bounded
from pipelines.evidence.ratios import retained
from pipelines.suites.comparing import cells
from trainers.model_types import model_type

LARGEST = 1 << 26
"""Bytes of a file of items."""
AREAS = 500


class Item(NamedTuple):
    """One item with what both models made of it."""

    suite: str
    name: str
    prompt: str
    areas: tuple[str, ...]
    after: Answer
    before: float | None = None
    compared: str = ""


@dataclass(frozen=True)
class Examiner:
    """Carries examinations out."""

    measures: Measures
    artifacts: Artifacts

    def worker(self) -> Worker:
        async def grant(told: Fact, tell: Tell) -> Outcome:
            request = cast(ExaminationRequested, told.event)

            def say(says: Mapping[str, Any]) -> None:
                tell({"verification": request.verification, **says})

            return await self.outcome(request, say)

        return Worker(ExaminationRequested, grant, failed)

    async def outcome(self, asked: ExaminationRequested, say: Say) -> ModelVerified:
        began = time.monotonic()
        examples = await asyncio.to_thread(self._examples, asked)
        items: list[Item] = []
        if asked.model is not None:
            items = await self._of_type(asked, asked.model, examples, say)
            for suite in asked.suites:
                if is_task(suite):
                    items += await self._of_task(asked, asked.model, suite, say)
        kept = await asyncio.to_thread(self._kept, items, examples)
        counted = [one for one in items if one.suite != EXAMPLES]
        return ModelVerified(
            verification=asked.verification,
            attempt=asked.attempt,
            role=asked.role,
            run=asked.run,
            model=asked.model,
            baseline=asked.baseline,
            suites=tuple(_suites(items)),
            wrong=sum(not one.after.right for one in counted),
            n=len(counted),
            areas=_areas(counted),
            examples=None if examples is None else examples.found,
            artifacts=kept,
            seconds=round(time.monotonic() - began, 3),
        )

    async def _of_type(
        self, asked: ExaminationRequested, model: Artifact, examples: Examples | None, say: Say
    ) -> list[Item]:
        """Problems of the model's own type. Its baseline answers them too, but for examples."""
        kind = model_type(asked.model_type)
        trusted = [] if examples is None else list(examples.problems)
        Random(asked.seed).shuffle(trusted)
        found = await asyncio.to_thread(
            questions, kind, asked.suites, asked.items, asked.seed, trusted[: asked.items]
        )
        if not found:
            return []
        after = await self._answers(asked, model, found, "model", say)
        beside = [one for one in found if one.suite != EXAMPLES]
        before: dict[str, float] = {}
        if asked.before is not None:
            before = await asyncio.to_thread(self._then, asked.before)
        elsewhere = {one.problem.prompt for one in beside if one.problem.id not in before}
        others: dict[str, float] = {}
        if asked.baseline is not None and elsewhere:
            rest = [one for one in beside if one.problem.prompt in elsewhere]
            said = await self._answers(asked, asked.baseline, rest, "baseline", say)
            others = {one.problem.id: answer.score for one, answer in zip(rest, said, strict=True)}
        return [
            _item(one, answer, before if one.suite == FIXED else {}, others)
            for one, answer in zip(found, after, strict=True)
        ]

    async def _answers(
        self, asked: ExaminationRequested, model: Artifact, some: Sequence[Question], name: str,
        say: Say,
    ) -> Sequence[Answer]:  # fmt: skip
        rows = await self._keep([one.problem._asdict() for one in some], "held_out")
        job = f"{asked.verification}-{asked.attempt}-{name}"
        return await self.measures.answers(
            Asked(job, model, asked.model_type, rows, asked.seed), say
        )

    async def _of_task(
        self, asked: ExaminationRequested, model: Artifact, suite: str, say: Say
    ) -> list[Item]:
        """A benchmark: both models, the same rows as every time."""
        rows = await asyncio.to_thread(self.measures.rows, suite.removeprefix(TASK))
        kept = await self._keep(rows, "task")
        answers: list[Sequence[Answer]] = []
        for name, one in (("model", model), ("baseline", asked.baseline)):
            if one is not None:
                job = f"{asked.verification}-{asked.attempt}-{suite}-{name}"[:100]
                task = Asked(job, one, asked.model_type, kept, asked.seed)
                answers.append(await self.measures.task(task, say))
        before = [None] * len(rows) if len(answers) < 2 else [one.score for one in answers[1]]
        compared = "" if len(answers) < 2 else "baseline"
        return [
            Item(suite, str(place), str(row["prompt"]), some, answer, other, compared)
            for place, (row, some, answer, other) in enumerate(
                zip(rows, areas_of_rows(rows), answers[0], before, strict=True)
            )
        ]

    def _examples(self, asked: ExaminationRequested) -> Examples | None:
        if EXAMPLES not in asked.suites or asked.examples is None:
            return None
        content = self.artifacts.read(asked.examples.sha256, LARGEST)
        return examined(model_type(asked.model_type), content, asked.seed)

    def _then(self, kept: Artifact) -> dict[str, float]:
        """What it earned for each problem of the fixed suite when that was first asked."""
        rows = (json.loads(line) for line in self.artifacts.read(kept.sha256, LARGEST).splitlines())
        return {str(one["problem"]): float(one["score"]) for one in rows}

    def _kept(self, items: Sequence[Item], examples: Examples | None) -> tuple[Artifact, ...]:
        """Item by item, for reports and for the looks that follow."""
        found = []
        by_kind = {"items": items, "items.fixed": [one for one in items if one.suite == FIXED]}
        for kind, some in by_kind.items():
            if some:
                found.append(self._put((_row(one) for one in some), kind))
        if examples is not None and examples.refused:
            found.append(self._put(examples.refused, "examples.refused"))
        return tuple(found)

    async def _keep(self, rows: Iterable[Mapping[str, Any]], kind: str) -> Artifact:
        return await asyncio.to_thread(self._put, rows, kind)

    def _put(self, rows: Iterable[Mapping[str, Any]], kind: str) -> Artifact:
        text = "".join(json.dumps(one, sort_keys=True) + "\n" for one in rows)
        ref = self.artifacts.put(text.encode())
        return Artifact(kind=kind, sha256=ref.sha256, size=ref.size)


def failed(told: Fact, error: Exception) -> Outcome:
    """Whatever it ran into; what a person has to mend is not tried again."""
    request = cast(ExaminationRequested, told.event)
    again = getattr(error, "again", not isinstance(error, RatchetError))
    named = isinstance(error, RatchetError) or hasattr(error, "again")
    reason = str(error) if named else f"{type(error).__name__}: {error}"
    return VerificationFailed(
        verification=request.verification,
        attempt=request.attempt,
        role=request.role,
        reason=reason[:2000] or type(error).__name__,
        retryable=again or isinstance(error, LogUnavailable),
    )


def _item(
    one: Question, answer: Answer, then: Mapping[str, float], others: Mapping[str, float]
) -> Item:
    problem = one.problem
    found = Item(one.suite, problem.id, problem.prompt, one.areas, answer)
    if problem.id in then:
        return found._replace(before=then[problem.id], compared="itself")
    if problem.id in others:
        return found._replace(before=others[problem.id], compared="baseline")
    return found


def _row(one: Item) -> dict[str, Any]:
    found: dict[str, Any] = {
        "suite": one.suite, "problem": one.name, "prompt": one.prompt,
        "score": round(one.after.score, 6), "right": one.after.right, "area": list(one.areas),
    }  # fmt: skip
    return found if one.before is None else found | {one.compared: round(one.before, 6)}


def _suites(items: Sequence[Item]) -> Iterable[SuiteMeasured]:
    """The figures of each suite; of what was compared in two ways, both."""
    order = {FIXED: 0, FRESH: 1, EXAMPLES: 2}
    kinds = {(one.suite, one.compared) for one in items}
    for suite, compared in sorted(kinds, key=lambda one: (order.get(one[0], 3), *one)):
        some = [one for one in items if (one.suite, one.compared) == (suite, compared)]
        after = [one.after.score for one in some]
        before = [one.before for one in some if one.before is not None]
        if len(before) < len(some):
            yield SuiteMeasured(suite=suite, score=bounded(after))
            continue
        kept = retained(after, before)
        yield SuiteMeasured.model_validate(
            {
                "suite": suite,
                "score": bounded(after),
                "compared": compared,
                "other": bounded(before),
                "retention": kept if kept.n else None,
                "cells": cells(after, before),
            }
        )


def _areas(items: Sequence[Item]) -> tuple[AreaCount, ...]:
    """How often it was wrong in each; an area of one item is none."""
    n, wrong = Counter[str](), Counter[str]()
    for one in items:
        n.update(one.areas)
        if not one.after.right:
            wrong.update(one.areas)
    some = sorted((area for area, many in n.items() if many > 1), key=lambda one: (-n[one], one))
    return tuple(AreaCount(area=one, wrong=wrong[one], n=n[one]) for one in some[:AREAS])
