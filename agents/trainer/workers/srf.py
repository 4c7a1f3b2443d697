"""The stages of `srf` that are its own: the reward model put to the test, PPO under it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from agents.trainer.run import POLICY
from agents.trainer.workers.preferring import compared_with
from agents.trainer.workers.work import Made, Work
from events.catalog.jobs import Limits
from events.catalog.training import Measured
from pipelines.evidence.intervals import proportion

NEAR = Limits(kl=0.05)
CAREFUL: dict[str, Any] = {"batch": 64, "samples": 2, "minibatches": 2, "learning_rate": 5e-5}
"""Small steps over many samples: with a small model one large step goes beyond the gate."""
CLEAR = 0.4
"""From here on a preference is clear: by what the verifier gives the two sides."""


async def validate_reward(work: Work) -> Made:
    """Fresh pairs, odd ones and hostile ones; whether length alone is what it likes."""
    model, seed = await work.model("reward"), work.seed("probes")
    rows, seen = await work.rows("pairs.validation"), await work.rows("pairs.train")
    told = await _margins(work, model, rows, "validation")
    known = await _margins(work, model, seen[: 2 * len(rows)], "seen")
    hostile = await _margins(work, model, _hostile(rows, seed), "hostile")
    right = proportion(sum(one > 0 for one in told), len(told))
    gap = proportion(sum(one > 0 for one in known), len(known)).value - right.value
    clear = [one > 0 for one, row in zip(told, rows, strict=True) if row["gap"] >= CLEAR]
    found = {
        "accuracy": right,
        "overfit": _exact(gap, len(told)),
        "consistency": proportion(sum(clear), len(clear)),
        "adversarial": proportion(sum(one > 0 for one in hostile), len(hostile)),
        "length_bias": _exact(_bias(told, rows), len(told)),
    }
    return Made(found)


async def optimise(work: Work) -> Made:
    """PPO from the imitation, under the reward."""
    return await _rewarded(work, await work.model("sft"))


async def iterate(work: Work) -> Made:
    """Once more, from the policy that there is."""
    return await _rewarded(work, await work.model(POLICY))


async def _rewarded(work: Work, before: Path) -> Made:
    sft, reward = await work.model("sft"), await work.model("reward")
    prompts = dict.fromkeys(str(one["prompt"]) for one in await work.rows("pairs.train"))
    rows = await work.keep_rows(({"prompt": one} for one in prompts), "prompts")
    more = CAREFUL if work.profile == "tiny" else {}
    trained = await work.train(
        "ppo", before, {"train": rows}, NEAR, sft, "", reward="reward_model",
        reward_model=str(reward), **more,
    )  # fmt: skip
    found, _ = await compared_with(work, trained.model, before, sft)
    found["reward_gain"] = found["gain"]
    curve = await work.keep_file(trained, f"curve.{work.request.stage}")
    return Made(found, (await work.keep(trained.model, POLICY), curve))


async def _margins(
    work: Work, model: Path, rows: Sequence[Mapping[str, Any]], name: str
) -> list[float]:
    kept = await work.keep_rows(rows, f"pairs.{name}")
    ended = await work.train("measure", model, {"held_out": kept}, None, None, name, of="scores")
    return [one["chosen"] - one["rejected"] for one in ended.items]


def _hostile(rows: Sequence[Mapping[str, Any]], seed: int) -> list[dict[str, str]]:
    """A good answer beside what only looks like one: cut off, said twice, another prompt's."""
    luck, found = random.Random(seed), []
    for place, row in enumerate(rows):
        words, other = row["chosen"].split(), luck.choice(rows)["chosen"]
        worse = (
            " ".join(words[: len(words) // 2]),
            f"{row['chosen']} {row['chosen']}",
            other,
        )[place % 3]
        if worse and worse != row["chosen"]:
            found.append({"prompt": row["prompt"], "chosen": row["chosen"], "rejected": worse})
    return found


def _bias(margins: Sequence[float], rows: Sequence[Mapping[str, Any]]) -> float:
    """How the margin goes with the difference in length, from -1 to 1."""
    lengths = [len(row["chosen"].split()) - len(row["rejected"].split()) for row in rows]
    return _correlation(margins, [float(one) for one in lengths])


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    mean, there = fmean(one), fmean(other)
    over = sum((a - mean) * (b - there) for a, b in zip(one, other, strict=True))
    under = (sum((a - mean) ** 2 for a in one) * sum((b - there) ** 2 for b in other)) ** 0.5
    return over / under if under else 0.0


def _exact(value: float, n: int) -> Measured:
    return Measured(value=value, low=value, high=value, n=n)
