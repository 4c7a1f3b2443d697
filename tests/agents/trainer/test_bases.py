"""What the words mean that name a base: made here, registered, added, or somewhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.trainer.bases import ADDED, GIVEN, MOST, Found, Known, found, learned, named
from agents.trainer.decide import TRAINER
from agents.trainer.workers.models import kept
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.gates import CandidateRegistered
from events.catalog.registry import ModelAdded
from events.catalog.roles import RoleDefined
from events.catalog.training import (
    Artifact,
    RunStarted,
    StageRequested,
    TrainingRejected,
    TrainingRequested,
)
from events.message import Event
from tests.agents.spec import given as told
from tests.agents.trainer.story import PROFILE, only

NOBODY: Any = None


def model(number: int, digit: str = "0") -> Artifact:
    return Artifact(kind="policy", sha256=f"sha256:{number:08x}" + 56 * digit, size=number)


def registered(number: int, role: str = "sums", digit: str = "0") -> CandidateRegistered:
    return CandidateRegistered(role=role, run=f"r{number}", model=model(number, digit))


def after(*events: Event) -> Known:
    known = Known()
    for event in events:
        known = learned(known, event)
    return known


THREE = (registered(0xA1), registered(0xA2), registered(0xA3, "else"))
OWN = ModelAdded(name="own", model=model(0xB1))


@pytest.mark.parametrize("base", ["tiny", "/models/base", "Qwen/Qwen2.5-3B", "gpt2"])
def test_what_nobody_has_registered_is_made_a_path_or_a_hub_id(base: str) -> None:
    assert found(after(*THREE, OWN), base) == Found()


@pytest.mark.parametrize(
    ("base", "number"),
    [("sums/v1", 0xA1), ("sums/v2", 0xA2), ("else/v1", 0xA3), ("own", 0xB1),
     ("sha256:000000a2", 0xA2), (model(0xB1).sha256, 0xB1)],
)  # fmt: skip
def test_a_registered_model_is_found_by_all_its_names(base: str, number: int) -> None:
    assert found(after(*THREE, OWN), base).model == model(number)


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        ("sums/v3", "role 'sums' has v1 to v2"),
        ("else/v2", "role 'else' has v1"),
        ("sms/v1", "role 'sms' has none"),
        ("sha256:feedfeed", "no registered model begins with"),
        ("sha256:a2", "at least 8 digits"),
        ("sha256:0000000A", "at least 8 digits"),
    ],
)
def test_a_registered_model_that_is_not_there_is_told(base: str, wrong: str) -> None:
    assert wrong in found(after(*THREE, OWN), base).wrong


def test_a_hash_that_two_models_begin_with_is_no_name_and_one_of_two_versions_is() -> None:
    twice = after(registered(0xA1), registered(0xA1, digit="1"))
    assert "2 registered models begin" in found(twice, "sha256:000000a1").wrong
    same = after(registered(0xA1), registered(0xA1))
    assert found(same, "sha256:000000a1").model == model(0xA1)


@given(st.integers(1, 3 * MOST), st.integers(1, 4 * MOST))
def test_the_last_versions_keep_their_numbers(many: int, asked: int) -> None:
    known = after(*(registered(number) for number in range(1, many + 1)))
    one = found(known, f"sums/v{asked}")
    if max(1, many - MOST + 1) <= asked <= many:
        assert one == Found(model(asked))
    else:
        assert one.model is None
        assert f"v{many}" in one.wrong
    assert len(known.versions["sums"]) <= MOST


def test_of_added_models_the_newest_are_kept_and_a_name_means_its_last_one() -> None:
    known = after(*(ModelAdded(name=f"m{one}", model=model(one)) for one in range(ADDED + 5)))
    assert len(known.added) == ADDED
    assert found(known, "m4") == Found()
    again = learned(known, ModelAdded(name="m9", model=model(1)))
    assert found(again, "m9").model == model(1)


def test_students_are_named_as_bases_are() -> None:
    known = after(*THREE, OWN)
    models, wrong = named(known, "sums/v2", ("own", "org/small"))
    assert (wrong, [one.kind for one in models]) == ("", [GIVEN, "student.1"])
    assert named(known, "tiny", ("own", "sums/v9"))[1].startswith("no model is registered")


def asked(base: str, pipeline: str = "srl_rlvr", **more: object) -> list[Event]:
    role = RoleDefined.model_validate({"role": "sums", "profile": PROFILE})
    wanted = {"role": "sums", "pipeline": pipeline, "base": base, "seed": 7, **more}
    history = told(TRAINER, role, *THREE, OWN)
    return list(history.tell(TrainingRequested.model_validate(wanted)))


def test_a_run_begins_from_a_registered_model_which_its_stages_are_given() -> None:
    said = asked("sums/v2", "dpo")
    (given_one,) = only(said, RunStarted).known
    assert given_one == model(0xA2).model_copy(update={"kind": GIVEN})
    request = only(said, StageRequested)
    assert request.base == "sums/v2"
    assert given_one in request.inputs


def test_students_belong_to_distilling_and_reach_its_stages() -> None:
    said = asked("sums/v2", "distill", students=("own", "org/small"))
    request = only(said, StageRequested)
    assert request.students == ("own", "org/small")
    assert [one.kind for one in request.inputs] == [GIVEN, "student.1"]
    reason = only(asked("tiny", "dpo", students=("own",)), TrainingRejected).reason
    assert "'dpo' has no students" in reason


def test_a_base_that_is_not_registered_is_rejected_before_anything_begins() -> None:
    (rejected,) = asked("sums/v9")
    assert isinstance(rejected, TrainingRejected)
    assert rejected.reason == "no model is registered as 'sums/v9': role 'sums' has v1 to v2"


def stage_of(tmp_path: Path, *inputs: Artifact, base: str = "sums/v2") -> Work:
    asked_ = {"base": base, "inputs": [one.model_dump(mode="json") for one in inputs]}
    request = StageRequested.model_validate_json(json.dumps(StageRequested.example | asked_))
    return Work(request, NOBODY, Artifacts(str(tmp_path / "artifacts")), tmp_path / "shelf", print)


async def test_a_stage_brings_the_registered_model_and_its_size_says_what_suits_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    one = kept(Artifacts(str(tmp_path / "artifacts")), folder, GIVEN)
    work = stage_of(tmp_path, one)
    place = await work.base()
    assert isinstance(place, Path)
    assert (place / "config.json").read_text() == "{}"
    assert work.profile == "tiny"
    large = stage_of(tmp_path, one.model_copy(update={"size": 10**9}))
    assert large.profile == "real"
    assert await stage_of(tmp_path, base="org/name").base() == "org/name"
    assert stage_of(tmp_path, base="org/name").profile == "real"
    assert stage_of(tmp_path, base="tiny").profile == "tiny"
