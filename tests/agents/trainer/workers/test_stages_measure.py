"""A small run of `srf` through real stages: all that the gates, the reports and people need is
there, and was measured."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import Artifacts
from events.catalog.gates import GateFailed, RemedyApplied
from events.catalog.policies import TrainerPolicy
from events.catalog.training import RunAbandoned, RunCompleted, StageCompleted
from infra.home import Home
from pipelines.catalog import PIPELINES
from pipelines.length import SHORTER, words_more
from pipelines.probes import TAUGHT
from tests.infra.training.small import LAX, Asked, Ended, ended, put

FREE = TrainerPolicy(
    bounds={
        **LAX.bounds, "accuracy": 0.0, "train_accuracy": 0.0, "overfit": 1.0, "consistency": 0.0,
        "clearer": -100.0, "steady": 0.0, "kl": 10.0, "entropy at_least": 0.0,
        "entropy at_most": 10.0, "reward_gain": -100.0, "gain": -1.0, "retention": 0.0,
        "areas_lost": 100.0, "improvement": -1.0, "win_rate": 0.0, "aligned": -1.0,
        "length_sway": 1.0,
    },
    iterations=1,
)  # fmt: skip
"""So little training makes nothing better for sure: every gate is open, and everything measured."""
SMALL = (
    put("validate_reward", "items", 60), put("optimise", "steps", 2), put("iterate", "steps", 1),
    put("iterate", "prompts", 60), put("evaluate", "people", 5), put("train_reward", "epochs", 1),
)  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Ended]:
    home = Home(tmp_path_factory.mktemp("stages") / "home")
    home.folder.mkdir()
    asked = Asked("support", "support_replies", "srf", seed=3, changes=SMALL)
    (run,) = asyncio.run(ended(home, asked, policy=FREE))
    return home, run


def stages(run: Ended) -> dict[str, StageCompleted]:
    return {one.stage: one for one in run.all(StageCompleted)}


def done_with(run: Ended) -> Any:
    return stages(run)["train_reward"].metrics


def kinds(one: StageCompleted) -> set[str]:
    return {artifact.kind for artifact in one.artifacts}


def rows(home: Home, one: StageCompleted, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(home, one, kind).splitlines()]


def text(home: Home, one: StageCompleted, kind: str) -> str:
    (found,) = (artifact for artifact in one.artifacts if artifact.kind == kind)
    return Artifacts(home.artifacts).read(found.sha256).decode()


def test_every_check_of_every_gate_is_of_a_measured_figure(played: tuple[Home, Ended]) -> None:
    _, run = played
    run.only(RunCompleted)
    done = stages(run)
    assert set(done) == set(PIPELINES["srf"].stages)
    for stage in PIPELINES["srf"].walk:
        for check in stage.gate:
            figure = done[stage.name].metrics[check.metric]
            assert figure.n > 0, (stage.name, check.metric)
            assert figure.low <= figure.value <= figure.high, (stage.name, check.metric)


def test_the_baseline_is_validated_and_kept_item_by_item(played: tuple[Home, Ended]) -> None:
    home, run = played
    prepare = stages(run)["prepare"]
    assert {"train_loss", "held_out_loss", "capability.format"} <= set(prepare.metrics)
    items = rows(home, prepare, "items.baseline")
    assert len(items) == prepare.metrics["score"].n
    assert {"prompt", "area", "right", "score", "answer"} <= set(items[0])
    assert {one["area"] for one in items} <= {"refund", "replace", "repair", "cancel"}
    mean = sum(one["score"] for one in items) / len(items)
    assert mean == pytest.approx(prepare.metrics["score"].value, abs=1e-3)


def test_pairs_come_with_a_report_with_what_was_set_aside_and_with_contrasts(
    played: tuple[Home, Ended],
) -> None:
    home, run = played
    pairs = stages(run)["pairs"]
    kept, aside = rows(home, pairs, "pairs"), rows(home, pairs, "pairs.aside")
    assert len(kept) == pairs.metrics["pairs"].value
    assert len(aside) == sum(
        one.value for name, one in pairs.metrics.items() if name.startswith("aside.")
    )
    assert all(one["gap"] >= 0.2 and one["area"] for one in kept)
    assert "<svg" in text(home, pairs, "page.pairs")
    contrast = rows(home, pairs, "pairs.contrast")
    assert done_with(run)["contrast_accuracy"].n > 0
    assert {*TAUGHT, SHORTER} == {one["probe"] for one in contrast}
    assert all(one["gap"] > 0 for one in contrast)  # the verifier agrees


def test_as_many_pairs_are_learned_whose_better_side_is_the_shorter_one(
    played: tuple[Home, Ended],
) -> None:
    home, run = played
    pairs = stages(run)["pairs"]
    kept, contrast = rows(home, pairs, "pairs"), rows(home, pairs, "pairs.contrast")
    short = [one for one in contrast if one["probe"] == SHORTER]
    assert all(words_more(one["chosen"], one["rejected"]) < 0 for one in short)
    assert {one["prompt"] for one in short} <= {one["prompt"] for one in kept}
    more = [words_more(one["chosen"], one["rejected"]) for one in [*kept, *short]]
    before = [words_more(one["chosen"], one["rejected"]) for one in kept]
    assert sum(one < 0 for one in more) > sum(one < 0 for one in before)
    assert sum(one < 0 for one in more) <= sum(one > 0 for one in more)


def test_the_reward_model_is_judged_by_a_fifth_and_says_what_it_would_filter(
    played: tuple[Home, Ended],
) -> None:
    home, run = played
    done = stages(run)
    reward, pairs = done["train_reward"], rows(home, done["pairs"], "pairs")
    train, held = rows(home, reward, "pairs.train"), rows(home, reward, "pairs.validation")
    assert len(train) + len(held) == len(pairs)
    assert len(held) == pytest.approx(len(pairs) / 5, abs=2)
    assert not {one["prompt"] for one in train} & {one["prompt"] for one in held}
    agreed = rows(home, reward, "pairs.filtered")
    share = 1 - len(agreed) / len(train)
    assert share == pytest.approx(reward.metrics["filtered"].value)
    assert any("held_out_accuracy" in one for one in rows(home, reward, "curve.train_reward"))
    assert "Which preferences are hard" in text(home, reward, "report.train_reward")


def test_it_is_put_to_the_test_on_pairs_that_nobody_chose_it_by(played: tuple[Home, Ended]) -> None:
    home, run = played
    done = stages(run)
    tried = done["validate_reward"]
    asked = rows(home, tried, "items.reward")
    assert {one["set"] for one in asked} >= {
        "fresh", "strange", "hostile", "edges", "twins", "turned", "validation", "seen",
    }  # fmt: skip
    known = {one["prompt"] for one in rows(home, done["pairs"], "pairs")}
    assert not known & {one["prompt"] for one in asked if one["set"] == "fresh"}
    assert {"length_bias", "length_alone", "length_sway", "longer_of_equals", "position_bias",
            "adversarial", "edge_cases", "out_of_distribution", "hardest"} <= set(
        tried.metrics
    )  # fmt: skip
    told = text(home, tried, "report.validate_reward")
    for title in ("What fools it", "Bias", "The same answer in another form"):
        assert title in told


def test_a_round_learns_pairs_of_weak_areas_and_is_told(played: tuple[Home, Ended]) -> None:
    home, run = played
    done = stages(run)
    iterate = done["iterate"]
    (told,) = rows(home, iterate, "rounds")
    assert told["weak"]
    extra = rows(home, iterate, "pairs.extra")
    assert {one["area"] for one in extra} <= set(told["weak"])
    old = {one["prompt"] for one in rows(home, done["pairs"], "pairs")}
    assert not old & {one["prompt"] for one in extra}
    assert told["pairs"] == len(extra) == iterate.metrics["new.pairs"].value
    assert {"weak_gain", "gain", "accuracy", "accuracy_before"} <= set(iterate.metrics)
    assert iterate.metrics["accuracy"].value >= iterate.metrics["accuracy_before"].value
    assert "won where weak" in text(home, iterate, "report.iterate")


def test_the_end_says_what_was_lost_won_and_rewarded_and_what_people_may_compare(
    played: tuple[Home, Ended],
) -> None:
    home, run = played
    final = stages(run)["evaluate"]
    (decision,) = rows(home, final, "decision")
    assert decision["figures"]["improvement"]["value"] == final.metrics["improvement"].value
    assert {"retention.task", "retention.format", "win_rate_by_reward", "accuracy_here",
            "aligned", "gap", "against_the_goal"} <= set(final.metrics)  # fmt: skip
    told = text(home, final, "report.evaluate")
    assert "Which behaviours are rewarded" in told
    assert "length in words" in told
    ours, theirs = (rows(home, final, kind) for kind in ("items", "items.before"))
    assert [one["prompt"] for one in ours] == [one["prompt"] for one in theirs]
    queue = rows(home, final, "review")
    assert 0 < len(queue) <= 5
    assert len(final.key) == len(queue)


def test_no_kind_is_kept_that_the_run_does_not_know_what_to_do_with(
    played: tuple[Home, Ended],
) -> None:
    _, run = played
    made = set.union(*(kinds(one) for one in stages(run).values()))
    assert len(made) < 60  # a registered candidate lists them all
    assert {"policy", "sft", "reward"} <= made


SHORT = TrainerPolicy(bounds={**FREE.bounds, "gap": 0.15, "preference_accuracy": 0.5})
"""Only what the policy prefers is judged."""


@pytest.mark.proof
async def test_a_policy_that_learned_too_little_learns_longer_and_then_without_doubtful_pairs(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    asked = Asked("support", "support_replies", seed=5, changes=(put("optimise", "steps", 2),))
    (run,) = await ended(home, asked, policy=SHORT)
    failed = run.all(GateFailed)
    assert failed[0].stage == "optimise"
    wrong = {one.metric for one in failed[0].checks if one.verdict != "pass"}
    assert wrong <= {"gap", "preference_accuracy"}
    tried = [one for one in run.all(StageCompleted) if one.stage == "optimise"]
    remedies = [one.remedy for one in run.all(RemedyApplied) if one.stage == "optimise"]
    print(remedies, [one.metrics["gap"].value for one in tried])
    assert remedies[:2] == ["longer", "pairs_without_doubt"][: len(remedies)]
    gaps = [one.metrics["gap"].value for one in tried]
    assert gaps[1] > gaps[0]  # three steps instead of two
    if "pairs_without_doubt" in remedies:
        jobs = home.folder.glob("work/training/jobs/*-optimise-dpo-*/spec.json")
        learned = {json.loads(one.read_text())["data"][0]["rows"] for one in jobs}
        assert len(learned) == 2  # all pairs, and those that the reward model agrees with
    assert run.all(RunCompleted) or run.all(RunAbandoned)
