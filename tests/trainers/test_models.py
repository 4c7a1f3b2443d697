"""Models go to the disk whole and come back the same; what is broken is said before training."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    Trainer,
    TrainingArguments,
)

from tests.trainers.sums import Sums
from trainers.adapters import merged, with_lora, without_lora
from trainers.decoder import forward
from trainers.engine import Engine
from trainers.failures import BadBase, Usage
from trainers.models import MANIFEST, from_disk, load, load_reference, save, save_adapter, verify
from trainers.probe import measure
from trainers.tokens import tokenizer_for
from trainers.value_head import Reads, ValueHead, load_head

torch.set_num_threads(1)

PROMPTS = ["47+8#", "10+1#", "99+9#", "53+4#"]


def logits(model: Any) -> Any:
    with torch.no_grad():
        return model(torch.tensor([[5, 6, 7, 13]])).logits


def kl(policy: Path | Engine, reference: Path | Engine) -> float:
    engine = policy if isinstance(policy, Engine) else Engine(*load(policy))
    return measure(engine, reference, PROMPTS, max_new=20, seed=0).kl_per_token


@pytest.fixture
def own(base: Path, tmp_path: Path) -> Path:
    """A copy of the base without its manifest, to be broken."""
    place = tmp_path / "own"
    shutil.copytree(base, place)
    (place / MANIFEST).unlink()
    return place


def test_two_fresh_loads_are_the_same_model(base: Path) -> None:
    assert kl(base, base) == 0.0
    assert kl(base, Engine(*load_reference(base))) == 0.0


def trained(loaded: Any, folder: Path) -> Any:
    """After a few steps of transformers' own Trainer, in its lower precision."""
    rows = [{"input_ids": [5, 6, 7, 13, 8], "labels": [5, 6, 7, 13, 8]}] * 8
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=3,
        learning_rate=1e-3,
        use_cpu=True,
        bf16=True,
        save_strategy="no",
        disable_tqdm=True,
        report_to="none",
    )
    trainer = Trainer(model=loaded.model, args=arguments, train_dataset=rows)
    trainer.train()
    return loaded.model


def test_a_policy_that_a_trainer_changed_is_away_from_its_reference(
    base: Path, tmp_path: Path
) -> None:
    policy = load(base)
    model = trained(policy, tmp_path)
    assert kl(Engine(*policy), base) > 1e-3
    stage = save(tmp_path / "stage", *policy)
    assert kl(Engine(*policy), stage) == 0.0
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    assert kl(Engine(*policy), stage) > 1e-3


def test_a_copy_of_what_a_trainer_touched_is_no_reference(base: Path, tmp_path: Path) -> None:
    """Such a copy may go on computing with the weights of the original: its KL is 0 for ever."""
    policy = load(base)
    model = trained(policy, tmp_path)
    wrapped = model.forward
    model.forward = lambda *given: wrapped(*given)  # as accelerate does it to some models
    trap = copy.deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    assert torch.equal(logits(trap), logits(model))
    assert from_disk(load(base).model)
    assert not from_disk(trap)
    with pytest.raises(BadBase, match="was in the hands of a trainer"):
        kl(Engine(*policy), Engine(trap, policy.tokenizer))


def test_what_is_saved_comes_back_as_it_was(base: Path, tmp_path: Path) -> None:
    loaded = load(base)
    place = save(tmp_path / "stages" / "one", *loaded)
    again = load(place)
    assert torch.equal(logits(again.model), logits(loaded.model))
    assert again.tokenizer.decode(again.tokenizer("12+3#")["input_ids"]) == "12+3#"
    assert sorted(one.name for one in place.parent.iterdir()) == ["one"]
    save(place, *again)
    verify(place)


def test_a_file_that_changed_went_or_came_is_found_by_the_manifest(
    base: Path, tmp_path: Path
) -> None:
    def broken(change: Callable[[Path], object]) -> str:
        place = tmp_path / "broken"
        shutil.copytree(base, place)
        change(place)
        with pytest.raises(BadBase) as caught:
            load(place)
        shutil.rmtree(place)
        return caught.value.what

    def flipped(place: Path) -> None:
        content = bytearray((place / "model.safetensors").read_bytes())
        content[-1] ^= 1
        (place / "model.safetensors").write_bytes(content)

    assert "model.safetensors is not what it was" in broken(flipped)
    assert "tokenizer.json is gone" in broken(lambda place: (place / "tokenizer.json").unlink())
    assert "more.py is there" in broken(lambda place: (place / "more.py").write_text("1"))
    assert "cannot be read" in broken(lambda place: (place / MANIFEST).write_text("{"))


def changed(place: Path, name: str, **fields: Any) -> None:
    found = json.loads((place / name).read_text())
    (place / name).write_text(json.dumps({**found, **fields}))


