"""Students of a distillation: cut out of a larger model, taught by adapters, timed beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from tests.trainers.additions import held_out, job, written
from tests.trainers.inside import respec, trained
from tests.trainers.jobs import metrics
from trainers.cutting import cut, evenly
from trainers.failures import BadBase
from trainers.folder import lines_of
from trainers.models import load

torch.set_num_threads(1)
TEXT = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])


def llama(layers: int = 4, **more: Any) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=17, hidden_size=16, intermediate_size=24, num_hidden_layers=layers,
        num_attention_heads=2, tie_word_embeddings=True, **more,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def logits(model: Any) -> Any:
    with torch.no_grad():
        return model(TEXT).logits


def test_layers_that_stay_are_spread_evenly_and_keep_their_weights() -> None:
    whole = llama()
    before = logits(whole)
    half = cut(whole, 2)
    assert half.config.num_hidden_layers == len(half.model.layers) == 2
    for place, layer in zip((0, 3), half.model.layers, strict=True):
        for ours, theirs in zip(
            layer.parameters(), whole.model.layers[place].parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)
    assert torch.equal(half.lm_head.weight, whole.model.embed_tokens.weight)
    assert torch.equal(logits(whole), before)  # what was cut from stays whole
    assert [evenly(28, 7)[place] for place in (0, -1)] == [0, 27]
    assert evenly(5, 1) == [0]
    assert torch.equal(logits(cut(whole, 4)), before)


def test_neurons_that_do_nothing_are_those_that_are_left_out() -> None:
    whole = llama()
    with torch.no_grad():
        for layer in whole.model.layers:
            layer.mlp.down_proj.weight[:, ::2] = 0.0
    narrow = cut(whole, 4, 0.5)
    assert narrow.config.intermediate_size == 12
    assert narrow.model.layers[0].mlp.up_proj.weight.shape == (12, 16)
    assert torch.allclose(logits(narrow), logits(whole), atol=1e-6)


def test_what_cannot_be_cut_is_told() -> None:
    for layers in (0, 5):
        with pytest.raises(BadBase, match=f"no {layers} layers can be left of 4"):
            cut(llama(), layers)
    torch.manual_seed(0)
    other = GPT2LMHeadModel(
        GPT2Config(vocab_size=17, n_positions=16, n_embd=16, n_layer=3, n_head=2)
    )
    assert len(cut(other, 2).transformer.h) == 2
    with pytest.raises(BadBase, match="neurons cannot be left out"):
        cut(other, 2, 0.5)


def test_a_student_is_kept_whole_as_its_adapters_and_as_what_they_were_put_on(
    tmp_path: Path, base: Path
) -> None:
    file = job(
        tmp_path / "cut", base, "distill", written(60), layers=1, neurons=0.5, lora=True,
        lora_r=4, steps=3, batch=8,
    )  # fmt: skip
    trained(file)
    folder = file.parent
    teacher, student = (load(one).model for one in (base, folder / "student"))
    sizes = [sum(one.numel() for one in model.parameters()) for model in (teacher, student)]
    assert sizes[1] < 0.5 * sizes[0]
    config = folder / "adapter" / "adapter_config.json"
    told = json.loads(config.read_bytes())
    assert told["base_model_name_or_path"] == "base"
    assert not [one for one in (folder / "adapter").iterdir() if one.name == "README.md"]
    config.write_text(json.dumps(told | {"base_model_name_or_path": str(folder / "student")}))
    again, model = load(folder / "adapter").model, load(folder / "model").model
    assert torch.allclose(logits(again), logits(model), atol=1e-5)
    assert not torch.allclose(logits(model), logits(student), atol=1e-3)
    assert len(metrics(folder)) == 3


def test_two_models_are_timed_in_turn_and_their_weights_are_counted(
    tmp_path: Path, base: Path
) -> None:
    rows = [{"prompt": one["prompt"]} for one in held_out(6)]
    file = job(tmp_path / "speed", base, "measure", (), rows, of="speed", max_new=4)
    respec(file, reference=str(base))
    found = trained(file)
    items = lines_of(file.parent / found.per_item)
    assert len(items) == 6
    assert all(one["ms"] > 0 and one["reference_ms"] > 0 for one in items)
    assert all(1 <= one["tokens"] <= 4 for one in items)
    weights = sum(one.numel() for one in load(base).model.parameters())
    assert found.metrics["weights"] == found.metrics["reference_weights"] == weights


def test_a_job_that_is_started_again_finds_its_student_and_comes_to_the_same(
    tmp_path: Path, base: Path
) -> None:
    made: list[Any] = []
    for name in ("first", "again"):
        file = job(
            tmp_path / name, base, "distill", written(60), layers=1, lora=True, lora_r=4,
            lora_dropout=0.2, steps=2, batch=8,
        )  # fmt: skip
        if made:  # as a kill before the first checkpoint leaves it
            shutil.copytree(tmp_path / "first" / "student", file.parent / "student")
        trained(file)
        made.append(logits(load(file.parent / "model").model))
    assert torch.equal(*made)
