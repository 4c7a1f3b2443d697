"""One step of proximal policy optimisation: from samples and their scores to changed weights.

The objective is the score of a whole completion less `kl` times the KL to the reference,
spread over its tokens; a value for each token is the baseline. With one passage over one minibatch
and no clipping this is A2C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
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
Fitting = Callable[[Callable[[int], Any]], Any]
"""Does a piece of work that is told how many samples may be on the machine at once; 0 is all."""


def at_once(work: Callable[[int], Any]) -> Any:
    """All samples together."""
    return work(0)


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
    fitting: Fitting = at_once,
) -> Experience:
    """Judge samples of the present policy; `reference` holds the log-probabilities there."""
    logprobs, values = fitting(partial(_judged, actor, batch))
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


def _judged(actor: Actor, batch: Sequences, size: int) -> tuple[Tensor, Tensor]:
    """The log-probability and the value of each token, so many samples at a time."""
    logprobs, values = torch.zeros_like(batch.mask), torch.zeros_like(batch.mask)
    with torch.no_grad():
        for rows in torch.arange(len(batch)).split(size or len(batch)):
            part = batch.some(rows)
            logits, worth = actor(part)
            width = part.chosen.shape[1]
            logprobs[rows, :width] = logprobs_of(logits, part.chosen)
            values[rows, :width] = worth
    return logprobs, values


def update(
    actor: Actor,
    optimizer: Any,
    parameters: Iterable[Any],
    found: Experience,
    rules: Rules,
    generator: Any,
    fitting: Fitting = at_once,
) -> dict[str, float]:
    """Change the weights; means over all minibatches of what a person would like to see."""
    parameters = list(parameters)
    seen: list[dict[str, float]] = []
    for _ in range(rules.iterations):
        order = torch.randperm(len(found.batch), generator=generator)
        for rows in order.chunk(rules.minibatches):
            numbers = fitting(partial(_gradients, actor, optimizer, found.some(rows), rules))
            norm = torch.nn.utils.clip_grad_norm_(parameters, rules.max_grad_norm)
            if torch.isfinite(norm):  # else this step would make every weight useless
                optimizer.step()
            seen.append(numbers | {"grad_norm": norm.item()})
    return {name: sum(one[name] for one in seen) / len(seen) for name in seen[0]}


def _gradients(
    actor: Actor, optimizer: Any, some: Experience, rules: Rules, size: int
) -> dict[str, float]:
    """Of one minibatch, however it is cut up: each token counts alike."""
    optimizer.zero_grad(set_to_none=True)
    told: dict[str, float] = {}
    tokens = float(some.batch.mask.sum())
    for rows in torch.arange(len(some.batch)).split(size or len(some.batch)):
        part = some.some(rows)
        share = float(part.batch.mask.sum()) / max(1.0, tokens)
        loss, numbers = _loss(actor, part, rules)
        (share * loss).backward()
        for name, number in (numbers | {"loss": loss.item()}).items():
            told[name] = told.get(name, 0.0) + share * number
    return told


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
