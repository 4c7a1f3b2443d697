"""How sure a difference is: by the items of one run, and over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Student's t for a two-sided 95 %, by degrees of freedom; beyond these it is near the normal."""


class Interval(NamedTuple):
    """A mean, and where it lies with 95 %."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def interval(values: Sequence[float]) -> Interval:
    """Of values that are independent of each other."""
    mean = fmean(values)
    half = T_975.get(len(values) - 1, 1.96) * stdev(values) / sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def difference(after: Sequence[float], before: Sequence[float]) -> Interval:
    """Of the same items, one by one: an item that is hard for both says nothing."""
    return interval([one - other for one, other in zip(after, before, strict=True)])
