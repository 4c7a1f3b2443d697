"""The first stages that `dpo` and `srf` share: imitation with its baseline, and pairs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from agents.trainer.bases import TINY
from agents.trainer.run import POLICY
from agents.trainer.workers.guarding import guarded, without_leaks
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import (
    Items,
    answered,
    asked,
    by_name,
    keep_items,
    scored,
)
from agents.trainer.workers.work import Made, Work
from events.catalog.training import Measured
from pipelines.areas import area
from pipelines.data.pairs import CONFIDENT, Paired, paired
from pipelines.data.preferences import Answer, Preference, Scored, preferences
from pipelines.data.rows import Provenance
from pipelines.data.telling import of_pairs
from pipelines.evidence.correlation import apart
from pipelines.evidence.intervals import bounded
from pipelines.evidence.ratios import ratio
from pipelines.length import SHORTER, shorter
from pipelines.probes import taught
from pipelines.splitting import split
from trainers.model_types.kind import Problem

DATASET = "dataset"
"""What an artifact is that somebody gave the run in the place of what it would make itself."""
DRAFTS, STEPS = 3000, 100
HELD = 0.1
"""Share of what is imitated that is only looked at."""
PROMPTS, SAMPLES, LONGEST = 1500, 4, 96
CONTRAST, SHARE, SIDES = "pairs.contrast", 1 / 3, ("chosen", "rejected")
LABEL = 1.0
"""The gap of a pair that somebody labelled without scores: the one yes, the other no."""


async def prepare(work: Work) -> Made:
    """Imitation, validated on what it has not seen, and the baseline of all that follows."""
    base = await work.base()
    if base == TINY:
        base = (await work.train("begin", TINY, {})).model
    written = await asyncio.to_thread(without_leaks, work, await _imitated(work))
    train, held = split(written, work.request.seed, HELD)
    rows = await work.keep_rows(train, "drafts")
    more = {"steps": STEPS, "learning_rate": 1e-3} if work.profile == "tiny" else {}
    trained = await work.train("sft", base, {"train": rows}, None, None, "", **more)
    found = await _validated(work, trained, train, held)
    problems = await asked(work)
    items = await answered(work, trained.model, problems, trained.model, "baseline")
    named = by_name(work, await work.rows_of(problems), items)
    found |= {f"capability.{name}": bounded(own) for name, own in named.items()}
    kept = await work.keep(trained.model, POLICY)
    made = (
        kept,
        kept.model_copy(update={"kind": "sft"}),
        rows,
        await keep_items(work, problems, items, "items.baseline"),
        await work.keep_file(trained, "curve.prepare"),
    )
    return Made(found | scored(items), made)


async def _imitated(work: Work) -> list[dict[str, Any]]:
    """What the run was given to imitate; else drafts."""
    if not work.has(DATASET):
        return await asyncio.to_thread(_drafts, work)
    rows = await work.rows(DATASET)
    if rows and "chosen" in rows[0]:  # of pairs the better side, and none that is held back later
        rows, _ = split(rows, work.request.seed)
    written: dict[str, str] = {}
    for row in rows:
        text = row.get("completion") or row.get("chosen") or row.get("outcome")
        if text:
            written.setdefault(str(row["prompt"]), str(text))
    return [{"prompt": one, "completion": text} for one, text in written.items()]


def _drafts(work: Work) -> list[dict[str, Any]]:
    """As people write, where the type knows how they do; else an expert's answers. The same at
    every attempt: to measure once more is not to train once more."""
    kind, seed = work.kind, work.seed_at(work.request.stage, 1, "drafts")
    draft = getattr(kind, "draft", None)
    written = {}
    for one in islice(kind.problems(seed), 2 * DRAFTS):
        text = draft(one, seed) if draft else kind.completion(kind.solve(one))
        written[one.prompt] = text
    return [{"prompt": one, "completion": text} for one, text in islice(written.items(), DRAFTS)]


async def _validated(
    work: Work, trained: Ended, train: Sequence[Any], held: Sequence[Any]
) -> dict[str, Measured]:
    """How likely it finds what it has imitated, and as much that it has not seen; in nats."""
    if not held:
        return {}
    seen = train[: len(held)]
    rows = await work.keep_rows(
        [one | {"seen": place < len(seen)} for place, one in enumerate([*seen, *held])],
        "drafts.held",
    )
    ended = await work.train(
        "measure", trained.model, {"held_out": rows}, name="likelihood", of="likelihood"
    )

    def loss(items: Items) -> Measured:
        return ratio([one["loss"] for one in items], [float(one["tokens"]) for one in items])

    known, fresh = ended.items[: len(seen)], ended.items[len(seen) :]
    old, new = ([one["loss"] / one["tokens"] for one in part] for part in (known, fresh))
    return {
        "train_loss": loss(known),
        "held_out_loss": loss(fresh),
        "learned_by_heart": apart(new, old),
    }


async def pairs(work: Work) -> Made:
    """Pairs that were given, or several answers to each prompt and which of two is better; leaks
    out, conflicts settled, what is not sure set aside and listed."""
    if work.has(DATASET):
        rows = await work.rows(DATASET)
        offered, areas = (
            _given(rows),
            {str(one["prompt"]): str(one.get("area", "")) for one in rows},
        )
        problems, scored = {}, list[Scored]()
    else:
        seed = work.seed("prompts", work.setting("seed", 0))
        many = round(work.setting("prompts", PROMPTS))
        own = drawn(work.kind.problems(seed), many)
        problems = {one.prompt: one for one in own}
        scored = await answers(work, "sft", own, "samples")
        offered = preferences(scored)
        areas = {one.prompt: area(work.kind, one) for one in own}
    found = await cleaned(work, offered)
    kept = [row_of(one, areas) for one in found.kept]
    told = await work.keep_report(of_pairs(f"Pairs of run {work.request.run}", found), "pairs")
    aside = [
        one.row() | {"reason": reason, "confidence": round(one.confidence, 4)}
        for reason, those in found.aside.items()
        for one in those
    ]
    contrast = await asyncio.to_thread(_contrast, work, kept, problems)
    made = (
        await work.keep_rows(kept, "pairs"),
        await work.keep_rows(aside, "pairs.aside"),
        await work.keep_rows([*contrast, *await _shorter(work, kept, scored, areas)], CONTRAST),
        *told,
    )
    figures = {gate.name: gate.value for gate in found.gates}
    for reason, those in found.aside.items():
        many = len(those)
        figures[f"aside.{reason}"] = Measured(value=many, low=many, high=many, n=found.offered)
    return Made(figures, made)


def _contrast(
    work: Work, rows: Sequence[Mapping[str, Any]], problems: Mapping[str, Problem]
) -> list[dict[str, Any]]:
    """Good answers beside what merely looks like them, where the verifier says so too."""
    found = []
    for one in taught(rows[:: max(1, round(1 / SHARE))], work.seed("contrast")):
        problem = problems.get(one["prompt"])
        if problem is not None:
            better, worse = (work.kind.verify(problem, one[side]).reward for side in SIDES)
            if better > worse:
                kind = area(work.kind, problem)
                found.append(one | {"gap": round(better - worse, 4), "area": kind})
    return found


async def _shorter(
    work: Work,
    rows: Sequence[Mapping[str, Any]],
    scored: Sequence[Scored],
    areas: Mapping[str, str],
) -> list[dict[str, Any]]:
    """As many pairs whose better side is the shorter one as there are others among these: without
    them, whose good answers are the longer ones learns that longer is better."""
    some = await asyncio.to_thread(shorter, rows, scored, CONFIDENT, work.seed("shorter"))
    found = await cleaned(work, some)
    return [row_of(one, areas) | {"probe": SHORTER} for one in found.kept]


def _given(rows: Iterable[Mapping[str, Any]]) -> list[Preference]:
    origin = Provenance(source="given", method="given")
    found = []
    for row in rows:
        if row.get("chosen") and row.get("rejected") and row["chosen"] != row["rejected"]:
            gap = LABEL if row.get("gap") is None else min(1.0, max(0.0, float(row["gap"])))
            sides = str(row["prompt"]), str(row["chosen"]), str(row["rejected"])
            found.append(Preference(*sides, gap, gap, origin))
    return found


def drawn(source: Iterable[Problem], many: int) -> list[Problem]:
    """So many different ones; fewer where the source repeats itself."""
    found = {one.prompt: one for one in islice(source, 3 * many)}
    return list(found.values())[:many]


async def sampled(
    work: Work, model: str, problems: Sequence[Problem], name: str
) -> list[Preference]:
    """Of several answers of a model to each problem the best beside the worst."""
    return preferences(await answers(work, model, problems, name))


async def answers(
    work: Work, model: str, problems: Sequence[Problem], name: str, samples: int = SAMPLES
) -> list[Scored]:
    """Several answers of a model to each problem, judged by who knows: the verifier of the type,
    which no model sees."""
    prompts = await work.keep_rows(({"prompt": one.prompt} for one in problems), "prompts")
    written = await work.train(
        "measure", await work.model(model), {"held_out": prompts}, None, None, name, of="samples",
        samples=round(work.setting("samples", samples)),
        temperature=work.setting("temperature", 1.0),
        **({"max_new": LONGEST} if work.profile == "tiny" else {}),
    )  # fmt: skip
    return await asyncio.to_thread(_judged, work, problems, written.items)


def _judged(work: Work, problems: Sequence[Problem], written: Items) -> list[Scored]:
    origin = Provenance(source="policy", method="verifier")
    known = {one.prompt: one for one in problems}
    each = [
        [Answer(text, work.kind.verify(known[one["prompt"]], text).reward) for text in one["texts"]]
        for one in written
    ]
    return [Scored(one["prompt"], own, origin) for one, own in zip(written, each, strict=True)]


async def cleaned(work: Work, offered: Sequence[Preference]) -> Paired:
    """Without what evaluations ask, without contradictions and without what is not sure."""
    return await asyncio.to_thread(lambda: paired(offered, guarded(work)))


def row_of(one: Preference, areas: Mapping[str, str]) -> dict[str, Any]:
    """As it is kept: with its gap and its area, by which it is split."""
    return {**one.row(), "gap": round(one.gap, 4), "area": areas.get(one.prompt) or "all"}