def test_a_base_that_is_not_there_or_broken_is_one_clear_error(own: Path, tmp_path: Path) -> None:
    def said(where: Path | str) -> str:
        with pytest.raises(BadBase) as caught:
            load(where, offline=True)
        assert caught.value.right
        return caught.value.what

    assert "is not there" in said(tmp_path / "nowhere")
    assert "cannot be loaded" in said("nobody/has-this-model")
    whole = (own / "model.safetensors").read_bytes()
    (own / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "cut off" in said(own)
    (own / "model.safetensors").unlink()
    assert "no weights" in said(own)
    (own / "model.safetensors").write_bytes(whole)
    changed(own, "config.json", num_hidden_layers=3, layer_types=["full_attention"] * 3)
    assert "would have made them up" in said(own)
    changed(own, "config.json", num_hidden_layers=2, layer_types=["full_attention"] * 2)
    load(own)
    changed(own, "config.json", intermediate_size=8)
    assert "cannot be loaded" in said(own)
    changed(own, "config.json", intermediate_size=192, model_type="unheard-of")
    assert "cannot be loaded" in said(own)


def test_a_model_of_another_kind_is_no_base(own: Path, tmp_path: Path) -> None:
    loaded = load(own)
    others = {
        "BertForMaskedLM": BertForMaskedLM(
            BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
        ),
        "Qwen2ForSequenceClassification": Qwen2ForSequenceClassification(
            Qwen2Config(
                vocab_size=20,
                hidden_size=8,
                intermediate_size=8,
                num_hidden_layers=1,
                num_attention_heads=1,
                num_key_value_heads=1,
                num_labels=1,
                pad_token_id=0,
            )
        ),
    }
    for name, model in others.items():
        model.save_pretrained(tmp_path / name)
        loaded.tokenizer.save_pretrained(tmp_path / name)
        with pytest.raises(BadBase, match=f"it is a {name}"):
            load(tmp_path / name)


def test_weights_that_are_not_numbers_are_no_base(own: Path) -> None:
    loaded = load(own)
    with torch.no_grad():
        loaded.model.model.norm.weight[3] = float("nan")
    loaded.model.save_pretrained(own)
    with pytest.raises(BadBase, match=r"model\.norm\.weight are not all numbers"):
        load(own)


def test_a_tokenizer_must_know_an_end_and_fit_its_model(own: Path) -> None:
    loaded = load(own)
    loaded.tokenizer.add_tokens(["one", "two", "three"])
    loaded.tokenizer.save_pretrained(own)
    with pytest.raises(BadBase, match=r"the tokenizer has 20 tokens, the model only 17"):
        load(own)
    endless = tokenizer_for(Sums().vocabulary())
    endless.eos_token = None
    endless.save_pretrained(own)
    with pytest.raises(BadBase, match="no end token"):
        load(own)


def test_adapters_change_nothing_at_first_and_can_be_switched_off_and_merged(
    base: Path, tmp_path: Path
) -> None:
    plain = logits(load(base).model)
    loaded = load(base)
    model = with_lora(loaded.model, r=4, alpha=8, seed=1)
    assert torch.equal(logits(model), plain)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            assert weight.requires_grad == ("lora_" in name)
            if "lora_B" in name:
                weight.normal_(0, 0.1)
    adapted = logits(model)
    assert not torch.allclose(adapted, plain, atol=1e-2)
    with without_lora(model):
        assert torch.equal(logits(model), plain)
    whole = merged(model)
    assert torch.allclose(logits(whole), adapted, atol=1e-5)
    assert torch.equal(logits(model), adapted)
    place = save(tmp_path / "merged", model, loaded.tokenizer)
    assert torch.equal(logits(load(place).model), logits(whole))
    alone = save_adapter(tmp_path / "adapter", model, loaded.tokenizer)
    assert not (alone / "model.safetensors").exists()
    assert torch.allclose(logits(load(alone).model), adapted, atol=1e-5)


def test_a_trained_model_with_adapters_is_merged_as_it_computes(base: Path, tmp_path: Path) -> None:
    loaded = load(base)
    model = with_lora(loaded.model, r=4, seed=1)
    trained(loaded._replace(model=model), tmp_path / "trainer")
    place = save(tmp_path / "merged", model, loaded.tokenizer)
    again = load(place).model
    with torch.no_grad():
        there = forward(model, input_ids=torch.tensor([[5, 6, 7, 13]])).logits
    assert torch.allclose(logits(again), there, atol=1e-5)
    assert not torch.allclose(logits(again), logits(load(base).model), atol=1e-4)


def test_adapters_on_layers_that_are_not_there_are_said_so(base: Path, tmp_path: Path) -> None:
    loaded = load(base)
    with pytest.raises(Usage, match="no adapters can be put on the layers elsewhere"):
        with_lora(loaded.model, targets=["elsewhere"])
    with pytest.raises(Usage, match="has no adapters"):
        save_adapter(tmp_path / "adapter", *load(base))


@pytest.mark.parametrize("reads", get_args(Reads))
def test_a_value_head_is_kept_beside_its_model(base: Path, tmp_path: Path, reads: Reads) -> None:
    head = ValueHead(64, reads)
    assert head(torch.randn(2, 3, 64)).tolist() == [[0.0] * 3] * 2
    torch.nn.init.normal_(head.linear.weight)
    place = save(tmp_path / "critic", *load(base), head)
    assert torch.equal(load_head(place).linear.weight, head.linear.weight)
    assert load_head(place).reads == reads
    load(place)
    with pytest.raises(BadBase, match="no value head"):
        load_head(base)
    (place / "value_head.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadBase, match="no value head"):
        load_head(place)
