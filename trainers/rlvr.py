"""RLVR: learn from outcomes that a verifier can check, after a test whether that can succeed.

Where nearly all groups are all right or all wrong there is nothing to compare, and small gradients
only make the policy drift. So the base is asked first: enough of its samples have to be right, and
enough of its groups mixed; else nothing is trained, and it says what would be right.
"""

from __future__ import annotations

from trainers import ppo
from trainers.closing import closed
from trainers.failures import NotReady
from trainers.groups import Comparing, Score, Task, numbers_of, sampled
from trainers.grpo import comparing, learn, rules
from trainers.order import derived, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.scoring import by_verifier


def train(run: Run) -> Outcome:
    """GRPO, RLOO or PPO on what the verifier of the model type says."""
    settings, policy = run.settings, Policy(run)
    score = by_verifier(run.model_type, form=settings.format_weight > 0)
    tasks = [Task(row["prompt"], row) for row in run.rows()]
    if run.noted("entry") is None:
        enter(run, policy, tasks, score)
    if settings.algorithm == "ppo":
        ppo.learn(run, policy, tasks, score)
    else:
        loo = {"normaliser": "leave_one_out"} if settings.algorithm == "rloo" else {}
        weights = {"format": settings.format_weight}
        how = comparing(settings, weights=weights, **loo)
        learn(run, policy, tasks, score, how, rules(settings, variant=settings.algorithm))
    return closed(run, policy)


def enter(run: Run, policy: Policy, tasks: list[Task], score: Score) -> None:
    """The entry test; what it found is written down before the first step."""
    settings = run.settings
    how = Comparing(
        min(settings.entry_problems, len(tasks)),
        settings.samples,
        settings.max_new,
        settings.temperature,
    )
    seed = derived(run.spec.seed, "entry")
    found = numbers_of(sampled(policy.engine, endless(tasks, seed), score, how, seed), how)
    success, silent = found.get("outcome", 0.0), found["zero_variance"]
    run.note("entry", {"success": success, "zero_variance": silent})
    if success < settings.entry_success or silent > settings.entry_zero_variance:
        raise NotReady(
            f"the base is not ready for RLVR: {success:.0%} of its samples are right (at least "
            f"{settings.entry_success:.0%}), {silent:.0%} of its groups say nothing (at most "
            f"{settings.entry_zero_variance:.0%})",
            where="base",
            right="more SRL or SFT first, easier problems, or more samples for each",
        )
