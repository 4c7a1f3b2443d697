"""A model beside another: evidence that adds up, in bounds that hold however often one looks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog.examinations import Cell
from pipelines.suites.comparing import budgeted, cells, checked, kept, merged, retention, worse

SCORES = st.lists(
    st.tuples(st.sampled_from([0, 0.25, 0.5, 0.75, 1]), st.sampled_from([0, 0.25, 0.5, 0.75, 1])),
    min_size=1,
    max_size=60,
)


def counted(pairs: Sequence[tuple[float, float]]) -> tuple[Cell, ...]:
    return cells([one for one, _ in pairs], [other for _, other in pairs])


@given(SCORES, SCORES)
@settings(max_examples=60, deadline=None)
def test_looks_together_are_the_same_as_one_look_at_all_of_it(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    assert merged(counted(one), counted(other)) == counted([*one, *other])
    assert merged(counted(one)) == counted(random.Random(1).sample(one, len(one)))


@given(SCORES)
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_figure_and_says_what_the_verdict_says(
    pairs: list[tuple[float, float]],
) -> None:
    found = counted(pairs)
    span = retention(found, 40)
    one = checked(found, 0.95, 40, "retention")
    if span is None:
        assert one is None
        assert not any(before for _, before in pairs)
        return
    assert span.low <= span.value <= span.high
    assert one is not None
    if one.verdict == "fail":
        assert span.high <= 0.95 + 1e-6
    if one.verdict == "pass":
        assert span.low >= 0.95 - 1e-6


def test_what_is_the_same_keeps_all_and_what_lost_much_is_surely_worse() -> None:
    same = counted([(1.0, 1.0)] * 400)
    assert kept(same, 0.95) >= 40
    lost = counted([(0.0, 1.0)] * 30 + [(1.0, 1.0)] * 60)
    assert worse(lost, 0.95) >= 40
    assert worse(lost, 0.5) < 1


def _false_alarms(share: float, before: float, looks: int, items: int, needed: float) -> int:
    """Of 400 models exactly at the bound: how many were ever called worse, looking again and again.

    The other model is right with chance `before`, this one with `share` of that.
    """
    luck, alarms = random.Random(7), 0
    for _ in range(400):
        seen: tuple[Cell, ...] = ()
        for _ in range(looks):
            pairs = [
                (float(luck.random() < share * before), float(luck.random() < before))
                for _ in range(items)
            ]
            seen = merged(seen, counted(pairs))
            if worse(seen, share) >= needed:
                alarms += 1
                break
    return alarms


def test_ten_looks_at_a_model_on_the_bound_raise_false_alarms_in_less_than_one_in_twenty() -> None:
    assert _false_alarms(0.95, 0.6, looks=10, items=30, needed=20) <= 20


def test_a_model_on_the_bound_is_seldom_said_to_keep_more_however_often_one_looks() -> None:
    proven = 0
    for one in range(400):
        luck, seen = random.Random(one), tuple[Cell, ...]()
        for _ in range(8):
            seen = merged(seen, sampled(luck, 40, 0.95))
            if kept(seen, 0.95) >= 20:
                proven += 1
                break
    assert proven <= 20


def sampled(luck: random.Random, items: int, keeps: float) -> tuple[Cell, ...]:
    """Four samples of each item by both; some items are harder than others."""
    hard = [luck.betavariate(2.25, 0.75) for _ in range(items)]
    both = [
        tuple(sum(luck.random() < skill * one for _ in range(4)) / 4 for skill in (keeps, 1.0))
        for one in hard
    ]
    return cells([one for one, _ in both], [other for _, other in both])


@pytest.mark.parametrize(
    ("keeps", "proven", "lost"), [(1.0, 85, 0), (0.95, 5, 5), (0.9, 0, 70), (0.85, 0, 97)]
)
def test_a_thousand_items_tell_most_equal_models_from_those_that_lost_a_tenth(
    keeps: float, proven: int, lost: int
) -> None:
    """Of a hundred models each, as a first candidate is judged."""
    found = [sampled(random.Random(one), 960, keeps) for one in range(100)]
    proofs = sum(kept(one, 0.95) >= 20 for one in found)
    losses = sum(worse(one, 0.95) >= 40 for one in found)
    print(f"keeps {keeps}: proven {proofs}, lost {losses} of 100")
    assert proofs >= proven if keeps == 1.0 else proofs <= proven
    assert losses >= lost if keeps < 0.95 else losses <= lost


def test_what_is_kept_needs_less_evidence_than_what_is_lost() -> None:
    nearly = counted([(1.0, 1.0)] * 150 + [(0.0, 0.0)] * 60)
    assert 20 <= kept(nearly, 0.95) < 40 * 55
    verdicts = [checked(nearly, 0.95, 40 * 55, "kept", proof) for proof in (None, 20.0)]
    assert [one and one.verdict for one in verdicts] == ["inconclusive", "pass"]
    lost = counted([(1.0, 1.0)] * 30 + [(0.0, 1.0)] * 11)
    assert 20 <= worse(lost, 0.95) < 200
    one = checked(lost, 0.95, 200, "kept", 20.0)
    assert one is not None
    assert one.verdict == "inconclusive"


def test_a_model_that_keeps_four_fifths_is_found_with_a_few_hundred_items() -> None:
    luck, found = random.Random(3), 0
    for _ in range(100):
        pairs = []
        for _ in range(600):
            right = luck.random() < 0.7
            pairs.append((float(right and luck.random() < 0.8), float(right)))
        found += worse(counted(pairs), 0.95) >= 40
    assert found >= 95


def test_all_looks_at_a_fixed_suite_together_spend_no_more_than_alpha() -> None:
    assert budgeted(1) == pytest.approx(40)
    assert sum(1 / budgeted(look) for look in range(1, 10_000)) < 0.05
