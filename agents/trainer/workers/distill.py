"""The stages of `distill`: a teacher, its traces, a middle and a small student, a proof.

A student that is not named is cut out of the model above it: half its layers, or of a single layer
a quarter of the neurons. What it learned is kept three times: merged into a model, as its adapters
alone, and as what those were put on.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from agents.trainer.bases import TINY
from agents.trainer.run import POLICY
from agents.trainer.workers.failing import Broke
from agents.trainer.workers.guarding import FINAL
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import (
    Items,
    answered,
    asked,
    keep_items,
    rewards,
    scored,
)
from agents.trainer.workers.tracing import collected, sieved, written
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Setting
from events.catalog.training import Artifact, Measured
from pipelines.evidence.intervals import paired
from pipelines.evidence.ratios import ratio, retained
from trainers.base import tokens_of

DATASET = "dataset"
TEACHER, MIDDLE, TRACES = "teacher", "middle", "traces"
LEVELS = {"sentiment_analysis": 0.8, "content_moderation": 0.8, "code_generation": 0.7}
LEVEL = 0.5
"""How good a tiny teacher is made, where the type has no level of its own."""
NEURONS = 0.25
"""Of a single layer, the share of neurons that a student keeps."""
LOOK, TIMED = 10, 40
"""Prompts by which it is measured how long an answer takes, on the way and at the end."""
ADAPTERS: dict[str, Setting] = {
    "lora": True, "lora_r": 32, "lora_alpha": 64, "lora_learning_rate": 4e-3,
    "schedule": "cosine",
}  # fmt: skip
"""In the profile `tiny`: what was cut apart needs more room to grow together than a base that is
only adapted to a role."""
STEPS: dict[str, int] = {MIDDLE: 300, "small": 400}


class Student(NamedTuple):
    """Who learns in a stage, and from whom."""

    base: Path | str
    """A model of its own, or the one that it is cut out of."""
    cut: dict[str, Setting]


async def teacher(work: Work) -> Made:
    """The teacher: made where there is none, and measured."""
    base = await work.base()
    if base == TINY:
        level = LEVELS.get(work.request.model_type, LEVEL)
        base = (await work.train("begin", TINY, {}, level=level)).model
    problems = await asked(work)
    items = await answered(work, base, problems, base, "teacher")
    made = [await keep_items(work, problems, items)]
    if Path(base).is_dir():
        made.append(await work.keep(Path(base), TEACHER))
    return Made(scored(items), tuple(made))


async def traces(work: Work) -> Made:
    """What the teacher wrote, now or before: what is right, and nothing that will be asked."""
    if work.has(DATASET):
        offered = collected(work, await work.rows(DATASET))
    else:
        offered = await written(work, await _teacher(work), "traces")
    found = await asyncio.to_thread(sieved, work, offered)
    return Made(found.figures, (await work.keep_rows(found.rows, TRACES),))


async def middle(work: Work) -> Made:
    """The first student learns from the teacher."""
    return await _taught(work, 1, await _teacher(work), work.input(TRACES), MIDDLE)


async def small(work: Work) -> Made:
    """The second learns from the teacher's traces and from those of the first."""
    above = await work.model(MIDDLE)
    offered = await written(work, above, "traces")
    more = await asyncio.to_thread(sieved, work, offered)
    both = {
        (one["prompt"], one["completion"]): one for one in [*await work.rows(TRACES), *more.rows]
    }
    rows = await work.keep_rows(both.values(), "traces.small")
    return await _taught(work, 2, above, rows, POLICY)


async def verify(work: Work) -> Made:
    """The last student beside its teacher and beside what it was before it learned."""
    student, above = await work.model(POLICY), await _teacher(work)
    before = await work.model("base.small") if work.has("base.small") else work.request.students[1]
    problems = await asked(work, items=FINAL)
    far = above if _alike(student, above) else before
    after = await answered(work, student, problems, far, "student")
    theirs = await answered(work, above, problems, above, "teacher")
    own = await answered(work, before, problems, before, "before")
    found = _figures(after, theirs, far == above) | {
        "improvement": paired(rewards(after), rewards(own)),
        "baseline": scored(own)["score"],
        **await _smaller(work, student, above, TIMED),
    }
    return Made(found, (await keep_items(work, problems, after),))


