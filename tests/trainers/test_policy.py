"""What learns, in which numbers, with what dropped and what computed twice."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from tests.trainers.additions import job
from tests.trainers.inside import begun, trained
from tests.trainers.jobs import metrics
from trainers import sft
from trainers.adapters import merged
from trainers.batching import computed_again, kept_bytes
from trainers.engine import Engine
from trainers.failures import Usage
from trainers.models import MANIFEST, load, load_reference, save
from trainers.policy import Policy
from trainers.run import Run
from trainers.sft import _fitting, _loss

torch.set_num_threads(1)

ROWS = [
    {
        "prompt": f"{two}+{one}#",
        "completion": f"{two % 10}+{one}={two % 10 + one:02};={two + one:03};",
    }
    for two in range(20, 40)
    for one in range(5)
]
IDS = torch.tensor([[5, 6, 7, 13, 8, 9]])


def policy_of(folder: Path, base: Path, trainer: str = "sft", **settings: Any) -> Policy:
    return Policy(begun(job(folder, base, trainer, ROWS, **settings)))


def logits(model: Any) -> Any:
    return model(input_ids=IDS, use_cache=False).logits.float()


@pytest.fixture
def own(base: Path, tmp_path: Path) -> Path:
    """A copy of the base without its manifest, to be changed."""
    place = tmp_path / "own"
    shutil.copytree(base, place)
    (place / MANIFEST).unlink()
    return place


@pytest.fixture
def halved(base: Path, tmp_path: Path) -> Path:
    """The base in bfloat16, as most models on hubs are."""
    loaded = load(base)
    return save(tmp_path / "halved", loaded.model.bfloat16(), loaded.tokenizer)


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("low", [False, True])
def test_what_learns_is_float32_and_a_base_under_adapters_as_its_files_have_it(
    lora: bool, low: bool, base: Path, halved: Path, tmp_path: Path
) -> None:
    place = halved if low else base
    policy = policy_of(tmp_path / "a", place, lora=lora, precision="bfloat16")
    learning = [one for one in policy.model.parameters() if one.requires_grad]
    frozen = [one for one in policy.model.parameters() if not one.requires_grad]
    assert learning
    kept = torch.bfloat16 if low else torch.float32
    assert {one.dtype for one in learning} == {torch.float32}
    assert {one.dtype for one in frozen} == ({kept} if lora else set())
    with policy.reference() as reference, torch.no_grad(), policy.autocast():
        assert torch.equal(logits(reference), logits(policy.model))


def test_steps_of_a_millionth_are_not_rounded_away(base: Path, tmp_path: Path) -> None:
    """In bfloat16 most weights would stay as they were: a step has to be 1/256 of the weight."""
    file = job(
        tmp_path / "a", base, "sft", ROWS, steps=3, batch=32, learning_rate=1e-6,
        precision="bfloat16",
    )  # fmt: skip
    trained(file)
    before = list(load(base).model.parameters())
    after = list(load(file.parent / "model").model.parameters())
    moved = sum(int((one != other).sum()) for one, other in zip(before, after, strict=True))
    assert moved > 0.98 * sum(one.numel() for one in before)
    lost = sum(
        int((one.bfloat16() != other.bfloat16()).sum())
        for one, other in zip(before, after, strict=True)
    )
    assert lost < 0.1 * moved


def test_in_bfloat16_a_training_goes_nearly_as_in_float32(
    base: Path, halved: Path, tmp_path: Path
) -> None:
    lines = {}
    for precision in ("float32", "bfloat16"):
        for lora in (False, True):
            name = f"{precision}-{lora}"
            how: dict[str, Any] = {
                "steps": 12,
                "batch": 32,
                "learning_rate": 1e-3,
                "precision": precision,
            }
            start = halved if precision == "bfloat16" else base
            trained(job(tmp_path / name, start, "sft", ROWS, lora=lora, **how))
            lines[name] = [one["loss"] for one in metrics(tmp_path / name)]
    for lora in (False, True):
        plain, low = lines[f"float32-{lora}"], lines[f"bfloat16-{lora}"]
        assert low != plain
        assert low == pytest.approx(plain, rel=0.1, abs=0.02)
        assert low[-1] < low[0]


def test_small_adapters_on_a_base_in_bfloat16_are_not_rounded_away_when_merged(
    halved: Path, tmp_path: Path
) -> None:
    policy = policy_of(tmp_path / "a", halved, lora=True, precision="bfloat16")
    with torch.no_grad():
        for name, weight in policy.model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 1e-5)
    place = save(tmp_path / "merged", policy.model, policy.tokenizer)
    rounded = load_reference(halved).model
    whole = load(place).model
    assert whole.dtype == merged(policy.model).dtype == torch.float32
    here = dict(rounded.named_parameters())
    for name, weight in whole.named_parameters():
        assert torch.equal(weight, here[name]) == ("_proj" not in name)


def _lost(run: Run, policy: Policy, some: Any, _: int) -> Any:
    return _loss(run, policy, some)[0]


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("dropout", [False, True])
def test_gradient_checkpointing_keeps_less_and_finds_the_same_gradients(
    lora: bool, dropout: bool, base: Path, tmp_path: Path
) -> None:
    kept, gradients, again = [], [], []
    for twice in (False, True):
        how: dict[str, Any] = {"lora": lora, "lora_dropout": 0.3, "gradient_checkpointing": twice}
        run = begun(job(tmp_path / str(twice), base, "sft", ROWS, **how))
        policy = Policy(run)
        policy.learns(dropout)
        loss = partial(_lost, run, policy, _fitting(run, policy, ROWS)[:16])
        kept.append(kept_bytes(loss))
        again.append(computed_again(policy.model, loss))
        torch.manual_seed(4)
        loss(1).backward()
        gradients.append([one.grad for one in policy.model.parameters() if one.requires_grad])
        assert all(one is not None for one in gradients[-1])
    assert kept[1] < 0.5 * kept[0]
    assert again[0] == 0
    assert kept[1] < kept[1] + again[1] < kept[0]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_who_imitates_drops_and_who_compares_does_not(own: Path, tmp_path: Path) -> None:
    """Neither in adapters, nor in a base that has dropout of its own."""
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps({**config, "attention_dropout": 0.5}))
    torch.manual_seed(0)
    opt = OPTForCausalLM(
        OPTConfig(
            vocab_size=17, hidden_size=32, num_hidden_layers=2, ffn_dim=32, num_attention_heads=2,
            max_position_embeddings=64, word_embed_proj_dim=32, dropout=0.5, layerdrop=0.0,
            pad_token_id=0, bos_token_id=1, eos_token_id=1,
        )
    )  # fmt: skip
    other = save(tmp_path / "opt", opt, load(own).tokenizer)
    for base, lora in ((own, False), (own, True), (other, False), (other, True)):
        for twice in (False, True):
            policy = policy_of(
                tmp_path / f"{base.name}-{lora}-{twice}", base, "grpo", lora=lora,
                lora_dropout=0.5, gradient_checkpointing=twice,
            )  # fmt: skip
            if lora:
                with torch.no_grad():
                    for name, weight in policy.model.named_parameters():
                        if "lora_B" in name:
                            weight.normal_(0, 0.1)
            still = logits(policy.model)
            policy.learns(dropout=True)
            assert not torch.allclose(logits(policy.model), logits(policy.model))
            policy.learns(dropout=False)
            assert torch.equal(logits(policy.model), logits(policy.model))
            assert torch.allclose(logits(policy.model), still)


def test_dropout_follows_from_the_seed_and_the_step(base: Path, tmp_path: Path) -> None:
    lines = []
    for name, noise in (("a", 1), ("b", 2)):
        file = job(
            tmp_path / name, base, "sft", ROWS, steps=4, batch=16, lora=True, lora_dropout=0.5
        )
        run = begun(file)
        torch.manual_seed(noise)  # whatever drew before
        sft.train(run)
        lines.append([one["loss"] for one in metrics(file.parent)])
    assert lines[0] == lines[1]


def test_a_model_that_cannot_compute_twice_is_said_so(own: Path, tmp_path: Path) -> None:
    policy = policy_of(tmp_path / "a", own)
    type(policy.model).supports_gradient_checkpointing = False
    try:
        with pytest.raises(Usage, match="cannot be computed twice"):
            policy_of(tmp_path / "b", own, gradient_checkpointing=True)
    finally:
        type(policy.model).supports_gradient_checkpointing = True


def test_a_policy_in_bfloat16_with_adapters_writes_and_is_scored(
    base: Path, halved: Path, tmp_path: Path
) -> None:
    plain = Engine(*load(base))
    policy = policy_of(tmp_path / "a", halved, lora=True, precision="bfloat16")
    prompts = [row["prompt"] for row in ROWS[:20]]
    there = plain.generate(prompts, 16, 0.0)
    found = policy.engine.generate(prompts, 16, 0.0)
    same = sum(one.text == other.text for one, other in zip(found, there, strict=True))
    assert same >= 15
    logs = policy.engine.score(prompts, [one.token_ids for one in there])
    exact = plain.score(prompts, [one.token_ids for one in there])
    assert torch.allclose(torch.cat(logs), torch.cat(exact), atol=0.15)
