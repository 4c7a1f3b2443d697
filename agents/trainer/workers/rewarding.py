"""A reward model: trained on four fifths of the pairs, judged by the rest, and asked by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.trainer.workers.preferring import CONTRAST
from agents.trainer.workers.work import Made, Work
from events.catalog.training import Measured
from pipelines.data.report import Checked, Report
from pipelines.evidence.correlation import apart, difference
from pipelines.evidence.intervals import proportion
from pipelines.failures import hardest, kinds, right, table
from pipelines.splitting import split

REWARD = "reward"
TRAIN, VALIDATION, FILTERED = "pairs.train", "pairs.validation", "pairs.filtered"
ENOUGH, OVERFIT = 0.7, 0.1
EPOCHS = 6
"""In the profile `tiny`: where length tells nothing, a small model stands still for a while before
it begins to compare answer and prompt; after four passages one seed of three still stood."""


async def reward_model(work: Work) -> Made:
    """Learns the pairs, with some beside them that show what only looks good, and judges those that
    it has not seen; the checkpoint that judges them best is kept."""
    train, validation = split(await work.rows("pairs"), work.request.seed)
    learned, held = await work.keep_rows(train, TRAIN), await work.keep_rows(validation, VALIDATION)
    rows = {
        "train": await work.keep_rows([*train, *await beside(work, train)], "pairs.taught"),
        "held_out": await work.keep_rows([*validation, *await beside(work, validation)], "asked"),
    }
    epochs: dict[str, Any] = {"epochs": EPOCHS, "batch": 32} if work.profile == "tiny" else {}
    trained = await work.train("reward", await work.model("sft"), rows, name="", **epochs)
    seen = [one["margin"] for one in trained.items if one["rows"] == "train"][: len(train)]
    told_apart = [one["margin"] for one in trained.items if one["rows"] == "held_out"]
    fresh, odd = told_apart[: len(validation)], told_apart[len(validation) :]
    found = {"train_accuracy": right(seen), "accuracy": right(fresh)}
    if odd:
        found["contrast_accuracy"] = right(odd)
    found["overfit"] = difference(found["train_accuracy"], found["accuracy"])
    agreed, filtered = _filtered(train, seen)
    hard = kinds(validation, fresh)
    worst = hardest(hard)
    if worst is not None:
        found["hardest"] = worst[1]
    made = (
        await work.keep(trained.model, REWARD),
        learned,
        held,
        await work.keep_rows(agreed, FILTERED),
        *await work.keep_report(_report(work, found | filtered, hard), work.request.stage),
        await work.keep_file(trained, f"curve.{work.request.stage}"),
    )
    return Made(found | filtered, made)


async def beside(work: Work, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What merely looks good, of the same prompts: learned with the pairs, or asked with those that
    were held back, so that a checkpoint is chosen by both."""
    known = {str(one["prompt"]) for one in rows}
    return [one for one in await work.rows(CONTRAST) if one["prompt"] in known]


def _filtered(
    train: Sequence[Mapping[str, Any]], margins: Sequence[float]
) -> tuple[list[Mapping[str, Any]], dict[str, Measured]]:
    """The pairs with which the reward model agrees although it was taught them all; how many others
    there are, and how much wider the gap is of those that are left."""
    both = list(zip(train, margins, strict=True))
    agreed = [row for row, margin in both if margin > 0]
    others = [row for row, margin in both if margin <= 0]
    ours, theirs = ([float(row["gap"]) for row in part] for part in (agreed, others))
    return agreed, {
        "filtered": proportion(len(others), len(train)),
        "filtered_gap": apart(ours, theirs),
    }


def _report(work: Work, found: Mapping[str, Measured], known: Mapping[str, Measured]) -> Report:
    over = found["overfit"]
    checks = [
        Checked(name, told(found[name]), f"at least {ENOUGH:g}", found[name].low >= ENOUGH)
        for name in ("train_accuracy", "accuracy")
    ]
    checks.append(Checked("overfit", told(over), f"at most {OVERFIT:g}", over.value <= OVERFIT))
    return Report(
        f"Reward model of run {work.request.run}",
        (
            f"Learned from {found['train_accuracy'].n:,} pairs, judged by {found['accuracy'].n:,}"
            " others: a fifth of every area and every gap. The checkpoint that judges those best is"
            " kept, so their figure flatters a little.",
            f"It disagrees with {found['filtered'].value:.1%} of the pairs that it was taught.",
        ),
        tuple(checks),
        tables=(table("Which preferences are hard", known),),
    )


def told(one: Measured) -> str:
    """A figure as people read it."""
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f}, {one.n})"


async def margins(work: Work, rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """By how much the run's reward model scores the better side of each pair higher."""
    kept = await work.keep_rows(rows, f"pairs.{name}")
    ended = await work.train(
        "measure", await work.model(REWARD), {"held_out": kept}, name=name, of="scores"
    )
    return [one["chosen"] - one["rejected"] for one in ended.items]
