"""What the teacher and the verifier are asked to answer; anything else is rubbish.

Lengths and sums are not here: some servers refuse schemas with bounds, and `checks.py` can say
better what is wrong.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Said(BaseModel):
    """Said by a model: what is too much is left out, what is missing makes it rubbish."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Queries(_Said):
    """What the retriever would look for."""

    queries: list[str]


class PlannedStep(_Said):
    """One step of the solution."""

    title: str
    reasoning: str
    action: str
    reward: float


class PlannedTrajectory(_Said):
    """The solution of one problem."""

    steps: list[PlannedStep]
    expected_outcome: str


class NumberedTrajectory(PlannedTrajectory):
    """The solution of the problem with this number."""

    problem: int


class PlannedTrajectories(_Said):
    """The solutions of several problems, each with the number of its problem."""

    trajectories: list[NumberedTrajectory]


class Judgement(_Said):
    """What the verifier thinks of one solution."""

    score: float
    issues: list[str]


class NumberedJudgement(Judgement):
    """What it thinks of the solution with this number."""

    problem: int


class Judgements(_Said):
    """What it thinks of several solutions, each with its number."""

    judgements: list[NumberedJudgement]
