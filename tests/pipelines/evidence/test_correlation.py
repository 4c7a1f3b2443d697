"""Correlations and differences: known values, and intervals that hold the truth so often."""

from __future__ import annotations

import math
import random
from statistics import correlation as exact

import pytest

from pipelines.evidence.correlation import apart, beyond, correlation, difference
from pipelines.evidence.intervals import proportion


def drawn(rho: float, n: int, luck: random.Random) -> tuple[list[float], list[float]]:
    one = [luck.gauss(0, 1) for _ in range(n)]
    return one, [rho * a + math.sqrt(1 - rho**2) * luck.gauss(0, 1) for a in one]


def test_it_is_pearsons() -> None:
    one, other = drawn(0.6, 50, random.Random(1))
    found = correlation(one, other)
    assert found.value == pytest.approx(exact(one, other))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_its_interval_holds_the_truth(rho: float) -> None:
    luck, held = random.Random(3), 0
    for _ in range(400):
        found = correlation(*drawn(rho, 60, luck))
        held += found.low <= rho <= found.high
    assert held >= 400 * 0.95 - 3 * math.sqrt(400 * 0.95 * 0.05)


def test_what_never_changes_says_nothing() -> None:
    found = correlation([1.0] * 10, list(range(10)))
    assert (found.low, found.high, found.n) == (-1.0, 1.0, 0)
    assert correlation([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).n == 0
    with pytest.raises(ValueError, match="same items"):
        correlation([1.0], [1.0, 2.0])


def test_a_perfect_line_is_one() -> None:
    found = correlation([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 4.0, 6.0, 8.0, 10.0])
    assert found.value == pytest.approx(1.0)
    assert found.low > 0.99


def test_what_a_third_figure_explains_is_taken_off() -> None:
    luck = random.Random(5)
    third = [luck.gauss(0, 1) for _ in range(2000)]
    one = [a + luck.gauss(0, 1) for a in third]
    other = [a + luck.gauss(0, 1) for a in third]
    assert exact(one, other) > 0.4
    assert abs(beyond(one, other, third)) < 0.07


def test_two_groups_lie_apart_as_far_as_they_do() -> None:
    luck, held = random.Random(7), 0
    for _ in range(300):
        found = apart(
            [luck.gauss(1, 1) for _ in range(40)], [luck.gauss(0.5, 2) for _ in range(60)]
        )
        held += found.low <= 0.5 <= found.high
    assert held >= 300 * 0.95 - 3 * math.sqrt(300 * 0.95 * 0.05)
    assert apart([1.0], [2.0, 3.0]).n == 0


def test_two_shares_lie_apart_as_far_as_they_do() -> None:
    luck, held = random.Random(9), 0
    for _ in range(300):
        ours = proportion(sum(luck.random() < 0.85 for _ in range(300)), 300)
        theirs = proportion(sum(luck.random() < 0.8 for _ in range(200)), 200)
        found = difference(ours, theirs)
        held += found.low <= 0.05 <= found.high
    assert held >= 300 * 0.95 - 3 * math.sqrt(300 * 0.95 * 0.05)
