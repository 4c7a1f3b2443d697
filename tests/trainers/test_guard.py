"""The stability guard stops what runs away within a few steps, and leaves healthy runs alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalog.jobs import Limits
from tests.trainers.curves import HEALTHY, imitation, rewards
from trainers.guard import Guard, Reason

WATCHFUL = Limits(kl=0.1, entropy_share=0.5, patience=60)
seeds = st.integers(0, 2**32)


def led(steps: Iterable[dict[str, float]], limits: Limits = WATCHFUL) -> tuple[int, Reason | None]:
    """The step at which the guard says stop, and why; how far it came where it says nothing."""
    guard, last = Guard(limits), 0
    for last, numbers in enumerate(steps, 1):
        guard = guard.after(last, numbers)
        if guard.reason is not None:
            break
    return last, guard.reason


def healthy(seed: int, steps: int = 60) -> list[dict[str, float]]:
    return list(rewards(random.Random(seed), steps))


def loud(step: dict[str, float], **changed: float) -> dict[str, float]:
    return {**step, **changed}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_is_left_alone(name: str) -> None:
    for seed in range(40):
        last, reason = led(HEALTHY[name](random.Random(seed), 150), Limits(kl=0.1))
        assert (last, reason) == (150, None)


def test_a_run_that_learns_is_never_told_that_it_makes_no_progress() -> None:
    for seed in range(40):
        assert led(imitation(random.Random(seed), 80), Limits(patience=40))[1] is None
        assert led(rewards(random.Random(seed), 120), Limits(patience=60, kl=0.1))[1] is None


@given(seeds, st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 59))
def test_what_is_no_number_stops_a_run_at_once(seed: int, broken: float, at: int) -> None:
    steps = healthy(seed)
    steps[at] = loud(steps[at], loss=broken)
    last, reason = led(steps)
    assert last == at + 1
    assert reason == Reason(f"loss is {broken} at step {at + 1}", harm=True)


@given(seeds, st.sampled_from(["loss", "grad_norm"]), st.floats(50, 1e12), st.integers(20, 50))
def test_a_number_that_runs_away_stops_a_run_within_five_steps(
    seed: int, name: str, far: float, at: int
) -> None:
    steps = healthy(seed)
    steps[at:] = [loud(step, **{name: far}) for step in steps[at:]]
    last, reason = led(steps)
    assert at < last <= at + 5  # wild steps just before count too
    assert reason is not None
    assert reason.harm
    assert reason.text.startswith(f"{name} ran away")


@given(seeds, st.floats(50, 1e12), st.integers(20, 50))
def test_one_wild_step_alone_stops_nothing(seed: int, far: float, at: int) -> None:
    steps = healthy(seed)
    steps[at] = loud(steps[at], loss=far, grad_norm=far)
    assert led(steps)[1] is None


@given(seeds, st.integers(12, 40))
def test_kl_beyond_its_limit_stops_a_run_without_calling_it_harmed(seed: int, at: int) -> None:
    steps = healthy(seed)
    steps[at:] = [loud(step, kl=0.13) for step in steps[at:]]
    last, reason = led(steps)
    assert at < last <= at + 3
    assert reason is not None
    assert not reason.harm
    assert "KL" in reason.text


def test_one_noisy_kl_just_beyond_its_limit_is_no_reason() -> None:
    steps = healthy(1)
    steps[20] = loud(steps[20], kl=0.13)
    assert led(steps)[1] is None


@given(seeds, st.integers(12, 40))
def test_entropy_that_collapses_stops_a_run_within_three_steps(seed: int, at: int) -> None:
    steps = healthy(seed)
    steps[at:] = [loud(step, entropy=0.05) for step in steps[at:]]
    last, reason = led(steps)
    assert last == at + 3
    assert reason is not None
    assert reason.harm
    assert reason.text.startswith("entropy fell to 0.05, below 0.5 of the reference's 0.")


def test_entropy_is_compared_with_the_reference_where_it_is_known() -> None:
    steps = [{"entropy": 0.2, "entropy_reference": 0.5} for _ in range(10)]
    assert led(steps)[0] == 3
    assert led([{"entropy": 0.2} for _ in range(10)])[1] is None


@given(seeds)
def test_form_that_is_learnt_at_the_cost_of_the_outcome_stops_a_run(seed: int) -> None:
    luck = random.Random(seed)
    steps = [
        {
            "format": min(1.0, 0.5 + 0.02 * step + luck.gauss(0, 0.01)),
            "outcome": max(0.0, 0.6 - 0.02 * step + luck.gauss(0, 0.02)),
        }
        for step in range(30)
    ]
    last, reason = led(steps)
    assert last == 24
    assert reason is not None
    assert reason.harm
    assert "form" in reason.text


@given(seeds)
def test_form_that_rises_together_with_the_outcome_stops_nothing(seed: int) -> None:
    luck = random.Random(seed)
    steps = [
        {"format": min(1.0, 0.5 + 0.02 * step), "outcome": 0.2 + 0.01 * step + luck.gauss(0, 0.02)}
        for step in range(60)
    ]
    assert led(steps, Limits())[1] is None


def test_groups_that_teach_nothing_for_ten_steps_end_a_run() -> None:
    last, reason = led([{"zero_variance": 0.97}] * 30)
    assert (last, reason is not None and reason.harm) == (10, False)


def test_no_progress_for_so_many_steps_ends_a_run() -> None:
    luck = random.Random(3)
    steps = [{"score": min(0.5, 0.02 * step) + luck.gauss(0, 0.002)} for step in range(300)]
    last, reason = led(steps, Limits(patience=50))
    assert 70 < last < 100
    assert reason == Reason("no progress in 50 steps", harm=False)


@given(seeds, st.integers(0, 59))
def test_what_was_found_once_stays_found(seed: int, at: int) -> None:
    steps = healthy(seed)
    guard = Guard(WATCHFUL)
    for number, step in enumerate(steps, 1):
        guard = guard.after(number, loud(step, loss=math.nan) if number == at + 1 else step)
    assert guard.reason == Reason(f"loss is nan at step {at + 1}", harm=True)


def test_nothing_is_watched_that_has_no_limit_but_what_runs_away() -> None:
    steps = [{"kl": 9.0, "entropy": 1 / (1 + step), "score": 0.0} for step in range(200)]
    assert led(steps, Limits())[1] is None


@given(seeds, st.sampled_from(["imitation", "preferences", "rewards"]), st.floats(25, 1e6))
def test_a_loss_that_runs_away_with_the_first_step_stops_a_run_as_well(
    seed: int, name: str, far: float
) -> None:
    steps = list(HEALTHY[name](random.Random(seed), 60))
    first = abs(steps[0]["loss"])
    away = [loud(one, loss=one["loss"] + far * max(1.0, first)) for one in steps[1:]]
    last, reason = led([steps[0], *away], Limits())
    assert last == 6
    assert reason is not None
    assert reason.harm
    assert "loss ran away" in reason.text
