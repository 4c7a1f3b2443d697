"""How two figures go together, and how far two groups lie apart that have no items in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance

from events.catalog.training import Measured
from pipelines.evidence.intervals import LEVEL
from pipelines.evidence.quantiles import student_quantile

LEAST = 4
"""Items below which nothing can be said of a correlation."""


def correlation(one: Sequence[float], other: Sequence[float], level: float = LEVEL) -> Measured:
    """Pearson's, from -1 to 1, with Fisher's interval; items have to be independent."""
    n = len(one)
    if n != len(other):
        raise ValueError("both have to be of the same items")
    value = plain(one, other)
    if n < LEAST or value is None:
        return Measured(value=0.0, low=-1.0, high=1.0, n=0)
    edge = 1 - 1e-9
    middle = math.atanh(min(edge, max(-edge, value)))
    half = NormalDist().inv_cdf((1 + level) / 2) / math.sqrt(n - LEAST + 1)
    low, high = math.tanh(middle - half), math.tanh(middle + half)
    return Measured(value=value, low=min(low, value), high=max(high, value), n=n)


def plain(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's without an interval; None where one of them never changes."""
    if len(one) < 2:
        return None
    mean, there = fmean(one), fmean(other)
    over = math.fsum((a - mean) * (b - there) for a, b in zip(one, other, strict=True))
    squares = math.fsum((a - mean) ** 2 for a in one), math.fsum((b - there) ** 2 for b in other)
    under = math.sqrt(squares[0] * squares[1])
    return min(1.0, max(-1.0, over / under)) if under > 0 else None


def beyond(one: Sequence[float], other: Sequence[float], third: Sequence[float]) -> float:
    """How the first two go together beyond what the third explains of both, from -1 to 1."""
    found = plain(one, other), plain(one, third), plain(other, third)
    if found[0] is None:
        return 0.0
    both, first, second = (part or 0.0 for part in found)
    under = math.sqrt((1 - first**2) * (1 - second**2))
    return min(1.0, max(-1.0, (both - first * second) / under)) if under > 1e-12 else 0.0


def apart(one: Sequence[float], other: Sequence[float], level: float = LEVEL) -> Measured:
    """How much greater the mean of the first group is; by Welch."""
    n = min(len(one), len(other))
    if n < 2:
        return Measured(value=0.0, low=-1e300, high=1e300, n=0)
    value = fmean(one) - fmean(other)
    errors = variance(one) / len(one), variance(other) / len(other)
    half = student_quantile((1 + level) / 2, n - 1) * math.sqrt(sum(errors))
    return Measured(value=value, low=value - half, high=value + half, n=n)


def difference(one: Measured, other: Measured) -> Measured:
    """Of two shares that were measured on different items, by their own intervals (Newcombe)."""
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Measured(value=value, low=value - below, high=value + above, n=min(one.n, other.n))
