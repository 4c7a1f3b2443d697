"""Each formula agrees with the same sum done by hand, one number after the other."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.losses import (
    entropy_of,
    gae,
    k3,
    logprobs_of,
    masked_mean,
    surrogate,
    value_error,
    whitened,
)

torch.set_num_threads(1)

NUMBERS = st.floats(-5, 5, allow_nan=False, width=32)
DISTRIBUTION = st.lists(NUMBERS, min_size=2, max_size=7)


def normal(logits: list[float]) -> list[float]:
    most = max(logits)
    total = math.fsum(math.exp(one - most) for one in logits)
    return [math.exp(one - most) / total for one in logits]


@settings(deadline=None)
@given(DISTRIBUTION)
def test_entropy_and_log_probabilities_are_those_of_the_distribution(logits: list[float]) -> None:
    chances = normal(logits)
    tensor = torch.tensor([[logits]])
    entropy = -math.fsum(one * math.log(one) for one in chances)
    assert entropy_of(tensor).item() == pytest.approx(entropy, abs=1e-5)
    for word, chance in enumerate(chances):
        found = logprobs_of(tensor, torch.tensor([[word]])).item()
        assert found == pytest.approx(math.log(chance), abs=1e-5)


@settings(deadline=None)
@given(
    st.integers(2, 6).flatmap(lambda n: st.tuples(*[st.lists(NUMBERS, min_size=n, max_size=n)] * 2))
)
def test_the_mean_of_k3_under_the_policy_is_the_exact_kl(
    both: tuple[list[float], list[float]],
) -> None:
    policy, reference = (normal(one) for one in both)
    exact = math.fsum(p * math.log(p / q) for p, q in zip(policy, reference, strict=True))
    each = k3(torch.tensor(policy).log(), torch.tensor(reference).log())
    assert (each >= -1e-6).all()
    mean = math.fsum(p * one for p, one in zip(policy, each.tolist(), strict=True))
    assert mean == pytest.approx(exact, abs=2e-5, rel=1e-4)


def by_hand(rewards: list[float], values: list[float], gamma: float, decay: float) -> list[float]:
    """As the sum over all that comes, and not backwards."""
    ahead = [*values[1:], 0.0]
    errors = [r + gamma * n - v for r, n, v in zip(rewards, ahead, values, strict=True)]
    return [
        math.fsum(
            (gamma * decay) ** (later - now) * errors[later] for later in range(now, len(errors))
        )
        for now in range(len(errors))
    ]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6), min_size=1, max_size=4),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_advantages_are_the_discounted_errors_however_long_the_others_are(
    rows: list[list[tuple[float, float]]], gamma: float, decay: float
) -> None:
    width = max(len(row) for row in rows)
    rewards, values, mask = (torch.zeros(len(rows), width) for _ in range(3))
    for number, row in enumerate(rows):
        for place, (reward, value) in enumerate(row):
            rewards[number, place], values[number, place] = reward, value
            mask[number, place] = 1
        values[number, len(row) :] = 99.0  # what lies behind the end counts for nothing
    advantages, returns = gae(rewards, values, mask, gamma, decay)
    for number, row in enumerate(rows):
        hand = by_hand([r for r, _ in row], [v for _, v in row], gamma, decay)
        assert advantages[number, : len(row)].tolist() == pytest.approx(hand, abs=1e-4)
        worth = [one + value for one, (_, value) in zip(hand, row, strict=True)]
        assert returns[number, : len(row)].tolist() == pytest.approx(worth, abs=1e-4)
        assert not advantages[number, len(row) :].any()
        assert not returns[number, len(row) :].any()


def test_clipping_takes_the_worse_of_both_and_stops_the_gradient_only_there() -> None:
    for ratio, advantage in product((0.5, 0.9, 1.0, 1.1, 2.0), (-1.0, 1.0)):
        new = torch.tensor([math.log(ratio)], requires_grad=True)
        loss = surrogate(new, torch.zeros(1), torch.tensor([advantage]), 0.2, 0.2)
        near = min(max(ratio, 0.8), 1.2)
        assert loss.item() == pytest.approx(-min(ratio * advantage, near * advantage))
        loss.sum().backward()
        outside = (ratio > 1.2 and advantage > 0) or (ratio < 0.8 and advantage < 0)
        assert (new.grad.item() == 0) is outside
    plain = surrogate(torch.tensor([1.0]), torch.zeros(1), torch.ones(1), None, None)
    assert plain.item() == pytest.approx(-math.e)
    high = surrogate(torch.tensor([1.0]), torch.zeros(1), torch.ones(1), None, 0.28)
    assert high.item() == pytest.approx(-1.28)


def test_a_value_that_moves_far_is_judged_by_the_worse_of_both() -> None:
    values, old, returns = torch.tensor([3.0]), torch.tensor([1.0]), torch.tensor([3.0])
    assert value_error(values, old, returns, None).item() == 0
    assert value_error(values, old, returns, 0.2).item() == pytest.approx(0.5 * 1.8**2)


def test_means_and_whitening_look_at_what_counts_only() -> None:
    values = torch.tensor([[1.0, 2.0, 50.0], [3.0, -9.0, 7.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert masked_mean(values, mask).item() == pytest.approx(2)
    white = whitened(values, mask)
    assert white[mask == 1].tolist() == pytest.approx([-1.22474, 0, 1.22474], abs=1e-4)
    assert not white[mask == 0].any()
