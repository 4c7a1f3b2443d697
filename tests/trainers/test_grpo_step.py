"""A step of each variant: its gradient is that of its formula, however the batch is cut up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from trainers.grpo_step import Rules, logprobs, update
from trainers.sequences import Sequences, padded

torch.set_num_threads(1)

WORDS = 6
VARIANTS = ("grpo", "rloo", "dr_grpo", "dapo", "cispo", "gspo")
ADVANTAGES = [1.0, -0.5, 0.25, -0.75]


class Table(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """A model that looks at the last word only, with the signature of a causal model."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.nn.Parameter(torch.randn(WORDS, WORDS, generator=generator))

    def forward(self, input_ids: Any, logits_to_keep: int, **_: Any) -> Any:
        return SimpleNamespace(logits=self.table[input_ids[:, -logits_to_keep:]])


def batch() -> Sequences:
    prompts = [[1], [1, 2], [3], [2, 2, 2]]
    return padded(prompts, [[2, 3], [4], [5, 1, 2], [3, 3]], pad=0)


def gradient(rules: Rules, reference: Any = None) -> Any:
    """What one step takes off the weights, at a rate of 1."""
    model = Table()
    before = model.table.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    update(model, optimizer, model.parameters(), batch(), ADVANTAGES, reference, rules)
    return before - model.table.detach()


def by_hand(variant: str) -> Any:
    """On fresh samples, where every ratio is 1: a weighted sum over the tokens."""
    model, some = Table(), batch()
    logs = torch.log_softmax(model.table, -1)
    lengths = some.mask.sum(1)
    total = torch.zeros(())
    for row, advantage in enumerate(ADVANTAGES):
        length = int(lengths[row])
        words = some.chosen[row, :length].tolist()
        before = [int(some.ids[row, -some.chosen.shape[1] - 1]), *words][:length]
        said = [logs[one, word] for one, word in zip(before, words, strict=True)]
        weight = {
            "grpo": 1 / (length * 4),
            "gspo": 1 / (length * 4),
            "rloo": 1 / 4,
            "dr_grpo": 1 / (4 * 10),
            "dapo": 1 / float(lengths.sum()),
            "cispo": 1 / float(lengths.sum()),
        }[variant]
        total = total - advantage * weight * sum(said)
    total.backward()
    return model.table.grad


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("microbatch", [0, 1, 3])
def test_the_gradient_is_that_of_the_formula_however_it_is_cut_up(
    variant: str, microbatch: int
) -> None:
    rules = Rules(variant=variant, microbatch=microbatch, max_new=10, max_grad_norm=1e9)
    assert torch.allclose(gradient(rules), by_hand(variant), atol=1e-6)


def test_kl_to_the_reference_pulls_back_to_it() -> None:
    there = Table(seed=1)
    rules = Rules(beta=1.0, max_grad_norm=1e9)
    silent = [0.0] * 4
    model = Table()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    reference = logprobs(there, batch(), rules)
    found = [
        update(model, optimizer, model.parameters(), batch(), silent, reference, rules)["kl"]
        for _ in range(50)
    ]
    assert found[-1] < 0.1 * found[0]


def test_a_ratio_that_went_too_far_teaches_no_more() -> None:
    rules = Rules(iterations=60, clip=0.2, max_grad_norm=1e9)
    model = Table()
    before = logprobs(model, batch(), rules)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    numbers = update(model, optimizer, model.parameters(), batch(), ADVANTAGES, None, rules)
    ratio = (logprobs(model, batch(), rules) - before).exp()[batch().mask == 1]
    assert numbers["clipped"] > 0.5
    assert 0.5 < float(ratio.min()) < float(ratio.max()) < 1.7
    free = replace(rules, clip=1e9)
    model = Table()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    update(model, optimizer, model.parameters(), batch(), ADVANTAGES, None, free)
    wild = (logprobs(model, batch(), rules) - before).exp()[batch().mask == 1]
    assert float(wild.max()) > 2


def test_a_gradient_that_is_no_number_changes_no_weight() -> None:
    model = Table()
    before = model.table.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    wrong = [float("nan"), 0.0, 0.0, 0.0]
    numbers = update(model, optimizer, model.parameters(), batch(), wrong, None, Rules())
    assert torch.equal(model.table, before)
    assert numbers["loss"] != numbers["loss"]


def test_padding_and_company_change_no_log_probability() -> None:
    rules = Rules()
    whole = logprobs(Table(), batch(), rules)
    one = logprobs(Table(), padded([[1, 2]], [[4]], pad=0), rules)
    assert torch.allclose(whole[1, :1], one[0])
