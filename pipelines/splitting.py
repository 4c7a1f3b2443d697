"""What is learned from, and what is held back: a fifth, of every area and every gap alike.

All rows of a prompt fall on one side, so that nothing is learned by heart that is asked afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

VALIDATION = 0.2
"""Share of the pairs that no reward model learns from."""
STEPS = 5
"""Parts of the way from no gap to the whole one, in which pairs count as alike."""


def split(
    rows: Sequence[Mapping[str, Any]], seed: int, held: float = VALIDATION
) -> tuple[list[Any], list[Any]]:
    """What is learned from and what is held back, each in the order of the rows."""
    layers: dict[str, dict[str, None]] = {}
    kinds: dict[str, str] = {}
    for row in rows:
        prompt = str(row["prompt"])
        layers.setdefault(kinds.setdefault(prompt, layer(row)), {})[prompt] = None
    luck, chosen, due = random.Random(seed), set[str](), 0.0
    for _, prompts in sorted(layers.items()):
        own = sorted(prompts)
        luck.shuffle(own)
        due += held * len(own)  # what is left over of one layer goes to the next
        many = round(due)
        chosen.update(own[:many])
        due -= many
    return (
        [row for row in rows if str(row["prompt"]) not in chosen],
        [row for row in rows if str(row["prompt"]) in chosen],
    )


def layer(row: Mapping[str, Any]) -> str:
    """Those that are alike: of one area, with about the same gap."""
    return f"{row.get('area', '')} {step(row)}"


def step(row: Mapping[str, Any]) -> int:
    """How wide its gap is, in fifths."""
    return min(STEPS - 1, max(0, int(float(row.get("gap", 1.0)) * STEPS)))
