"""Ratios of sums: nats per token, what is kept of a capability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from events.catalog.training import Measured
from pipelines.evidence.intervals import CLOSE, LEVEL, surely
from pipelines.evidence.quantiles import bisected, student_quantile


def ratio(over: Sequence[float], under: Sequence[float], level: float = LEVEL) -> Measured:
    """The sum of the one by the sum of the other, items drawn together: KL per token.

    By the residuals of each item, as they are added up in the ratio.
    """
    n, total = len(over), math.fsum(under)
    if n != len(under):
        raise ValueError("both have to be of the same items")
    if not n or total <= 0:
        return Measured(value=0.0, low=-1e300, high=1e300, n=0)
    value = math.fsum(over) / total
    if n < 2:
        return Measured(value=value, low=-1e300, high=1e300, n=n)
    apart = [one - value * other for one, other in zip(over, under, strict=True)]
    spread = math.sqrt(math.fsum(one * one for one in apart) / (n - 1))
    half = student_quantile((1 + level) / 2, n - 1) * spread * math.sqrt(n) / total
    return Measured(value=value, low=value - half, high=value + half, n=n)


def retained(after: Sequence[float], before: Sequence[float], level: float = LEVEL) -> Measured:
    """How much of a capability is left: scores from 0 to 1 on the same items, before and after.

    Any share r is possible that the items do not refute: the mean of after - r before is not
    surely on one side of zero.
    """
    n, base = len(after), fmean(before) if before else 0.0
    if n != len(before):
        raise ValueError("both have to be of the same items")
    if base <= 0:
        return Measured(value=1.0, low=0.0, high=1e300, n=0)

    def side(share: float) -> int:
        apart = [one - share * other for one, other in zip(after, before, strict=True)]
        return surely(apart, 0.0, -share, 1.0, level)

    most = 1 / base
    value = fmean(after) / base
    low = bisected(lambda share: side(share) > 0, 0.0, value, CLOSE) if value > 0 else 0.0
    high = bisected(lambda share: side(share) >= 0, value, max(value, most), CLOSE)
    return Measured(value=value, low=min(low, value), high=max(high, value), n=n)
