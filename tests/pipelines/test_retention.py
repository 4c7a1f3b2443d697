"""What of a capability is kept: surely, for the whole; and whether an area was surely lost."""

from __future__ import annotations

import random

from pipelines.retention import capabilities, least, lost


def scores(rate: float, n: int, seed: int) -> list[float]:
    luck = random.Random(seed)
    return [float(luck.random() < rate) for _ in range(n)]


def test_what_is_as_good_as_before_is_kept() -> None:
    before = {"task": scores(0.6, 300, 1), "format": [1.0] * 300}
    kept = capabilities(before, before)
    assert kept["format"].low > 0.95
    assert kept["task"].value == 1.0
    assert least(kept) == min(kept.values(), key=lambda one: one.low)


def test_a_lost_form_is_told_although_the_task_got_better() -> None:
    kept = capabilities(
        {"task": scores(0.8, 300, 1), "format": scores(0.7, 300, 3)},
        {"task": scores(0.4, 300, 2), "format": [1.0] * 300},
    )
    worst = least(kept)
    assert kept["task"].low > 1
    assert worst == kept["format"]
    assert worst.high < 0.95


def test_of_what_the_baseline_could_not_do_nothing_is_lost() -> None:
    assert capabilities({"task": [1.0] * 10}, {"task": [0.0] * 10}) == {}
    assert least({}) is None


def test_an_area_is_lost_only_where_that_is_sure() -> None:
    before = {"a": [1.0] * 60, "b": scores(0.5, 60, 1)}
    assert lost({"a": scores(0.5, 60, 2), "b": scores(0.45, 60, 3)}, before) == ("a",)
    assert lost(before, before) == ()
