"""What may be looked at again and again: error rates over seeded streams, exact small cases."""

from __future__ import annotations

import math
import random
from itertools import product
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evidence import decline, harm
from pipelines.evidence.betting import above, below, sequence
from pipelines.evidence.discoveries import adopted, needed

STREAMS = 2000
ALPHA = 0.05
SLACK = 3 * math.sqrt(ALPHA * (1 - ALPHA) / STREAMS)


@pytest.mark.parametrize("claimed", [0.1, 0.5, 0.9])
def test_evidence_against_a_true_claim_is_at_most_one_on_average(claimed: float) -> None:
    for n in (1, 4, 9):
        expected = math.fsum(
            claimed ** sum(values) * (1 - claimed) ** (n - sum(values)) * above(values, claimed)
            for values in product((0, 1), repeat=n)
        )
        assert expected == pytest.approx(1.0, abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.01, 0.99), st.randoms())
def test_the_order_of_the_values_does_not_matter(
    values: list[float], claimed: float, luck: random.Random
) -> None:
    mixed = list(values)
    luck.shuffle(mixed)
    assert above(mixed, claimed) == pytest.approx(above(values, claimed), rel=1e-9)
    flipped = [1 - value for value in values]
    assert below(flipped, 1 - claimed) == pytest.approx(above(values, claimed), rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.02, 0.9))
def test_a_higher_claim_has_less_against_it(values: list[float], claimed: float) -> None:
    assert above(values, claimed + 0.05) <= above(values, claimed) * (1 + 1e-9)
    low, high = sequence(values)
    assert low <= fmean(values) + 1e-9
    assert fmean(values) <= high + 1e-9


def test_however_often_one_looks_a_true_mean_is_seldom_refuted() -> None:
    missed = 0
    for stream in range(STREAMS):
        luck = random.Random(stream)
        counts = {0.0: 0, 1.0: 0}
        for many in range(1, 601):
            counts[float(luck.random() < 0.8)] += 1
            if many % 20 == 0 and max(above(counts, 0.8), below(counts, 0.8)) >= 2 / ALPHA:
                missed += 1
                break
    assert missed / STREAMS <= ALPHA + SLACK


def test_a_better_model_is_seen_in_time() -> None:
    needed_: list[int] = []
    for stream in range(200):
        luck = random.Random(stream)
        counts = {0.0: 0, 1.0: 0}
        for many in range(1, 3001):
            counts[float(luck.random() < 0.85)] += 1
            if many % 10 == 0 and above(counts, 0.8) >= 1 / ALPHA:
                break
        needed_.append(many)
    assert median(needed_) < 900


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_newcomer_that_is_no_worse_gains_nothing_on_average(
    true: float, rate: float, old_rate: float
) -> None:
    """Whatever was guessed before the block; by enumeration of all that a block can be."""
    for seen, old_seen in ((1, 1), (1, 4), (3, 2)):
        expected = math.fsum(
            _chance(right, seen, true)
            * _chance(old, old_seen, true)
            * math.exp(harm.log_gain(rate, old_rate, right, seen, old, old_seen))
            for right in range(seen + 1)
            for old in range(old_seen + 1)
        )
        assert expected <= 1 + 1e-9


def _chance(right: int, n: int, chance: float) -> float:
    return math.comb(n, right) * chance**right * (1 - chance) ** (n - right)


def until_harm(true: float, old: float, stream: int, blocks: int, stable: int) -> int | None:
    """How many of the newcomer's answers it took."""
    luck, state = random.Random(stream), harm.Harm()
    for block in range(1, blocks + 1):
        right = luck.random() < true
        others = sum(luck.random() < old for _ in range(stable))
        state = harm.told(state, int(right), 1, others, stable)
        if state.evidence >= 1 / ALPHA:
            return block
    return None


@pytest.mark.parametrize("stable", [1, 19])
def test_a_newcomer_as_good_is_seldom_turned_away(stable: int) -> None:
    many = STREAMS if stable == 1 else STREAMS // 4
    away = sum(until_harm(0.9, 0.9, one, 300, stable) is not None for one in range(many))
    assert away / many <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / many)


