"""GRPO and its kin: samples of a group are compared with each other, and no critic is needed.

`train` is the trainer of that name; `learn` is the loop that srl and rlvr share with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from trainers import grpo_step
from trainers.batching import microbatch, shrinking, widest
from trainers.closing import closed
from trainers.groups import Comparing, Lesson, Score, Task, lesson, sampled
from trainers.grpo_step import Rules
from trainers.learning import Learner
from trainers.order import Counting, derived, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.run import Run
from trainers.scoring import scorer

Controller = Callable[[float, float], float]
"""The beta of the next step, from this one's and the KL that was measured."""


def train(run: Run) -> Outcome:
    """Samples scored by a verifier, a reward model or a judge."""
    policy = Policy(run)
    tasks = [Task(row["prompt"], row) for row in run.rows()]
    score = scorer(run)
    how = comparing(run.settings)
    learn(run, policy, tasks, score, how, rules(run.settings))
    return closed(run, policy)


def comparing(settings: Any, **more: Any) -> Comparing:
    """How these settings want groups drawn and compared."""
    variant = getattr(settings, "variant", "")
    given = {
        "groups": settings.batch,
        "samples": settings.samples,
        "max_new": settings.max_new,
        "temperature": settings.temperature,
        "normaliser": "leave_one_out" if variant == "rloo" else settings.normaliser,
        "mask_truncated": settings.mask_truncated,
    }
    return Comparing(**(given | more))


def rules(settings: Any, **more: Any) -> Rules:
    """How these settings want a step made."""
    given = {
        "beta": settings.beta,
        "variant": getattr(settings, "variant", "grpo"),
        "clip": settings.clip,
        "clip_high": settings.clip_high,
        "entropy_coef": getattr(settings, "entropy_coef", 0.0),
        "iterations": settings.iterations,
        "max_new": settings.max_new,
        "temperature": settings.temperature,
        "max_grad_norm": settings.max_grad_norm,
    }
    return Rules(**(given | more))


def learn(
    run: Run,
    policy: Policy,
    tasks: list[Task],
    score: Score,
    how: Comparing,
    rules: Rules,
    controller: Controller | None = None,
) -> None:
    """Draw, score, compare, step; until the steps are done or the guard says stop."""
    settings, seed = run.settings, run.spec.seed
    steps = settings.steps or -(-len(tasks) * settings.epochs // settings.batch)
    learner = Learner([(policy.model, 1.0)], settings, steps, run.spec.seed)
    begin, passed, beta = 0, 0, rules.beta
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed, beta = kept["step"], kept["passed"], kept["beta"]
    drawing = Counting(endless(tasks, seed, passed), passed)
    policy.learns(dropout=False)
    longest = partial(widest, policy, [task.prompt for task in tasks], how.max_new)
    size = microbatch(run, policy.model, how.groups * how.samples, longest)
    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        groups = sampled(policy.engine, drawing, score, how, derived(seed, "sample", step))
        found = lesson(policy.engine, groups, how)
        now = replace(rules, beta=beta)
        numbers, size = shrinking(run, step, size, partial(_step, run, policy, learner, found, now))
        told = found.numbers | numbers
        if controller is not None and "kl" in told:
            beta = controller(beta, told["kl"])
        if run.report(step, **told):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed, beta=beta))


def _step(
    run: Run, policy: Policy, learner: Learner, found: Lesson, rules: Rules, size: int
) -> dict[str, float]:
    """One update, with so many samples on the machine at once."""
    rules, reference = replace(rules, microbatch=size), None
    batch = found.batch.on(policy.engine.device)
    with policy.autocast():
        if rules.beta or run.spec.limits.kl is not None:
            with policy.reference() as model:
                reference = grpo_step.logprobs(model, batch, rules)
        return grpo_step.update(
            policy.model, learner.optimizer, learner.parameters, batch,
            found.advantages, reference, rules,
        )  # fmt: skip
