"""Figures over rows, each with the interval in which the truth lies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from events.catalog.training import Measured

SURE = 1.96
"""Standard errors of an interval that holds the truth in 95 of 100 cases."""
FOLDS = 10


def share(hits: int, n: int) -> Measured:
    """What share of `n` it is, by Wilson's interval; of nothing, nothing is known."""
    if not n:
        return Measured(value=0.0, low=0.0, high=1.0, n=0)
    value, spread = hits / n, SURE**2 / n
    middle = (value + spread / 2) / (1 + spread)
    half = SURE * math.sqrt(value * (1 - value) / n + spread / (4 * n)) / (1 + spread)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Measured(value=value, low=min(low, value), high=max(high, value), n=n)


def mean(values: Sequence[float]) -> Measured:
    """Their mean."""
    n = len(values)
    if not n:
        return Measured(value=0.0, low=0.0, high=1.0, n=0)
    value = sum(values) / n
    error = math.sqrt(sum((one - value) ** 2 for one in values) / max(n - 1, 1) / n)
    return Measured(value=value, low=value - SURE * error, high=value + SURE * error, n=n)


def effective(counted: Counter[Hashable]) -> float:
    """How many kinds there are in effect: equally frequent ones that would surprise as much."""
    whole = counted.total()
    if not whole:
        return 0.0
    bits = -sum(many / whole * math.log(many / whole) for many in counted.values() if many > 0)
    return math.exp(bits)


def variety(
    rows: Sequence[Iterable[Hashable]], measure: Callable[[Counter[Hashable]], float]
) -> Measured:
    """A measure of what was counted over all rows, and how it moves when a tenth is left out."""
    n = len(rows)
    folds: list[Counter[Hashable]] = [Counter() for _ in range(FOLDS)]
    for number, row in enumerate(rows):
        folds[number % FOLDS].update(row)
    whole: Counter[Hashable] = Counter()
    for fold in folds:
        whole.update(fold)
    value = measure(whole)
    if n < 2 * FOLDS:
        return Measured(value=value, low=0.0, high=1.0, n=n)
    without = []
    for fold in folds:
        rest = whole.copy()
        rest.subtract(fold)
        without.append(measure(rest))
    middle = sum(without) / FOLDS
    error = math.sqrt((FOLDS - 1) / FOLDS * sum((one - middle) ** 2 for one in without))
    low, high = max(0.0, value - SURE * error), min(1.0, value + SURE * error)
    return Measured(value=value, low=min(low, value), high=max(high, value), n=n)


def weakest(parts: Iterable[Measured]) -> Measured:
    """The least of them: no strength makes up for a weakness."""
    return min(parts, key=lambda one: (one.value, one.low))
