"""Advantages of a group: pure arithmetic, held against its definitions."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.advantages import NORMALISERS, advantages, says_something

GROUP = st.lists(st.floats(-10, 10, allow_nan=False), min_size=2, max_size=12)
GAPS = st.lists(st.none() | st.floats(0, 1, allow_nan=False), min_size=2, max_size=12)


@given(GROUP, st.sampled_from(sorted(NORMALISERS)))
def test_they_sum_to_nothing_and_keep_the_order(group: list[float], normaliser: str) -> None:
    found = advantages({"r": group}, normaliser=normaliser)
    assert sum(found) == pytest.approx(0, abs=1e-6)
    for one, other in pairwise(sorted(zip(group, found, strict=True))):
        assert one[1] <= other[1] + 1e-9


@given(GROUP)
def test_a_z_score_has_the_spread_of_one_where_there_is_one(group: list[float]) -> None:
    found = advantages({"r": group})
    spread = statistics.pstdev(group)
    assert statistics.pstdev(found) == pytest.approx(spread / (spread + 1e-4), abs=1e-6)


@given(GROUP)
def test_leaving_one_out_is_the_distance_to_all_others(group: list[float]) -> None:
    found = advantages({"r": group}, normaliser="leave_one_out")
    for place, value in enumerate(group):
        others = group[:place] + group[place + 1 :]
        assert found[place] == pytest.approx(value - statistics.fmean(others), abs=1e-9)


@given(GAPS)
def test_what_cannot_be_scored_gets_nothing_and_shifts_nobody(group: list[float | None]) -> None:
    found = advantages({"r": group})
    known = [value for value in group if value is not None]
    alone = iter(advantages({"r": known}) if known else [])
    for value, one in zip(group, found, strict=True):
        assert one == (0.0 if value is None else pytest.approx(next(alone)))


def test_one_malformed_sample_does_not_lift_the_wrong_ones() -> None:
    """The trap of a penalty within the reward: seven that are formatted, two of them wrong."""
    similar: list[float | None] = [1, 1, 1, 1, 1, 0.875, 0.875, None]
    format_: list[float | None] = [1, 1, 1, 1, 1, 1, 1, 0]
    mixed = advantages({"r": [1, 1, 1, 1, 1, 0.875, 0.875, -1]})
    apart = advantages({"similar": similar, "format": format_})
    assert mixed[5] > 0
    assert apart[5] < 0 < apart[0]
    assert apart[7] < apart[5]


def test_weights_count_and_rewards_may_be_summed_first() -> None:
    rewards: dict[str, list[float | None]] = {"a": [0, 1], "b": [1, 0]}
    assert advantages(rewards) == pytest.approx([0, 0], abs=1e-9)
    assert advantages(rewards, {"a": 2.0})[1] > 0
    assert advantages(rewards, together=True) == pytest.approx([0, 0], abs=1e-9)
    assert advantages(rewards, {"b": 3.0}, together=True)[0] > 0
    assert advantages({"a": [None, None]}, together=True) == [0, 0]


def test_a_group_in_which_all_are_alike_says_nothing() -> None:
    assert not says_something({"a": [1, 1, 1], "b": [None, 0.5, None]})
    assert not says_something({"a": [0.5, 0.50001]})
    assert says_something({"a": [1, 1, 1], "b": [0, None, 1]})
