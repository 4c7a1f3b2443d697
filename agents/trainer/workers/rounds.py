"""Further rounds of `dpo` and `srf`: where is the policy weak, pairs for just that, and once more.

The pairs of a round are answers of the present policy to fresh problems of its weak areas; as many
of the old ones are learned beside them, so that nothing is forgotten. Under a reward model, that
one learns the new pairs first, and is only taken if it judges the pairs that were held back no
worse than before.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from agents.trainer.run import POLICY
from agents.trainer.workers import dpo, srf
from agents.trainer.workers.jobs import Ended
from agents.trainer.workers.measuring import (
    Beside,
    answered,
    areas,
    asked,
    beside,
    keep_items,
    rewards,
)
from agents.trainer.workers.preferring import cleaned, drawn, row_of, sampled
from agents.trainer.workers.rewarding import REWARD, TRAIN, VALIDATION, margins
from agents.trainer.workers.rewarding import beside as contrasts
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Setting
from events.catalog.training import Artifact, Measured
from pipelines.areas import area, weak
from pipelines.convergence import report
from pipelines.evidence.intervals import paired
from pipelines.failures import right

NEW = 400
"""Fresh problems of weak areas in a round, each answered several times."""
LEAST = 200
"""Old pairs that are learned again, however few new ones there are."""
SEARCHED = 40
"""Of so many times the problems those of weak areas are looked for."""
EXTRA, ROUNDS = "pairs.extra", "rounds"
Rows = list[dict[str, Any]]


class Trained(NamedTuple):
    """What a round has made of a policy."""

    ended: Ended
    figures: dict[str, Measured]
    artifacts: tuple[Artifact, ...] = ()
    settings: Mapping[str, Setting] = MappingProxyType({})
    """With which it is measured beside the one before it."""


async def iterate(work: Work) -> Made:
    """One round."""
    before = await work.model(POLICY)
    weak_ones = await _weak(work, before)
    earlier = await work.rows(ROUNDS) if work.has(ROUNDS) else []
    number = len(earlier) + 1  # another attempt at a round is the same round
    fresh, figures = await _collected(work, number, weak_ones)
    extra = [*(await work.rows(EXTRA) if work.has(EXTRA) else []), *fresh]
    old = await work.rows(TRAIN)
    luck = random.Random(work.seed_at(work.request.stage, number, "old"))
    rows = [*extra, *luck.sample(old, min(len(old), max(len(extra), LEAST)))]
    learn = _under_reward if work.request.pipeline == "srf" else _from_pairs
    trained = await learn(work, before, rows)
    both = await beside(
        work, trained.ended.model, before, await work.model("sft"), **trained.settings
    )
    figures |= both.figures | trained.figures
    figures["weak_gain"] = await _where_weak(work, both, weak_ones)
    told = [*earlier, _told(figures, weak_ones, len(fresh))]
    made = (
        await work.keep(trained.ended.model, POLICY),
        await keep_items(work, both.problems, both.after),
        await work.keep_rows(extra, EXTRA),
        await work.keep_rows(told, ROUNDS),
        *await work.keep_report(report(f"Rounds of run {work.request.run}", told), "iterate"),
        *trained.artifacts,
        await work.keep_file(trained.ended, "curve.iterate"),
    )
    return Made(figures, made)


async def _weak(work: Work, policy: Path) -> tuple[str, ...]:
    """Where the present policy is weak: by what the stage before this one has measured of it."""
    if work.has("items"):
        known = await work.rows("items")
        return weak(areas(known, [float(one["score"]) for one in known]))
    problems = await asked(work, "weak")
    items = await answered(work, policy, problems, policy, "weak")
    return weak(areas(await work.rows_of(problems), rewards(items)))


async def _collected(
    work: Work, number: int, names: Sequence[str]
) -> tuple[Rows, dict[str, Measured]]:
    """New pairs: what the present policy answers where it is weak."""
    known = {str(one["prompt"]) for kind in (TRAIN, VALIDATION) for one in await work.rows(kind)}
    many = round(work.setting("prompts", NEW))
    seed = work.seed_at(work.request.stage, number, "weak prompts")
    source = islice(work.kind.problems(seed), SEARCHED * many)
    some = (one for one in source if one.prompt not in known)
    aimed = (one for one in some if not names or area(work.kind, one) in names)
    problems = drawn(aimed, many)
    if not problems:
        return [], {}
    found = await cleaned(work, await sampled(work, POLICY, problems, "weak"))
    kinds = {one.prompt: area(work.kind, one) for one in problems}
    rows = [row_of(one, kinds) for one in found.kept]
    figures = {f"new.{gate.name}": gate.value for gate in found.gates}
    return rows, figures


async def _from_pairs(work: Work, before: Path, rows: Rows) -> Trained:
    kept = await work.keep_rows(rows, TRAIN)
    ended = await dpo.raised(work, before, kept, dpo.ROUND)
    held = dpo.preferred([float(one["margin"]) for one in ended.items], dpo.gap_beta(work))
    return Trained(ended, held)


async def _under_reward(work: Work, before: Path, rows: Rows) -> Trained:
    """The reward model first, then the policy under whichever is better."""
    old, held = await work.model(REWARD), await work.rows(VALIDATION)
    was = right(await margins(work, held, "validation"))
    odd = await contrasts(work, await work.rows(TRAIN))
    data = {
        "train": await work.keep_rows([*rows, *odd[:: -(-2 * len(odd) // len(rows)) or 1]], TRAIN),
        "held_out": work.input(VALIDATION),
    }
    once: dict[str, Any] = {"epochs": 1, "batch": 32} if work.profile == "tiny" else {}
    learned = await work.train("reward", old, data, name="reward", **once)
    now = right([one["margin"] for one in learned.items if one["rows"] == "held_out"])
    better = now.value >= was.value
    reward = learned.model if better else old
    prompts = (str(one["prompt"]) for one in rows)
    ended = await srf.earned(work, before, prompts, reward)
    kept = (await work.keep(learned.model, REWARD),) if better else ()
    figures = {"accuracy": now if better else was, "accuracy_before": was}
    return Trained(ended, figures, kept, {"reward_model": str(reward)})


async def _where_weak(work: Work, both: Beside, names: Sequence[str]) -> Measured:
    """How much better it became where it was weak; those areas were chosen on other problems."""
    problems = await work.rows_of(both.problems)
    after, before = (areas(problems, rewards(one)) for one in (both.after, both.before))
    chosen = [name for name in names if name in after]
    ours = [value for name in chosen for value in after[name]]
    theirs = [value for name in chosen for value in before[name]]
    return paired(ours, theirs)


def _told(figures: dict[str, Measured], names: Sequence[str], pairs: int) -> dict[str, Any]:
    gain, where = figures["gain"], figures["weak_gain"]
    return {
        "gain": gain.value, "low": gain.low, "high": gain.high, "score": figures["score"].value,
        "kl": figures["kl"].value, "weak": list(names), "weak_gain": where.value, "pairs": pairs,
    }  # fmt: skip
