"""Two seeds of each other type that a verifier knows: baseline, SRL, RLVR, on held-out problems.

How far a base comes, how many updates follow and how long a step may be are data here: a base has
to be wrong often, and right often enough that groups of samples differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench.results import Goal, Result
from tests.proofs.chain import Chain, Ended
from tests.proofs.intervals import Interval, difference
from trainers.model_types import model_type
from trainers.model_types.kind import distinct

SEEDS = (0, 1)
PROBLEMS, HELD_OUT = 400, 150
LONGEST = 160
"""Tokens of an answer."""
STAGES = ("baseline", "srl", "rlvr")
METRICS = ("sampled", "greedy", "kl", "entropy")

pytestmark = pytest.mark.proof


class Plan(NamedTuple):
    """What suits a type."""

    level: float
    """Share of its problems that the base answers rightly, greedily."""
    srl: Mapping[str, Any]
    rlvr: Mapping[str, Any]


PLANS = {
    "sentiment_analysis": Plan(0.6, {"steps": 60}, {"steps": 40}),
    "content_moderation": Plan(0.7, {"steps": 60}, {"steps": 40}),
    "code_generation": Plan(0.6, {"steps": 60, "max_new": 48}, {"steps": 24, "batch": 8}),
}


class Shown(NamedTuple):
    """One seed of one type."""

    kind: str
    seed: int
    stages: Mapping[str, Ended]
    figures: Mapping[str, Mapping[str, float | None]]
    """Of the first and the last stage: the type's own metrics, of the likeliest answers."""

    def better(self, stage: str, than: str = "baseline") -> Interval:
        """In sampled accuracy, problem by problem."""
        return difference(self.stages[stage].scores, self.stages[than].scores)

    def lines(self) -> list[str]:
        """As a table."""
        told = []
        for stage, ended in self.stages.items():
            numbers = " ".join(f"{name} {ended.metrics[name]:.3f}" for name in METRICS)
            named = f"{self.kind} {self.seed} {stage}"
            told.append(f"{named:32} {numbers} {ended.seconds:4.0f} s {self.better(stage)}")
        for stage, figures in self.figures.items():
            said = [f"{name} {one:.3f}" for name, one in figures.items() if one is not None]
            told.append(f"{f'{self.kind} {self.seed} {stage}':32} {' '.join(said)}")
        return told


@cache
def shown(kind: str, seed: int) -> Shown:
    from trainers.tiny import make_tiny_base  # torch, which collecting the tests does not need

    found, plan = model_type(kind), PLANS[kind]
    chain = Chain(kind, kind, seed)
    base = make_tiny_base(found, seed, level=plan.level, folder=chain.bases())
    problems = distinct(found.problems(1000 + seed), PROBLEMS)
    held_out = [one._asdict() for one in found.suite(99, HELD_OUT)]
    learned = {"train": [_solved(found, one) for one in problems], "held_out": held_out}
    asked = {"train": [one._asdict() for one in problems], "held_out": held_out}
    baseline = chain.as_it_is(base, held_out)
    srl = chain.run("srl", "srl", base, learned, **plan.srl)
    rlvr = chain.run("rlvr", "rlvr", srl.model, asked, **plan.rlvr)
    stages = dict(zip(STAGES, (baseline, srl, rlvr), strict=True))
    for ended in stages.values():
        assert ended.code == 0, ended.said
    own = {stage: _figures(kind, stages[stage].model) for stage in ("baseline", "rlvr")}
    return Shown(kind, seed, stages, own)


def _figures(kind: str, model: Path) -> dict[str, float | None]:
    """What people want to know of a model of this type: F1, test pass rate, false positives."""
    import torch

    from trainers.engine import Engine
    from trainers.models import load

    torch.set_num_threads(1)
    found = model_type(kind)
    problems = found.suite(99, HELD_OUT)
    written = Engine(*load(model)).generate([one.prompt for one in problems], LONGEST, 0.0)
    measured = found.metrics(problems, [one.text for one in written])
    return {name: one.value for name, one in measured.items()}


def _solved(found: Any, problem: Any) -> dict[str, Any]:
    solution = found.solve(problem)
    steps = [step._asdict() for step in solution.steps]
    return {"prompt": problem.prompt, "steps": steps, "outcome": solution.outcome}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", PLANS)
def test_each_seed_ends_surely_better_than_it_began(kind: str, seed: int) -> None:
    found = shown(kind, seed)
    print("", *found.lines(), sep="\n")
    assert found.better("srl").low > 0
    assert found.better("rlvr").low > 0
    assert found.better("rlvr", than="srl").high > 0  # not surely worse
    assert max(found.stages[stage].metrics["kl"] for stage in ("srl", "rlvr")) <= 0.1


@pytest.mark.parametrize("kind", PLANS)
def test_what_was_found_is_kept(kind: str) -> None:
    both = [shown(kind, seed) for seed in SEEDS]
    least = min(one.better("rlvr").low for one in both)
    kl = max(one.stages[stage].metrics["kl"] for one in both for stage in ("srl", "rlvr"))
    goals = [
        Goal("least that a seed surely gained, sampled accuracy", least, 0.0),
        Goal("largest KL per token to the stage before", kl, 0.1, at_least=False),
    ]
    figures = {
        f"{stage} {metric}": [one.stages[stage].metrics[metric] for one in both]
        for stage in STAGES
        for metric in METRICS
    }
    figures |= {f"{stage} seconds": [one.stages[stage].seconds for one in both] for stage in STAGES}
    plan = PLANS[kind]
    Result(
        f"{kind}: held-out accuracy of {len(SEEDS)} seeds, {HELD_OUT} problems, 4 samples each",
        "share right",
        {"base": f"level {plan.level}", "srl": str(dict(plan.srl)), "rlvr": str(dict(plan.rlvr))},
        figures,
        goals,
        {
            "gained": {f"seed {one.seed}": str(one.better("rlvr")) for one in both},
            "metrics": {f"seed {one.seed}": one.figures for one in both},
        },
    ).keep(f"learning_{kind.partition('_')[0]}", short=False)
    assert all(goal.reached for goal in goals)
