"""Logits of completions: the same however the model was asked, gradients too."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from trainers.adapters import with_lora
from trainers.critics import ActorCritic, scores_of, texts
from trainers.grpo_step import Rules, logprobs
from trainers.losses import logprobs_of
from trainers.models import load
from trainers.sequences import Sequences, logits_of, padded, thoughts_of
from trainers.tokens import character_tokenizer
from trainers.value_head import Reads, ValueHead

torch.set_num_threads(1)

PROMPTS = ["12+3#", "47+8#", "5+5#"]
COMPLETIONS = ["2+3=05;=015;", "7+8=15;=055;", "5+5=10;=010;", "=1;"]


def batch(tokenizer: Any, each: int = 4) -> Sequences:
    """Several completions of each prompt, not side by side, of several lengths."""
    prompts = [prompt for _ in range(each) for prompt in PROMPTS]
    written = [COMPLETIONS[(place * 3 + place // 3) % 4] for place in range(len(prompts))]
    ids = [tokenizer(one)["input_ids"] for one in prompts]
    return padded(ids, [tokenizer(one)["input_ids"] for one in written], tokenizer.pad_token_id)


def one_by_one(model: Any, some: Sequences) -> tuple[list[Any], list[Any]]:
    """Logits and hidden states of each completion by itself, without padding."""
    logits, hidden = [], []
    columns = some.chosen.shape[1]
    for row in range(len(some)):
        length = int(some.mask[row].sum())
        ids = some.ids[row, : some.ids.shape[1] - columns + length]
        ids = ids[some.attention[row, : len(ids)] > 0][None]
        found = model(input_ids=ids, output_hidden_states=True)
        logits.append(found.logits[0, -length - 1 : -1])
        hidden.append(found.hidden_states[-1][0, -length - 1 : -1])
    return logits, hidden


@pytest.mark.parametrize("adapters", [False, True])
@pytest.mark.parametrize("each", [1, 4])
def test_prompts_that_are_read_once_give_what_each_text_gives_by_itself(
    base: Path, adapters: bool, each: int
) -> None:
    model, tokenizer = load(base)
    model = with_lora(model, r=2) if adapters else model
    some = batch(tokenizer, each)
    logits, hidden = thoughts_of(model, some, hidden=True)
    alone, states = one_by_one(model, some)
    for row in range(len(some)):
        length = len(alone[row])
        assert torch.allclose(logits[row, :length], alone[row], atol=1e-4)
        assert torch.allclose(hidden[row, :length], states[row], atol=1e-4)


def test_gradients_reach_a_shared_prompt_from_all_of_its_completions(base: Path) -> None:
    model, tokenizer = load(base)
    some = batch(tokenizer)
    (logprobs_of(logits_of(model, some), some.chosen) * some.mask).sum().backward()
    found = [one.grad.clone() for one in model.parameters()]
    model.zero_grad()
    for row, logits in enumerate(one_by_one(model, some)[0]):
        logprobs_of(logits, some.chosen[row, : len(logits)]).sum().backward()
    for one, parameter in zip(found, model.parameters(), strict=True):
        assert torch.allclose(one, parameter.grad, atol=1e-3 * float(parameter.grad.abs().max()))


def test_each_prompt_is_read_once_where_that_saves_work(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load(base)
    read: list[tuple[int, ...]] = []
    forward = type(model).forward

    def counted(self: Any, input_ids: Any = None, **more: Any) -> Any:
        read.append(tuple(input_ids.shape))
        return forward(self, input_ids=input_ids, **more)

    monkeypatch.setattr(type(model), "forward", counted)
    some = batch(tokenizer)
    before = some.ids.shape[1] - some.chosen.shape[1]
    logits_of(model, some)
    assert read == [(3, before), (12, some.chosen.shape[1] - 1)]
    read.clear()
    logits_of(model, batch(tokenizer, each=1))
    assert [rows for rows, _ in read] == [3]


def test_what_computes_its_activations_twice_keeps_no_cache(base: Path) -> None:
    model, tokenizer = load(base)
    some = batch(tokenizer)
    plain = logits_of(model, some)
    model.activation_checkpointing_enable()
    model.train()
    again = logits_of(model, some)
    again.sum().backward()
    assert torch.allclose(plain, again, atol=1e-4)


def test_values_stand_at_the_tokens_that_they_are_of(base: Path) -> None:
    model, tokenizer = load(base)
    head = ValueHead(model.config.hidden_size)
    torch.nn.init.normal_(head.linear.weight)
    some = batch(tokenizer)
    _, values = ActorCritic(model, head)(some)
    for row, states in enumerate(one_by_one(model, some)[1]):
        assert torch.allclose(values[row, : len(states)], head(states[None])[0], atol=1e-3)


@pytest.mark.parametrize("reads", get_args(Reads))
def test_the_worth_of_a_text_does_not_depend_on_its_company(base: Path, reads: Reads) -> None:
    model, tokenizer = load(base)
    head = ValueHead(model.config.hidden_size, reads)
    torch.nn.init.normal_(head.linear.weight)
    some = batch(tokenizer)
    with torch.no_grad():
        found = scores_of(model, head, some)
        for row in range(len(some)):
            ids = some.ids[row][some.attention[row].bool()]
            values = head(model(ids[None], output_hidden_states=True).hidden_states[-1])[0]
            wanted = values[-1] if reads == "last" else values.mean()
            assert torch.allclose(found[row], wanted, atol=1e-3)


def test_log_probabilities_stand_in_the_order_of_the_samples_however_they_are_cut(
    base: Path,
) -> None:
    model, tokenizer = load(base)
    some = batch(tokenizer)
    whole = logprobs_of(logits_of(model, some), some.chosen) * some.mask
    for microbatch in (0, 5, 1):
        found = logprobs(model, some, Rules(microbatch=microbatch)) * some.mask
        assert torch.allclose(found, whole, atol=1e-4)


@pytest.mark.parametrize("longest", [1, 2, 9, 200])
def test_of_a_text_that_is_too_long_the_answer_is_read_and_not_the_beginning(longest: int) -> None:
    tokenizer = character_tokenizer("0123456789+=#;abc")
    whole = "1" * 50 + "#abc"
    found = texts(tokenizer, ["1" * 50 + "#"], ["abc"], longest)
    read = found.ids[0][found.attention[0] > 0].tolist()
    assert read[-1] == tokenizer.eos_token_id
    assert len(read) == min(longest, len(whole) + 1)
    assert whole.endswith(tokenizer.decode(read[:-1]).replace(" ", ""))
