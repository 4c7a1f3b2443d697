"""Which token comes next, and whether a text has come to its end.

A sample is drawn by one number in [0, 1) that was drawn before for its place, so whatever else is
in the batch changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from trainers.failures import Unstable

Tensor = Any


def luck(rows: int, columns: int, seed: int | None) -> Tensor:
    """A number for each token that may be drawn; without a seed torch's own generator decides."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64)


def drawn(logits: Tensor, temperature: float, luck: Tensor | None) -> Tensor:
    """A token for each row: the likeliest where there is no luck, else one at this temperature."""
    logits = logits.float()
    if luck is None:
        highest, chosen = logits.max(-1)
        _check(highest)
        return chosen
    below = torch.softmax(logits / temperature, -1).cumsum(-1, dtype=torch.float64)
    whole = below[:, -1:]
    _check(whole)
    found = torch.searchsorted(below, luck[:, None] * whole, right=True)
    return found[:, 0].clamp_(max=logits.shape[-1] - 1)


def _check(numbers: Tensor) -> None:
    if not bool(torch.isfinite(numbers).all()):
        raise Unstable(
            "the model answers with what is not a number",
            where="its logits",
            right="weights that were saved before it became unstable",
        )


class Stopper:
    """Knows the end of a text: an end token, or a string that may begin and end inside tokens."""

    def __init__(
        self, tokenizer: Any, ends: frozenset[int], stop: str | None, words: int, device: Any
    ) -> None:
        self._tokenizer, self._ends, self._stop = tokenizer, ends, stop
        marks = torch.zeros(words, dtype=torch.bool)
        marks[[word for word in (*ends, *self._closing(words)) if word < words]] = True
        self._marks = marks.to(device)

    def suspects(self, ids: Tensor) -> list[int]:
        """The rows whose newest token may be the last one."""
        found: list[int] = self._marks[ids].nonzero()[:, 0].tolist()
        return found

    def ends(self, ids: Sequence[int]) -> bool:
        """Whether the text ends with its newest token."""
        return ids[-1] in self._ends or (self._stop is not None and self._stop in self._read(ids))

    def text(self, ids: Sequence[int]) -> str:
        """What was written, without end tokens and without what a token has behind the stop."""
        text = self._read(ids)
        if self._stop is None or self._stop not in text:
            return text
        return text[: text.index(self._stop) + len(self._stop)]

    def _read(self, ids: Sequence[int]) -> str:
        found: str = self._tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return found

    def _closing(self, words: int) -> list[int]:
        """Tokens that can complete the stop string: they have its last character, or a part of a
        character, which shows as U+FFFD."""
        if not self._stop:
            return []
        last = self._stop[-1]
        known = min(words, len(self._tokenizer))
        texts = self._tokenizer.batch_decode([[word] for word in range(known)])
        return [word for word, text in enumerate(texts) if last in text or "\ufffd" in text]
