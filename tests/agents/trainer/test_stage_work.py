"""What a stage's worker makes of its request: settings as remedies left them, models by hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.trainer.workers.models import brought, kept
from agents.trainer.workers.work import Work
from events.artifacts import Artifacts
from events.catalog.changes import Change
from events.catalog.training import StageRequested
from events.errors import LogDamaged, NotFound
from pipelines.catalog import PIPELINES
from pipelines.remedies import longer, plus, times
from trainers.profiles import PROFILES
from trainers.recipes import SETTINGS

NOBODY: Any = None


def work(tmp_path: Path, *changes: Change, stage: str = "optimise", attempt: int = 1) -> Work:
    asked = StageRequested.model_validate_json(
        json.dumps(StageRequested.example | {"stage": stage, "attempt": attempt, "run": "r1"})
    )
    request = asked.model_copy(update={"changes": changes})
    return Work(request, NOBODY, Artifacts(str(tmp_path / "artifacts")), tmp_path, print)


def test_remedies_move_what_a_trainer_would_take(tmp_path: Path) -> None:
    changes = (times("optimise", "learning_rate", 0.5), times("optimise", "beta", 2.0))
    found = work(tmp_path, *changes)._changed("dpo", {"beta": 1.0})
    assert found == {
        "learning_rate": pytest.approx(PROFILES["dpo"]["tiny"]["learning_rate"] / 2),
        "beta": 2.0,
    }
    assert work(tmp_path, *changes, stage="iterate")._changed("dpo", {}) == {}


def test_what_a_profile_leaves_to_the_trainer_is_moved_from_there(tmp_path: Path) -> None:
    changes = (
        times("optimise", "entropy_coef", 2.0),
        times("optimise", "reward_scale", 0.5),
        times("optimise", "microbatch", 0.5),
    )
    found = work(tmp_path, *changes)._changed("ppo", {})
    assert found == {"entropy_coef": 0.02, "reward_scale": 0.5, "microbatch": 1}


def test_longer_counts_in_what_a_training_counts_in(tmp_path: Path) -> None:
    one = work(tmp_path, *longer("optimise", 0.5))
    assert one._changed("reward", {"epochs": 5}) == {"epochs": 2}
    found = work(tmp_path, *longer("optimise", 1.5))._changed("ppo", {})
    assert found["steps"] == round(PROFILES["ppo"]["tiny"]["steps"] * 1.5)


def test_every_change_of_a_remedy_moves_something() -> None:
    """A setting that no trainer, and no stage by itself, reads would mend nothing."""
    read = {"items", "prompts", "samples", "temperature", "seed", "rows", "filter", "people"}
    for trainer in SETTINGS.values():
        read |= set(trainer.model_fields)
    for pipeline in PIPELINES.values():
        for stage in pipeline.walk:
            for remedy in stage.remedies:
                assert {change.setting for change in remedy.changes} <= read, remedy.name


def test_numbers_of_a_stage_are_moved_too(tmp_path: Path) -> None:
    one = work(tmp_path, plus("pairs", "temperature", 0.2), stage="pairs")
    assert one.setting("temperature", 1.0) == pytest.approx(1.2)
    assert one.setting("samples", 4) == 4


def test_fresh_items_differ_by_attempt_and_are_held_out(tmp_path: Path) -> None:
    first, again = (
        {one.prompt for one in work(tmp_path, attempt=attempt).fresh(30)} for attempt in (1, 2)
    )
    assert len(first) == 30
    assert first != again
    assert {one.prompt for one in work(tmp_path).fresh(30)} == first


def test_a_model_is_kept_by_the_hashes_of_its_files_and_comes_back_whole(tmp_path: Path) -> None:
    artifacts, model = Artifacts(str(tmp_path / "artifacts")), tmp_path / "model"
    (model / "deeper").mkdir(parents=True)
    (model / "weights.safetensors").write_bytes(b"weights")
    (model / "deeper" / "config.json").write_text("{}")
    one = kept(artifacts, model, "policy")
    assert one == kept(artifacts, model, "policy")
    assert one.size == 9
    place = brought(artifacts, one.sha256, tmp_path / "shelf")
    assert (place / "weights.safetensors").read_bytes() == b"weights"
    assert (place / "deeper" / "config.json").read_text() == "{}"
    assert brought(artifacts, one.sha256, tmp_path / "shelf") == place
    assert [one.name for one in (tmp_path / "shelf").iterdir()] == [place.name]


def test_a_model_that_lists_files_outside_of_itself_is_refused(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path / "artifacts"))
    good = artifacts.put(b"x")
    for path in ("../out", "/etc/out", "a/../../out"):
        listed = json.dumps({"files": [{"path": path, "sha256": good.sha256, "size": 1}]})
        with pytest.raises(LogDamaged, match="outside of itself"):
            brought(artifacts, artifacts.put(listed.encode()).sha256, tmp_path / "shelf")
    assert not (tmp_path / "out").exists()


def test_an_input_that_no_stage_has_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="the run has no 'policy'"):
        work(tmp_path).input("policy")
