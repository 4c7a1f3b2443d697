"""Jobs that train nothing: the same items measured, samples drawn, a base made."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.trainers.additions import TYPE, asked, job, pairs
from tests.trainers.inside import respec, trained
from tests.trainers.jobs import metrics
from trainers.failures import BadData
from trainers.job import ready
from trainers.outcome import Outcome


@pytest.fixture(scope="session")
def adder(bases: Path) -> Path:
    """Right in about four of ten additions, when it takes the likeliest answer."""
    from trainers.tiny import make_tiny_base  # torch, which not every test here needs

    return make_tiny_base(TYPE, seed=0, level=0.35, folder=bases)


def measured(place: Path, base: Path, rows: Any, **settings: Any) -> tuple[Outcome, list[Any]]:
    """One job on held-out rows alone, and its items."""
    file = job(place, base, "measure", (), rows, **settings)
    found = trained(file)
    text = (file.parent / found.per_item).read_text()
    return found, [json.loads(line) for line in text.splitlines()]


def test_answers_are_measured_item_by_item_and_no_model_is_written(
    tmp_path: Path, adder: Path
) -> None:
    found, items = measured(tmp_path / "one", adder, asked(20), max_new=64)
    assert found.metrics["kl"] == pytest.approx(0.0, abs=1e-6)
    assert found.metrics["sampled"] == pytest.approx(
        fmean(right for one in items for right in one["sampled"])
    )
    assert found.metrics["entropy"] == pytest.approx(
        sum(one["entropy"] for one in items) / sum(one["tokens"] for one in items)
    )
    assert not (tmp_path / "one" / "model").exists()
    again, _ = measured(tmp_path / "two", adder, asked(20), max_new=64)
    assert again.metrics == found.metrics


def test_pairs_are_compared_with_a_reference(tmp_path: Path, adder: Path) -> None:
    found, items = measured(tmp_path / "one", adder, pairs(12), of="pairs")
    assert found.metrics["gap"] == pytest.approx(0.0, abs=1e-6)  # it is its own reference
    assert [one["margin"] for one in items] == pytest.approx([0.0] * 12, abs=1e-4)


def test_samples_are_written_for_others_to_judge(tmp_path: Path, adder: Path) -> None:
    rows = asked(3)
    _, items = measured(tmp_path / "one", adder, rows, of="samples", samples=5, max_new=24)
    assert [len(one["texts"]) for one in items] == [5, 5, 5]
    assert len({text for one in items for text in one["texts"]}) > 3


def test_a_reward_model_scores_both_sides(tmp_path: Path, adder: Path) -> None:
    file = job(tmp_path / "reward", adder, "reward", pairs(64), steps=4, batch=8)
    trained(file)
    assert metrics(file.parent)
    found, items = measured(
        tmp_path / "one", file.parent / "model", pairs(10, seed=6), of="scores", max_length=128
    )
    right = fmean(one["chosen"] > one["rejected"] for one in items)
    assert found.metrics["accuracy"] == pytest.approx(right)


def test_who_has_nothing_to_measure_with_is_told(tmp_path: Path, adder: Path) -> None:
    file = job(tmp_path / "one", adder, "measure", asked(4))
    with pytest.raises(BadData, match="nothing to") as refused:
        ready(file)
    assert "held_out" in refused.value.right


def test_a_base_is_made_as_good_as_was_asked_for(tmp_path: Path) -> None:
    file = job(tmp_path / "jobs" / "one", Path("tiny"), "begin", (), level=0.05, size="tiny")
    found = trained(respec(file, base="tiny"))
    assert found.metrics == {"level": 0.05}
    assert (file.parent / "model" / "config.json").exists()
    assert list((tmp_path / "bases").iterdir())  # another run finds it there
