"""Weak spots: areas in which a model fails surely more often than in the rest.

The items, the failures and the sizes of the areas are given; where the failures fall is then a
draw from an urn, if the area is like the rest, and the chance of so many is exact (Fisher). Of many
areas some look bad by luck, so the chances are held against Holm's steps: over all areas together
a false one is named with a chance of at most alpha.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from events.catalog.examinations import AreaCount
from events.catalog.verification import Weakness
from pipelines.evidence.intervals import proportion

ALPHA = 0.05
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
    if not (0 <= here <= size <= n and here <= wrong and size - here <= n - wrong):
        raise ValueError(f"{here} of {size} cannot be of {wrong} among {n}")
    whole = _log_ways(n, size)
    ways = (
        _log_ways(wrong, one) + _log_ways(n - wrong, size - one) - whole
        for one in range(max(here, size - (n - wrong)), min(size, wrong) + 1)
    )
    return min(1.0, math.fsum(math.exp(one) for one in ways))


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
