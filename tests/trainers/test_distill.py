"""Distillation: the divergence is what the formula says, and a student comes near its teacher."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proofs.intervals import difference
from tests.trainers.additions import TYPE, asked, job, problems, written
from tests.trainers.inside import begun, respec, trained
from tests.trainers.jobs import metrics, ran
from trainers.base import tokens_of
from trainers.distill import Text, _loss, teacher_of
from trainers.engine import Engine
from trainers.failures import BadBase, BadData, Usage
from trainers.job import ready
from trainers.losses import divergence
from trainers.models import MANIFEST, load, save
from trainers.policy import Policy
from trainers.probe import accuracy
from trainers.tiny import make_tiny_base
from trainers.tokens import character_tokenizer

torch.set_num_threads(1)

NUMBERS = st.floats(-6, 6, allow_nan=False, width=32)
TWO = st.integers(2, 7).flatmap(
    lambda n: st.tuples(*[st.lists(NUMBERS, min_size=n, max_size=n)] * 2)
)
SUMS = [{"prompt": f"{two}+{one}#"} for two in range(20, 30) for one in range(5)]
TRACES = [{**row, "completion": f"={place % 10};"} for place, row in enumerate(SUMS)]


def normal(logits: list[float]) -> list[float]:
    total = math.fsum(math.exp(one) for one in logits)
    return [math.exp(one) / total for one in logits]


def kl(one: list[float], other: list[float]) -> float:
    return math.fsum(p * math.log(p / q) for p, q in zip(one, other, strict=True))


def by_hand(student: list[float], teacher: list[float], beta: float) -> float:
    """From the definition: both against their mixture, and its limits as KL."""
    ours, theirs = normal(student), normal(teacher)
    if beta in (0, 1):
        return kl(ours, theirs) if beta else kl(theirs, ours)
    mixed = [beta * t + (1 - beta) * s for s, t in zip(ours, theirs, strict=True)]
    return beta * kl(theirs, mixed) + (1 - beta) * kl(ours, mixed)


@settings(deadline=None)
@given(TWO, st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.01, 0.99)))
def test_the_divergence_is_that_of_the_definition(
    two: tuple[list[float], list[float]], beta: float
) -> None:
    student, teacher = two
    found = divergence(torch.tensor([[student]]), torch.tensor([[teacher]]), beta).item()
    assert found == pytest.approx(by_hand(student, teacher, beta), abs=1e-5)
    same = divergence(torch.tensor([[student]]), torch.tensor([[student]]), beta).item()
    assert same == pytest.approx(0, abs=1e-6)


def test_at_its_ends_the_divergence_goes_over_into_both_kls() -> None:
    student, teacher = torch.randn(2, 3, 9).double(), torch.randn(2, 3, 9).double()
    little = 1e-5
    near = divergence(student, teacher, little) / little
    assert torch.allclose(near, divergence(student, teacher, 0.0), atol=1e-3)
    near = divergence(student, teacher, 1 - little) / little
    assert torch.allclose(near, divergence(student, teacher, 1.0), atol=1e-3)


def on_policy(folder: Path, base: Path, teacher: Path | None, rows: Any, **more: Any) -> Path:
    chosen: dict[str, Any] = {"mode": "on_policy", "steps": 6, "batch": 8, "max_new": 16} | more
    file = job(folder, base, "distill", rows, **chosen)
    return respec(file, reference=None if teacher is None else str(teacher))


def test_a_teacher_has_to_be_named_and_to_have_the_students_tokens(
    tmp_path: Path, base: Path
) -> None:
    with pytest.raises(Usage, match=r"no teacher is named .*reference"):
        ready(on_policy(tmp_path / "none", base, None, SUMS))
    other = tmp_path / "other"
    shutil.copytree(base, other)
    (other / MANIFEST).unlink()
    character_tokenizer("9876543210+=#;").save_pretrained(other)
    file = on_policy(tmp_path / "other_tokens", base, other, SUMS)
    with pytest.raises(BadBase, match=r"10 tokens of the student are others.*reference"):
        ready(file)
    (other / "tokenizer.json").rename(other / "hidden")  # known only once it is loaded
    assert tokens_of(str(other)) is None
    code, said = ran(file, "--check")
    assert code == 0, said
    (other / "hidden").rename(other / "tokenizer.json")
    assert ran(file)[0] == 11
    assert metrics(file.parent) == []


def test_tokens_are_compared_again_when_they_are_loaded(tmp_path: Path, base: Path) -> None:
    run = begun(on_policy(tmp_path / "a", base, base, SUMS))
    policy = Policy(run)
    policy.tokenizer.add_tokens(["?"])
    with pytest.raises(BadBase, match="1 tokens of the student"):
        teacher_of(run, policy)


def apart(file: Path) -> float:
    """How far the student of a job is from its teacher, on one text."""
    run = begun(file)
    policy = Policy(run)
    loss, _ = _loss(run, policy, teacher_of(run, policy), [Text([5, 6, 7], [8, 9, 1])])
    return float(loss.item())


def test_a_teacher_may_have_room_for_more_tokens_than_there_are(tmp_path: Path, base: Path) -> None:
    loaded = load(base)
    with torch.no_grad():
        for weight in loaded.model.parameters():
            weight.mul_(1.1)
    teacher = save(tmp_path / "teacher", *loaded)
    loaded.model.resize_token_embeddings(32, mean_resizing=False)
    wider = save(tmp_path / "wider", *loaded)
    narrow = apart(on_policy(tmp_path / "a", base, teacher, SUMS))
    assert narrow > 1e-3
    assert apart(on_policy(tmp_path / "b", base, wider, SUMS)) == pytest.approx(narrow, rel=1e-5)


def test_a_share_of_the_steps_takes_traces(tmp_path: Path, base: Path) -> None:
    alone = on_policy(tmp_path / "alone", base, base, SUMS, on_policy_share=0.5)
    with pytest.raises(BadData, match="'completion' is missing"):
        ready(alone)
    for share, least, most in ((0.0, 0, 0), (0.5, 4, 14), (1.0, 18, 18)):
        file = on_policy(
            tmp_path / str(share), base, base, TRACES, on_policy_share=share, steps=18, batch=2
        )
        trained(file)
        wrote = [one for one in metrics(file.parent) if "length" in one]
        assert least <= len(wrote) <= most


def test_a_student_that_is_its_own_teacher_has_nothing_to_learn(tmp_path: Path, base: Path) -> None:
    trained(file := on_policy(tmp_path / "same", base, base, SUMS, temperature=0.7, steps=1))
    assert abs(metrics(file.parent)[0]["loss"]) < 1e-6


def scores(model: Path, many: int = 100) -> list[float]:
    """Of each held-out problem, the share of right samples."""
    engine = Engine(*load(model))
    found = accuracy(engine, TYPE.suite(1, many), TYPE.verify, max_new=96, seed=3, samples=4)
    return [sum(one.sampled) / len(one.sampled) for one in found.per_item]


def test_a_student_gets_better_by_what_its_teacher_thinks_of_its_texts(
    tmp_path: Path, adder: Path
) -> None:
    rows = written(400)
    trained(first := job(tmp_path / "t", adder, "sft", rows, steps=50, learning_rate=1e-3))
    teacher = first.parent / "model"
    file = on_policy(tmp_path / "s", adder, teacher, asked(), steps=20, batch=32, max_new=96)
    trained(file)
    lines = metrics(file.parent)
    assert lines[-1]["loss"] < 0.6 * lines[0]["loss"]
    better = difference(scores(file.parent / "model"), scores(adder))
    assert better.low > 0.03, better


@pytest.mark.proof
@pytest.mark.parametrize("mode", ["traces", "on_policy"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_student_gets_better_from_a_teacher_four_times_as_large(
    mode: str, seed: int, tmp_path: Path, bases: Path
) -> None:
    teacher = make_tiny_base(TYPE, seed=0, size="small", level=0.8, folder=bases)
    student = make_tiny_base(TYPE, seed=seed, size="tiny", level=0.3, folder=bases)
    prompts = [one.prompt for one in problems(400)]
    said = Engine(*load(teacher)).generate(prompts, 96, seed=seed)
    rows = [
        {"prompt": prompt, "completion": one.text}
        for prompt, one in zip(prompts, said, strict=True)
        if one.finished and one.text
    ]
    file = job(tmp_path / mode, student, "distill", rows, mode=mode, steps=80)
    if mode == "on_policy":
        respec(file, reference=str(teacher))
    trained(file)
    better = difference(scores(file.parent / "model", 400), scores(student, 400))
    print(f"{mode} {seed}: {better}")
    assert better.low > 0.01, better


@pytest.fixture(scope="module")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)
