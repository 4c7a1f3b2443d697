"""Prompts with what was written behind them, as one padded batch, and a model's view of it.

Prompts are padded on the left and completions on the right, so all completions begin in one column
and only their columns cost logits. A prompt that several of them share is read once: of a step of
SRL that is two thirds of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from trainers.decoder import is_plain, unwrapped

Tensor = Any
SAVED = 0.1
"""Share of the tokens that is worth a second call of the model."""


@dataclass(frozen=True)
class Sequences:
    """Samples of some prompts, as tensors; `mask` is 1 where a token of a completion counts."""

    ids: Tensor
    """[samples, prompt and completion]"""
    attention: Tensor
    chosen: Tensor
    """[samples, completion]: the tokens of the completions by themselves."""
    mask: Tensor

    def some(self, rows: Any) -> Sequences:
        """The samples in these rows, without columns that none of them needs."""
        mask, attention = self.mask[rows], self.attention[rows]
        columns = self.mask.shape[1]
        width = max(1, int(mask.sum(1).max()))
        first = int(attention.sum(0).nonzero()[0])
        last = attention.shape[1] - columns + width
        return Sequences(
            self.ids[rows, first:last],
            attention[:, first:last],
            self.chosen[rows, :width],
            mask[:, :width],
        )

    def on(self, device: Any) -> Sequences:
        """The same on another device."""
        return Sequences(
            self.ids.to(device),
            self.attention.to(device),
            self.chosen.to(device),
            self.mask.to(device),
        )

    def __len__(self) -> int:
        return int(self.ids.shape[0])


def padded(
    prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]], pad: int
) -> Sequences:
    """As one batch; each completion goes as far as its own tokens."""
    before = max(1, *(len(one) for one in prompts)) if prompts else 1
    behind = max(1, *(len(one) for one in completions)) if completions else 1
    size = len(prompts)
    ids = torch.full((size, before + behind), pad, dtype=torch.long)
    attention = torch.zeros((size, before + behind), dtype=torch.long)
    mask = torch.zeros((size, behind), dtype=torch.float32)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        start, end = before - len(prompt), before + len(completion)
        ids[row, start:before] = torch.tensor(list(prompt), dtype=torch.long)
        ids[row, before:end] = torch.tensor(list(completion), dtype=torch.long)
        attention[row, start:end] = 1
        mask[row, : len(completion)] = 1
    return Sequences(ids, attention, ids[:, before:].clone(), mask)


def logits_of(model: Any, batch: Sequences) -> Tensor:
    """What the model thought at each token of the completions: [samples, completion, words]."""
    return thoughts_of(model, batch)[0]


def thoughts_of(model: Any, batch: Sequences, hidden: bool = False) -> tuple[Tensor, Tensor]:
    """The same, and what lies behind it where that is asked for: the last hidden states."""
    positions = (batch.attention.cumsum(1) - 1).clamp(min=0)
    if (shared := _shared(model, batch)) is not None:
        return _behind(model, batch, positions, *shared, hidden)
    columns = batch.chosen.shape[1]
    found = model(
        input_ids=batch.ids[:, :-1],
        attention_mask=batch.attention[:, :-1],
        position_ids=positions[:, :-1],
        logits_to_keep=columns,
        use_cache=False,
        output_hidden_states=hidden,
    )
    states = found.hidden_states[-1][:, -columns:] if hidden else found.logits
    return found.logits.float(), states


def _shared(model: Any, batch: Sequences) -> tuple[Tensor, Tensor] | None:
    """The first sample with each prompt, and which of them every sample has; None where reading
    each prompt once would save less than a tenth."""
    before = batch.ids.shape[1] - batch.chosen.shape[1]
    rows = len(batch)
    if batch.chosen.shape[1] < 2 or rows * before < SAVED * batch.ids.numel():
        return None
    prompts = torch.cat([batch.ids[:, :before], batch.attention[:, :before]], 1)
    distinct, which = torch.unique(prompts, dim=0, return_inverse=True)
    saved = (rows - len(distinct)) * before
    if saved < SAVED * batch.ids.numel() or not is_plain(model) or _computed_twice(model):
        return None
    firsts = torch.full_like(which[: len(distinct)], rows)
    places = torch.arange(rows, device=which.device)
    return firsts.scatter_reduce(0, which, places, "amin"), which


def _behind(
    model: Any, batch: Sequences, positions: Tensor, firsts: Tensor, which: Tensor, hidden: bool
) -> tuple[Tensor, Tensor]:
    """The same, each prompt read once; gradients reach it from all of its completions."""
    before = batch.ids.shape[1] - batch.chosen.shape[1]
    cache = DynamicCache(config=unwrapped(model).config)
    prompts = model(
        input_ids=batch.ids[firsts, :before],
        attention_mask=batch.attention[firsts, :before],
        position_ids=positions[firsts, :before],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
        output_hidden_states=hidden,
    )
    cache.batch_select_indices(which)
    found = model(
        input_ids=batch.ids[:, before:-1],
        attention_mask=batch.attention[:, :-1],
        position_ids=positions[:, before:-1],
        past_key_values=cache,
        use_cache=True,
        output_hidden_states=hidden,
    )
    logits = torch.cat([prompts.logits[which], found.logits], 1).float()
    if not hidden:
        return logits, logits
    ends = prompts.hidden_states[-1][which, -1:]
    return logits, torch.cat([ends, found.hidden_states[-1]], 1)


def _computed_twice(model: Any) -> bool:
    """Layers that forget their activations keep no cache either."""
    layers = unwrapped(model).model.layers
    return any(one.training and getattr(one, "gradient_checkpointing", False) for one in layers)