def test_a_newcomer_that_is_worse_is_turned_away_soon() -> None:
    found = [until_harm(0.85, 0.95, one, 2000, 19) for one in range(100)]
    assert None not in found
    assert median(one for one in found if one is not None) < 120  # the research measured 56


def test_what_has_no_other_side_says_nothing() -> None:
    state = harm.told(harm.Harm(), 0, 5, 0, 0)
    assert state.evidence == 1.0
    with pytest.raises(ValueError, match="more successes"):
        harm.told(state, 2, 1, 0, 0)


def test_of_all_that_is_ever_adopted_few_do_nothing() -> None:
    """A thousand techniques, one in ten of which works, each tried on 200 items."""
    luck = random.Random(8)
    shares = []
    for _ in range(20):
        works = [luck.random() < 0.1 for _ in range(1000)]
        chosen = adopted(_evidence(luck, 0.85 if one else 0.5) for one in works)
        taken = [one for one, yes in zip(works, chosen, strict=True) if yes]
        shares.append(taken.count(False) / max(1, len(taken)))
        assert len(taken) > 20
    assert fmean(shares) <= ALPHA


def _evidence(luck: random.Random, chance: float) -> float:
    right = sum(luck.random() < chance for _ in range(200))
    return above({1.0: right, 0.0: 200 - right}, 0.5)


def test_the_parts_of_what_may_go_wrong_sum_to_no_more_than_all_of_it() -> None:
    assert math.fsum(1 / needed(claims, 0) for claims in range(10_000)) <= ALPHA
    assert needed(9, 4) < needed(9, 0)
    with pytest.raises(ValueError, match="cannot have been"):
        needed(1, 2)


def test_a_false_alarm_comes_on_average_no_sooner_than_was_asked() -> None:
    patience, lives = 500.0, []
    for stream in range(300):
        luck = random.Random(stream)
        scores = (float(luck.random() < 0.9) for _ in range(20_000))
        lives.append(decline.first_alarm(scores, 0.9, patience) or 20_000)
    assert fmean(lives) >= patience


def test_a_fall_is_heard_soon() -> None:
    delays = []
    for stream in range(100):
        luck = random.Random(stream)
        scores = (float(luck.random() < (0.9 if turn < 300 else 0.7)) for turn in range(3000))
        found = decline.first_alarm(scores, 0.9, 20_000.0)
        assert found is not None
        if found > 300:
            delays.append(found - 300)
    assert len(delays) > 90
    assert median(delays) < 150


def test_scores_that_come_together_ring_no_sooner_than_so_many_blocks() -> None:
    patience, lives = 200.0, []
    for stream in range(150):
        luck, watch, blocks = random.Random(stream), decline.Watch(0.8), 0
        while not watch.alarmed(patience) and blocks < 4000:
            right = sum(luck.random() < 0.8 for _ in range(25))
            watch, blocks = decline.together(watch, {1.0: right, 0.0: 25 - right}), blocks + 1
        lives.append(blocks)
    assert fmean(lives) >= patience


def test_a_block_of_one_is_a_score_and_the_order_within_a_block_does_not_matter() -> None:
    watch = decline.told(decline.told(decline.Watch(0.7), 1.0), 0.25)
    assert decline.together(decline.together(decline.Watch(0.7), {1.0: 1}), {0.25: 1}) == watch
    one, other = ({0.5: 2, 1.0: 3, 0.0: 1}, {0.0: 1, 1.0: 3, 0.5: 2})
    assert decline.together(watch, one) == decline.together(watch, other)


def test_a_watch_refuses_what_is_no_score() -> None:
    with pytest.raises(ValueError, match="scores between"):
        decline.told(decline.Watch(0.5), 1.5)
    with pytest.raises(ValueError, match="both directions"):
        decline.told(decline.Watch(1.0), 0.5)
