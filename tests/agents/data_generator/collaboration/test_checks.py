"""What can be said of a solution without any model."""

from __future__ import annotations

import math
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data_generator.collaboration.answers import PlannedTrajectory
from agents.data_generator.collaboration.checks import STEPWISE, checked, summing_to_one
from trainers.model_types.finding import TYPES, model_type
from trainers.model_types.kind import ModelType, Problem

QUICK = sorted(name for name in TYPES if not getattr(model_type(name), "costly", False))


def planned(kind: ModelType, problem: Problem) -> PlannedTrajectory:
    solved = kind.solve(problem)
    steps = [step._asdict() for step in solved.steps]
    return PlannedTrajectory.model_validate({"steps": steps, "expected_outcome": solved.outcome})


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_what_the_exact_solver_says_is_right(name: str, difficulty: float) -> None:
    kind = model_type(name)
    for problem in islice(kind.problems(3, difficulty), 30):
        solved = kind.solve(problem)
        found = checked(kind, problem, planned(kind, problem))
        assert (found.reason, found.issues, found.reward) == ("", (), 1.0)
        assert found.completion == kind.completion(solved)
        assert found.trajectory == solved


@pytest.mark.parametrize("name", sorted({*STEPWISE} & {*QUICK}))
def test_a_wrong_or_missing_step_is_found(name: str) -> None:
    kind = model_type(name)
    for problem in islice(kind.problems(4, 0.5), 10):
        right = planned(kind, problem)
        first = right.steps[0].model_copy(update={"action": "1+1+0=07"})
        slips = right.model_copy(update={"steps": [first, *right.steps[1:]]})
        assert checked(kind, problem, slips).reason == "steps"
        if len(right.steps) > 2:
            rest = [one.model_copy(update={"reward": 0.0}) for one in right.steps[1:]]
            rest[0] = rest[0].model_copy(update={"reward": 1.0})
            short = right.model_copy(update={"steps": rest})
            assert checked(kind, problem, short).reason == "steps"


def test_steps_that_do_not_lead_to_the_outcome_are_found() -> None:
    """The reply itself is what a model writes here; but SRL learns from the steps."""
    kind = model_type("support_replies")
    problem = next(kind.problems(1))
    right = planned(kind, problem)
    rude = right.steps[0].model_copy(update={"action": "go away ."})
    found = checked(kind, problem, right.model_copy(update={"steps": [rude, *right.steps[1:]]}))
    assert (found.reason, found.issues) == (
        "steps",
        ("the outcome is right, the steps do not lead to it",),
    )


class Raises:
    """A type of somebody's own whose verifier is broken."""

    name = "broken"

    def completion(self, _trajectory: object) -> str:
        raise ZeroDivisionError("division by zero")


def test_a_type_that_raises_costs_the_solution_and_not_the_part() -> None:
    kind = model_type("arithmetic_reasoning")
    problem = next(kind.problems(1))
    found = checked(Raises(), problem, planned(kind, problem))  # type: ignore[arg-type]
    assert found.reason == "malformed"
    assert "ZeroDivisionError" in found.issues[0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=64).filter(lambda one: sum(one) > 0.01))
def test_rewards_sum_to_one(raw: list[float]) -> None:
    shares = [one / sum(raw) for one in raw]
    made = summing_to_one(shares)
    assert math.isclose(sum(made), 1, rel_tol=1e-15)
    assert all(abs(one - other) < 1e-9 for one, other in zip(made, shares, strict=True))


def test_rewards_that_sum_to_one_stay_as_they_are() -> None:
    assert summing_to_one([0.2, 0.6, 0.2]) == [0.2, 0.6, 0.2]
    assert summing_to_one([0.25, 0.25, 0.5]) == [0.25, 0.25, 0.5]
    assert sum(summing_to_one([0.3, 0.3, 0.39])) == 1
