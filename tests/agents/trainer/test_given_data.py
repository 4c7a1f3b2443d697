"""A run that is given a data set: it makes none, and its gate looks at it all the same."""

from __future__ import annotations

from typing import Any

import pytest

from agents.trainer.decide import TRAINER
from events.catalog.data import DataRequested, DatasetAccepted
from events.catalog.gates import GateFailed, GatePassed
from events.catalog.hand import RollbackRequested
from events.catalog.imports import DatasetImported
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.roles import RoleDefined
from events.catalog.training import RunAbandoned, RunStarted, StageRequested, TrainingRequested
from events.message import Event
from tests.agents.spec import given, kinds
from tests.agents.trainer.story import PROFILE, Story, example, only


def accepted(**more: Any) -> DatasetAccepted:
    words = {"dataset": "mine", "role": "sums", "count": 500, "quality": 0.97} | more
    words = {"model_type": PROFILE["model_type"], **words}
    made: DatasetAccepted = example(DatasetAccepted, **words)
    return made


def asked(known: Event, **more: Any) -> list[Event]:
    role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})
    words = {"role": "sums", "pipeline": "srl_rlvr", "base": "tiny", "dataset": "mine"} | more
    history = given(TRAINER, role, known)
    return list(history.tell(TrainingRequested.model_validate(words)))


def test_a_set_that_was_made_before_is_trained_on() -> None:
    story = Story("srl_rlvr", accepted(), dataset="mine")
    assert kinds(story.said) == ["RunStarted", "GatePassed", "StageRequested", "DeadlineSet"]
    assert only(story.said, RunStarted).dataset == "mine"
    gate = only(story.said, GatePassed)
    assert (gate.stage, [one.value for one in gate.checks]) == ("data", [0.97, 500])
    following = only(story.said, StageRequested)
    assert following.stage == "baseline"
    assert [one.kind for one in following.inputs] == ["provenance", "rows"]
    assert only(story.until("verify").done(), GatePassed)


def test_pairs_are_handed_on_up_to_the_stage_that_would_make_them() -> None:
    story = Story("dpo", accepted(kind="pairs"), dataset="mine")
    first = only(story.said, StageRequested)
    assert (first.stage, [one.kind for one in first.inputs]) == ("prepare", ["dataset"])
    asked_for = only(story.done(), StageRequested)
    assert asked_for.stage == "pairs"
    (rows,) = [one for one in asked_for.inputs if one.kind == "dataset"]
    assert rows.sha256 == accepted().rows.sha256
    later = only(story.done(), StageRequested)
    assert "dataset" not in {one.kind for one in later.inputs}


def test_an_imported_set_may_be_given_too() -> None:
    quality = {"overall": {"value": 0.96, "low": 0.96, "high": 0.96, "n": 400}}
    words = {"dataset": "mine", "role": "sums", "kind": "trajectories", "count": 400}
    imported = example(DatasetImported, **words, quality=quality)
    story = Story("srl_rlvr", imported, dataset="mine")
    assert only(story.said, StageRequested).stage == "baseline"


def test_a_set_that_is_not_good_enough_ends_the_run_and_no_other_is_made() -> None:
    story = Story("srl_rlvr", accepted(count=60), dataset="mine")
    assert kinds(story.said) == ["RunStarted", "GateFailed", "RunAbandoned", "DeadlineLifted"]
    assert "rows 60 is below 100" in only(story.said, RunAbandoned).reason


def test_no_remedy_makes_again_what_was_given() -> None:
    story = Story("srl_rlvr", accepted(), dataset="mine").until("srl")
    said = story.done({"gain": (-0.3, -0.2)}, "policy")  # better examples would cure it
    assert only(said, GateFailed)
    assert not [one for one in said if isinstance(one, DataRequested)]
    assert only(said, RunAbandoned)


def test_a_person_may_bring_such_a_run_back_behind_its_data() -> None:
    story = Story("srl_rlvr", accepted(), dataset="mine").until("srl")
    said = list(story.history.tell(RollbackRequested(run=story.run, stage="data")))
    assert only(said, StageRequested).stage == "baseline"


@pytest.mark.parametrize(
    ("known", "more", "reason"),
    [
        (
            accepted(),
            {"dataset": "mien"},
            "no data set 'mien' is among the latest 1,000 that were accepted or imported,"
            " did you mean 'mine'?",
        ),
        (
            example(DatasetAccepted, dataset="mine", role="other"),
            {},
            "data set 'mine' is of role 'other', not 'sums'",
        ),
        (
            accepted(),
            {"pipeline": "dpo"},
            "data set 'mine' holds trajectories, and pipeline 'dpo' takes pairs",
        ),
        (
            accepted(model_type="code_generation"),
            {},
            "data set 'mine' is for model type 'code_generation', the role has"
            " 'arithmetic_reasoning'",
        ),
        (
            accepted(),
            {"pipeline": "rehearsal"},
            "pipeline 'rehearsal' takes no data set, its stages make what they need",
        ),
        (
            PolicyAdopted(policy=TrainerPolicy()),
            {},
            "no data set 'mine' is among the latest 1,000 that were accepted or imported;"
            " none is defined yet",
        ),
    ],
    ids=[
        "unknown",
        "of another role",
        "of another kind",
        "of another type",
        "not taken",
        "none at all",
    ],
)
def test_what_cannot_be_given_is_refused_with_the_reason(
    known: Event, more: dict[str, Any], reason: str
) -> None:
    (rejected,) = asked(known, **more)
    assert rejected.reason == reason  # type: ignore[attr-defined]
