"""Who says how good answers are: the type's verifier, a judge; or nobody yet.

A verifier decides where it has a word for every answer. It is asked first unless somebody else was
named, since it is never swayed by how an answer sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.data_generator.pairing.judging import judged
from agents.data_generator.pairing.plan import Desk
from events.catalog.data import Scorer
from events.errors import RatchetError
from pipelines.data.pairs import CONFIDENT
from trainers.model_types.kind import ModelType, Problem

Rounds = tuple[tuple[float, ...], ...]
LATER: tuple[Scorer, ...] = ("reward", "people")
"""Those who score all pairs of a part at once, when its answers are there."""


class Scored(NamedTuple):
    """What the answers to a prompt were given, in each round; or why they have no scores."""

    rounds: Rounds
    scorer: str = ""
    """As the provenance names it."""
    reason: str = ""
    why: str = ""
    transport: bool = False


async def scored(desk: Desk, problem: Problem, texts: Sequence[str]) -> Scored:
    """By whom the plan names, or by whoever can tell."""
    plan = desk.plan
    if plan.scorer in LATER:
        return Scored(())
    if plan.scorer != "judge":
        found = await verified(plan.type, problem, texts)
        if found is not None:
            return Scored((found,), f"verifier {plan.type.name}")
        if plan.scorer == "verifier":
            return Scored((), reason="not_verifiable", why="the type's verifier has no word for it")
    said = await judged(desk, problem, texts)
    judge = f"judge {plan.judge.model}"
    return Scored(said.rounds, judge, said.reason, said.why, said.transport)


async def verified(
    kind: ModelType, problem: Problem, texts: Sequence[str]
) -> tuple[float, ...] | None:
    """What the type's own outcome says; None where it has no word for one of them."""
    if getattr(kind, "costly", False):  # it takes a process: the others go on
        return await asyncio.to_thread(_outcomes, kind, problem, texts)
    return _outcomes(kind, problem, texts)


def _outcomes(kind: ModelType, problem: Problem, texts: Sequence[str]) -> tuple[float, ...] | None:
    outcome = kind.rewards.get("outcome")
    if outcome is None:
        return None
    try:
        found = [outcome(problem, text) for text in texts]
    except RatchetError:  # no sandbox, for instance
        raise
    except Exception:  # a type of somebody's own that cannot read it
        return None
    return None if None in found else tuple(float(one or 0.0) for one in found)


def pair_of(prompt: str, texts: Sequence[str], rounds: Rounds) -> dict[str, Any] | None:
    """The best answer beside the worst, as a row of a part; None where nothing tells them apart.

    It is as sure as the round that speaks least for it.
    """
    means = [sum(one) / len(rounds) for one in zip(*rounds, strict=True)]
    ranked = sorted(range(len(texts)), key=lambda n: (-means[n], texts[n]))
    best, worst = ranked[0], ranked[-1]
    gap = round(means[best] - means[worst], 4)
    if gap <= 0:
        return None
    sure = round(max(0.0, min(one[best] - one[worst] for one in rounds)), 4)
    row = {"prompt": prompt, "chosen": texts[best], "rejected": texts[worst], "gap": gap}
    return row if sure == gap else {**row, "confidence": sure}


def is_sure(row: Mapping[str, Any]) -> bool:
    """Whether a row would be kept; what nobody has scored counts as such."""
    return "gap" not in row or float(row.get("confidence", row["gap"])) >= CONFIDENT
