"""Prompts with what was written behind them, as one padded batch, and a model's view of it.

Prompts are padded on the left and completions on the right, so all completions begin in one column
and only their columns cost logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tensor = Any


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
    positions = (batch.attention.cumsum(1) - 1).clamp(min=0)
    columns = batch.chosen.shape[1]
    found = model(
        input_ids=batch.ids,
        attention_mask=batch.attention,
        position_ids=positions,
        logits_to_keep=columns + 1,
        use_cache=False,
    )
    return found.logits[:, :-1].float()
