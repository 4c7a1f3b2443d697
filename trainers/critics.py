"""Numbers out of last hidden states: the worth of a whole text, the value at each token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from trainers.sequences import Sequences, padded, thoughts_of
from trainers.value_head import ValueHead

Tensor = Any


def hidden_of(model: Any, batch: Sequences) -> Tensor:
    """The last hidden state at each token: [samples, prompt and completion, width]."""
    positions = (batch.attention.cumsum(1) - 1).clamp(min=0)
    found = model(
        input_ids=batch.ids,
        attention_mask=batch.attention,
        position_ids=positions,
        output_hidden_states=True,
        logits_to_keep=1,
        use_cache=False,
    )
    return found.hidden_states[-1]


def scores_of(model: Any, head: ValueHead, batch: Sequences) -> Tensor:
    """The worth of each text, read at its last token or over all of them: [samples]."""
    values = head(hidden_of(model, batch))
    if head.reads == "mean":
        counts = batch.attention.float()
        return (values * counts).sum(1) / counts.sum(1)
    columns = batch.mask.shape[1]
    last = values.shape[1] - columns + batch.mask.sum(1).long() - 1
    return values[torch.arange(len(batch), device=values.device), last]


def texts(
    tokenizer: Any, prompts: Sequence[str], completions: Sequence[str], longest: int
) -> Sequences:
    """Whole texts, each finished by the end token, as one batch that is read to its last token. Of
    one that is too long the end is read: there the completion is."""
    whole = (
        tokenizer(prompt + completion)["input_ids"]
        for prompt, completion in zip(prompts, completions, strict=True)
    )
    ids = [[*one[max(0, len(one) - longest + 1) :], tokenizer.eos_token_id] for one in whole]
    return padded([one[:1] for one in ids], [one[1:] for one in ids], tokenizer.pad_token_id)


class ActorCritic(nn.Module):
    """A policy and its critic on one trunk: logits and values at the tokens of completions."""

    def __init__(self, model: Any, head: ValueHead) -> None:
        super().__init__()
        self.model, self.head = model, head

    def forward(self, batch: Sequences) -> tuple[Tensor, Tensor]:
        """The value at a token is that of what stands before it."""
        logits, hidden = thoughts_of(self.model, batch, hidden=True)
        return logits, self.head(hidden)
