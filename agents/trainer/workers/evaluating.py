"""The end of `dpo` and `srf`: the best of all policies beside the imitation that it began as."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import fmean
from typing import Any

from agents.trainer.run import POLICY
from agents.trainer.workers.dpo import held_out_gap
from agents.trainer.workers.guarding import FINAL
from agents.trainer.workers.measuring import (
    Items,
    answered,
    areas,
    asked,
    by_name,
    keep_items,
    rewarded,
    rewards,
    scored,
)
from agents.trainer.workers.people import review
from agents.trainer.workers.rewarding import REWARD, VALIDATION, margins, told
from agents.trainer.workers.work import Made, Work
from events.catalog.training import Measured
from pipelines.behaviours import Answered, aligned, behaviours, by_length, table
from pipelines.data.quality import guarding, leaks_of
from pipelines.data.report import Report, Table
from pipelines.evidence.intervals import bounded
from pipelines.evidence.intervals import paired as compared
from pipelines.failures import right
from pipelines.retention import KEPT, capabilities, least, lost

LEARNED = ("drafts", "pairs", "pairs.extra")
"""What anything in the run has learned from."""
SHOWN = 10
"""Answers that the report shows beside each other."""


async def evaluate(work: Work) -> Made:
    """Nothing lost, something won, nothing leaked; what the reward rewards; a queue for people."""
    policy, sft = await work.model(POLICY), await work.model("sft")
    reward = {"reward_model": str(await work.model(REWARD))}
    problems = await asked(work, items=FINAL)
    after = await answered(work, policy, problems, sft, "policy", **reward)
    before = await answered(work, sft, problems, sft, "sft", **reward)
    rows = await work.rows_of(problems)
    kept, gone = await asyncio.to_thread(_retained, work, rows, after, before)
    behaved = _answers(after, before)
    found = scored(after) | _against(after, before) | await held_out_gap(work, policy, sft)
    found |= {f"retention.{name}": one for name, one in kept.items()}
    worst = least(kept)
    if worst is not None:
        found["retention"] = worst
    found |= {
        "areas_lost": _counted(len(gone), len({one["area"] for one in rows})),
        "clean": await _clean(work, rows),
        "accuracy": right(await margins(work, await work.rows(VALIDATION), "validation")),
        "accuracy_here": _concordant([*after, *before]),
        "aligned": aligned(behaved),
    }
    found["against_the_goal"] = _counted(
        sum(one.against for one in behaviours(behaved)), len(behaved)
    )
    report = _report(work, rows, after, before, behaved, found)
    queue = await review(work, policy, sft, problems)
    made = (
        await keep_items(work, problems, after),
        await keep_items(work, problems, before, "items.before"),
        await work.keep_rows([_decision(work, found, gone)], "decision"),
        *await work.keep_report(report, "evaluate"),
        *queue.artifacts,
    )
    return Made(found, made, queue.key)


def _retained(
    work: Work, rows: Sequence[Mapping[str, Any]], after: Items, before: Items
) -> tuple[dict[str, Measured], tuple[str, ...]]:
    ours, theirs = (by_name(work, rows, one) for one in (after, before))
    kept = capabilities(ours, theirs)
    return kept, lost(areas(rows, rewards(after)), areas(rows, rewards(before)))


def _against(after: Items, before: Items) -> dict[str, Measured]:
    """The policy against its baseline, by the verifier and by the reward model."""
    return {
        "improvement": compared(rewards(after), rewards(before)),
        "baseline": scored(before)["score"],
        "win_rate": bounded(wins(after, before, "rewards")),
        "win_rate_by_reward": bounded(wins(after, before, "scores")),
        "reward_gain": rewarded(after, before),
    }


def wins(after: Items, before: Items, by: str) -> list[float]:
    """Of each problem: how often a sample beats the other's, each with each, and asked both ways
    round; a tie is half."""
    return [
        fmean(
            (_better(one, other) + 1 - _better(other, one)) / 2
            for one, other in product(ours[by], theirs[by])
        )
        for ours, theirs in zip(after, before, strict=True)
    ]


def _better(first: float, second: float) -> float:
    """What a judge says who reads one answer and then the other."""
    return 1.0 if first > second else 0.5 if first == second else 0.0


def _concordant(items: Items) -> Measured:
    """How often the reward model prefers what the verifier prefers, of two answers to a prompt as
    policies give them; problem by problem."""
    found = []
    for one in items:
        both = list(zip(one["rewards"], one["scores"], strict=True))
        apart = [(a, b) for a, b in product(both, both) if a[0] > b[0]]
        if apart:
            found.append(fmean(_better(a[1], b[1]) for a, b in apart))
    return bounded(found)


async def _clean(work: Work, rows: Sequence[Mapping[str, Any]]) -> Measured:
    """Share of the problems that nothing in the run has learned from, verbatim or reworded."""
    guarded = await asyncio.to_thread(guarding, [str(one["prompt"]) for one in rows], work.kind)
    hit: set[int] = set()
    for kind in LEARNED:
        if work.has(kind):
            found = await asyncio.to_thread(leaks_of, await work.rows(kind), guarded)
            hit.update(one.item for one in found.values())
    share = 1 - len(hit) / len(rows)
    return Measured(value=share, low=share, high=share, n=len(rows))


def _answers(after: Items, before: Items) -> list[Answered]:
    """One answer to each problem, of the policy and of its baseline in turn."""
    return [
        Answered(one["texts"][0], one["scores"][0], one["rewards"][0])
        for place, (ours, theirs) in enumerate(zip(after, before, strict=True))
        for one in ((ours, theirs)[place % 2],)
    ]


def _counted(many: int, n: int) -> Measured:
    return Measured(value=many, low=many, high=many, n=n)


def _decision(work: Work, found: Mapping[str, Measured], gone: Sequence[str]) -> dict[str, Any]:
    """What whoever decides about deployment has to know."""
    kept = "retention" in found and found["retention"].low >= KEPT and not gone
    return {
        "model": work.input(POLICY).sha256,
        "baseline": work.input("sft").sha256,
        "nothing_lost": kept,
        "lost": list(gone),
        "surely_better": found["improvement"].low > 0,
        "clean": found["clean"].value == 1,
        "reward_as_wanted": found["aligned"].low > 0,
        "figures": {name: one.model_dump() for name, one in sorted(found.items())},
    }


def _report(
    work: Work,
    rows: Sequence[Mapping[str, Any]],
    after: Items,
    before: Items,
    behaved: Sequence[Answered],
    found: Mapping[str, Measured],
) -> Report:
    ours, theirs = areas(rows, rewards(after)), areas(rows, rewards(before))
    by_areas = [
        (name, fmean(theirs[name]), fmean(own), len(own)) for name, own in sorted(ours.items())
    ]
    shown = [
        (row["prompt"], theirs_["texts"][0], ours_["texts"][0])
        for row, ours_, theirs_ in zip(rows[:SHOWN], after, before, strict=False)
    ]
    return Report(
        f"Evaluation of run {work.request.run}",
        (
            f"Improvement {told(found['improvement'])}, win rate {told(found['win_rate'])}.",
            f"The reward goes with the verifier's score by {told(found['aligned'])}, and with"
            f" length beyond that by {by_length(behaved):+.3f}.",
        ),
        (),
        tables=(
            Table("Areas", ("area", "baseline", "policy", "problems"), by_areas),
            table(behaviours(behaved)),
            Table("Answers", ("prompt", "baseline", "policy"), shown),
        ),
    )
