"""Weak spots: areas in which a model fails surely more often than in the rest.

The items, the failures and the sizes of the areas are given; where the failures fall is then a
draw from an urn, if the area is like the rest, and the chance of so many is exact (Fisher). Of many
areas some look bad by luck, so the chances are held against Holm's steps: over all areas together
a false one is named with a chance of at most alpha.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from events.catalog.examinations import AreaCount
from events.catalog.verification import Weakness
from pipelines.evidence.intervals import proportion

ALPHA = 0.05
NOTHING = 1e-17
"""Of a sum, what does not change it."""
MOST = 10_000_000
NAMED = 8
"""Of more areas the worst are named: data about everything is about nothing."""


def weak(areas: Sequence[AreaCount], wrong: int, n: int, alpha: float = ALPHA) -> list[Weakness]:
    """The weak ones among them, the surest first, of so many failures among so many items."""
    if not 0 <= wrong <= n:
        raise ValueError(f"{wrong} failures among {n} items")
    judged = [(chance(one.wrong, one.n, wrong, n), one.area, one) for one in areas if one.n < n]
    found = []
    for step, (luck, _, one) in enumerate(sorted(judged, key=lambda each: each[:2])):
        if luck > alpha / (len(judged) - step):
            break
        rest = proportion(wrong - one.wrong, n - one.n)
        here = proportion(one.wrong, one.n)
        found.append(Weakness(area=one.area, failures=here, elsewhere=rest, chance=luck))
    return found[:NAMED]


def chance(here: int, size: int, wrong: int, n: int) -> float:
    """Of at least so many of all failures in an area of this size, where it is like the rest."""
    if not possible(here, size, wrong, n):
        raise ValueError(f"{here} of {size} cannot be of {wrong} among {n}")
    least, most = max(0, size - (n - wrong)), min(size, wrong)
    if here * n <= size * wrong:  # the shorter side of the two, from its greatest part on
        return max(0.0, 1 - _summed(range(here - 1, least - 1, -1), size, wrong, n))
    return min(1.0, _summed(range(here, most + 1), size, wrong, n))


def possible(here: int, size: int, wrong: int, n: int) -> bool:
    """Whether an area of this size can have so many of all failures; nobody asks beyond `MOST`."""
    return n <= MOST and 0 <= here <= size <= n and here <= wrong <= n and size - here <= n - wrong


def _summed(some: Iterable[int], size: int, wrong: int, n: int) -> float:
    """Their chances together, as far as they count: they lie on one side of the likeliest, so each
    is less than the one before."""
    whole, total = _log_ways(n, size), 0.0
    for one in some:
        part = math.exp(_log_ways(wrong, one) + _log_ways(n - wrong, size - one) - whole)
        total += part
        if part <= total * NOTHING:
            break
    return total


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
