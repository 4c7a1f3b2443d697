"""A training that is looked at on the way ends with the best of what it passed through."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from events.catalog.jobs import Limits
from tests.trainers.additions import TYPE, asked, job, pairs, written
from tests.trainers.inside import begun, trained
from tests.trainers.jobs import metrics
from trainers.best import LOOKS
from trainers.job import TRAINERS
from trainers.policy import Bare, Policy
from trainers.probe import measure, preferences

torch.set_num_threads(1)

SETTINGS: dict[str, dict[str, Any]] = {
    "reward": {"steps": 16, "batch": 8, "save_every": 4},
    "dpo": {"steps": 8, "batch": 8, "save_every": 3, "learning_rate": 3e-4},
}


@pytest.fixture(scope="session")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)


def held(place: Path, base: Path, trainer: str, **more: Any) -> Path:
    settings = SETTINGS[trainer] | more
    many = 60 if trainer == "reward" else 12
    return job(place, base, trainer, pairs(200), pairs(many, seed=6), **settings)


def looks(file: Path) -> list[dict[str, Any]]:
    return [one for one in metrics(file.parent) if "held_out_accuracy" in one]


def noted(file: Path) -> Any:
    return json.loads((file.parent / "manifest.json").read_text())["facts"].get("best_step")


def weights(file: Path) -> dict[str, Any]:
    return dict(load_file(file.parent / "model" / "model.safetensors"))


def test_a_reward_model_is_the_checkpoint_that_judges_held_out_pairs_best(
    tmp_path: Path, adder: Path
) -> None:
    file = held(tmp_path / "one", adder, "reward", learning_rate=3e-3)
    found = trained(file).metrics
    seen = looks(file)
    assert [one["step"] for one in seen] == [2 * place for place in range(1, LOOKS + 1)]
    best = max(seen, key=lambda one: (one["held_out_accuracy"], -one["held_out_loss"]))
    assert noted(file) == best["step"]
    assert found["held_out_accuracy"] == pytest.approx(best["held_out_accuracy"])


@pytest.mark.parametrize("trainer", list(SETTINGS))
def test_dead_in_the_middle_it_ends_with_the_same_best(
    trainer: str, tmp_path: Path, adder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = (held(tmp_path / name, adder, trainer) for name in ("whole", "broken"))
    trained(whole)
    run = begun(broken)
    report = run.report

    def dies(step: int, **numbers: float) -> str:
        if step == SETTINGS[trainer]["steps"] - 1:  # behind looks that no checkpoint knows of
            raise KeyboardInterrupt
        return report(step, **numbers)

    monkeypatch.setattr(run, "report", dies)
    with pytest.raises(KeyboardInterrupt):
        import_module(TRAINERS[trainer]).train(run)
    trained(broken)
    ours, theirs = weights(whole), weights(broken)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert noted(whole) == noted(broken)
    assert looks(whole)[-1] == looks(broken)[-1] | {"seconds": looks(whole)[-1]["seconds"]}


def test_a_policy_is_the_one_that_prefers_most_within_its_limit(
    tmp_path: Path, adder: Path
) -> None:
    free = held(tmp_path / "free", adder, "dpo")
    trained(free)
    kl = [one["kl"] for one in looks(free)]
    assert kl[-1] > kl[0] > 0
    limit = (kl[1] + kl[2]) / 2
    near = respected(held(tmp_path / "near", adder, "dpo"), Limits(kl=limit))
    trained(near)
    best = next(one for one in looks(near) if one["step"] == noted(near))
    assert best["kl"] <= limit
    assert looks(near)[-1]["kl"] > limit  # it went beyond, and came back
    assert all(one["gap"] <= best["gap"] for one in looks(near) if one["kl"] <= limit)


def respected(file: Path, limits: Limits) -> Path:
    spec = json.loads(file.read_text())
    file.write_text(json.dumps(spec | {"limits": limits.model_dump(mode="json")}))
    return file


def test_a_policy_is_beside_itself_without_its_adapters(tmp_path: Path, adder: Path) -> None:
    file = job(tmp_path / "one", adder, "dpo", pairs(40), lora=True, batch=8, steps=1)
    policy = Policy(begun(file))
    luck = torch.Generator().manual_seed(1)
    for one in policy.model.parameters():
        if one.requires_grad:
            one.data += 0.05 * torch.randn(one.shape, generator=luck)
    other = policy.measured_against()
    assert isinstance(other, Bare)
    prompts = [one["prompt"] for one in asked(6)]
    ours = measure(policy.engine, other, prompts, max_new=24, seed=1)
    theirs = measure(policy.engine, adder, prompts, max_new=24, seed=1)
    assert ours.kl_per_token > 0.01
    assert ours.kl_per_token == pytest.approx(theirs.kl_per_token, rel=1e-4)
    sides = [[row[side] for row in pairs(6)] for side in ("prompt", "chosen", "rejected")]
    one = preferences(policy.engine, other, *sides, beta=0.5)
    assert one.margin == pytest.approx(
        preferences(policy.engine, adder, *sides, beta=0.5).margin, abs=1e-3
    )


def test_a_reward_model_learns_on_from_where_it_was(tmp_path: Path, adder: Path) -> None:
    first = held(tmp_path / "first", adder, "reward")
    before = trained(first)
    again = held(tmp_path / "again", first.parent / "model", "reward", learning_rate=1e-9, steps=2)
    assert trained(again).metrics["held_out_margin"] == pytest.approx(
        before.metrics["held_out_margin"], rel=1e-3
    )


def measured(place: Path, base: Path, rows: Any, **settings: Any) -> tuple[Any, list[Any]]:
    file = job(place, base, "measure", (), rows, **settings)
    found = trained(file)
    text = (file.parent / found.per_item).read_text()
    return found.metrics, [json.loads(line) for line in text.splitlines()]


def test_answers_can_be_scored_by_a_reward_model_too(tmp_path: Path, adder: Path) -> None:
    reward = held(tmp_path / "reward", adder, "reward", steps=2)
    trained(reward)
    model, rows = str(reward.parent / "model"), asked(5)
    found, items = measured(tmp_path / "one", adder, rows, reward_model=model, max_new=24)
    assert [len(one["scores"]) for one in items] == [len(one["texts"]) for one in items] == [4] * 5
    sides = [
        {"prompt": row["prompt"], "chosen": one["texts"][0], "rejected": "x"}
        for row, one in zip(rows, items, strict=True)
    ]
    _, judged = measured(tmp_path / "two", Path(model), sides, of="scores", max_length=160)
    assert [one["scores"][0] for one in items] == pytest.approx(
        [one["chosen"] for one in judged], abs=1e-4
    )
    assert found["score"] is not None


def test_written_completions_are_weighed(tmp_path: Path, adder: Path) -> None:
    found, items = measured(tmp_path / "one", adder, written(12), of="likelihood")
    tokens = sum(one["tokens"] for one in items)
    assert found["loss"] == pytest.approx(sum(one["loss"] for one in items) / tokens)
    wrong = [{**row, "completion": row["completion"][::-1]} for row in written(12)]
    assert measured(tmp_path / "two", adder, wrong, of="likelihood")[0]["loss"] > found["loss"] + 1
