"""What stages measure: the same fresh items, answered by a model and by another beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from agents.trainer.workers.work import Work
from events.catalog.jobs import Setting
from events.catalog.training import Artifact, Measured
from pipelines.areas import area, by_area
from pipelines.evidence.intervals import bounded, mean, paired
from pipelines.evidence.ratios import ratio
from trainers.model_types.kind import problem_of

Items = list[dict[str, Any]]


class Beside(NamedTuple):
    """Two models on the same problems."""

    figures: dict[str, Measured]
    problems: Artifact
    after: Items
    before: Items


ITEMS = 150
"""Held-out problems, each answered greedily and four times by chance."""
SHOWN = 500
"""Characters of an answer that are kept with an item."""


async def asked(work: Work, *of: object, items: int = ITEMS) -> Artifact:
    """Fresh problems for this attempt, each with its area."""
    many = round(work.setting("items", items))
    rows = [one._asdict() | {"area": area(work.kind, one)} for one in work.fresh(many, *of)]
    return await work.keep_rows(rows, "held_out")


async def answered(
    work: Work,
    model: Path | str,
    problems: Artifact,
    reference: Path | str,
    name: str,
    **settings: Setting,
) -> Items:
    """How a model answers them, and how far it is from the reference there."""
    ended = await work.train(
        "measure", model, {"held_out": problems}, None, Path(reference), name, **settings
    )
    return ended.items


async def beside(
    work: Work, model: Path, before: Path, reference: Path, **settings: Setting
) -> Beside:
    """A policy and another on the same fresh problems, and how far it is from the reference; where
    a reward model is named, what that says of both."""
    problems = await asked(work)
    after = await answered(work, model, problems, reference, "after", **settings)
    earlier = await answered(work, before, problems, reference, "before", **settings)
    found = scored(after) | {
        "gain": paired(rewards(after), rewards(earlier)),
        "sampled_gain": gain(after, earlier),
    }
    if "scores" in after[0]:
        found["reward_gain"] = rewarded(after, earlier)
    return Beside(found, problems, after, earlier)


async def keep_items(work: Work, problems: Artifact, items: Items, kind: str = "items") -> Artifact:
    """What was measured, item by item, in the words that people and other stages read."""
    rows = zip(await work.rows_of(problems), items, strict=True)
    return await work.keep_rows((_kept(row, one) for row, one in rows), kind)


def _kept(row: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "prompt": row["prompt"],
        "area": row["area"],
        "right": round(fmean(float(right) for right in one["sampled"]), 4),
        "score": round(_reward(one), 4),
        "greedy": one["greedy"],
        "answer": one["texts"][0][:SHOWN],
    }
    if "scores" in one:
        found["reward_model"] = round(fmean(one["scores"]), 4)
    return found


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


def scored(items: Items) -> dict[str, Measured]:
    """Figures, with the reward as the score that counts."""
    found = figures(items)
    found["score"] = found["reward"]
    return found


def gain(after: Items, before: Items) -> Measured:
    """How much more often it is right, problem by problem."""
    return paired(scores(after), scores(before))


def rewarded(after: Items, before: Items) -> Measured:
    """How much more a reward model gives, problem by problem; its scores have no bounds."""
    return mean(
        [fmean(one["scores"]) - fmean(other["scores"])
         for one, other in zip(after, before, strict=True)]
    )  # fmt: skip


def scores(items: Items) -> list[float]:
    """Of each problem: the share of its samples that is right."""
    return [fmean(float(right) for right in one["sampled"]) for one in items]


def rewards(items: Items) -> list[float]:
    """Of each problem: what its samples earned on average, from 0 to 1."""
    return [_reward(one) for one in items]


def _reward(one: Mapping[str, Any]) -> float:
    return min(1.0, max(0.0, fmean(one["rewards"])))


def areas(problems: Sequence[Mapping[str, Any]], values: Sequence[float]) -> dict[str, list[float]]:
    """Values of problems, by area."""
    return by_area(values, [str(one["area"]) for one in problems])


def by_name(
    work: Work, problems: Sequence[Mapping[str, Any]], items: Items
) -> dict[str, list[float]]:
    """What the first sample of each problem earns by each reward that the type knows by name; a
    type whose verifying is costly is asked for the task as a whole alone."""
    found = {"task": rewards(items)}
    if getattr(work.kind, "costly", False):
        return found
    known = [problem_of(one) for one in problems]
    for name, reward in work.kind.rewards.items():
        values = [reward(one, item["texts"][0]) for one, item in zip(known, items, strict=True)]
        if name != "outcome" and all(value is not None for value in values):
            found[name] = [min(1.0, max(0.0, float(value or 0.0))) for value in values]
    return found
