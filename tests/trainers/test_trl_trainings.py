"""Through TRL: it really trains, stops, goes on, and ends as our own loops do."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from events.catalog.jobs import JobSpec, Limits
from tests.trainers.additions import TYPE, asked, held_out, job, pairs, written
from tests.trainers.jobs import metrics, started, until


@pytest.fixture(scope="session")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base

    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)


def ended(file: Path) -> dict[str, Any]:
    """What came of a job, however busy the machine is; TRL alone takes ten seconds to load."""
    process = started(file)
    said = process.communicate(timeout=300)
    found = file.parent / "outcome.json"
    assert found.exists(), said
    known: dict[str, Any] = json.loads(found.read_text())
    return known


def outcome(file: Path) -> dict[str, Any]:
    """That of a job that comes to its good end."""
    found = ended(file)
    assert found["status"] == "completed", (file.parent / "log.txt").read_text()[-3000:]
    return found


GRPO: dict[str, Any] = {
    "through": "trl", "reward": "verifier", "batch": 4, "max_new": 64, "microbatch": 16,
}  # fmt: skip


def test_grpo_through_trl_trains_and_ends_as_ours_does(tmp_path: Path, adder: Path) -> None:
    file = job(
        tmp_path / "grpo", adder, "grpo", asked(60), held_out(20), limits=Limits(kl=0.5),
        steps=3, beta=0.0, **GRPO,
    )  # fmt: skip
    found = outcome(file)
    told = metrics(file.parent)
    assert [one["step"] for one in told] == [1, 2, 3]
    assert told[0]["kl"] == 0 < told[2]["kl"]  # the reference stays where it was
    assert {"loss", "grad_norm", "entropy", "outcome", "format", "zero_variance"} <= set(told[0])
    assert found["metrics"]["kl"] > 0
    assert len((file.parent / "per_item.jsonl").read_text().splitlines()) == 20
    assert not (file.parent / "trl").exists()
    from trainers.models import load_reference

    before, after = load_reference(adder).model, load_reference(file.parent / "model").model
    moved = [
        bool((a != b).any()) for a, b in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert all(moved)


@pytest.mark.proof
def test_dpo_through_trl_prefers_what_was_chosen(tmp_path: Path, adder: Path) -> None:
    file = job(
        tmp_path / "dpo", adder, "dpo", pairs(300), pairs(100, seed=6), through="trl", epochs=2
    )
    found = outcome(file)["metrics"]
    assert found["accuracy"] > 0.6
    assert found["gap"] > 0


@pytest.mark.proof
def test_rlvr_through_trl_makes_it_better(tmp_path: Path, adder: Path) -> None:
    from trainers.engine import Engine
    from trainers.models import load
    from trainers.probe import accuracy

    before = accuracy(
        Engine(*load(adder)), TYPE.suite(1, 100), TYPE.verify, max_new=96, seed=3, samples=4
    )
    file = job(
        tmp_path / "rlvr", adder, "rlvr", asked(400), held_out(100), through="trl", steps=25,
        batch=16, microbatch=128, max_new=64, learning_rate=3e-4,
    )  # fmt: skip
    found = outcome(file)["metrics"]
    assert found["sampled"] > before.sampled + 0.04
    assert found["kl"] < 0.1


@pytest.mark.proof
@pytest.mark.parametrize(
    ("trainer", "rows", "settings"),
    [
        ("sft", written, {"learning_rate": 1e-3}),
        ("dpo", pairs, {}),
        ("dpo", pairs, {"lora": False}),
        ("reward", pairs, {"reads": "last"}),
    ],
)
def test_both_ways_learn_the_same_from_the_same_rows(
    trainer: str, rows: Any, settings: dict[str, Any], tmp_path: Path, adder: Path
) -> None:
    """All rows in each step, so their order does not matter: tokens, ends and losses agree."""
    told = []
    for way in ("ours", "trl"):
        file = job(
            tmp_path / way, adder, trainer, rows(32), steps=4, batch=32, microbatch=32,
            weight_decay=0.0, through=way, **settings,
        )  # fmt: skip
        outcome(file)
        told.append([one["loss"] for one in metrics(file.parent)])
    assert told[0] == pytest.approx(told[1], rel=2e-3, abs=2e-4)


@pytest.mark.proof
def test_the_reference_is_the_one_that_was_named(tmp_path: Path, adder: Path, bases: Path) -> None:
    from trainers.tiny import make_tiny_base

    other = make_tiny_base(TYPE, seed=1, level=0.35, folder=bases)
    for trainer, rows in (("rlvr", asked), ("dpo", pairs)):
        more: dict[str, Any] = {"lora": False} | (
            {"batch": 4, "max_new": 64} if trainer == "rlvr" else {}
        )
        file = job(tmp_path / trainer, adder, trainer, rows(60), steps=2, through="trl", **more)
        spec = JobSpec.model_validate_json(file.read_text())
        file.write_text(spec.model_copy(update={"reference": str(other)}).model_dump_json())
        outcome(file)
        first = metrics(file.parent)[0]  # of a policy that is still its base
        if trainer == "rlvr":
            assert first["kl"] > 0.02
        else:
            assert abs(first["loss"] - math.log(2)) > 0.02


@pytest.mark.proof
@pytest.mark.parametrize(
    ("trainer", "rows", "settings"),
    [
        ("grpo", asked, {**GRPO, "steps": 6, "save_every": 2}),
        ("grpo", asked, {**GRPO, "steps": 4, "save_every": 2, "lora": True, "iterations": 2}),
        ("grpo", asked, {**GRPO, "steps": 4, "save_every": 2, "variant": "rloo"}),
        ("dpo", pairs, {"through": "trl", "steps": 8, "save_every": 2}),
    ],
)
def test_killed_in_the_middle_it_ends_with_the_same_weights_through_trl_too(
    trainer: str, rows: Any, settings: dict[str, Any], tmp_path: Path, adder: Path
) -> None:
    whole = job(tmp_path / "whole", adder, trainer, rows(100), **settings)
    outcome(whole)
    killed = job(tmp_path / "killed", adder, trainer, rows(100), **settings)
    process = started(killed)
    until(lambda: len(metrics(killed.parent)) >= 3 or process.poll() is not None, 90)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed.parent / "outcome.json").exists()
    outcome(killed)
    steps = [one["step"] for one in metrics(killed.parent)]
    assert steps == [one["step"] for one in metrics(whole.parent)]
    for one in sorted((whole.parent / "model").glob("*.safetensors")):
        assert (killed.parent / "model" / one.name).read_bytes() == one.read_bytes()


@pytest.mark.proof
def test_the_guard_stops_what_goes_wrong_there(tmp_path: Path, adder: Path) -> None:
    file = job(
        tmp_path / "wild", adder, "grpo", asked(100), limits=Limits(kl=0.05), steps=30,
        **GRPO | {"beta": 0.0}, learning_rate=0.02,
    )  # fmt: skip
    found = ended(file)
    assert len(metrics(file.parent)) < 12
    assert "KL" in found["stopped_by"] or found["failure"] == "unstable"
