"""What the probe says agrees with sums done by hand, and with all that could have been written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from tests.trainers.sums import Problem, Sums, Verdict
from trainers.decoder import forward
from trainers.engine import Engine
from trainers.failures import BadBase, BadData
from trainers.models import load, save
from trainers.probe import accuracy, measure, preferences, preferred
from trainers.tokens import character_tokenizer

torch.set_num_threads(1)

TOKENIZER = character_tokenizer("ab")
"""Five words: padding, end, unknown, a and b."""


def engine_of(seed: int, words: int = 5) -> Engine:
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=words,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
    )
    model = Qwen2ForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(12 if weight.dim() > 1 else 1)
    return Engine(model, TOKENIZER)


def probabilities(engine: Engine, ids: Sequence[int]) -> Any:
    """Of every word behind these, in numpy and float64."""
    with torch.no_grad():
        logits = forward(engine.model, input_ids=torch.tensor([list(ids)])).logits[0, -1]
    raised = np.exp(logits.double().numpy() - logits.max().item())
    return raised / raised.sum()


def by_hand(policy: Engine, reference: Engine, prompt: str, ids: Sequence[int]) -> list[float]:
    """KL and both entropies of a completion, token by token."""
    sums = [0.0, 0.0, 0.0]
    for place in range(len(ids)):
        before = [*policy.prompt_ids(prompt), *ids[:place]]
        p, q = probabilities(policy, before), probabilities(reference, before)
        sums[0] += float((p * np.log(p / q)).sum())
        sums[1] -= float((p * np.log(p)).sum())
        sums[2] -= float((q * np.log(q)).sum())
    return sums


def test_kl_and_entropy_agree_with_numpy() -> None:
    policy, reference = engine_of(1), engine_of(2)
    prompts = ["a", "ab", "bba"]
    found = measure(policy, reference, prompts, max_new=6, seed=4, samples=5)
    written = policy.generate(prompts, 6, 1.0, 4, samples=5)
    assert [one.text for one in found.per_item] == [one.text for one in written]
    assert [one.prompt for one in found.per_item] == [0] * 5 + [1] * 5 + [2] * 5
    hands = [
        by_hand(policy, reference, prompts[item.prompt], one.token_ids)
        for item, one in zip(found.per_item, written, strict=True)
    ]
    for item, hand in zip(found.per_item, hands, strict=True):
        assert [item.kl, item.entropy, item.reference_entropy] == pytest.approx(hand, abs=1e-5)
    tokens = sum(len(one.token_ids) for one in written)
    assert found.kl_per_token == pytest.approx(sum(one[0] for one in hands) / tokens, abs=1e-5)
    assert found.kl_per_sequence == pytest.approx(sum(one[0] for one in hands) / 15, abs=1e-5)
    assert found.entropy == pytest.approx(sum(one[1] for one in hands) / tokens, abs=1e-5)
    assert found.reference_entropy == pytest.approx(sum(one[2] for one in hands) / tokens, abs=1e-5)
    assert found.relative_entropy == pytest.approx(found.entropy / found.reference_entropy)
    assert found.truncated == pytest.approx(np.mean([not one.finished for one in written]))
    assert 0 < found.truncated < 1
    assert min(one.kl for one in found.per_item) > 0


def all_that_could_be_written(
    engine: Engine, prompt: str, most: int
) -> list[tuple[tuple[int, ...], float]]:
    """Every completion up to this length, with its probability."""
    done: list[tuple[tuple[int, ...], float]] = []
    growing: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
    for _ in range(most):
        grown = []
        for ids, likely in growing:
            chances = probabilities(engine, [*engine.prompt_ids(prompt), *ids])
            grown += [((*ids, word), likely * chance) for word, chance in enumerate(chances)]
        done += [one for one in grown if one[0][-1] == 1]
        growing = [one for one in grown if one[0][-1] != 1]
    return done + growing


def test_the_samples_expect_the_kl_of_all_that_could_be_written() -> None:
    policy, reference = engine_of(1), engine_of(2)
    every = all_that_could_be_written(policy, "ab", 3)
    there = dict(all_that_could_be_written(reference, "ab", 3))
    assert sum(likely for _, likely in every) == pytest.approx(1)
    exact = sum(likely * math.log(likely / there[ids]) for ids, likely in every)
    expected = sum(
        likely * by_hand(policy, reference, "ab", ids)[0] for ids, likely in every
    )  # of sums over tokens: the same, by the chain rule
    assert expected == pytest.approx(exact, abs=1e-5)
    found = measure(policy, reference, ["ab"], max_new=3, seed=0, samples=4000)
    each = np.array([one.kl for one in found.per_item])
    error = each.std() / math.sqrt(len(each))
    assert abs(found.kl_per_sequence - exact) < 4 * error
    assert error < 0.05 * exact


def test_the_reference_may_be_a_folder_and_must_share_the_vocabulary(tmp_path: Path) -> None:
    policy, reference = engine_of(1), engine_of(2)
    place = save(tmp_path / "stage", reference.model, TOKENIZER)
    told = [measure(policy, one, ["a"], max_new=5, seed=0) for one in (place, reference)]
    assert told[0] == told[1]
    larger = engine_of(3, words=8)  # made for more words than there are tokens
    assert measure(policy, larger, ["a"], max_new=5, seed=0).kl_per_token > 0
    larger.tokenizer = character_tokenizer("abc")
    with pytest.raises(BadBase, match="has other tokens than the policy"):
        measure(policy, larger, ["a"], max_new=5, seed=0)
    with pytest.raises(BadData, match="no prompts"):
        measure(policy, reference, [], max_new=5, seed=0)


def test_a_word_that_cannot_come_adds_nothing() -> None:
    policy, reference = engine_of(1), engine_of(2)
    for engine in (policy, reference):
        engine.model.lm_head.register_forward_hook(
            lambda _module, _given, logits: logits.index_fill(-1, torch.tensor([2]), -math.inf)
        )
    found = measure(policy, reference, ["ab"], max_new=8, seed=0, samples=20)
    assert 0 < found.kl_per_token < math.inf
    assert 0 < found.entropy < math.log(4)


def test_accuracy_is_the_verifiers_word_on_each_answer(base: Path) -> None:
    engine = Engine(*load(base))
    problems = list(islice(Sums().problems(77), 60))
    found = accuracy(engine, problems, Sums().verify, max_new=20, seed=1, samples=4)
    prompts = [one.prompt for one in problems]
    greedy = [one.text for one in engine.generate(prompts, 20, 0.0)]
    sampled = [one.text for one in engine.generate(prompts, 20, 1.0, 1, samples=4)]
    right = [
        text.endswith(f";={one.answer:03};") for text, one in zip(greedy, problems, strict=True)
    ]
    also = [
        text.endswith(f";={problems[place // 4].answer:03};") for place, text in enumerate(sampled)
    ]
    assert [one.greedy for one in found.per_item] == right
    assert [one for item in found.per_item for one in item.sampled] == also
    assert found.greedy == pytest.approx(sum(right) / 60)
    assert found.sampled == found.reward == pytest.approx(sum(also) / 240)
    same = [len(set(also[place : place + 4])) == 1 for place in range(0, 240, 4)]
    assert found.zero_variance == pytest.approx(sum(same) / 60)
    assert 0 < found.sampled < found.greedy < 1
    assert 0 < found.zero_variance < 1
    cut = accuracy(engine, problems[:5], Sums().verify, max_new=3, seed=1, samples=2)
    assert cut.truncated == 1.0
    assert cut.sampled == 0.0


def test_rewards_that_differ_are_seen_where_all_answers_are_wrong(base: Path) -> None:
    def by_length(problem: Problem, text: str) -> Verdict:
        return Verdict(False, len(text) / 100 if problem.prompt.startswith("1") else 0.5)

    problems = [Problem("", "10+1#", 11), Problem("", "20+1#", 21)]
    found = accuracy(Engine(*load(base)), problems, by_length, max_new=20, seed=1, samples=64)
    assert found.zero_variance == 0.5
    assert found.sampled == 0.0
    assert found.reward > 0


def test_preferences_are_margins_of_log_probabilities() -> None:
    policy, reference = engine_of(1), engine_of(2)
    prompts, chosen, rejected = ["a", "b", "ab"], ["ab", "b", "bb"], ["b", "aab", "bb"]
    found = preferences(policy, reference, prompts, chosen, rejected, beta=0.5)

    def logp(engine: Engine, prompt: str, text: str) -> float:
        ids, before = [*engine.completion_ids(text), 1], engine.prompt_ids(prompt)
        return sum(
            math.log(probabilities(engine, [*before, *ids[:place]])[word])
            for place, word in enumerate(ids)
        )

    margins = [
        (logp(policy, x, y) - logp(reference, x, y)) - (logp(policy, x, z) - logp(reference, x, z))
        for x, y, z in zip(prompts, chosen, rejected, strict=True)
    ]
    assert list(found.per_item) == pytest.approx(margins, abs=1e-5)
    assert found.margin == pytest.approx(sum(margins) / 3, abs=1e-5)
    gaps = [2 / (1 + math.exp(-0.5 * one)) - 1 for one in margins]
    assert found.gap == pytest.approx(sum(gaps) / 3, abs=1e-5)


def test_a_tie_is_half_a_preference() -> None:
    found = preferred([1.0, -2.0, 0.0, 3.0])
    assert found.accuracy == 0.625
    assert found.per_item == (1.0, -2.0, 0.0, 3.0)
    with pytest.raises(BadData, match="no pairs"):
        preferred([])
