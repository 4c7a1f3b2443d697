"""Where a figure lies that was measured once, on items that were chosen before.

A proportion has its exact interval (Clopper and Pearson). A mean of bounded values has one that
holds for any distribution, by bets whose size is chosen for so many items. A mean of anything else
has Student's, which asks for more items the more they are skewed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from events.catalog.training import Measured
from pipelines.evidence.quantiles import beta_quantile, bisected, student_quantile

LEVEL = 0.95
CLOSE = 1e-9
"""How exactly the ends of an interval are found; what they are uncertain of is far more."""


def proportion(right: int, n: int, level: float = LEVEL) -> Measured:
    """Of so many items so many are right."""
    if not 0 <= right <= n:
        raise ValueError(f"{right} of {n} is no proportion")
    if n == 0:
        return Measured(value=0.0, low=0.0, high=1.0, n=0)
    tail = (1 - level) / 2
    low = 0.0 if right == 0 else beta_quantile(tail, right, n - right + 1)
    high = 1.0 if right == n else beta_quantile(1 - tail, right + 1, n - right)
    return Measured(value=right / n, low=low, high=high, n=n)


def bounded(
    values: Sequence[float], low: float = 0.0, high: float = 1.0, level: float = LEVEL
) -> Measured:
    """The mean of values that cannot lie outside these bounds."""
    if not values:
        return Measured(value=(low + high) / 2, low=low, high=high, n=0)
    if not (min(values) >= low and max(values) <= high):
        raise ValueError(f"values between {low:g} and {high:g} are needed")
    width = high - low
    scaled = [(value - low) / width for value in values]
    if set(scaled) <= {0.0, 1.0}:
        found = proportion(round(sum(scaled)), len(scaled), level)
        least, most = found.low, found.high
    else:
        bets = _bets(scaled, level)
        least = _lowest(scaled, bets, level)
        most = 1 - _lowest([1 - value for value in scaled], bets, level)
    mean = fmean(values)
    return Measured(
        value=mean,
        low=min(mean, low + width * least),
        high=max(mean, low + width * most),
        n=len(values),
    )


def surely(
    values: Sequence[float], bound: float, low: float = 0.0, high: float = 1.0, level: float = LEVEL
) -> int:
    """1 where their mean is surely above a bound, -1 where it is surely below it, else 0.

    As the interval of `bounded` says, at a hundredth of its cost: one question, not its two ends.
    """
    width = high - low
    scaled, claimed = [(value - low) / width for value in values], (bound - low) / width
    if not scaled or set(scaled) <= {0.0, 1.0} or not 0 < claimed < 1:
        found = bounded(values, low, high, level)
        return (found.low > bound) - (found.high < bound)
    if not (min(scaled) >= 0 and max(scaled) <= 1):
        raise ValueError(f"values between {low:g} and {high:g} are needed")
    bets, middle = _bets(scaled, level), fmean(scaled)
    if middle > claimed:
        return int(_refuted(scaled, bets, level, claimed))
    turned = [1 - value for value in scaled]
    return -int(_refuted(turned, bets, level, 1 - claimed))


def mean(values: Sequence[float], level: float = LEVEL) -> Measured:
    """The mean of values without bounds, such as a KL."""
    if len(values) < 2:
        value = values[0] if values else 0.0
        return Measured(value=value, low=-1e300, high=1e300, n=len(values))
    middle = fmean(values)
    half = student_quantile((1 + level) / 2, len(values) - 1) * stdev(values)
    half /= math.sqrt(len(values))
    return Measured(value=middle, low=middle - half, high=middle + half, n=len(values))


def paired(after: Sequence[float], before: Sequence[float], level: float = LEVEL) -> Measured:
    """How much better scores from 0 to 1 became on the same items, one by one.

    An item that is hard for both says nothing, so this is far sharper than two intervals.
    """
    apart = [one - other for one, other in zip(after, before, strict=True)]
    return bounded(apart, -1.0, 1.0, level)


def _bets(scaled: Sequence[float], level: float) -> list[float]:
    """What is put on each value: as much as its variance so far allows, for so many items."""
    most = math.log(2 / (1 - level))
    bets, total, squares = [], 0.5, 0.25
    for seen, value in enumerate(scaled, 1):
        bets.append(math.sqrt(2 * most / (len(scaled) * max(squares / seen, 1e-8))))
        total += value
        squares += (value - total / (seen + 1)) ** 2
    return bets


def _lowest(scaled: Sequence[float], bets: Sequence[float], level: float) -> float:
    """The greatest mean that is refuted from below."""
    return bisected(lambda claimed: _refuted(scaled, bets, level, claimed), 0.0, 1.0, CLOSE)


def _refuted(scaled: Sequence[float], bets: Sequence[float], level: float, claimed: float) -> bool:
    """Whether the mean cannot be as low as this."""
    if claimed <= 0:
        return any(scaled)
    most = 0.75 / claimed
    wealth = math.fsum(
        math.log1p(min(bet, most) * (value - claimed))
        for bet, value in zip(bets, scaled, strict=True)
    )
    return wealth >= math.log(2 / (1 - level))
