"""What data is to be about, and what must not be in it: as the trainer was told before."""

from __future__ import annotations

import json

from agents.trainer.decide import TRAINER
from events.catalog.data import DataRequested
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.examinations import AreaCount
from events.catalog.roles import RoleDefined
from events.catalog.training import MOST_GUARDED, RunAbandoned, StageRequested, TrainingRequested
from events.catalog.verification import WeaknessDetected
from pipelines.suites.weakness import weak
from tests.agents.spec import given
from tests.agents.trainer.story import PROFILE, Story, artifact, only

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


def test_every_stage_is_told_the_registered_evaluation_sets_each_as_it_is_now() -> None:
    older, newer, other = (
        EvaluationSetRegistered(name=name, artifact=artifact("evaluation", number), rows=3)
        for number, name in enumerate(("exam", "exam", "another"), 1)
    )
    story = Story("dpo", older, other)
    prepare = story.said[1]
    assert isinstance(prepare, StageRequested)
    assert prepare.guarded == (other.artifact, older.artifact)
    story.history.tell(newer)
    pairs = only(story.done(None, "policy"), StageRequested)
    assert pairs.guarded == (other.artifact, newer.artifact)
    assert Story("dpo").said[1].guarded == ()  # type: ignore[attr-defined]


def test_with_more_evaluation_sets_than_can_be_searched_for_nothing_is_trained() -> None:
    story = Story("dpo")
    for number in range(MOST_GUARDED + 1):
        one = artifact("evaluation", number)
        said = story.history.tell(
            EvaluationSetRegistered(name=f"exam-{number}", artifact=one, rows=1)
        )
        assert said == ()
    ended = only(story.done(None, "policy"), RunAbandoned)
    assert "1,000 evaluation sets, and more are registered" in ended.reason
    refused = story.history.tell(TrainingRequested(role="sums", pipeline="dpo", base="tiny"))
    assert "1,000 evaluation sets" in refused[0].reason  # type: ignore[attr-defined]
