"""One step of learning from groups: from samples and their advantages to changed weights.

There is no critic: what a sample is compared with are the others of its group. The variants differ
in how they sum over tokens and where they clip; with one passage over fresh samples the ratio is 1,
and all that is left of them is the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainers.losses import entropy_of, k3, logprobs_of, masked_mean, surrogate
from trainers.sequences import Sequences, logits_of

Tensor = Any
SAVED = 0.1
"""Share of the tokens that is worth a part of its own."""


@dataclass(frozen=True)
class Rules:
    """What a step needs to know of a recipe."""

    beta: float = 0.0
    """Weight of the KL to the reference, token by token."""
    variant: str = "grpo"
    clip: float = 0.2
    clip_high: float | None = None
    entropy_coef: float = 0.0
    iterations: int = 1
    microbatch: int = 0
    """Samples on the machine at once; 0 takes all."""
    max_new: int = 512
    temperature: float = 1.0
    max_grad_norm: float = 1.0


def logprobs(model: Any, batch: Sequences, rules: Rules) -> Tensor:
    """Of the sampled tokens, by a model that is not to learn just now."""
    found = torch.zeros_like(batch.mask)
    with torch.no_grad():
        for rows in _parts(batch, rules):
            part = _logprobs(model, batch.some(rows), rules)[0]
            found[rows, : part.shape[1]] = part
    return found


def update(
    model: Any,
    optimizer: Any,
    parameters: Iterable[Any],
    batch: Sequences,
    advantages: Sequence[float],
    reference: Tensor | None,
    rules: Rules,
) -> dict[str, float]:
    """Change the weights; what a person would like to see of it, of the last passage."""
    parameters = list(parameters)
    better = torch.tensor(list(advantages), dtype=torch.float32, device=batch.ids.device)
    old = logprobs(model, batch, rules) if rules.iterations > 1 else None
    numbers: dict[str, float] = {}
    for _ in range(rules.iterations):
        optimizer.zero_grad(set_to_none=True)
        numbers = {"loss": 0.0, "entropy": 0.0, "kl": 0.0, "clipped": 0.0}
        for rows in _parts(batch, rules):
            some = batch.some(rows)
            width = some.chosen.shape[1]
            loss, seen = _loss(
                model,
                some,
                better[rows],
                None if old is None else old[rows, :width],
                None if reference is None else reference[rows, :width],
                rules,
                _whole(batch, rules),
            )
            loss.backward()
            share = float(some.mask.sum() / batch.mask.sum().clamp(min=1))
            numbers["loss"] += loss.item()
            for name, value in seen.items():
                numbers[name] += share * value
        norm = torch.nn.utils.clip_grad_norm_(parameters, rules.max_grad_norm)
        numbers["grad_norm"] = norm.item()
        if torch.isfinite(norm):  # else this step would make every weight useless
            optimizer.step()
    return numbers


def _loss(
    model: Any,
    some: Sequences,
    advantages: Tensor,
    old: Tensor | None,
    reference: Tensor | None,
    rules: Rules,
    whole: float,
) -> tuple[Tensor, dict[str, float]]:
    """Of some of the samples, such that these losses sum to that of the batch."""
    new, logits = _logprobs(model, some, rules)
    before = new.detach() if old is None else old
    each = _objective(new, before, advantages.unsqueeze(1), some.mask, rules)
    seen: dict[str, float] = {}
    if reference is not None:
        apart = k3(new, reference)
        each = each + rules.beta * apart
        seen["kl"] = masked_mean(apart.detach(), some.mask).item()
    if rules.entropy_coef:
        spread = entropy_of(logits)
        each = each - rules.entropy_coef * spread
    with torch.no_grad():
        seen["entropy"] = masked_mean(entropy_of(logits), some.mask).item()
        far = ((new - before).exp() - 1).abs() > rules.clip
        seen["clipped"] = masked_mean(far.float(), some.mask).item()
    return _summed(each, some.mask, rules) / whole, seen


def _objective(new: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, rules: Rules) -> Tensor:
    """The loss of each token, before it is summed."""
    high = rules.clip if rules.clip_high is None else rules.clip_high
    if rules.variant == "cispo":
        weight = (new - old).exp().clamp(max=1 + high).detach()
        return -weight * advantages * new
    if rules.variant in ("gspo", "rloo"):
        moved = ((new - old) * mask).sum(1, keepdim=True)
        if rules.variant == "gspo":  # the mean over the tokens, so that length does not matter
            moved = moved / mask.sum(1, keepdim=True).clamp(min=1)
        # Each token has its own gradient, and the ratio of the whole.
        new = new - new.detach() + moved.detach()
        old = torch.zeros_like(old)
    return surrogate(new, old, advantages, rules.clip, high)


def _summed(each: Tensor, mask: Tensor, rules: Rules) -> Tensor:
    if rules.variant in ("grpo", "gspo"):  # each sample counts alike
        return ((each * mask).sum(1) / mask.sum(1).clamp(min=1)).sum()
    return (each * mask).sum()


def _whole(batch: Sequences, rules: Rules) -> float:
    """By what the sum over a batch is divided, however it was cut up."""
    match rules.variant:
        case "grpo" | "gspo" | "rloo":
            return float(len(batch))
        case "dr_grpo":
            return float(len(batch) * rules.max_new)
        case _:  # each token counts alike
            return float(batch.mask.sum().clamp(min=1))


def _logprobs(model: Any, batch: Sequences, rules: Rules) -> tuple[Tensor, Tensor]:
    logits = logits_of(model, batch)
    if rules.temperature != 1.0:
        logits = logits / rules.temperature
    return logprobs_of(logits, batch.chosen), logits


def _parts(batch: Sequences, rules: Rules) -> tuple[Tensor, ...]:
    """Rows that are on the machine together: as many as fit, and of about one length."""
    lengths = [int(one) for one in batch.mask.sum(1).tolist()]
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    most = rules.microbatch or len(order)
    alike = _alike(order, lengths, SAVED * len(order) * max(lengths, default=0))
    return tuple(
        torch.tensor(sorted(rows[start : start + most]))
        for rows in alike
        for start in range(0, len(rows), most)
    )


def _alike(order: list[int], lengths: Sequence[int], least: float) -> list[list[int]]:
    """Rows, the shortest first, cut where that saves at least so many tokens of padding."""
    if len(order) < 2:
        return [order]
    longest = lengths[order[-1]]
    saved = [(cut * (longest - lengths[order[cut - 1]]), cut) for cut in range(1, len(order))]
    most, cut = max(saved)
    if most < least:
        return [order]
    return [*_alike(order[:cut], lengths, least), *_alike(order[cut:], lengths, least)]
