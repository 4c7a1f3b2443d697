"""Trainings that really change weights: what they promise to make better becomes better."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from events.catalog.jobs import Limits
from tests.trainers.additions import TYPE, asked, held_out, job, outcome, pairs, solved, written
from tests.trainers.inside import respec, trained
from tests.trainers.jobs import metrics, ran, started, until
from trainers.failures import BadData


@pytest.fixture(scope="session")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)


@pytest.fixture(scope="session")
def beginner(bases: Path) -> Path:
    """Right in hardly any addition."""
    from trainers.tiny import make_tiny_base

    return make_tiny_base(TYPE, seed=1, size="tiny", level=0.005, folder=bases)


def sampled(base: Path) -> float:
    """The share of right samples of a model on the held-out problems."""
    from trainers.engine import Engine
    from trainers.models import load
    from trainers.probe import accuracy

    engine = Engine(*load(base))
    found = accuracy(engine, TYPE.suite(1, 100), TYPE.verify, max_new=96, seed=3, samples=4)
    return found.sampled


def test_srl_and_then_rlvr_make_it_better_and_keep_it_near(tmp_path: Path, adder: Path) -> None:
    before = sampled(adder)
    first = job(tmp_path / "srl", adder, "srl", solved(), held_out(), steps=40)
    srl = outcome(first)["metrics"]
    base = first.parent / "model"
    second = job(tmp_path / "rlvr", base, "rlvr", asked(), held_out(), steps=10, lora=True)
    rlvr = outcome(second)["metrics"]
    assert srl["sampled"] > before + 0.03
    assert rlvr["sampled"] > before + 0.04
    assert max(srl["kl"], rlvr["kl"]) < 0.1
    assert max(srl["truncated"], rlvr["truncated"]) < 0.05
    items = (second.parent / "per_item.jsonl").read_text().splitlines()
    assert len(items) == 100
    right = [one for item in items for one in json.loads(item)["sampled"]]
    assert sum(right) / len(right) == pytest.approx(rlvr["sampled"])


def test_rlvr_does_not_begin_where_almost_nothing_succeeds(tmp_path: Path, beginner: Path) -> None:
    file = job(tmp_path / "rlvr", beginner, "rlvr", asked(), steps=5)
    code, said = ran(file)
    assert code == 21
    assert "not ready for RLVR" in said
    assert metrics(file.parent) == []


def test_imitation_teaches_and_a_reward_model_tells_right_from_wrong(
    tmp_path: Path, adder: Path
) -> None:
    before = sampled(adder)
    sft = outcome(
        job(tmp_path / "sft", adder, "sft", written(400), held_out(), steps=60, learning_rate=1e-3)
    )
    assert sft["metrics"]["sampled"] > before + 0.05
    trained = job(
        tmp_path / "reward", tmp_path / "sft" / "model", "reward", pairs(2000),
        pairs(200, seed=6), epochs=1,
    )  # fmt: skip
    judged = outcome(trained)["metrics"]
    assert judged["held_out_accuracy"] > 0.6
    assert abs(judged["gap"]) < 0.1
    assert (tmp_path / "reward" / "model" / "value_head.safetensors").exists()


def test_a_reward_model_learns_from_no_pair_of_which_an_answer_would_be_cut_off(
    tmp_path: Path, beginner: Path
) -> None:
    fitting = pairs(30)
    long = [{**one, "prompt": "1+" * 90 + one["prompt"]} for one in pairs(6, seed=6)]
    both = job(tmp_path / "both", beginner, "reward", [*fitting, *long], steps=2, batch=8)
    trained(both)
    assert json.loads((both.parent / "manifest.json").read_text())["facts"]["too_long"] == 6
    alone = job(tmp_path / "alone", beginner, "reward", long, steps=2, batch=4)
    with pytest.raises(BadData, match="all 6 rows have more than 160 tokens"):
        trained(alone)


def test_dpo_prefers_what_was_chosen(tmp_path: Path, adder: Path) -> None:
    file = job(tmp_path / "dpo", adder, "dpo", pairs(400), pairs(100, seed=6), epochs=2)
    found = outcome(file)["metrics"]
    assert found["accuracy"] > 0.6
    assert found["gap"] > 0


SETTINGS: dict[str, dict[str, Any]] = {
    "sft": {"steps": 8, "save_every": 2, "lora": True, "lora_dropout": 0.2},
    "srl": {"steps": 6, "save_every": 2},
    "rlvr": {"steps": 6, "save_every": 2, "max_new": 64},
    "grpo": {"steps": 6, "save_every": 2, "reward": "verifier", "max_new": 64, "batch": 4},
    "ppo": {"steps": 6, "save_every": 2, "reward": "verifier", "max_new": 64, "batch": 16},
    "dpo": {"steps": 8, "save_every": 2},
    "reward": {"steps": 8, "save_every": 2, "lora": True, "lora_dropout": 0.2},
    "distill": {
        "mode": "on_policy", "on_policy_share": 0.5, "steps": 6, "save_every": 2, "batch": 8,
        "max_new": 64, "divergence": 0.5,
    },
}  # fmt: skip
ROWS = {
    "sft": written, "srl": solved, "rlvr": asked, "grpo": asked, "ppo": asked, "dpo": pairs,
    "reward": pairs, "distill": written,
}  # fmt: skip


def weights(file: Path) -> dict[str, bytes]:
    found = sorted((file.parent / "model").glob("*.safetensors"))
    assert found
    return {one.name: one.read_bytes() for one in found}


PROVED = ("grpo", "rlvr", "sft", "dpo", "reward")
"""Killed in `make proofs`: they share their loops with others, or are killed in `test_best`."""


@pytest.mark.parametrize(
    "trainer",
    [pytest.param(one, marks=pytest.mark.proof) if one in PROVED else one for one in SETTINGS],
)
def test_killed_in_the_middle_it_ends_with_the_same_weights_to_the_last_bit(
    trainer: str, tmp_path: Path, adder: Path, beginner: Path
) -> None:
    rows, settings = ROWS[trainer](200), SETTINGS[trainer]
    whole = job(tmp_path / "whole", adder, trainer, rows, **settings)
    killed = job(tmp_path / "killed", adder, trainer, rows, **settings)
    if trainer == "distill":  # the reference is the teacher
        for file in (whole, killed):
            respec(file, reference=str(beginner))
    outcome(whole)
    process = started(killed)
    until(lambda: len(metrics(killed.parent)) >= 3 or process.poll() is not None, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed.parent / "outcome.json").exists()
    outcome(killed)
    assert weights(killed) == weights(whole)
    steps = [one["step"] for one in metrics(killed.parent)]
    assert steps == list(range(1, settings["steps"] + 1))


def test_a_rate_far_too_high_is_stopped_as_unstable(tmp_path: Path, adder: Path) -> None:
    file = job(
        tmp_path / "wild", adder, "srl", solved(), limits=Limits(kl=0.1), steps=40,
        learning_rate=0.02,
    )  # fmt: skip
    code, _ = ran(file)
    found = json.loads((file.parent / "outcome.json").read_text())
    assert len(metrics(file.parent)) < 12
    assert code in (0, 13)
    assert "KL" in found["stopped_by"] or found["failure"] == "unstable"


@pytest.mark.parametrize("trainer", ["sft", "ppo"])
def test_the_batch_that_fits_is_measured_before_the_first_step(
    trainer: str, tmp_path: Path, adder: Path
) -> None:
    settings = SETTINGS[trainer] | {"steps": 1}
    file = job(tmp_path / trainer, adder, trainer, ROWS[trainer](80), **settings)
    outcome(file)
    facts = json.loads((file.parent / "manifest.json").read_text())["facts"]
    assert 1 <= facts["microbatch"]["size"] <= 64
    assert facts["microbatch"]["bytes_each"] > 100_000
