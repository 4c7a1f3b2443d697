"""What a reward model says of answers, as a callable that others provide.

Its numbers have no zero: only differences between answers to the same prompt mean something. So
they are taken from the mean of a prompt's answers before they become scores between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

STEEPEST = 500.0
"""Beyond it, a score is 0 or 1 to the last digit."""


class Asked(NamedTuple):
    """Answers to be scored by the newest reward model of a role before a position."""

    role: str
    model_type: str
    position: int
    sides: Sequence[tuple[str, str]]
    """Prompt and answer."""


class Rewarded(NamedTuple):
    """What it said of each of them, in their order."""

    scores: Sequence[float]
    model: str
    """Which model it was, by its hash."""


Rewards = Callable[[Asked], Awaitable[Rewarded]]
"""`SourceFailed` where no run of the role has made a reward model."""


def centred(scores: Sequence[float]) -> tuple[float, ...]:
    """Scores of the answers to one prompt, between 0 and 1."""
    middle = sum(scores) / len(scores)
    return tuple(_squashed(one - middle) for one in scores)


def _squashed(value: float) -> float:
    return 1 / (1 + math.exp(-min(max(value, -STEEPEST), STEEPEST)))
