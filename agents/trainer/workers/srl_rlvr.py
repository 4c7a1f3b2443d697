"""The stages of `srl_rlvr`: a baseline, steps, outcomes, a proof on problems nobody has seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from agents.trainer.bases import TINY
from agents.trainer.run import POLICY
from agents.trainer.workers.guarding import FINAL, without_leaks
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import (
    answered,
    areas,
    asked,
    figures,
    gain,
    keep_items,
    scores,
)
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Limits
from events.catalog.training import Artifact, Measured
from pipelines.areas import weak
from pipelines.data.report import Report, Table
from pipelines.evidence.ratios import retained
from pipelines.retention import lost

NEAR = Limits(kl=0.2)
"""A training that comes this far stops; one batch may well lie beyond the gate of 0.1."""
LEVELS = {"sentiment_analysis": 0.6, "content_moderation": 0.7, "code_generation": 0.6}
"""How good a tiny base is made before it is taught: wrong often, and right often enough."""


async def baseline(work: Work) -> Made:
    """The base: made where there is none, and measured."""
    base = await work.base()
    if base == TINY:
        level = LEVELS.get(work.request.model_type, 0.35)
        base = (await work.train("begin", TINY, {}, level=level)).model
    problems = await asked(work)
    items = await answered(work, base, problems, base, "baseline")
    kept = await work.keep(Path(base), "base") if Path(base).is_dir() else None
    made = (await keep_items(work, problems, items, "items.baseline"),)
    return Made(figures(items), made if kept is None else (kept, *made))


async def srl(work: Work) -> Made:
    """An expert's steps."""
    base = await work.base()
    rows = {"train": await _learned(work)}
    trained = await work.train("srl", base, rows, NEAR)
    return await _compared(work, trained, base)


async def rlvr(work: Work) -> Made:
    """Outcomes that a verifier checks, held near the model that has learned the steps."""
    before = await work.model(POLICY)
    rows = {"train": await _learned(work)}
    trained = await work.train("rlvr", before, rows, NEAR)
    return await _compared(work, trained, before)


async def _learned(work: Work) -> Artifact:
    """The run's rows; of a set that it was given, and that nobody has searched since an evaluation
    set was registered, those without it."""
    rows = await work.rows("rows")
    left = await asyncio.to_thread(without_leaks, work, rows)
    return work.input("rows") if len(left) == len(rows) else await work.keep_rows(left, "rows")


async def verify(work: Work) -> Made:
    """The best of the policies and the base, on more problems than before."""
    policy, base = await work.model(POLICY), await work.base()
    problems = await asked(work, items=FINAL)
    after = await answered(work, policy, problems, base, "policy")
    before = await answered(work, base, problems, base, "base")
    found = figures(after) | {
        "improvement": gain(after, before),
        "retention": retained(scores(after), scores(before)),
        "baseline": figures(before)["sampled"],
    }
    rows = await work.rows_of(problems)
    ours, theirs = areas(rows, scores(after)), areas(rows, scores(before))
    gone = len(lost(ours, theirs))
    found["areas_lost"] = Measured(value=gone, low=gone, high=gone, n=len(ours))
    made = (
        await keep_items(work, problems, after),
        await keep_items(work, problems, before, "items.before"),
        *await work.keep_report(_report(work, ours, theirs), "verify"),
    )
    return Made(found, made)


async def _compared(work: Work, trained: Ended, before: Path | str) -> Made:
    """A new policy beside what it began from, on the same fresh problems."""
    problems = await asked(work)
    after = await answered(work, trained.model, problems, before, "after")
    earlier = await answered(work, before, problems, before, "before")
    made = (
        await work.keep(trained.model, POLICY),
        await keep_items(work, problems, after),
        await work.keep_file(trained, f"curve.{work.request.stage}"),
    )
    return Made(figures(after) | {"gain": gain(after, earlier)}, made)


def _report(
    work: Work, ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]
) -> Report:
    """Area by area, and where it is still weak."""
    rows = [(name, fmean(theirs[name]), fmean(own), len(own)) for name, own in sorted(ours.items())]
    return Report(
        f"Verification of run {work.request.run}",
        (f"Still weak: {', '.join(weak(ours)) or 'nowhere in particular'}.",),
        (),
        tables=(Table("Areas", ("area", "baseline", "policy", "problems"), rows),),
    )
