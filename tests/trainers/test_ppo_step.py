"""PPO goes where closed forms say: a bandit and a small chain, each with KL to a reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from trainers.ppo_step import Experience, Rules, at_once, experience, update
from trainers.sequences import Sequences, padded

torch.set_num_threads(1)

WORDS = 5


PLAIN = Rules(
    kl=0.5, gamma=1.0, gae_lambda=1.0, value_clip=None, entropy_coef=0.0, whiten=False,
    iterations=2, minibatches=2,
)  # fmt: skip
A2C = replace(PLAIN, clip=None, iterations=1, minibatches=1)


class Table(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """A policy that is a table: logits and a value for each column and the word before it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.logits = torch.nn.Parameter(torch.randn(4, WORDS, WORDS, generator=generator) * 0.5)
        self.values = torch.nn.Parameter(torch.zeros(4, WORDS))

    def forward(self, batch: Sequences) -> tuple[Any, Any]:
        columns = batch.chosen.shape[1]
        before = batch.ids[:, -columns - 1 : -1]
        column = torch.arange(columns).expand_as(before)
        return self.logits[column, before], self.values[column, before]


def sampled(table: Table, length: int, size: int, generator: Any) -> Sequences:
    """Words one after the other, the first behind the word 0."""
    said: list[list[int]] = [[] for _ in range(size)]
    last = torch.zeros(size, dtype=torch.long)
    for column in range(length):
        chances = torch.softmax(table.logits[column, last].detach(), -1)
        last = torch.multinomial(chances, 1, generator=generator).squeeze(1)
        for row, word in zip(said, last.tolist(), strict=True):
            row.append(word)
    return padded([[0]] * size, said, pad=0)


def learnt(rules: Rules, rewards: Any, length: int, steps: int, seed: int) -> tuple[Table, Table]:
    """A table trained on rewards[first word(, second word)], and the reference."""
    policy, reference = Table(seed), Table(seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.05)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        batch = sampled(policy, length, 128, generator)
        with torch.no_grad():
            logits, _ = reference(batch)
            there = torch.log_softmax(logits, -1).gather(-1, batch.chosen.unsqueeze(-1)).squeeze(-1)
        scores = [float(rewards[tuple(row)]) for row in batch.chosen.tolist()]
        found = experience(policy, batch, scores, there, rules)
        update(policy, optimizer, policy.parameters(), found, rules, generator)
    return policy, reference


@pytest.mark.parametrize("rules", [PLAIN, A2C], ids=["ppo", "a2c"])
def test_a_bandit_ends_at_the_reference_tilted_by_the_reward(rules: Rules) -> None:
    rewards = torch.tensor([0.0, 1.0, 0.3, -0.5, 0.8])
    policy, reference = learnt(rules, rewards, 1, 200, seed=1)
    tilted = torch.log_softmax(reference.logits[0, 0], -1) + rewards / rules.kl
    wanted = torch.softmax(tilted, -1)
    assert torch.softmax(policy.logits[0, 0], -1).tolist() == pytest.approx(
        wanted.tolist(), abs=0.02
    )
    soft_maximum = rules.kl * torch.logsumexp(tilted, -1)
    assert policy.values[0, 0].item() == pytest.approx(soft_maximum.item(), abs=0.03)


def test_a_chain_of_two_ends_at_the_joint_distribution() -> None:
    generator = torch.Generator().manual_seed(3)
    rewards = torch.rand(WORDS, WORDS, generator=generator) * 2
    rules = replace(PLAIN, gae_lambda=0.95)
    policy, reference = learnt(rules, rewards, 2, 400, seed=2)

    def joint(table: Table) -> Any:
        first = torch.log_softmax(table.logits[0, 0], -1)
        return first[:, None] + torch.log_softmax(table.logits[1], -1)

    wanted = torch.softmax((joint(reference) + rewards / rules.kl).flatten(), 0)
    assert joint(policy).exp().flatten().tolist() == pytest.approx(wanted.tolist(), abs=0.01)


def test_a_step_without_kl_only_wants_the_best_arm() -> None:
    rewards = torch.tensor([0.0, 1.0, 0.3, -0.5, 0.8])
    policy, _ = learnt(replace(PLAIN, kl=0.0), rewards, 1, 200, seed=4)
    assert torch.softmax(policy.logits[0, 0], -1)[1].item() > 0.97


def test_padding_and_company_change_nothing() -> None:
    torch.manual_seed(0)
    table, rules = Table(1), PLAIN
    alone = padded([[0]], [[1, 2]], pad=0)
    among = padded([[0], [0, 0, 3]], [[1, 2], [4, 4, 4, 1]], pad=0)
    one = experience(table, alone, [1.0], torch.zeros(1, 2), rules)
    both = experience(table, among, [1.0, 5.0], torch.zeros(2, 4), rules)
    for name in ("logprobs", "values", "advantages", "returns"):
        there = getattr(both.some(torch.tensor([0])), name)
        assert torch.allclose(getattr(one, name), there), name
    assert isinstance(one, Experience)


def test_a_gradient_that_is_no_number_changes_no_weight() -> None:
    table = Table(1)
    before = table.logits.detach().clone()
    optimizer = torch.optim.SGD(table.parameters(), lr=1.0)
    found = experience(table, padded([[0]], [[1]], pad=0), [float("nan")], None, PLAIN)
    generator = torch.Generator().manual_seed(0)
    numbers = update(
        table, optimizer, table.parameters(), found, replace(PLAIN, minibatches=1), generator
    )
    assert torch.equal(table.logits, before)
    assert numbers["loss"] != numbers["loss"]


def uneven(table: Table) -> Sequences:
    """Samples of one to four words."""
    luck = torch.Generator().manual_seed(5)
    whole = sampled(table, 4, 12, luck).chosen.tolist()
    return padded([[0]] * 12, [row[: 1 + place % 4] for place, row in enumerate(whole)], pad=0)


def stepped(fitting: Any = at_once) -> tuple[Table, Experience, dict[str, float]]:
    table = Table(1)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(2)
    batch, scores = uneven(table), [0.1 * place for place in range(12)]
    found = experience(table, batch, scores, torch.zeros_like(batch.mask), PLAIN, fitting)
    numbers = update(table, optimizer, table.parameters(), found, PLAIN, generator, fitting)
    return table, found, numbers


@pytest.mark.parametrize("size", [1, 5, 64])
def test_however_a_batch_is_cut_up_the_step_is_the_same(size: int) -> None:
    whole, parts = stepped(), stepped(lambda work: work(size))
    for name in ("logprobs", "values", "advantages", "returns"):
        one, other = (getattr(found, name) * found.batch.mask for _, found, _ in (whole, parts))
        assert torch.allclose(one, other, atol=1e-6), name
    assert torch.allclose(whole[0].logits, parts[0].logits, atol=1e-6)
    assert torch.allclose(whole[0].values, parts[0].values, atol=1e-6)
    assert parts[2] == pytest.approx(whole[2], abs=1e-5)


def test_where_the_memory_ends_a_minibatch_is_done_again_in_smaller_parts() -> None:
    tried: list[int] = []
    full = [7, 4, 2]

    def fitting(work: Any) -> Any:
        """Room for two; what is too large stops in the middle, after some of its gradients."""
        for size in full:
            tried.append(size)
            done = work(size)
            if size == full[-1]:
                return done
        raise AssertionError

    whole, again = stepped(), stepped(fitting)
    assert tried[:3] == full
    assert torch.allclose(whole[0].logits, again[0].logits, atol=1e-6)
    assert torch.allclose(whole[0].values, again[0].values, atol=1e-6)
