"""A model of a hundred million weights in bfloat16: imitation, then SRL, DPO and PPO of adapters.

It is made from a config, with random weights. The same tests run with a model a thousand times
smaller where there is no accelerator.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from events.catalog.jobs import Recipe, Resources
from tests.trainers.additions import TYPE, asked, held_out, job, pairs, solved, written
from tests.trainers.inside import respec, trained
from tests.trainers.jobs import metrics
from trainers.models import KEPT, load, save
from trainers.outcome import Outcome
from trainers.tokens import tokenizer_for


class Size(NamedTuple):
    """A model, and how long it imitates before the others begin with it."""

    layers: int
    width: int
    gpus: int
    steps: int
    rate: float


SMALL = Size(layers=2, width=64, gpus=0, steps=40, rate=3e-3)
LARGE = Size(layers=14, width=768, gpus=1, steps=200, rate=3e-4)


class Student(NamedTuple):
    """A model that has begun to add, and its size."""

    place: Path
    size: Size


def job_of(
    folder: Path, base: Path, size: Size, trainer: str, rows: Any, others: Any, **settings: Any
) -> tuple[Path, Outcome]:
    """Trained with the profile of real models; the folder, and what came of it."""
    file = job(folder, base, trainer, rows, others)
    recipe = Recipe(trainer=trainer, profile="real", settings=settings)
    respec(file, recipe=recipe, resources=Resources(gpus=size.gpus))
    return folder, trained(file)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SMALL, id="small"),
        pytest.param(
            LARGE,
            id="large",
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is there"),
            ],
        ),
    ],
)
def student(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Student:
    """Random weights, kept in bfloat16 as those on hubs are, that have imitated for a while."""
    size: Size = request.param
    folder = tmp_path_factory.mktemp("student")
    tokenizer = tokenizer_for(TYPE.vocabulary())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=size.width, intermediate_size=8 * size.width // 3,
        num_hidden_layers=size.layers, num_attention_heads=size.width // 32,
        num_key_value_heads=size.width // 64, max_position_embeddings=512,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    if size is LARGE:
        assert 80e6 < model.num_parameters() < 120e6
    base = save(folder / "base", model.bfloat16(), tokenizer)
    place, found = job_of(
        folder / "sft", base, size, "sft", written(600), held_out(8), lora=False, steps=size.steps,
        batch=64, learning_rate=size.rate,
    )  # fmt: skip
    # what is learned is kept in float32, whatever it began with
    assert load(place / "model", dtype=KEPT).model.dtype == torch.float32
    losses = [one["loss"] for one in metrics(place)]
    assert losses[-1] < 0.5 * losses[0]
    assert found.metrics["kl"] is not None
    begun = load(place / "model")
    return Student(save(folder / "begun", begun.model.bfloat16(), begun.tokenizer), size)


def moved(before: Path, after: Path) -> set[str]:
    """The weights that are others now; all of them are numbers."""
    old = dict(load(before).model.named_parameters())
    return {
        name
        for name, one in load(after).model.named_parameters()
        if not torch.equal(one, old[name])
    }


def is_whole(found: Outcome, folder: Path, steps: int) -> None:
    """All steps were taken, and nothing that was measured is no number."""
    lines = metrics(folder)
    assert [one["step"] for one in lines] == list(range(1, steps + 1))
    assert all(math.isfinite(float(number)) for one in lines for number in one.values())
    assert found.metrics
    assert all(one is not None and math.isfinite(one) for one in found.metrics.values())


def test_srl_moves_the_adapters_and_nothing_else(student: Student, tmp_path: Path) -> None:
    folder, found = job_of(
        tmp_path / "srl", student.place, student.size, "srl", solved(64), held_out(8), steps=4,
        batch=8, samples=4, max_new=24, learning_rate=1e-3,
    )  # fmt: skip
    is_whole(found, folder, 4)
    assert {name.split(".")[-2] for name in moved(student.place, folder / "model")} == {
        "q_proj",
        "v_proj",
    }
    assert 0 < (found.metrics["kl"] or 0) < 1
    assert any(one["format"] > 0 for one in metrics(folder))


def test_dpo_comes_to_prefer_what_was_chosen(student: Student, tmp_path: Path) -> None:
    folder, found = job_of(
        tmp_path / "dpo", student.place, student.size, "dpo", pairs(400), pairs(80, seed=6),
        steps=24, batch=16, learning_rate=2e-3,
    )  # fmt: skip
    is_whole(found, folder, 24)
    assert metrics(folder)[0]["loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert metrics(folder)[-1]["loss"] < math.log(2)
    assert (found.metrics["accuracy"] or 0) > 0.5


def test_ppo_moves_the_policy_and_its_critic(student: Student, tmp_path: Path) -> None:
    folder, found = job_of(
        tmp_path / "ppo", student.place, student.size, "ppo", asked(64), held_out(8), steps=3,
        batch=8, samples=2, max_new=64, learning_rate=1e-3, reward="verifier",
    )  # fmt: skip
    is_whole(found, folder, 3)
    assert moved(student.place, folder / "model")
    assert all(one["value_loss"] >= 0 and one["grad_norm"] > 0 for one in metrics(folder))
    assert (found.metrics["kl"] or 0) < 1
