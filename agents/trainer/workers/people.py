"""What people are asked to compare: an answer of the new policy beside one of its baseline.

Which of the two stands first is drawn by their texts, so nobody who compares can know whose is
whose. The key that tells travels with the outcome, for the decision behind it reads no artifacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agents.trainer.workers.work import Work
from events.catalog.training import Artifact
from pipelines.data.reviewing import queued

PEOPLE = "people"
"""The setting that says how many items people are asked for; the conductor sets it."""
REVIEW = "review"
SPARE = 3
"""Of so many times the prompts the answers are written: where both are alike there is nothing to
compare."""
LONGEST = 2000
"""Characters of an answer that people see."""


class Review(NamedTuple):
    """What people are to be asked, or nothing."""

    artifacts: tuple[Artifact, ...] = ()
    key: str = ""
    """Which of the two answers is the policy's, a letter for each item."""


async def review(work: Work, policy: Path, baseline: Path, problems: Artifact) -> Review:
    """Both answer the first of these problems, where people are asked at all."""
    many = round(work.setting(PEOPLE, 0))
    if not many:
        return Review()
    prompts = _first(await work.rows_of(problems), SPARE * many)
    kept = await work.keep_rows(({"prompt": one} for one in prompts), "prompts")
    ours = await _written(work, policy, kept, "people")
    theirs = await _written(work, baseline, kept, "people-before")
    rows, key = shuffled(prompts, ours, theirs, many)
    if not rows:
        return Review()
    return Review(
        (
            await work.keep_rows(rows, REVIEW),
            await work.keep_rows(({"policy": one} for one in key), f"{REVIEW}.key"),
        ),
        key,
    )


def shuffled(
    prompts: Sequence[str], policy: Sequence[str], baseline: Sequence[str], many: int
) -> tuple[list[dict[str, Any]], str]:
    """Rows of a queue, and whose answer is the first of each; those that are alike are left out."""
    apart = [
        (prompt, ours[:LONGEST], other[:LONGEST])
        for prompt, ours, other in zip(prompts, policy, baseline, strict=True)
        if ours[:LONGEST] != other[:LONGEST]
    ][:many]
    rows = queued({"prompt": one, "chosen": ours, "rejected": other} for one, ours, other in apart)
    key = "".join(
        "a" if row["a"] == ours else "b" for row, (_, ours, _) in zip(rows, apart, strict=True)
    )
    return rows, key


def _first(rows: Iterable[Mapping[str, Any]], many: int) -> list[str]:
    """Each prompt once."""
    return list({str(one["prompt"]): None for one in rows})[:many]


async def _written(work: Work, model: Path, prompts: Artifact, name: str) -> list[str]:
    """One answer to each prompt, by chance, as traffic would see it."""
    ended = await work.train(
        "measure", model, {"held_out": prompts}, name=name, of="samples", samples=1
    )
    return [str(one["texts"][0]) for one in ended.items]