async def _taught(work: Work, place: int, above: Path | str, rows: Artifact, kind: str) -> Made:
    """A student that has learned these traces, beside its teacher and what it was before."""
    name = work.request.stage
    student = await _student(work, place, above)
    own: dict[str, Setting] = {}
    if work.profile == "tiny":
        own = {**ADAPTERS, "steps": STEPS[name]}
    trained = await work.train(
        "distill", student.base, {"train": rows}, None, None, "", **own, **student.cut
    )
    before = trained.folder / "student" if student.cut else Path(student.base)
    return await _compared(work, trained, before, kind)


async def _student(work: Work, place: int, above: Path | str) -> Student:
    """As it was named; else cut out of the model above it."""
    named = work.request.students
    if len(named) < place:
        return Student(above, _cut(Path(above)))
    kind = f"student.{place}"
    return Student(await work.model(kind) if work.has(kind) else named[place - 1], {})


def _cut(model: Path) -> dict[str, Setting]:
    """Half of its layers; of one layer a part."""
    if not model.is_dir():
        what = f"{model} is not here, so no student can be cut out of it"
        raise Broke(f"{what}: add it as a model, or name students", "usage", again=False)
    layers = int(json.loads((model / "config.json").read_bytes())["num_hidden_layers"])
    return {"layers": layers // 2} if layers > 1 else {"layers": 1, "neurons": NEURONS}


async def _compared(work: Work, trained: Ended, before: Path, kind: str) -> Made:
    above = await _teacher(work)
    problems = await asked(work)
    far = above if _alike(trained.model, above) else before
    after = await answered(work, trained.model, problems, far, "after")
    theirs = await answered(work, above, problems, above, "teacher")
    own = await answered(work, before, problems, before, "before")
    found = _figures(after, theirs, far == above) | {
        "gain": paired(rewards(after), rewards(own)),
        **await _smaller(work, trained.model, above, LOOK),
    }
    name = work.request.stage
    made = [
        await work.keep(trained.model, kind),
        await work.keep_file(trained, f"curve.{name}"),
        await keep_items(work, problems, after),
    ]
    if before.is_dir():
        made.append(await work.keep(before, f"base.{name}"))
    if (trained.folder / "adapter").is_dir():
        made.append(await work.keep(trained.folder / "adapter", f"adapter.{name}"))
    return Made(found, tuple(made))


def _figures(after: Items, theirs: Items, near: bool) -> dict[str, Measured]:
    """What can be said of a student beside its teacher. Its distance to it is measured where both
    have the same tokens; else it is the distance to what it was before, under another name."""
    found = scored(after)
    if not near:
        found["kl_before"] = found.pop("kl")
        found.pop("entropy_relative", None)
    return found | {
        "teacher": scored(theirs)["score"],
        "retention": retained(rewards(after), rewards(theirs)),
        "over_teacher": paired(rewards(after), rewards(theirs)),
    }


async def _teacher(work: Work) -> Path | str:
    return await work.model(TEACHER) if work.has(TEACHER) else work.request.base


def _alike(one: Path | str, other: Path | str) -> bool:
    """Whether two models surely have the same tokens."""
    ours, theirs = tokens_of(str(one)), tokens_of(str(other))
    return ours is not None and ours == theirs


async def _smaller(work: Work, student: Path, above: Path | str, many: int) -> dict[str, Measured]:
    """How small it is, and how many times as fast it writes a token: both in turn, by prompts."""
    problems = await work.keep_rows(
        ({"prompt": one.prompt} for one in work.fresh(many, "speed")), "prompts"
    )
    ended = await work.train(
        "measure", student, {"held_out": problems}, None, Path(above), "speed", of="speed"
    )
    each = [
        (one["reference_ms"] / one["reference_tokens"], one["ms"] / one["tokens"])
        for one in ended.items
    ]
    ours, theirs = ended.metrics["weights"] or 0.0, ended.metrics["reference_weights"] or 1.0
    share = ours / theirs
    return {
        "share": Measured(value=share, low=share, high=share, n=1),
        "speedup": ratio([one for one, _ in each], [one for _, one in each]),
        "weights": Measured(value=ours, low=ours, high=ours, n=1),
    }
