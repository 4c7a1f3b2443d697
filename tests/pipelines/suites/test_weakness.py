"""Weak spots: found where they are, seldom where none is."""

from __future__ import annotations

import math
import random
import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog.examinations import AreaCount
from pipelines.suites.weakness import NAMED, chance, possible, weak


def area(name: str, wrong: int, n: int) -> AreaCount:
    return AreaCount(area=name, wrong=wrong, n=n)


def test_the_chance_is_the_share_of_all_ways_to_draw_the_area() -> None:
    items = [True] * 4 + [False] * 5  # four of nine are wrong
    for size in range(1, 9):
        draws = [sum(one) for one in combinations(items, size)]
        for here in range(max(0, size - 5), min(size, 4) + 1):
            exact = sum(one >= here for one in draws) / math.comb(9, size)
            assert chance(here, size, 4, 9) == pytest.approx(exact)


@given(st.integers(1, 60), st.data())
@settings(max_examples=80, deadline=None)
def test_more_failures_in_the_area_are_never_likelier(n: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, n))
    size = data.draw(st.integers(1, n))
    least, most = max(0, size - (n - wrong)), min(size, wrong)
    found = [chance(here, size, wrong, n) for here in range(least, most + 1)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(1)


def test_an_area_that_surely_fails_more_often_is_named_with_its_figures() -> None:
    areas = [area("carries", 30, 40), area("zeros", 9, 30), area("long", 12, 40)]
    (found,) = weak(areas, wrong=45, n=120)
    assert found.area == "carries"
    assert found.failures.value == 0.75
    assert found.elsewhere.value == pytest.approx(15 / 80)
    assert found.failures.low > found.elsewhere.high


def test_counts_of_millions_are_told_at_once() -> None:
    many = 2_000_000
    began = time.process_time()
    (found,) = weak([area("a", many // 3, many), area("b", many // 4, many)], many, 4 * many)
    assert found.area == "a"
    assert chance(many // 4 + 300, many, many, 4 * many) == pytest.approx(0.2861, abs=0.0005)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("counts", [(5, 4, 9, 20), (0, 5, 9, 10), (3, 4, 2, 9), (1, 2, 3, 10**15)])
def test_counts_that_contradict_each_other_are_impossible(
    counts: tuple[int, int, int, int],
) -> None:
    assert not possible(*counts)
    with pytest.raises(ValueError, match="cannot be of"):
        chance(*counts)


def test_what_looks_bad_by_luck_is_not_named() -> None:
    assert weak([area("small", 3, 4), area("other", 5, 16)], wrong=8, n=20) == []
    assert weak([area("everything", 8, 20)], wrong=8, n=20) == []
    assert weak([], wrong=0, n=0) == []


def test_where_no_area_is_weak_one_is_named_in_at_most_one_run_of_twenty() -> None:
    luck, runs = random.Random(11), 0
    for _ in range(400):
        items = [(luck.random() < 0.35, luck.sample(range(12), 3)) for _ in range(120)]
        areas = []
        for place in range(12):
            own = [wrong for wrong, of in items if place in of]
            if own:
                areas.append(area(f"area {place}", sum(own), len(own)))
        runs += bool(weak(areas, sum(wrong for wrong, _ in items), len(items)))
    assert runs <= 20


def test_at_most_a_few_are_named_the_surest_first() -> None:
    areas = [area(f"area {place}", 30 - place, 30) for place in range(NAMED + 2)]
    wrong = sum(one.wrong for one in areas)
    found = weak(areas, wrong, wrong + 2000)
    assert len(found) == NAMED
    assert [one.chance for one in found] == sorted(one.chance for one in found)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        chance(5, 4, 6, 10)
    with pytest.raises(ValueError, match="among"):
        weak([], wrong=3, n=2)
