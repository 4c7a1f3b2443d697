"""Five seeds of arithmetic: baseline, SRL, RLVR; and beside them RLVR alone and imitation alone.

The other two get as many updates as SRL and RLVR have together, on the same problems. All measures
are of held-out problems, four samples each and the likeliest answer. Where the entry test finds a
base not ready, RLVR alone leaves it as it was, and that is what is shown of it; behind SRL there is
then more SRL, as the entry test says itself, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import islice

import pytest

from tests.bench.results import Goal, Result
from tests.proofs.chain import Chain, Ended, Rows
from tests.proofs.intervals import difference, interval
from trainers.model_types import model_type
from trainers.model_types.kind import Problem

KIND = "arithmetic_reasoning"
TYPE = model_type(KIND)
SEEDS = (0, 1, 2, 3, 4)
SRL_STEPS, RLVR_STEPS = 80, 40
PROBLEMS, HELD_OUT = 400, 300
NOT_READY = 21
STAGES = ("baseline", "srl", "rlvr", "rlvr_alone", "sft_alone")

pytestmark = pytest.mark.proof


@dataclass(frozen=True)
class Shown:
    """One seed."""

    seed: int
    stages: dict[str, Ended]

    def __getitem__(self, stage: str) -> Ended:
        return self.stages[stage]


def held_out() -> Rows:
    return [one._asdict() for one in TYPE.suite(99, HELD_OUT)]


@cache
def shown(seed: int) -> Shown:
    from trainers.tiny import make_tiny_base  # torch, which collecting the tests does not need

    chain = Chain("arithmetic", KIND, seed)
    base = make_tiny_base(TYPE, seed, folder=chain.bases())
    problems = list(islice(TYPE.problems(1000 + seed), PROBLEMS))
    asked = [one._asdict() for one in problems]
    written = [
        {"prompt": one.prompt, "completion": TYPE.completion(TYPE.solve(one))} for one in problems
    ]

    def with_items(rows: Rows) -> dict[str, Rows]:
        return {"train": rows, "held_out": held_out()}

    both = SRL_STEPS + RLVR_STEPS
    before = chain.as_it_is(base, held_out())
    lessons = with_items(solved(problems))
    srl = chain.run("srl", "srl", base, lessons, steps=SRL_STEPS)
    rlvr = chain.run("rlvr", "rlvr", srl.model, with_items(asked), steps=RLVR_STEPS)
    if rlvr.code == NOT_READY:
        srl = chain.run("more", "srl", srl.model, lessons, steps=SRL_STEPS)
        rlvr = chain.run("rlvr", "rlvr", srl.model, with_items(asked), steps=RLVR_STEPS)
    alone = chain.run("rlvr_alone", "rlvr", base, with_items(asked), steps=both)
    return Shown(
        seed,
        {
            "baseline": before,
            "srl": srl,
            "rlvr": rlvr,
            "rlvr_alone": before if alone.code == NOT_READY else alone,
            "sft_alone": chain.run(
                "sft_alone", "sft", base, with_items(written), steps=both, learning_rate=1e-3
            ),
        },
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_each_seed_ends_better_than_it_began_and_near_where_it_was(seed: int) -> None:
    found = shown(seed)
    print(*lines(found), sep="\n")
    better = difference(found["rlvr"].scores, found["baseline"].scores)
    assert better.low > 0
    assert found["srl"].metrics["kl"] <= 0.1
    assert found["rlvr"].metrics["kl"] <= 0.1


def test_the_means_over_the_seeds_reach_what_was_set_out() -> None:
    all_ = [shown(seed) for seed in SEEDS]
    before, srl, rlvr = (
        [one[stage].metrics["sampled"] for one in all_] for stage in ("baseline", "srl", "rlvr")
    )
    goals = [
        Goal(
            "SRL against the baseline, sampled, means over the seeds", sum(srl) / sum(before), 1.2
        ),
        Goal("RLVR against SRL, sampled, means over the seeds", sum(rlvr) / sum(srl), 1.1),
        Goal("largest KL per token to the stage before", largest_kl(all_), 0.1, at_least=False),
    ]
    keep(all_, goals)
    for goal in goals:
        print(goal.document())
    assert all(goal.reached for goal in goals)


def test_a_base_that_almost_never_succeeds_is_left_as_it_was() -> None:
    from trainers.tiny import make_tiny_base

    chain = Chain("beginner", KIND, 0)
    base = make_tiny_base(TYPE, 0, level=0.03, folder=chain.bases())
    before = chain.as_it_is(base, held_out())
    problems = list(islice(TYPE.problems(1000), PROBLEMS))
    rows = {"train": [one._asdict() for one in problems], "held_out": held_out()}
    refused = chain.run("rlvr", "rlvr", base, rows, steps=RLVR_STEPS)
    assert refused.code == NOT_READY
    assert not refused.model.exists()
    forced = chain.run(
        "forced", "rlvr", base, rows, steps=RLVR_STEPS, entry_success=0.0, entry_zero_variance=1.0
    )
    srl = chain.run("srl", "srl", base, rows | {"train": solved(problems)}, steps=SRL_STEPS)
    for name, ended in (("baseline", before), ("forced RLVR", forced), ("SRL", srl)):
        numbers = {one: round(ended.metrics[one], 3) for one in ("sampled", "greedy", "kl")}
        print("almost never right,", name, numbers)
    assert difference(srl.scores, before.scores).high > 0


def solved(problems: list[Problem]) -> Rows:
    """Problems with an expert's steps."""
    return [
        {
            "prompt": one.prompt,
            "steps": [step._asdict() for step in one.steps],
            "outcome": one.outcome,
        }
        for one in map(TYPE.solve, problems)
    ]


def largest_kl(all_: list[Shown]) -> float:
    return max(one[stage].metrics["kl"] for one in all_ for stage in ("srl", "rlvr"))


def keep(all_: list[Shown], goals: list[Goal]) -> None:
    """As a measure is kept, so that texts can tell of it."""
    figures = {
        f"{stage} {metric}": [one[stage].metrics[metric] for one in all_]
        for stage in STAGES
        for metric in ("sampled", "greedy", "kl", "entropy")
    }
    figures |= {f"{stage} seconds": [one[stage].seconds for one in all_] for stage in STAGES}
    steps = {"srl": "baseline", "rlvr": "srl", "rlvr_alone": "baseline", "sft_alone": "baseline"}
    Result(
        f"{KIND}: held-out accuracy of {len(SEEDS)} seeds, {HELD_OUT} problems, 4 samples each",
        "share right",
        {
            "srl, rlvr": f"{SRL_STEPS} and {RLVR_STEPS} updates, {PROBLEMS} problems",
            "rlvr_alone, sft_alone": f"{SRL_STEPS + RLVR_STEPS} updates, the same problems",
        },
        figures,
        goals,
        {"differences over the seeds": {f"{a} - {b}": over(all_, a, b) for a, b in steps.items()}},
    ).keep("learning_arithmetic", short=False)


def over(all_: list[Shown], stage: str, other: str) -> str:
    """How much more of the samples is right, over the seeds."""
    return str(
        interval([one[stage].metrics["sampled"] - one[other].metrics["sampled"] for one in all_])
    )


def lines(found: Shown) -> list[str]:
    told = []
    for stage, ended in found.stages.items():
        sure = difference(ended.scores, found["baseline"].scores)
        numbers = " ".join(
            f"{name} {ended.metrics[name]:.3f}" for name in ("sampled", "greedy", "kl", "entropy")
        )
        told.append(f"seed {found.seed} {stage:10} {numbers} {ended.seconds:.0f} s, {sure}")
    return told
