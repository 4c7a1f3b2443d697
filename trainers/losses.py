"""Losses and estimates of learning on tokens, each the formula that it is.

All tensors are [samples, tokens] and belong to completions; `mask` is 1 where a token counts.
"""

from __future__ import annotations

import math
from typing import Any

import torch

Tensor = Any


def logprobs_of(logits: Tensor, ids: Tensor) -> Tensor:
    """Of the tokens that were chosen, out of logits [samples, tokens, vocabulary]."""
    chosen = logits.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    return chosen - torch.logsumexp(logits, -1)


def entropy_of(logits: Tensor) -> Tensor:
    """In nats, of each position's whole distribution."""
    logs = torch.log_softmax(logits, -1)
    return -(logs.exp() * logs).sum(-1)


def k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """KL(policy || reference) estimated from the chosen tokens: unbiased, never negative."""
    ahead = reference - logprobs
    return ahead.exp() - ahead - 1


def divergence(student: Tensor, teacher: Tensor, beta: float) -> Tensor:
    """Of each position's whole distribution, by logits: KL(teacher || student) where beta is 0,
    KL(student || teacher) where it is 1; between them the generalised Jensen-Shannon divergence,
    with beta of the teacher in the mixture that both are held against."""
    ours, theirs = torch.log_softmax(student, -1), torch.log_softmax(teacher, -1)
    if beta == 0:
        return _kl(theirs, ours)
    if beta == 1:
        return _kl(ours, theirs)
    mixed = torch.logaddexp(theirs + math.log(beta), ours + math.log1p(-beta))
    return beta * _kl(theirs, mixed) + (1 - beta) * _kl(ours, mixed)


def _kl(logs: Tensor, others: Tensor) -> Tensor:
    return (logs.exp() * (logs - others)).sum(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)


def whitened(values: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over what counts."""
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, decay: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages, and the returns that the values ought to have been.

    Behind the last token of a completion there is nothing: its next value is 0.
    """
    advantages = torch.zeros_like(rewards)
    ahead = torch.zeros_like(rewards[:, 0])
    value_ahead = torch.zeros_like(rewards[:, 0])
    for place in range(rewards.shape[1] - 1, -1, -1):
        counts = mask[:, place]
        error = rewards[:, place] + gamma * value_ahead - values[:, place]
        ahead = (error + gamma * decay * ahead) * counts
        value_ahead = values[:, place] * counts + value_ahead * (1 - counts)
        advantages[:, place] = ahead
    return advantages, (advantages + values) * mask


def surrogate(
    logprobs: Tensor, old: Tensor, advantages: Tensor, low: float | None, high: float | None
) -> Tensor:
    """The clipped objective of each token, as a loss; None does not clip on that side."""
    ratio = (logprobs - old).exp()
    least = 1 - low if low is not None else None
    most = 1 + high if high is not None else None
    if least is None and most is None:
        return -ratio * advantages
    return -torch.minimum(ratio * advantages, ratio.clamp(least, most) * advantages)


def value_error(values: Tensor, old: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Half the squared error of each token, the worse of clipped and not."""
    plain = (values - returns) ** 2
    if clip is None:
        return 0.5 * plain
    near = old + (values - old).clamp(-clip, clip)
    return 0.5 * torch.maximum(plain, (near - returns) ** 2)
