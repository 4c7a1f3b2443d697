"""Traces: what a larger model wrote, sieved until only what may be learned is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from agents.trainer.workers.guarding import guarded
from agents.trainer.workers.work import Work
from events.catalog.training import Measured
from pipelines.data.quality import leaks_of
from pipelines.evidence.intervals import proportion
from trainers.model_types.kind import Problem, Step, Trajectory, problem_of

PROMPTS, SAMPLES = 1000, 2
TEMPERATURE = 0.5
"""Of what is written to be learned: closer to what a model holds for right than all that it might
say. Of a tiny teacher that is right in half of its likeliest answers, a quarter of its samples are
right at 1."""
MOST = 200_000
"""Traces that are looked at."""

Trace = tuple[Problem, str]


class Sieved(NamedTuple):
    """What is left, and what was found."""

    rows: list[dict[str, Any]]
    figures: dict[str, Measured]


async def written(work: Work, model: Path | str, name: str) -> list[Trace]:
    """What a model writes now, several times on each fresh prompt."""
    seed = work.seed("prompts", work.setting("seed", 0))
    many = round(work.setting("prompts", PROMPTS))
    drawn = {one.prompt: one for one in islice(work.kind.problems(seed), 3 * many)}
    problems = dict(islice(drawn.items(), many))
    rows = await work.keep_rows(({"prompt": one} for one in problems), "prompts")
    ended = await work.train(
        "measure", model, {"held_out": rows}, None, None, name, of="samples",
        samples=round(work.setting("samples", SAMPLES)),
        temperature=work.setting("temperature", TEMPERATURE),
    )  # fmt: skip
    return [(problems[one["prompt"]], text) for one in ended.items for text in one["texts"]]


def collected(work: Work, rows: Sequence[Mapping[str, Any]]) -> list[Trace]:
    """What was written before, in production or by experts, as the rows of a data set hold it."""
    found = []
    for row in islice(rows, MOST):
        text = row.get("completion") or row.get("chosen")
        if not text and row.get("steps"):
            steps = tuple(
                Step(one.get("title", ""), one.get("reasoning", ""), one["action"], 0.0)
                for one in row["steps"]
            )
            one = Trajectory(str(row.get("id", "")), str(row["prompt"]), steps, "")
            text = work.kind.completion(one)
        if text and row.get("prompt"):
            found.append((problem_of(row), str(text)))
    return found


def sieved(work: Work, offered: Iterable[Trace]) -> Sieved:
    """Each text once, only what the verifier of the type calls right, and nothing that evaluations
    ask; how much was clean is measured before anything is taken out."""
    different = {(one.prompt, text): one for one, text in islice(offered, MOST)}
    rows = [{"prompt": prompt, "completion": text} for prompt, text in different]
    leaks = leaks_of(rows, guarded(work)) if rows else {}
    right = [
        row
        for number, (row, one) in enumerate(zip(rows, different.values(), strict=True))
        if number not in leaks and work.kind.verify(one, row["completion"]).correct
    ]
    many = float(len(right))
    clean = len(rows) - len(leaks)
    figures = {
        "traces": Measured(value=many, low=many, high=many, n=len(rows)),
        "right": proportion(len(right), clean),
        "decontamination": proportion(clean, len(rows)),
    }
    return Sieved(right, figures)
