"""Five seeds from imitation over preferences to better replies, each step held to its gate."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.bench.results import Goal, Result
from tests.proofs.intervals import difference

if TYPE_CHECKING:
    from tests.proofs.preferences import Preferred

SEEDS = (0, 1, 2, 3, 4)
POLICIES = ("dpo", "ppo", "grpo")

pytestmark = pytest.mark.proof


@cache
def shown(seed: int) -> Preferred:
    from tests.proofs.preferences import preferred  # torch, which collecting does not need

    return preferred(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_preferences_make_replies_better_and_keep_the_policy_near(seed: int) -> None:
    from tests.proofs.preferences import scores

    found = shown(seed)
    print(*lines(found), sep="\n")
    assert found.reward.metrics["held_out_accuracy"] >= 0.7
    assert abs(found.reward.metrics["gap"]) < 0.1
    for name in POLICIES:
        policy = found.policies[name]
        assert policy.metrics["kl"] <= 0.1, name
        assert found.gaps[name] > 0, name
        assert found.wins(name) > 0.5, name
        assert difference(scores(policy), scores(found.sft)).low > 0, name


def test_what_came_of_all_seeds_is_kept() -> None:
    all_ = [shown(seed) for seed in SEEDS]
    figures = {
        "sft rubric": [one.score(one.sft) for one in all_],
        "sft entropy": [one.sft.metrics["entropy"] for one in all_],
        "mean gap of the pairs": [one.pair_gap for one in all_],
        "reward model held-out accuracy": [one.reward.metrics["held_out_accuracy"] for one in all_],
        "reward model gap to training": [one.reward.metrics["gap"] for one in all_],
    }
    for name in POLICIES:
        figures |= {
            f"{name} rubric": [one.score(one.policies[name]) for one in all_],
            f"{name} win rate": [one.wins(name) for one in all_],
            f"{name} held-out gap": [one.gaps[name] for one in all_],
            f"{name} kl": [one.policies[name].metrics["kl"] for one in all_],
            f"{name} entropy": [one.policies[name].metrics["entropy"] for one in all_],
            f"{name} seconds": [one.policies[name].seconds for one in all_],
        }
    goals = [
        Goal("worst reward model, held-out", min(figures["reward model held-out accuracy"]), 0.7),
        Goal(
            "largest KL per token of a policy",
            max(one for name in POLICIES for one in figures[f"{name} kl"]),
            0.1,
            at_least=False,
        ),
        Goal(
            "lowest win rate against the imitation",
            min(one for name in POLICIES for one in figures[f"{name} win rate"]),
            0.5,
        ),
    ]
    Result(
        f"support_replies: {len(SEEDS)} seeds, 2,000 pairs of which one in ten is flipped",
        "as each line says",
        {"dpo": "from the pairs", "ppo, grpo": "from the reward model"},
        figures,
        goals,
    ).keep("learning_preferences", short=False)
    assert all(goal.reached for goal in goals)


def lines(found: Preferred) -> list[str]:
    model, told = (
        found.reward.metrics,
        [f"seed {found.seed} sft rubric {found.score(found.sft):.3f}"],
    )
    told.append(
        f"  reward model {model['held_out_accuracy']:.3f}, gap {model['gap']:.3f},"
        f" pairs apart {found.pair_gap:.3f}, {found.reward.seconds:.0f} s"
    )
    for name, policy in found.policies.items():
        numbers = policy.metrics
        told.append(
            f"  {name:4} rubric {found.score(policy):.3f} wins {found.wins(name):.3f} gap"
            f" {found.gaps[name]:.3f} kl {numbers['kl']:.3f} entropy {numbers['entropy']:.2f},"
            f" {policy.seconds:.0f} s"
        )
    return told
