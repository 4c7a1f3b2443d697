"""The stages of `srl_rlvr`: a baseline, steps, outcomes, a proof on problems nobody has seen."""

from __future__ import annotations

from pathlib import Path

from agents.trainer.run import POLICY
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import answered, asked, figures, gain, scores
from agents.trainer.workers.work import TINY, Made, Work
from events.catalog.jobs import Limits
from pipelines.evidence.ratios import retained

NEAR = Limits(kl=0.2)
"""A training that comes this far stops; one batch may well lie beyond the gate of 0.1."""
LEVELS = {"sentiment_analysis": 0.6, "content_moderation": 0.7, "code_generation": 0.6}
"""How good a tiny base is made before it is taught: wrong often, and right often enough."""
FINAL = 300
"""Problems of the proof."""


async def baseline(work: Work) -> Made:
    """The base: made where there is none, and measured."""
    base: Path | str = work.request.base
    if base == TINY:
        level = LEVELS.get(work.request.model_type, 0.35)
        base = (await work.train("begin", TINY, {}, level=level)).model
    problems = await asked(work)
    items = await answered(work, base, problems, base, "baseline")
    found = figures(items)
    kept = await work.keep(Path(base), "base") if Path(base).is_dir() else None
    return Made(found, () if kept is None else (kept,))


async def srl(work: Work) -> Made:
    """An expert's steps."""
    base = await _base(work)
    rows = {"train": work.input("rows")}
    trained = await work.train("srl", base, rows, NEAR)
    return await _compared(work, trained, base)


async def rlvr(work: Work) -> Made:
    """Outcomes that a verifier checks, held near the model that has learned the steps."""
    before = await work.model(POLICY)
    rows = {"train": work.input("rows")}
    trained = await work.train("rlvr", before, rows, NEAR)
    return await _compared(work, trained, before)


async def verify(work: Work) -> Made:
    """The best of the policies and the base, on more problems than before."""
    policy, base = await work.model(POLICY), await _base(work)
    problems = await asked(work, items=FINAL)
    after = await answered(work, policy, problems, base, "policy")
    before = await answered(work, base, problems, base, "base")
    found = figures(after) | {
        "improvement": gain(after, before),
        "retention": retained(scores(after), scores(before)),
        "baseline": figures(before)["sampled"],
    }
    return Made(found)


async def _compared(work: Work, trained: Ended, before: Path | str) -> Made:
    """A new policy beside what it began from, on the same fresh problems."""
    problems = await asked(work)
    after = await answered(work, trained.model, problems, before, "after")
    earlier = await answered(work, before, problems, before, "before")
    found = figures(after) | {"gain": gain(after, earlier)}
    curve = await work.keep_file(trained, f"curve.{work.request.stage}")
    return Made(found, (await work.keep(trained.model, POLICY), curve))


async def _base(work: Work) -> Path | str:
    if any(one.kind == "base" for one in work.request.inputs):
        return await work.model("base")
    return work.request.base
