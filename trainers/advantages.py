"""How much better each sample of a group was than its fellows: pure arithmetic on recorded rewards.

A reward is a number, or None where nothing can be said: such a sample belongs to no baseline and
gets no advantage from that reward. Several rewards of one sample may be summed first, or normalised
each by itself and then summed, so that one which is often at its bound does not drown the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

Rewards = Sequence[float | None]
EPSILON = 1e-4
"""Beside a spread this small a difference is noise."""


def z_score(values: Sequence[float]) -> list[float]:
    """Mean 0 and, where there is a spread, standard deviation about 1."""
    mean = fmean(values)
    return [(value - mean) / (spread(values) + EPSILON) for value in values]


def min_max(values: Sequence[float]) -> list[float]:
    """From -1 for the worst to 1 for the best, moved to mean 0."""
    low, high = min(values), max(values)
    if high - low <= EPSILON:
        return [0.0] * len(values)
    scaled = [2 * (value - low) / (high - low) - 1 for value in values]
    mean = fmean(scaled)
    return [value - mean for value in scaled]


def rank(values: Sequence[float]) -> list[float]:
    """By place alone, from -1 to 1; equals share their places."""
    if len(values) < 2:
        return [0.0] * len(values)
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    last = len(values) - 1
    return [2 * fmean(places[value]) / last - 1 for value in values]


def centred(values: Sequence[float]) -> list[float]:
    """Mean 0, the spread as it is."""
    mean = fmean(values)
    return [value - mean for value in values]


def leave_one_out(values: Sequence[float]) -> list[float]:
    """Each beside the mean of all others: an unbiased baseline."""
    if len(values) < 2:
        return [0.0] * len(values)
    total, others = math.fsum(values), len(values) - 1
    return [value - (total - value) / others for value in values]


NORMALISERS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "z_score": z_score,
    "min_max": min_max,
    "rank": rank,
    "none": centred,
    "leave_one_out": leave_one_out,
}


def advantages(
    rewards: Mapping[str, Rewards],
    weights: Mapping[str, float] | None = None,
    normaliser: str = "z_score",
    together: bool = False,
) -> list[float]:
    """Of one group. `together` sums the rewards before they are normalised."""
    weights = weights or {}
    normalise = NORMALISERS[normaliser]
    (size,) = {len(values) for values in rewards.values()}
    if together:
        return _scattered(_sums(rewards, weights, size), normalise)
    total = [0.0] * size
    for name, values in rewards.items():
        weight = weights.get(name, 1.0)
        for place, value in enumerate(_scattered(values, normalise)):
            total[place] += weight * value
    return total


def spread(values: Sequence[float]) -> float:
    """Standard deviation of all there are."""
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def says_something(rewards: Mapping[str, Rewards], least: float = EPSILON) -> bool:
    """Whether the samples of a group differ enough in any reward to learn from them."""
    for values in rewards.values():
        known = [value for value in values if value is not None]
        if len(known) > 1 and spread(known) > least:
            return True
    return False


def _sums(
    rewards: Mapping[str, Rewards], weights: Mapping[str, float], size: int
) -> list[float | None]:
    sums: list[float | None] = []
    for place in range(size):
        known = [
            weights.get(name, 1.0) * value
            for name, values in rewards.items()
            if (value := values[place]) is not None
        ]
        sums.append(math.fsum(known) if known else None)
    return sums


def _scattered(values: Rewards, normalise: Callable[[Sequence[float]], list[float]]) -> list[float]:
    """Normalised among those that are known; nothing for the others."""
    known = [value for value in values if value is not None]
    if not known:
        return [0.0] * len(values)
    normal = iter(normalise(known))
    return [0.0 if value is None else next(normal) for value in values]
