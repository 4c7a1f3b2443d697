"""Our own loop: choices by their likelihood, texts by the likeliest token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainers.engine import Engine


def way(model: Any, tokenizer: Any, max_new: int) -> Ours:
    return Ours(model, tokenizer, max_new)


class Ours:
    """Asks a model, many rows at once."""

    def __init__(self, model: Any, tokenizer: Any, max_new: int) -> None:
        self._engine, self._max_new = Engine(model, tokenizer), max_new

    def likely(self, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        prompts = [row["prompt"] for row in rows for _ in row["choices"]]
        choices = [choice for row in rows for choice in row["choices"]]
        sums = [float(one.sum()) for one in self._engine.score(prompts, choices)]
        found = iter(sums)
        return [[next(found) for _ in row["choices"]] for row in rows]

    def texts(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        prompts = [row["prompt"] for row in rows]
        return [one.text for one in self._engine.generate(prompts, self._max_new, 0.0)]
