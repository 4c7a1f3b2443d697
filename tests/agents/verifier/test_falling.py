"""Candidates that each keep nearly all of the one before: what the role asks is watched."""

from __future__ import annotations

import random

from agents.verifier import VERIFIER
from events.catalog.examinations import ExaminationRequested
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.roles import RoleDefined
from events.catalog.training import Measured
from events.catalog.verification import RegressionDetected, VerificationRequested
from events.message import Event
from pipelines.suites.comparing import cells
from tests.agents.spec import History, given
from tests.agents.trainer.story import PROFILE
from tests.agents.verifier.looks import BASE, SAME, candidate, measured, verified

ON_DEMAND = VerificationRequested(role="sums")
ONE_LOOK = PolicyAdopted(policy=VerifierPolicy(items=100, rounds=1, cheap_seconds=0.0))


def asking(accuracy: float | None) -> History:
    return given(VERIFIER, role_asking(accuracy), ONE_LOOK)


def role_asking(accuracy: float | None) -> RoleDefined:
    needs = {} if accuracy is None else {"accuracy_min": accuracy}
    return RoleDefined.model_validate(
        {"role": "sums", "profile": PROFILE | {"requirements": needs}}
    )


def looked(told: History, event: Event, luck: random.Random, skill: float) -> list[Event]:
    """A look at a model that is right so often, beside one that is as good."""
    (request, *_) = told.tell(event)
    assert isinstance(request, ExaminationRequested)
    scores = [[float(luck.random() < skill) for _ in range(request.items)] for _ in range(2)]
    score = Measured(value=skill, low=skill - 0.1, high=skill + 0.1, n=request.items)
    suite = measured("fresh", cells(*scores)).model_copy(update={"score": score})
    return list(told.tell(verified(request, suite)))


def alarms(said: list[Event]) -> list[RegressionDetected]:
    found = [one for one in said if isinstance(one, RegressionDetected)]
    return [one for one in found if one.checks[0].metric == "accuracy"]


def test_candidates_that_fall_step_by_step_ring_once_the_role_asks_for_more() -> None:
    told, luck, rang = asking(0.8), random.Random(5), list[int]()
    for digit in range(1, 13):
        skill = 0.86 * 0.97**digit  # each keeps 97 % of the one before; the third is below
        if alarms(looked(told, candidate(digit, BASE), luck, skill)):
            rang.append(digit)
    assert rang
    assert 3 <= rang[0] <= 8


def test_the_alarm_says_what_is_asked_and_rings_anew_only_for_new_evidence() -> None:
    told, luck = asking(0.8), random.Random(1)
    first = looked(told, candidate(1, BASE), luck, 0.5)
    (alarm,) = alarms(first)
    assert alarm.since
    assert alarm.reason.startswith("what the role asks is no longer kept, over 100 fresh problems")
    assert "is below 0.8" in alarm.reason
    assert told.state.standing["sums"].watch is None
    assert alarms(looked(told, ON_DEMAND, luck, 0.5))


def test_of_a_role_that_is_served_as_it_asks_nobody_hears_in_ten_years_of_looks() -> None:
    told, luck = asking(0.8), random.Random(2)
    said = looked(told, candidate(1, BASE), luck, 0.8)
    for _ in range(520):
        said += looked(told, ON_DEMAND, luck, 0.8)
    assert not alarms(said)


def test_a_role_that_asks_for_nothing_is_not_watched_and_a_new_wish_begins_anew() -> None:
    told = asking(None)
    (request, *_) = told.tell(candidate(1, BASE))
    assert isinstance(request, ExaminationRequested)
    assert not alarms(list(told.tell(verified(request, measured("fresh", SAME)))))
    assert told.state.standing["sums"].watch is None
    watched, luck = asking(0.9), random.Random(3)
    looked(watched, candidate(1, BASE), luck, 0.89)
    before = watched.state.standing["sums"].watch
    assert (before.mean, before.seen) == (0.9, 100)
    watched.tell(role_asking(0.7))
    looked(watched, ON_DEMAND, luck, 0.89)
    assert watched.state.standing["sums"].watch.mean == 0.7
