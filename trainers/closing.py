"""The end of a training: the model written, and measured on held-out problems where there are some.

What is measured here stands in the outcome with every item, for the gates; the trainer's own log is
for people who watch.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trainers.model_types.kind import problem_of
from trainers.models import write
from trainers.order import derived
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.probe import accuracy, measure
from trainers.run import Run

HELD_OUT = "held_out"
SAMPLES = 4
"""Samples of each held-out problem."""
LONGEST = 256
"""Tokens of an answer, where the settings do not say."""


def closed(run: Run, policy: Policy, measuring: bool = True) -> Outcome:
    """What came of it."""
    policy.model.eval()
    run.beat()
    run.save_model(lambda place: write(place, policy.model, policy.tokenizer))
    if not measuring or run.spec.data_named(HELD_OUT) is None:
        return Outcome()
    metrics, items = measured(run, policy)
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def measured(run: Run, policy: Any) -> tuple[dict[str, float | None], list[dict[str, Any]]]:
    """How good it is, how far it went, how decided it is, on held-out problems; and each item."""
    problems = [problem_of(row) for row in run.rows(HELD_OUT)]
    longest = max(getattr(run.settings, "max_new", 0), LONGEST)
    seed = derived(run.spec.seed, "held out")
    found = accuracy(
        policy.engine, problems, run.model_type.verify, max_new=longest, seed=seed, samples=SAMPLES
    )
    run.beat()
    reference = run.spec.reference or run.spec.base
    prompts = [one.prompt for one in problems]
    apart = measure(policy.engine, reference, prompts, max_new=longest, seed=seed)
    metrics: dict[str, float | None] = {
        "sampled": found.sampled,
        "greedy": found.greedy,
        "reward": found.reward,
        "zero_variance": found.zero_variance,
        "truncated": found.truncated,
        "kl": apart.kl_per_token,
        "kl_sequence": apart.kl_per_sequence,
        "entropy": apart.entropy,
        "entropy_relative": apart.relative_entropy,
    }
    items = [
        {
            "problem": problem.id,
            **asdict(answer),
            "kl": item.kl,
            "tokens": item.tokens,
            "entropy": item.entropy,
            "reference_entropy": item.reference_entropy,
        }
        for problem, answer, item in zip(problems, found.per_item, apart.per_item, strict=True)
    ]
    return metrics, items
