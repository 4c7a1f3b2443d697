"""What models of a role are weak in is what the next data for it is about."""

from __future__ import annotations

import json

from agents.trainer.decide import TRAINER
from events.catalog.data import DataRequested
from events.catalog.examinations import AreaCount
from events.catalog.roles import RoleDefined
from events.catalog.training import TrainingRequested
from events.catalog.verification import WeaknessDetected
from pipelines.suites.weakness import weak
from tests.agents.spec import given
from tests.agents.trainer.story import PROFILE

ROLE = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})


def test_weak_spots_become_the_focus_of_the_roles_next_request_for_data() -> None:
    found = weak([AreaCount(area="sums with two carries", wrong=40, n=50)], wrong=45, n=120)
    focus = tuple(one.area for one in found)
    told = given(TRAINER, ROLE, WeaknessDetected(role="sums", focus=focus, areas=tuple(found)))
    decisions = told.tell(TrainingRequested(role="sums", pipeline="srl_rlvr", base="tiny"))
    (asked,) = [one for one in decisions if isinstance(one, DataRequested)]
    assert asked.focus == ("sums with two carries",)


def test_of_another_role_they_are_nothing() -> None:
    written = json.dumps({**WeaknessDetected.example, "role": "other"})
    weakness = WeaknessDetected.model_validate_json(written)
    told = given(TRAINER, ROLE, weakness)
    decisions = told.tell(TrainingRequested(role="sums", pipeline="srl_rlvr", base="tiny"))
    (asked,) = [one for one in decisions if isinstance(one, DataRequested)]
    assert asked.focus == ()
