"""Years of candidates and of looks: nothing is found where nothing is, and soon where something is.

Items are drawn by chance, as models would answer them; the verifier judges them as it does.
"""

from __future__ import annotations

import random

from events.catalog.examinations import ExaminationRequested, SuiteMeasured
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.verification import RegressionDetected, VerificationRequested
from events.message import Event
from pipelines.suites.comparing import cells
from tests.agents.spec import History
from tests.agents.verifier.looks import BASE, candidate, history, measured, verified


class Models:
    """Each answers four samples of an item; how often rightly depends on the item and on it."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)

    def scores(self, hard: list[float], skill: float) -> list[float]:
        return [sum(self.luck.random() < skill * one for _ in range(4)) / 4 for one in hard]

    def suite(self, name: str, items: int, skill: float, other: float, to: str) -> SuiteMeasured:
        hard = [self.luck.random() for _ in range(items)]
        return measured(name, cells(self.scores(hard, skill), self.scores(hard, other)), to)


def answered(
    told: History, asked: ExaminationRequested, models: Models, skill: float
) -> list[Event]:
    """All rounds of a verification, to its end."""
    said: list[Event] = []
    request: ExaminationRequested | None = asked
    while request is not None:
        found = []
        for name in request.suites:
            to = "itself" if name == "fixed" and request.before is not None else "baseline"
            found.append(models.suite(name, request.items, skill, 1.0, to))
        said += told.tell(verified(request, *found))
        last = said[-2:]
        request = next((one for one in last if isinstance(one, ExaminationRequested)), None)
    return said


def regressions(said: list[Event]) -> int:
    return sum(isinstance(one, RegressionDetected) for one in said)


def test_of_sixty_candidates_that_change_nothing_none_is_withdrawn() -> None:
    told, models = history(PolicyAdopted(policy=VerifierPolicy(items=60))), Models(1)
    for digit in range(1, 61):
        (request, *_) = told.tell(candidate(digit, BASE))
        assert isinstance(request, ExaminationRequested)
        assert not regressions(answered(told, request, models, skill=1.0))
    assert told.state.standing["sums"].found == 0


def test_a_model_that_does_not_change_stays_so_through_two_years_of_weekly_looks() -> None:
    told, models = history(PolicyAdopted(policy=VerifierPolicy(items=60))), Models(2)
    (request, *_) = told.tell(candidate(1, BASE))
    assert isinstance(request, ExaminationRequested)
    said = answered(told, request, models, skill=1.0)
    for _ in range(104):
        (request, *_) = told.tell(VerificationRequested(role="sums"))
        assert isinstance(request, ExaminationRequested)
        said += answered(told, request, models, skill=1.0)
    assert not regressions(said)


def test_a_candidate_that_keeps_three_quarters_is_found_behind_many_that_were_good() -> None:
    told, models = history(PolicyAdopted(policy=VerifierPolicy())), Models(3)
    for digit in range(1, 9):
        (request, *_) = told.tell(candidate(digit, BASE))
        assert isinstance(request, ExaminationRequested)
        answered(told, request, models, skill=1.0)
    (request, *_) = told.tell(candidate(9, BASE))
    assert isinstance(request, ExaminationRequested)
    assert regressions(answered(told, request, models, skill=0.75)) == 1
