"""What a policy has become: how far from its reference, how decided, how good. Gates read this.

A trainer's own log does not do: it averages batches of training prompts from before the last
update, up to a third below what is found here. All is exact over the vocabulary, in nats, on fresh
samples of the policy at temperature 1; and each item's values are kept, since intervals are made of
them elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from trainers.engine import Engine, Text
from trainers.failures import BadBase, BadData
from trainers.models import KEPT, from_disk, load_reference

Tensor = Any
SAME = 1e-9
"""Rewards that are no further apart are the same."""


@dataclass(frozen=True)
class Item:
    """One sample, with sums over its tokens."""

    prompt: int
    """The place of its prompt."""
    text: str
    tokens: int
    """How many it has, the end token too."""
    finished: bool
    kl: float
    """KL(policy || reference) of the whole sample."""
    entropy: float
    reference_entropy: float


@dataclass(frozen=True)
class Probe:
    """A policy beside its reference."""

    kl_per_token: float
    """Of all tokens alike, so that a long sample counts for more than a short one."""
    kl_per_sequence: float
    entropy: float
    """Of the policy, per token."""
    reference_entropy: float
    """Of the reference, on the same samples."""
    relative_entropy: float
    """The one divided by the other."""
    truncated: float
    """Share of the samples that were cut off."""
    per_item: tuple[Item, ...]


@dataclass(frozen=True)
class Answer:
    """How one prompt was answered."""

    prompt: int
    greedy: bool
    """Whether the likeliest answer is right."""
    sampled: tuple[bool, ...]
    """Whether each sample is."""
    rewards: tuple[float, ...]
    """What each sample earned."""
    truncated: int
    """How many samples were cut off."""
    texts: tuple[str, ...] = ()
    """The samples themselves."""


@dataclass(frozen=True)
class Accuracy:
    """What a verifier says of a policy's answers."""

    sampled: float
    """Share of right samples at temperature 1: the primary score."""
    greedy: float
    reward: float
    """Mean over the samples."""
    zero_variance: float
    """Share of prompts whose samples all earn the same: nothing can be learned from them."""
    truncated: float
    per_item: tuple[Answer, ...]


@dataclass(frozen=True)
class Preferences:
    """What a policy prefers, measured against its reference."""

    accuracy: float
    """Share of pairs whose chosen side it raised more than the rejected one; a tie is half."""
    gap: float
    """Mean of 2 sigmoid(beta margin) - 1, from -1 to 1."""
    margin: float
    """Mean, in nats, before beta."""
    per_item: tuple[float, ...]
    """The margin of each pair."""


