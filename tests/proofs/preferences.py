"""Imitation, then preferences: pairs labelled by a hidden rubric, a reward model, three policies.

One label in ten is flipped, as people's labels are. No model sees the rubric: it labels, and it
says at the end what came of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import fmean
from typing import Any

import torch

from events.catalog.jobs import Limits
from tests.proofs.chain import Chain, Ended, Rows
from trainers.engine import Engine
from trainers.model_types import model_type
from trainers.model_types.kind import Problem
from trainers.models import load
from trainers.probe import preferences
from trainers.tiny import make_tiny_base

KIND = "support_replies"
TYPE = model_type(KIND)
DRAFTS, PAIRS, VALIDATION, HELD_OUT = 4000, 5000, 500, 300
FLIPPED = 0.1
LEAST_GAP = 0.15
"""By how much the rubric has to tell two replies apart."""
MAX_NEW = 32
POLICIES = ("dpo", "ppo", "grpo")


@dataclass(frozen=True)
class Preferred:
    """All that came of one seed."""

    seed: int
    sft: Ended
    reward: Ended
    policies: Mapping[str, Ended]
    gaps: Mapping[str, float]
    """Of held-out pairs, from -1 to 1: how much more a policy raised the better side."""
    pair_gap: float

    def score(self, ended: Ended) -> float:
        return fmean(scores(ended))

    def wins(self, policy: str) -> float:
        """Against the imitation it began as, sample by sample of the same tickets; ties half."""
        pairs = zip(self.policies[policy].items, self.sft.items, strict=True)
        beaten = [
            1.0 if one > other else 0.5 if one == other else 0.0
            for ours, theirs in pairs
            for one, other in zip(ours["rewards"], theirs["rewards"], strict=True)
        ]
        return fmean(beaten)


def scores(ended: Ended) -> list[float]:
    """The rubric of each held-out ticket, over its samples."""
    return [fmean(one["rewards"]) for one in ended.items]


def preferred(seed: int) -> Preferred:
    """The whole chain of a seed."""
    torch.set_num_threads(1)
    chain = Chain("preferences", KIND, seed)
    base = make_tiny_base(TYPE, seed, folder=chain.bases())
    tickets = list(islice(TYPE.problems(2000 + seed), 2 * DRAFTS))
    written = dict.fromkeys((one.prompt, TYPE.draft(one, seed)) for one in tickets)
    drafts = [{"prompt": one, "completion": other} for one, other in islice(written, DRAFTS)]
    held_out = [one._asdict() for one in TYPE.suite(99, HELD_OUT)]
    sft = chain.run(
        "sft", "sft", base, {"train": drafts, "held_out": held_out}, steps=100, learning_rate=1e-3
    )
    pairs = _pairs(sft, seed)
    train, validation = pairs[:PAIRS], pairs[PAIRS:]
    reward = chain.run(
        "reward", "reward", sft.model, {"train": train, "held_out": validation}, epochs=5, batch=32
    )
    distinct = {one.prompt: one._asdict() for one in tickets}
    asked = {"train": list(distinct.values())[:1000], "held_out": held_out}
    scored: dict[str, Any] = {"reward": "reward_model", "reward_model": str(reward.model)}
    near = Limits(kl=0.05)
    careful: dict[str, Any] = {"batch": 64, "samples": 2, "minibatches": 2, "learning_rate": 5e-5}
    small: dict[str, Any] = {"learning_rate": 1e-4, "steps": 100}  # else one step goes too far
    compared = {"train": train[:2000], "held_out": held_out}
    policies = {
        "dpo": chain.run("dpo", "dpo", sft.model, compared, beta=1.0),
        "ppo": chain.run("ppo", "ppo", sft.model, asked, near, **careful, **scored),
        "grpo": chain.run("grpo", "grpo", sft.model, asked, near, **small, **scored),
    }
    gaps = {name: _gap(sft, one, validation) for name, one in policies.items()}
    told = fmean(abs(one["apart"]) for one in pairs)
    return Preferred(seed, sft, reward, policies, gaps, told)


def _pairs(sft: Ended, seed: int) -> list[dict[str, Any]]:
    """Two samples of each ticket, where the rubric tells them apart; kept beside the jobs."""
    file = sft.folder / "pairs.jsonl"
    if not file.exists():
        drawn = _drawn(sft, seed)
        file.write_text("".join(json.dumps(one) + "\n" for one in drawn))
    return [json.loads(line) for line in file.read_text().splitlines()]


def _drawn(sft: Ended, seed: int) -> Rows:
    engine, luck = Engine(*load(sft.model)), random.Random(seed)
    tickets, found = TYPE.problems(3000 + seed), dict[tuple[str, ...], dict[str, Any]]()
    for turn in range(100):
        some = list(islice(tickets, 250))
        prompts = [one.prompt for one in some]
        samples = engine.generate(prompts, MAX_NEW, seed=seed * 100 + turn, samples=2)
        for place, ticket in enumerate(some):
            pair = _pair(ticket, samples[2 * place].text, samples[2 * place + 1].text, luck)
            found |= {(one["prompt"], one["chosen"], one["rejected"]): one for one in pair}
        if len(found) >= PAIRS + VALIDATION:
            break
    return list(found.values())[: PAIRS + VALIDATION]


def _pair(ticket: Problem, one: str, other: str, luck: random.Random) -> list[dict[str, Any]]:
    apart = TYPE.rubric(ticket, one) - TYPE.rubric(ticket, other)
    if abs(apart) < LEAST_GAP:
        return []
    better, worse = (one, other) if apart > 0 else (other, one)
    if luck.random() < FLIPPED:
        better, worse = worse, better
    return [{"prompt": ticket.prompt, "chosen": better, "rejected": worse, "apart": apart}]


def _gap(sft: Ended, policy: Ended, pairs: Rows) -> float:
    engine = Engine(*load(policy.model))
    sides = [[str(pair[side]) for pair in pairs] for side in ("prompt", "chosen", "rejected")]
    return preferences(engine, sft.model, *sides, beta=1.0).gap
