"""What the engine writes is what the model would write, however it is batched."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tests.trainers.sums import Sums
from trainers import decoder
from trainers.adapters import with_lora
from trainers.decoder import Library, Plain
from trainers.engine import Engine, Text
from trainers.failures import BadData, Unstable
from trainers.models import load
from trainers.tokens import character_tokenizer, word_tokenizer

torch.set_num_threads(1)

TOKENIZER = character_tokenizer("0123456789+=#;abc")
WORDS = len(TOKENIZER)
PROMPTS = ["12+34#", "7#", "999+111#ab", "7#", "5+5#"]
SHAPE = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": 1,
}
STRETCHED = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
KINDS: dict[str, Any] = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "stretched": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters=STRETCHED)),
    "sliding": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=8)),
    "places": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=WORDS, n_positions=64, n_embd=32, n_layer=2, n_head=4, eos_token_id=1)
    ),
    "no places": lambda: BloomForCausalLM(
        BloomConfig(vocab_size=WORDS, hidden_size=32, n_layer=2, n_head=4, eos_token_id=1)
    ),
}
PLAIN = {"qwen2", "llama", "stretched"}


def model_of(kind: str) -> Any:
    """With weights so large that what is likeliest is plain."""
    torch.manual_seed(3)
    model = KINDS[kind]().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4 if weight.dim() > 1 else 1)
    return model


def alone(model: Any, prompt: str, most: int) -> list[int]:
    """What transformers itself writes, greedily."""
    ids = TOKENIZER(prompt, return_tensors="pt")
    found = model.generate(
        input_ids=ids["input_ids"],
        attention_mask=ids["attention_mask"],
        max_new_tokens=most,
        do_sample=False,
        pad_token_id=0,
    )
    words: list[int] = found[0, ids["input_ids"].shape[1] :].tolist()
    return words


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_in_a_batch_gets_what_generate_writes_for_it_alone(kind: str) -> None:
    model = model_of(kind)
    written = Engine(model, TOKENIZER).generate(PROMPTS, 40, temperature=0)
    assert [list(one.token_ids) for one in written] == [alone(model, one, 40) for one in PROMPTS]
    assert isinstance(decoder.decoder(model), Plain if kind in PLAIN else Library)


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_the_plain_decoder_thinks_what_the_model_thinks(kind: str) -> None:
    """To 1e-5, over padding, steps, rows that are doubled and dropped, and a cache that grows."""
    torch.manual_seed(0)
    model = KINDS[kind]().eval()
    ids = torch.randint(3, WORDS, (3, 6))
    mask = torch.tensor([[0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]])
    more = torch.randint(3, WORDS, (decoder.AHEAD + 9, 4))
    rows = torch.tensor([0, 1, 1, 2])
    worst = 0.0
    with torch.no_grad():
        plain, library = Plain(model), Library(model)
        for place in (plain, library):
            place.start(ids, mask)
        for one in (plain, library):
            one.keep(rows)
        for step, words in enumerate(more):
            if step == 20:
                for one in (plain, library):
                    one.keep(torch.tensor([3, 0, 2]))
            count = 4 if step < 20 else 3
            apart = plain.step(words[:count]) - library.step(words[:count])
            worst = max(worst, float(apart.abs().max()))
    assert worst < 1e-5


def test_adapters_count_in_the_plain_decoder() -> None:
    model = with_lora(model_of("qwen2"), r=4, seed=1)
    plain = Engine(model, TOKENIZER).generate(PROMPTS, 20, temperature=0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.5)
    adapted = Engine(model, TOKENIZER).generate(PROMPTS, 20, temperature=0)
    assert adapted != plain
    assert [list(one.token_ids) for one in adapted] == [alone(model, one, 20) for one in PROMPTS]
    with model.disable_adapter():
        assert Engine(model, TOKENIZER).generate(PROMPTS, 20, temperature=0) == plain


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_what_is_drawn_does_not_depend_on_the_batch(rows: int) -> None:
    model = model_of("llama")
    whole = Engine(model, TOKENIZER).generate(PROMPTS, 30, seed=5, samples=3)
    assert Engine(model, TOKENIZER, rows=rows).generate(PROMPTS, 30, seed=5, samples=3) == whole
    assert Engine(model, TOKENIZER).generate(PROMPTS[:2], 30, seed=5, samples=3) == whole[:6]
    assert Engine(model, TOKENIZER).generate(PROMPTS, 30, seed=6, samples=3) != whole


def test_samples_come_as_often_as_they_are_likely(base: Path) -> None:
    engine = Engine(*load(base))
    first = [one.token_ids[0] for one in engine.generate(["47+8#"], 1, seed=0, samples=4000)]
    ids = torch.tensor([engine.prompt_ids("47+8#")])
    for temperature, drawn in ((1.0, first), (0.5, None)):
        if drawn is None:
            again = engine.generate(["47+8#"], 1, temperature, seed=0, samples=4000)
            drawn = [one.token_ids[0] for one in again]
        with torch.no_grad():
            likely = torch.softmax(engine.model(ids).logits[0, -1] / temperature, -1)
        often = torch.bincount(torch.tensor(drawn), minlength=len(likely)) / len(drawn)
        error = (likely * (1 - likely) / len(drawn)).sqrt()
        assert bool(((often - likely).abs() <= 4.5 * error + 1e-3).all())


def test_a_text_ends_with_its_end_token_or_its_stop_string(base: Path) -> None:
    engine = Engine(*load(base))
    prompts = [one.prompt for one in islice(Sums().problems(9), 20)]
    whole = engine.generate(prompts, 40, temperature=0)
    assert all(one.finished and one.token_ids[-1] in engine.ends for one in whole)
    stopped = engine.generate(prompts, 40, temperature=0, stop=";=")
    assert [one.text for one in stopped] == [one.text[: one.text.index(";=") + 2] for one in whole]
    assert all(one.finished for one in stopped)
    cut = engine.generate(prompts, 5, temperature=0)
    assert not any(one.finished for one in cut)
    assert all(len(one.token_ids) == 5 for one in cut)


def test_a_stop_string_may_end_inside_a_token() -> None:
    tokenizer = word_tokenizer(["yes.", "no", "yes"])
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(**{**SHAPE, "vocab_size": len(tokenizer)})).eval()
    written = Engine(model, tokenizer).generate(["no"], 50, seed=1, stop="s", samples=50)
    assert {one.text[-1] for one in written if one.finished and one.token_ids[-1] > 2} == {"s"}
    assert {tokenizer.decode(one.token_ids[-1]) for one in written} >= {"yes.", "yes"}


def test_scores_are_the_log_probabilities_of_the_model() -> None:
    texts = ["=46;", "1", "=1110;abc", "", "c"]
    ids: list[list[int]] = [TOKENIZER(one)["input_ids"] for one in texts]
    ids[4] = [*ids[4], 1]
    completions: list[Text] = [*texts[:4], ids[4]]
    for kind in ("qwen2", "places", "no places"):
        model = model_of(kind)
        scores = Engine(model, TOKENIZER, tokens=24).score(PROMPTS, completions)
        for prompt, behind, score in zip(PROMPTS, ids, scores, strict=True):
            before = TOKENIZER(prompt)["input_ids"]
            with torch.no_grad():
                logs = model(torch.tensor([before + behind])).logits[0].log_softmax(-1)
            wanted = [
                float(logs[len(before) + place - 1, word]) for place, word in enumerate(behind)
            ]
            assert score.tolist() == pytest.approx(wanted, abs=1e-4)


def test_a_model_that_learns_goes_on_learning_after_it_was_asked(base: Path) -> None:
    loaded = load(base)
    model = with_lora(loaded.model, r=2, dropout=0.5)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.2)
    engine = Engine(model, loaded.tokenizer)
    model.eval()
    written = engine.generate(PROMPTS[:2], 20, temperature=0)
    scores = engine.score(PROMPTS[:2], ["1=1", "2=2"])
    model.train()
    model.base_model.model.model.norm.eval()
    before = [module.training for module in model.modules()]
    assert engine.generate(PROMPTS[:2], 20, temperature=0) == written  # nothing is dropped out
    assert all(map(torch.equal, engine.score(PROMPTS[:2], ["1=1", "2=2"]), scores))
    assert [module.training for module in model.modules()] == before


def test_a_text_goes_no_further_than_the_model_reads() -> None:
    engine = Engine(model_of("places"), TOKENIZER)
    engine.ends = frozenset()
    long = "1" * 60
    written = engine.generate(["1#", long, "12#"], 1000, temperature=0)
    assert [len(one.token_ids) for one in written] == [62, 4, 61]
    assert written[0] == engine.generate(["1#"], 1000, temperature=0)[0]
    with pytest.raises(BadData, match="64 tokens"):
        engine.generate(["1" * 64], 5)


def test_an_empty_prompt_is_said_so() -> None:
    with pytest.raises(BadData, match="a prompt is empty"):
        Engine(model_of("qwen2"), TOKENIZER).generate([""], 5)
    assert Engine(model_of("qwen2"), TOKENIZER).generate([], 5) == []


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_that_is_no_longer_a_number_is_said_so(temperature: float) -> None:
    model = model_of("qwen2")
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(Unstable, match="not a number"):
        Engine(model, TOKENIZER).generate(["1#"], 5, temperature)


def test_more_tokens_than_a_model_can_read_cost_nothing() -> None:
    engine = Engine(model_of("places"), TOKENIZER)
    (cut,) = engine.generate(["12+34#"], 10**12, 1.0, seed=1)
    assert len(cut.token_ids) <= 64 - len("12+34#")
