"""Ratios of sums: their intervals hold, and what is kept of a capability is told with doubt."""

from __future__ import annotations

import math
import random

import pytest

from pipelines.evidence.ratios import ratio, retained

STREAMS = 600
SLACK = 3 * math.sqrt(0.05 * 0.95 / STREAMS)


def test_a_ratio_is_missed_about_as_often_as_was_said() -> None:
    luck, missed = random.Random(1), 0
    for _ in range(STREAMS):
        lengths = [luck.randint(5, 60) for _ in range(80)]
        kl = [0.05 * length + luck.gauss(0, 0.4) for length in lengths]
        found = ratio(kl, [float(one) for one in lengths])
        missed += not found.low <= 0.05 <= found.high
    assert missed / STREAMS <= 0.05 + SLACK


def test_a_ratio_of_nothing_says_nothing() -> None:
    assert ratio([], []).n == 0
    assert ratio([1.0], [2.0]).low < -1e299
    with pytest.raises(ValueError, match="same items"):
        ratio([1.0], [])


def test_what_is_kept_is_surely_missed_seldom() -> None:
    luck, missed = random.Random(2), 0
    for _ in range(STREAMS // 4):
        before = [float(luck.random() < 0.8) for _ in range(150)]
        after = [one if luck.random() < 0.9 else float(luck.random() < 0.8) for one in before]
        found = retained(after, before)
        assert found.low <= found.value <= found.high
        missed += not found.low <= 1.0 <= found.high
    assert missed / (STREAMS // 4) <= 0.05 + 2 * SLACK


def test_a_loss_is_told_from_noise_with_enough_items() -> None:
    luck = random.Random(3)
    before = [float(luck.random() < 0.8) for _ in range(1500)]
    after = [one if luck.random() < 0.8 else 0.0 for one in before]
    assert retained(after, before).high < 0.95
    assert retained(before, before).low == pytest.approx(1.0, abs=0.05)


def test_of_a_capability_that_was_not_there_nothing_is_said() -> None:
    assert retained([0.0, 1.0], [0.0, 0.0]).n == 0
    with pytest.raises(ValueError, match="same items"):
        retained([1.0], [])
