"""Intervals of figures that were measured once: exact small cases, and coverage of known truths."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evidence.intervals import bounded, mean, paired, proportion, surely
from pipelines.evidence.quantiles import beta_quantile, beta_share, student_quantile

STREAMS = 2000
SLACK = 3 * math.sqrt(0.05 * 0.95 / STREAMS)
"""Three standard errors of a rate of 5 % over so many streams."""


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.30849710781876083),
        (10, 10, 0.6915028921812392, 1.0),
        (5, 10, 0.18708602844739855, 0.8129139715526015),
        (1, 20, 0.0012650895, 0.2487327650),
    ],
)
def test_a_proportion_has_the_interval_of_the_books(
    right: int, n: int, low: float, high: float
) -> None:
    found = proportion(right, n)
    assert (found.value, found.n) == (right / n, n)
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_a_share_of_the_beta_is_the_tail_of_the_binomial(n: int, right: int, chance: float) -> None:
    right = min(right, n - 1)
    tail = math.fsum(
        math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(right + 1, n + 1)
    )
    assert beta_share(chance, right + 1, n - right) == pytest.approx(tail, abs=1e-10)


@given(st.floats(0.001, 0.999), st.floats(0.5, 400), st.floats(0.5, 400))
def test_a_quantile_is_the_way_back(share: float, a: float, b: float) -> None:
    assert beta_share(beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-6)


def test_students_quantiles_are_those_of_the_books() -> None:
    for freedom, wanted in ((1, 12.7062), (4, 2.7764), (30, 2.0423), (1e6, 1.95997)):
        assert student_quantile(0.975, freedom) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("n", [1, 5, 12])
def test_a_proportion_is_covered_whatever_it_is(n: int) -> None:
    """By enumeration: every outcome of so many items, weighed by its chance."""
    found = [proportion(right, n) for right in range(n + 1)]
    for chance in (step / 200 for step in range(1, 200)):
        covered = math.fsum(
            math.comb(n, right) * chance**right * (1 - chance) ** (n - right)
            for right, one in enumerate(found)
            if one.low <= chance <= one.high
        )
        assert covered >= 0.95 - 1e-9


def test_bounded_values_of_few_kinds_are_covered_by_enumeration() -> None:
    kinds, chances = (0.0, 0.5, 1.0), (0.2, 0.5, 0.3)
    truth = sum(value * chance for value, chance in zip(kinds, chances, strict=True))
    weights = dict(zip(kinds, chances, strict=True))
    for n in (2, 6):
        missed = math.fsum(
            math.prod(weights[value] for value in values)
            for values in product(kinds, repeat=n)
            if not (found := bounded(values)).low <= truth <= found.high
        )
        assert missed <= 0.05


SHAPES: dict[str, Callable[[random.Random], float]] = {
    "quarters": lambda luck: luck.choice((0.0, 0.25, 0.5, 0.75, 1.0)),
    "rarely": lambda luck: 0.0 if luck.random() < 0.9 else luck.random(),
    "high": lambda luck: luck.betavariate(8, 1),
}
TRUTHS = {"quarters": 0.5, "rarely": 0.05, "high": 8 / 9}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bounded_mean_is_missed_no_more_often_than_was_said(shape: str) -> None:
    luck, truth = random.Random(shape), TRUTHS[shape]
    missed = 0
    for _ in range(STREAMS // 4):
        found = bounded([SHAPES[shape](luck) for _ in range(60)])
        missed += not found.low <= truth <= found.high
    assert missed / (STREAMS // 4) <= 0.05 + 2 * SLACK


def test_an_interval_that_always_holds_is_hardly_half_as_wide_again_as_the_normal_one() -> None:
    luck = random.Random(4)
    values = [luck.choice((0.0, 0.25, 0.5, 0.75, 1.0)) for _ in range(1000)]
    ours, normal = bounded(values), mean(values)
    assert ours.high - ours.low < 1.45 * (normal.high - normal.low)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_pairs_lie_within_their_bounds_and_turn_round_with_their_sides(
    pairs: list[tuple[float, float]],
) -> None:
    after, before = [one for one, _ in pairs], [other for _, other in pairs]
    found, turned = paired(after, before), paired(before, after)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert turned.value == pytest.approx(-found.value)
    assert turned.low == pytest.approx(-found.high, abs=1e-9)


@given(st.lists(st.sampled_from((0.0, 0.3, 0.5, 1.0)), min_size=1, max_size=40), st.floats(0, 1))
def test_one_question_has_the_answer_of_the_whole_interval(
    values: list[float], bound: float
) -> None:
    found = bounded([2 * value - 1 for value in values], -1.0, 1.0)
    told = surely([2 * value - 1 for value in values], 2 * bound - 1, -1.0, 1.0)
    if min(abs(found.low - 2 * bound + 1), abs(found.high - 2 * bound + 1)) > 1e-6:
        assert told == (found.low > 2 * bound - 1) - (found.high < 2 * bound - 1)


def test_pairs_are_sharper_than_two_figures() -> None:
    luck = random.Random(9)
    before = [float(luck.random() < 0.5) for _ in range(300)]
    after = [1.0 if one or luck.random() < 0.1 else 0.0 for one in before]
    assert paired(after, before).low > 0
    assert bounded(after).low < bounded(before).high


def test_students_mean_is_missed_as_often_as_was_said() -> None:
    luck = random.Random(5)
    missed = 0
    for _ in range(STREAMS):
        found = mean([luck.gauss(0.07, 0.02) for _ in range(12)])
        missed += not found.low <= 0.07 <= found.high
    assert abs(missed / STREAMS - 0.05) <= SLACK


def test_nothing_measured_says_nothing() -> None:
    assert (proportion(0, 0).low, proportion(0, 0).high) == (0.0, 1.0)
    assert (bounded([]).low, bounded([]).high) == (0.0, 1.0)
    assert mean([0.05]).low < -1e299
    with pytest.raises(ValueError, match="no proportion"):
        proportion(3, 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        bounded([0.5, 1.5])
    with pytest.raises(ValueError, match="between 0 and 1"):
        bounded([float("nan")])
