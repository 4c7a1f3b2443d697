"""Proximal policy optimisation, ours in torch: a critic beside the policy, KL in the reward.

`train` is the trainer of that name; `learn` is the loop that rlvr shares with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import Any

import torch

from trainers import grpo_step
from trainers.batching import microbatch, shrinking, widest
from trainers.closing import closed
from trainers.critics import ActorCritic
from trainers.engine import Completion
from trainers.groups import Comparing, Group, Score, Task, numbers_of, sampled
from trainers.learning import Learner
from trainers.order import Counting, derived, endless
from trainers.outcome import Outcome
from trainers.policy import Policy
from trainers.ppo_step import Rules, experience, update
from trainers.run import Run
from trainers.scoring import scorer
from trainers.sequences import Sequences, padded
from trainers.value_head import ValueHead


def train(run: Run) -> Outcome:
    """Samples scored by a verifier, a reward model or a judge."""
    policy, score = Policy(run), scorer(run)
    tasks = [Task(row["prompt"], row) for row in run.rows()]
    learn(run, policy, tasks, score)
    return closed(run, policy)


def rules_of(settings: Any) -> Rules:
    """How these settings want a step made; A2C is one passage with nothing clipped."""
    plain = bool(getattr(settings, "a2c", False))
    return Rules(
        kl=settings.beta,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip=None if plain else settings.clip,
        value_clip=None if plain else getattr(settings, "value_clip", 0.2),
        value_coef=settings.value_coef,
        entropy_coef=settings.entropy_coef,
        whiten=getattr(settings, "whiten", True),
        iterations=1 if plain else settings.iterations,
        minibatches=1 if plain else getattr(settings, "minibatches", 2),
        max_grad_norm=settings.max_grad_norm,
    )


def learn(run: Run, policy: Policy, tasks: list[Task], score: Score) -> None:
    """Draw, score, judge each token, step; until the steps are done or the guard says stop."""
    settings, seed, device = run.settings, run.spec.seed, policy.engine.device
    head = ValueHead(policy.model.get_input_embeddings().embedding_dim).to(device)
    actor, rules = ActorCritic(policy.model, head), rules_of(settings)
    steps = settings.steps or -(-len(tasks) * settings.epochs // settings.batch)
    ratio = float(getattr(settings, "value_rate_ratio", 10.0))
    learner = Learner([(policy.model, 1.0), (head, ratio)], settings, steps, seed)
    begin, passed = 0, 0
    if (place := run.resume_from()) is not None:
        kept = learner.read(place)
        begin, passed = kept["step"], kept["passed"]
    drawing = Counting(endless(tasks, seed, passed), passed)
    policy.learns(dropout=False)
    how = Comparing(settings.batch, settings.samples, settings.max_new, settings.temperature)
    longest = partial(widest, policy, [task.prompt for task in tasks], how.max_new)
    size = microbatch(run, policy.model, how.groups * how.samples, longest)

    def fitting(work: Callable[[int], Any]) -> Any:
        nonlocal size
        done, size = shrinking(run, step, size, work)
        return done

    for step in range(begin + 1, steps + 1):
        learner.begin(step)
        groups = sampled(policy.engine, drawing, score, how, derived(seed, "sample", step))
        batch, scores = _scored(policy, groups)
        batch = batch.on(device)
        shuffling = torch.Generator().manual_seed(derived(seed, "shuffle", step))
        with policy.autocast():
            with policy.reference() as model:
                reference = fitting(partial(_reference, model, batch))
            found = experience(actor, batch, scores, reference, rules, fitting)
            numbers = update(
                actor, learner.optimizer, learner.parameters, found, rules, shuffling, fitting
            )
        apart = (found.logprobs - reference) * batch.mask
        told = numbers_of(groups, how) | numbers | {"kl": float(apart.sum() / batch.mask.sum())}
        if run.report(step, score=fmean(scores), **told):
            break
        run.safe_point(step, partial(learner.write, step=step, passed=drawing.passed))


def _reference(model: Any, batch: Sequences, size: int) -> Any:
    return grpo_step.logprobs(model, batch, grpo_step.Rules(microbatch=size))


def _scored(policy: Policy, groups: list[Group]) -> tuple[Sequences, list[float]]:
    """Samples with a score; what could not be scored is left out."""
    prompts: list[list[int]] = []
    completions: list[Completion] = []
    scores: list[float] = []
    for group in groups:
        ids = policy.engine.prompt_ids(group.task.prompt)
        for completion, reward in zip(group.completions, group.rewards["outcome"], strict=True):
            if reward is not None:
                prompts.append(ids)
                completions.append(completion)
                scores.append(reward)
    pad = policy.tokenizer.pad_token_id
    return padded(prompts, [one.token_ids for one in completions], pad), scores