def measure(
    policy: Engine,
    reference: str | Path | Engine,
    prompts: Sequence[Text],
    *,
    max_new: int,
    seed: int,
    samples: int = 1,
    stop: str | None = None,
) -> Probe:
    """KL and entropy on fresh samples from these held-out prompts.

    The reference is a folder, or an engine of what was loaded from one.
    """
    if not prompts:
        raise BadData("there are no prompts to probe with", where="prompts", right="some")
    other = _beside(policy, reference)
    written = policy.generate(prompts, max_new, 1.0, seed, stop, samples)
    ids = [one.token_ids for one in written]
    repeated = [one for one in prompts for _ in range(samples)]
    found = [[0.0] * 3 for _ in ids]
    both = zip(policy.thoughts(repeated, ids), other.thoughts(repeated, ids), strict=True)
    for ours, theirs in both:
        shared = min(ours.logits.shape[-1], theirs.logits.shape[-1])  # beyond it are no tokens
        logs = ours.logits[..., :shared].log_softmax(-1)
        logs_there = theirs.logits[..., :shared].log_softmax(-1)
        each = (_kl(logs, logs_there), _entropy(logs), _entropy(logs_there))
        sums = torch.stack([(one * ours.mask).sum(1) for one in each], 1).tolist()
        for row, numbers in zip(ours.rows, sums, strict=True):
            found[row] = numbers
    return _probe(
        tuple(
            Item(row // samples, one.text, len(one.token_ids), one.finished, *numbers)
            for row, (one, numbers) in enumerate(zip(written, found, strict=True))
        )
    )


def accuracy(
    policy: Engine,
    problems: Sequence[Any],
    verify: Callable[[Any, str], Any],
    *,
    max_new: int,
    seed: int,
    samples: int = 8,
    stop: str | None = None,
) -> Accuracy:
    """Of answers to these problems, by the verifier of their model type."""
    if not problems:
        raise BadData("there are no problems to be answered", where="problems", right="some")
    prompts = [one.prompt for one in problems]
    likeliest = policy.generate(prompts, max_new, 0.0, stop=stop)
    written = policy.generate(prompts, max_new, 1.0, seed, stop, samples)
    answers = []
    for place, problem in enumerate(problems):
        own = written[place * samples : (place + 1) * samples]
        verdicts = [verify(problem, one.text) for one in own]
        answers.append(
            Answer(
                place,
                bool(verify(problem, likeliest[place].text).correct),
                tuple(bool(one.correct) for one in verdicts),
                tuple(float(one.reward) for one in verdicts),
                sum(not one.finished for one in own),
                tuple(one.text for one in own),
            )
        )
    return Accuracy(
        sampled=fmean(right for one in answers for right in one.sampled),
        greedy=fmean(one.greedy for one in answers),
        reward=fmean(reward for one in answers for reward in one.rewards),
        zero_variance=fmean(max(one.rewards) - min(one.rewards) < SAME for one in answers),
        truncated=sum(one.truncated for one in answers) / (samples * len(answers)),
        per_item=tuple(answers),
    )


def preferences(
    policy: Engine,
    reference: str | Path | Engine,
    prompts: Sequence[Text],
    chosen: Sequence[Text],
    rejected: Sequence[Text],
    *,
    beta: float,
) -> Preferences:
    """How much more the policy raised the chosen than the rejected side of each held-out pair.

    A completion that is text gets the end token that it was trained with.
    """
    other = _beside(policy, reference)
    raised = []
    for side in (chosen, rejected):
        ids = [_ended(policy, one) for one in side]
        ours, theirs = policy.score(prompts, ids), other.score(prompts, ids)
        raised.append(
            [
                float(one.double().sum() - two.double().sum())
                for one, two in zip(ours, theirs, strict=True)
            ]
        )
    return preferred([one - two for one, two in zip(*raised, strict=True)], beta)


def preferred(margins: Sequence[float], beta: float = 1.0) -> Preferences:
    """What margins say; those of a reward model are its scores' differences."""
    if not margins:
        raise BadData("there are no pairs to be compared", where="pairs", right="some")
    return Preferences(
        accuracy=fmean(1.0 if one > 0 else 0.5 if one == 0 else 0.0 for one in margins),
        gap=fmean(math.tanh(beta * one / 2) for one in margins),  # 2 sigmoid(x) - 1
        margin=fmean(margins),
        per_item=tuple(margins),
    )


def _beside(policy: Engine, reference: str | Path | Engine) -> Engine:
    """An engine for the reference that goes through texts in the same parts."""
    if not isinstance(reference, Engine):
        low = next(policy.model.parameters()).dtype == torch.bfloat16
        dtype = KEPT if low else "float32"
        found = load_reference(reference, dtype=dtype, device=str(policy.device))
        model, tokenizer = found.model, found.tokenizer
    elif from_disk(model := reference.model):
        tokenizer = reference.tokenizer
    else:
        raise BadBase(
            "the reference was in the hands of a trainer, or is a copy of what was",
            where="reference",
            right="the reference, loaded from its folder",
        )
    kind = type(reference) if isinstance(reference, Engine) else Engine
    other = kind(model, policy.tokenizer, policy.rows, policy.tokens)
    if tokenizer.get_vocab() != policy.tokenizer.get_vocab():
        raise BadBase(
            "the reference has other tokens than the policy",
            where="reference",
            right="two models that share a tokenizer",
        )
    other.words = policy.words  # which decides what the parts are
    return other


def _kl(logs: Tensor, logs_there: Tensor) -> Tensor:
    """KL of two distributions at each token, by their log-probabilities over all words."""
    apart = torch.where(logs.isneginf(), 0.0, logs.exp() * (logs - logs_there))
    return apart.sum(-1, dtype=torch.float64)


def _entropy(logs: Tensor) -> Tensor:
    return -torch.where(logs.isneginf(), 0.0, logs.exp() * logs).sum(-1, dtype=torch.float64)


def _probe(items: tuple[Item, ...]) -> Probe:
    tokens = sum(one.tokens for one in items)
    kl = math.fsum(one.kl for one in items)
    entropy = math.fsum(one.entropy for one in items) / tokens
    there = math.fsum(one.reference_entropy for one in items) / tokens
    return Probe(
        kl_per_token=kl / tokens,
        kl_per_sequence=kl / len(items),
        entropy=entropy,
        reference_entropy=there,
        relative_entropy=entropy / there if there > 0 else math.inf if entropy > 0 else 1.0,
        truncated=fmean(not one.finished for one in items),
        per_item=items,
    )


def _ended(engine: Engine, completion: Text) -> list[int]:
    ids = engine.completion_ids(completion)
    return [*ids, engine.tokenizer.eos_token_id] if isinstance(completion, str) else ids
