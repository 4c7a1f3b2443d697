"""Bets on the mean of bounded values: evidence that may be looked at after every one of them.

Whoever claims that the mean is at most m is offered fair bets against it, and the wealth that they
bring is an e-value: if the claim is true, it reaches 1/alpha with a chance of at most alpha,
however often one looks and whenever one stops. The bets are fixed beforehand, several sizes at
once, so the order of the values does not matter. (Waudby-Smith and Ramdas, Journal of the Royal
Statistical Society B, 2024; a mixture of fixed bets is the simplest of their kind.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipelines.evidence.quantiles import bisected

SIZES = tuple(0.5**power for power in range(1, 11))
"""Shares of the wealth that are put on each value: from a half, which sees great differences soon,
to a thousandth, for small ones after long."""

Values = Iterable[float] | Mapping[float, int]
"""Each value, or how often each was seen."""


class Between(NamedTuple):
    """Where a mean lies."""

    low: float
    high: float


def above(values: Values, mean: float, sizes: Sequence[float] = SIZES) -> float:
    """The evidence that values between 0 and 1 have a mean above this one."""
    return math.exp(min(700.0, _log_above(_counted(values), mean, sizes)))


def below(values: Values, mean: float, sizes: Sequence[float] = SIZES) -> float:
    """The evidence that they have a mean below this one."""
    return above({1 - value: many for value, many in _counted(values).items()}, 1 - mean, sizes)


def sequence(values: Values, level: float = 0.95) -> Between:
    """Where the mean lies, with this confidence at all times together."""
    counts = _counted(values)
    if not counts:
        return Between(0.0, 1.0)
    least = math.log(2 / (1 - level))  # half of what may go wrong on each side
    flipped = {1 - value: many for value, many in counts.items()}
    return Between(_lowest(counts, least), 1 - _lowest(flipped, least))


def _lowest(counts: Mapping[float, int], least: float) -> float:
    """The greatest mean that is refuted from below: the evidence falls as the mean grows."""
    return bisected(lambda mean: _log_above(counts, mean) >= least, 0.0, 1.0)


def _log_above(counts: Mapping[float, int], mean: float, sizes: Sequence[float] = SIZES) -> float:
    if mean <= 0:
        return math.inf if any(counts) else 0.0
    logs = [
        math.fsum(many * math.log1p(size * (value / mean - 1)) for value, many in counts.items())
        for size in sizes
    ]
    most = max(logs)
    return most + math.log(math.fsum(math.exp(one - most) for one in logs) / len(sizes))


def _counted(values: Values) -> Mapping[float, int]:
    counts = values if isinstance(values, Mapping) else Counter(values)
    if counts and not (min(counts) >= 0 and max(counts) <= 1):
        raise ValueError("values between 0 and 1 are needed")
    return counts
