"""What stages measure: the same fresh items, answered by a model and by another beside it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from agents.trainer.workers.work import Work
from events.catalog.training import Artifact, Measured
from pipelines.evidence.intervals import bounded, paired
from pipelines.evidence.ratios import ratio

Items = list[dict[str, Any]]
ITEMS = 150
"""Held-out problems, each answered greedily and four times by chance."""


async def asked(work: Work, *of: object, items: int = ITEMS) -> Artifact:
    """Fresh problems for this attempt."""
    many = round(work.setting("items", items))
    return await work.keep_rows((one._asdict() for one in work.fresh(many, *of)), "held_out")


async def answered(
    work: Work, model: Path | str, problems: Artifact, reference: Path | str, name: str
) -> Items:
    """How a model answers them, and how far it is from the reference there."""
    ended = await work.train(
        "measure", model, {"held_out": problems}, reference=Path(reference), name=name
    )
    return ended.items


def figures(items: Items) -> dict[str, Measured]:
    """What can be said of one model."""
    tokens = [float(one["tokens"]) for one in items]
    entropy = [one["entropy"] for one in items]
    found = {
        "sampled": bounded(scores(items)),
        "greedy": bounded([float(one["greedy"]) for one in items]),
        "reward": bounded(rewards(items)),
        "kl": ratio([one["kl"] for one in items], tokens),
        "entropy": ratio(entropy, tokens),
    }
    there = [one["reference_entropy"] for one in items]
    if sum(there) > 0:
        found["entropy_relative"] = ratio(entropy, there)
    return found


def gain(after: Items, before: Items) -> Measured:
    """How much more often it is right, problem by problem."""
    return paired(scores(after), scores(before))


def scores(items: Items) -> list[float]:
    """Of each problem: the share of its samples that is right."""
    return [fmean(float(right) for right in one["sampled"]) for one in items]


def rewards(items: Items) -> list[float]:
    """Of each problem: what its samples earned on average, from 0 to 1."""
    return [min(1.0, max(0.0, fmean(one["rewards"]))) for one in items]
