"""Alarms on a stream that must not grow worse: seldom false, and soon when it matters.

Each score from 0 to 1 is a bet that the mean has fallen below what it was; every moment may be the
one from which on it fell, so the wealth of bettors who begin at each moment is summed (Shiryaev and
Roberts). While nothing falls, the sum grows by at most 1 a score, so the first alarm comes, on
average, not before as many scores as the alarm asks for. (Shin, Ramdas and Rinaldo, 2023.)

Scores that come together, in an order that nobody knows, are one bet: then the moments are counted
in such blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SIZES = (0.5, 0.25, 0.125, 0.0625, 0.03125)
"""Shares of the wealth put on each score: great falls are seen soon, small ones after long."""


class Watch(NamedTuple):
    """A stream under watch."""

    mean: float
    """The scores' own mean while all is well, or the least that is good enough."""
    wealth: tuple[float, ...] = (0.0,) * len(SIZES)
    seen: int = 0

    @property
    def suspicion(self) -> float:
        return sum(self.wealth) / len(SIZES)

    def alarmed(self, scores: float) -> bool:
        """Whether it is time to ring, where a false alarm may come once in so many scores, or
        blocks of them."""
        return self.suspicion >= scores


def told(watch: Watch, score: float) -> Watch:
    """One more score."""
    return together(watch, {score: 1})


def together(watch: Watch, scores: Mapping[float, int]) -> Watch:
    """A block of scores, each with how often it was seen."""
    if not scores or not (min(scores) >= 0 and max(scores) <= 1):
        raise ValueError("scores between 0 and 1 are needed")
    if not 0 < watch.mean < 1:
        raise ValueError("a mean that can be left in both directions is needed")
    worse = {(1 - score) / (1 - watch.mean) - 1: many for score, many in scores.items()}
    wealth = []
    for one, size in zip(watch.wealth, SIZES, strict=True):
        gain = math.fsum(many * math.log1p(size * bad) for bad, many in worse.items())
        wealth.append(min(1e300, (one + 1) * math.exp(min(690.0, gain))))
    return Watch(watch.mean, tuple(wealth), watch.seen + sum(scores.values()))


def first_alarm(scores: Iterable[float], mean: float, patience: float) -> int | None:
    """After which score it rings; None where it does not."""
    watch = Watch(mean)
    for score in scores:
        watch = told(watch, score)
        if watch.alarmed(patience):
            return watch.seen
    return None
