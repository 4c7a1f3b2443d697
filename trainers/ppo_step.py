"""One step of proximal policy optimisation: from samples and their scores to changed weights.

The objective is the score of a whole completion less `kl` times the KL to the reference,
spread over its tokens; a value for each token is the baseline. With one passage over one minibatch
and no clipping this is A2C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainers.losses import (
    entropy_of,
    gae,
    logprobs_of,
    masked_mean,
    surrogate,
    value_error,
    whitened,
)
from trainers.sequences import Sequences

Tensor = Any
Actor = Callable[[Sequences], tuple[Tensor, Tensor]]
"""What it thinks at each token of the completions: logits, and the value of what lies before it."""


@dataclass(frozen=True)
class Rules:
    """What a step needs to know of a recipe; None clips nothing."""

    kl: float
    """Weight of the KL to the reference, taken off the reward of each token."""
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float | None = 0.2
    value_clip: float | None = 0.2
    value_coef: float = 0.5
    entropy_coef: float = 0.01
    whiten: bool = True
    iterations: int = 1
    minibatches: int = 1
    max_grad_norm: float = 1.0


@dataclass(frozen=True)
class Experience:
    """What was sampled, and how good each token of it was."""

    batch: Sequences
    logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor

    def some(self, rows: Tensor) -> Experience:
        batch = self.batch.some(rows)
        width = batch.chosen.shape[1]
        rest = (self.logprobs, self.values, self.advantages, self.returns)
        return Experience(batch, *(tensor[rows, :width] for tensor in rest))


def experience(
    actor: Actor,
    batch: Sequences,
    scores: Sequence[float],
    reference: Tensor | None,
    rules: Rules,
) -> Experience:
    """Judge samples of the present policy; `reference` holds the log-probabilities there."""
    with torch.no_grad():
        logits, values = actor(batch)
        logprobs = logprobs_of(logits, batch.chosen)
    rewards = torch.zeros_like(logprobs)
    if reference is not None:
        rewards -= rules.kl * (logprobs - reference)
    rows = torch.arange(len(batch), device=rewards.device)
    last = batch.mask.sum(1).long() - 1
    rewards[rows, last] += torch.tensor(list(scores), dtype=rewards.dtype, device=rewards.device)
    rewards *= batch.mask
    advantages, returns = gae(rewards, values, batch.mask, rules.gamma, rules.gae_lambda)
    if rules.whiten:
        advantages = whitened(advantages, batch.mask)
    return Experience(batch, logprobs, values, advantages, returns)


def update(
    actor: Actor,
    optimizer: Any,
    parameters: Iterable[Any],
    found: Experience,
    rules: Rules,
    generator: Any,
) -> dict[str, float]:
    """Change the weights; means over all minibatches of what a person would like to see."""
    parameters = list(parameters)
    seen: list[dict[str, float]] = []
    for _ in range(rules.iterations):
        order = torch.randperm(len(found.batch), generator=generator)
        for rows in order.chunk(rules.minibatches):
            some = found.some(rows)
            loss, numbers = _loss(actor, some, rules)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, rules.max_grad_norm)
            if torch.isfinite(norm):  # else this step would make every weight useless
                optimizer.step()
            seen.append(numbers | {"loss": loss.item(), "grad_norm": norm.item()})
    return {name: sum(one[name] for one in seen) / len(seen) for name in seen[0]}


def _loss(actor: Actor, some: Experience, rules: Rules) -> tuple[Tensor, dict[str, float]]:
    mask = some.batch.mask
    logits, values = actor(some.batch)
    logprobs = logprobs_of(logits, some.batch.chosen)
    policy = masked_mean(
        surrogate(logprobs, some.logprobs, some.advantages, rules.clip, rules.clip), mask
    )
    value = masked_mean(value_error(values, some.values, some.returns, rules.value_clip), mask)
    entropy = masked_mean(entropy_of(logits), mask)
    loss = policy + rules.value_coef * value - rules.entropy_coef * entropy
    with torch.no_grad():
        ratio = (logprobs - some.logprobs).exp()
        far = (ratio - 1).abs() > (rules.clip if rules.clip is not None else float("inf"))
        clipped = masked_mean(far.float(), mask)
    return loss, {
        "policy_loss": policy.item(),
        "value_loss": value.item(),
        "entropy": entropy.item(),
        "clipped": clipped.item(),
    }
