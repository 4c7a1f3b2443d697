"""A job that trains nothing: it measures a model, or has it write samples, item by item.

What gates judge comes from here, so that the model of one stage and that of the stage before it
answer the same fresh items under the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from trainers.closing import HELD_OUT, measured
from trainers.critics import scores_of, texts
from trainers.engine import Engine
from trainers.models import load, load_reference
from trainers.order import derived
from trainers.outcome import Outcome
from trainers.policy import device_of
from trainers.probe import preferences, preferred
from trainers.run import Run
from trainers.speed import speed
from trainers.value_head import load_head

Metrics = dict[str, float | None]
AT_ONCE = 64
"""Texts that a reward model reads at the same time."""
PIECE = 50
"""Prompts between two signs of life."""


def train(run: Run) -> Outcome:
    """As the other trainers are called; no weight changes."""
    return WAYS[run.settings.of](run)


class _Measured:
    """What `closing.measured` asks of a policy."""

    def __init__(self, run: Run) -> None:
        self.engine = _engine(run)


def _answers(run: Run) -> Outcome:
    """How good it is, how far from the reference, how decided; what a reward model says of it."""
    metrics, items = measured(run, _Measured(run))
    if run.settings.reward_model:
        scored = _scorer(run, run.settings.reward_model)
        prompts = [str(row["prompt"]) for row in run.rows(HELD_OUT)]
        written = [(row, text) for row, one in enumerate(items) for text in one["texts"]]
        found = iter(scored([prompts[row] for row, _ in written], [text for _, text in written]))
        items = [one | {"scores": [next(found) for _ in one["texts"]]} for one in items]
        metrics["score"] = fmean(score for one in items for score in one["scores"])
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _likelihood(run: Run) -> Outcome:
    """How likely it finds completions that others wrote, in nats per token."""
    engine, rows = _engine(run), run.rows(HELD_OUT)
    ends = engine.tokenizer.eos_token_id
    items: list[dict[str, Any]] = []
    for start in range(0, len(rows), PIECE):
        part = rows[start : start + PIECE]
        run.beat()
        sides = [[*engine.completion_ids(row["completion"]), ends] for row in part]
        found = engine.score([row["prompt"] for row in part], sides)
        items += [
            {"row": start + place, "loss": -float(one.double().sum()), "tokens": len(one)}
            for place, one in enumerate(found)
        ]
    loss = sum(one["loss"] for one in items) / sum(one["tokens"] for one in items)
    return Outcome(metrics={"loss": loss}, per_item=run.save_items(items))


def _pairs(run: Run) -> Outcome:
    """How much more than the reference it prefers the better side of each pair."""
    rows = run.rows(HELD_OUT)
    sides = [[row[side] for row in rows] for side in ("prompt", "chosen", "rejected")]
    reference = run.spec.reference or run.spec.base
    found = preferences(_engine(run), reference, *sides, beta=run.settings.beta)
    metrics: Metrics = {"accuracy": found.accuracy, "gap": found.gap, "margin": found.margin}
    items = ({"row": row, "margin": one} for row, one in enumerate(found.per_item))
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _scores(run: Run) -> Outcome:
    """What a reward model says of the sides of each pair."""
    rows, scored = run.rows(HELD_OUT), _scorer(run, run.spec.base)
    prompts = [row["prompt"] for row in rows]
    sides = [scored(prompts, [row[side] for row in rows]) for side in ("chosen", "rejected")]
    both = list(zip(*sides, strict=True))
    told = preferred([one - other for one, other in both])
    items = (
        {"row": row, "chosen": one, "rejected": other} for row, (one, other) in enumerate(both)
    )
    metrics: Metrics = {"accuracy": told.accuracy, "margin": told.margin}
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _scorer(run: Run, folder: str) -> Callable[[Sequence[str], Sequence[str]], list[float]]:
    """A reward model, as what it says of completions of prompts."""
    device = device_of(run)
    judging = load_reference(folder, device=device)
    head = load_head(Path(folder)).to(device).eval()

    def scored(prompts: Sequence[str], completions: Sequence[str]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(prompts), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            run.beat()
            longest = run.settings.max_length
            batch = texts(judging.tokenizer, prompts[part], completions[part], longest)
            with torch.no_grad():
                found += scores_of(judging.model, head, batch.on(device)).tolist()
        return found

    return scored


def _samples(run: Run) -> Outcome:
    """Several completions of each prompt, for others to judge."""
    engine, settings = _engine(run), run.settings
    prompts = [str(row["prompt"]) for row in run.rows(HELD_OUT)]
    items: list[dict[str, Any]] = []
    for start in range(0, len(prompts), PIECE):
        some = prompts[start : start + PIECE]
        run.beat()
        written = engine.generate(
            some,
            settings.max_new,
            settings.temperature,
            seed=derived(run.spec.seed, "samples", start),
            samples=settings.samples,
        )
        for place, prompt in enumerate(some):
            own = written[place * settings.samples : (place + 1) * settings.samples]
            items.append({"prompt": prompt, "texts": [one.text for one in own]})
    return Outcome(metrics={"prompts": float(len(items))}, per_item=run.save_items(items))


def _engine(run: Run) -> Engine:
    return Engine(*load(run.spec.base, device=device_of(run)))


WAYS = {
    "answers": _answers,
    "pairs": _pairs,
    "scores": _scores,
    "samples": _samples,
    "likelihood": _likelihood,
    "speed": speed,
}
