"""The distributions that intervals need, in the standard library alone.

The regularised incomplete beta function by its continued fraction; quantiles by bisection on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

TINY = 1e-300
STEPS = 300
"""Terms of the fraction; a dozen are enough unless the counts are in the millions."""
HALVINGS = 80


def beta_share(x: float, a: float, b: float) -> float:
    """The share of a Beta(a, b) that lies below x."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # there the fraction of the other side is the quick one
        return 1 - beta_share(1 - x, b, a)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x))
    return front * _fraction(x, a, b) / a


def beta_quantile(share: float, a: float, b: float) -> float:
    """Below which x that share of a Beta(a, b) lies."""
    return bisected(lambda x: beta_share(x, a, b) < share, 0.0, 1.0)


def student_quantile(share: float, freedom: float) -> float:
    """Below which t that share of Student's distribution lies; the share is at least a half."""
    tail = 2 * (1 - share)
    x = beta_quantile(tail, freedom / 2, 0.5)
    return math.inf if x <= 0 else math.sqrt(freedom * (1 - x) / x)


def bisected(below: Callable[[float], bool], low: float, high: float, close: float = 0.0) -> float:
    """Where, between two bounds, something stops being below; `close` is near enough."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high) or high - low <= close:
            break
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way through the continued fraction."""
    c, d = 1.0, _not_zero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    found = d
    for m in range(1, STEPS):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + top * d)
            c = _not_zero(1 + top / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
