"""Poisoned inputs end as they should: the gate finds it, its remedies are tried, and it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.policies import TrainerPolicy
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    StageFailed,
)
from events.catalog.verification import RegressionDetected
from infra.home import Home
from tests.infra.training.conftest import Spoiled
from tests.infra.training.small import BLUNT, NEAR, Asked, Ended, ended, hotter, put

pytestmark = pytest.mark.real


def remedies(run: Ended) -> list[str]:
    """Those of the run itself; what was moved by hand before it is none."""
    names = [one.remedy for one in run.all(RemedyApplied)]
    return [name for name in names if not name.startswith("by_hand")]


def given_up(run: Ended) -> str:
    """Why; and nothing of it may be tried on traffic."""
    assert not run.all(RunCompleted)
    assert not run.all(CandidateRegistered)
    return str(run.only(RunAbandoned).reason)


def test_leaks_are_found_before_anything_is_trained_on_them(spoiled: Spoiled) -> None:
    leaked = spoiled.leaked
    assert remedies(leaked) == ["other_prompts"] * 2
    assert "'pairs': decontamination" in given_up(leaked)
    assert "is below 0.9; no remedy is left" in given_up(leaked)
    assert all(one.stage == "pairs" for one in leaked.all(GateFailed))


def test_too_few_pairs_are_asked_for_again_and_then_given_up(spoiled: Spoiled) -> None:
    few = spoiled.few
    assert remedies(few) == ["more_prompts"] * 2
    assert "'pairs': pairs" in given_up(few)
    assert "is below 100; no remedy is left" in given_up(few)


def test_a_loss_that_is_no_number_ends_in_its_own_words(spoiled: Spoiled) -> None:
    wild = spoiled.wild
    assert remedies(wild) == ["smaller_imitation"] * 2
    assert {one.kind for one in wild.all(StageFailed)} == {"unstable"}
    assert "loss is nan" in given_up(wild)


@pytest.mark.proof
@pytest.mark.usefixtures("path")
async def test_flipped_labels_are_found_by_the_accuracy_of_the_reward_model(tmp_path: Path) -> None:
    (flipped,) = await ended(Home(tmp_path / "home"), Asked("flipped", "flipped_labels"))
    print(given_up(flipped), remedies(flipped))
    assert remedies(flipped).count("more_pairs") == 2
    assert "'model_preferences'" in given_up(flipped)
    last = {one.metric: one.verdict for one in flipped.all(GateFailed)[-1].checks}
    assert (last["train_accuracy"], last["accuracy"]) == ("fail", "fail")
    assert not [one for one in flipped.all(GatePassed) if one.stage == "optimise"]


@pytest.mark.proof
@pytest.mark.usefixtures("path")
async def test_a_learning_rate_a_hundred_times_too_high_is_found_by_the_kl(tmp_path: Path) -> None:
    """Whether its remedies are enough or not: what goes too far never goes on."""
    asked = Asked("hot", "sound_replies", changes=(hotter("optimise", 100),))
    (hot,) = await ended(Home(tmp_path / "home"), asked, policy=NEAR)
    failed = [one for one in hot.all(GateFailed) if one.stage == "optimise"]
    broke = [one for one in hot.all(StageFailed) if one.stage == "optimise"]
    print([one.reason for one in (*failed, *broke, *hot.all(RunAbandoned))], remedies(hot))
    assert all(one.kind == "unstable" for one in broke)
    assert broke or any(one.metric == "kl" and one.verdict == "fail" for one in failed[0].checks)
    assert remedies(hot)
    passed = [one for one in hot.all(GatePassed) if one.stage in ("optimise", "iterate")]
    for one in (check for gate in passed for check in gate.checks if check.metric == "kl"):
        assert one.high <= 0.1


@pytest.mark.proof
@pytest.mark.usefixtures("path")
async def test_a_candidate_that_is_worse_than_its_baseline_is_withdrawn(tmp_path: Path) -> None:
    there_is_something_to_lose = put("baseline", "level", 0.6)
    changes = (there_is_something_to_lose, hotter("srl", 30.0), hotter("rlvr", 2.0))
    asked = Asked("misled", "misled_verifier", "srl_rlvr", changes=changes)
    (misled,) = await ended(Home(tmp_path / "home"), asked, policy=BLUNT)
    reasons = [one.reason for one in misled.all(RunRolledBack)]
    print(given_up(misled), remedies(misled), reasons)
    for found in misled.all(RegressionDetected):  # once for each look at the end
        assert {one.metric for one in found.checks} & {"improvement", "retention"}
        assert all(one.high < one.bound for one in found.checks)  # surely worse
        assert found.model != found.baseline
    assert misled.all(RegressionDetected)
    assert reasons


@pytest.mark.proof
@pytest.mark.usefixtures("path")
async def test_what_stays_unclear_is_measured_again_and_trained_once(tmp_path: Path) -> None:
    """Half of the labels are the wrong way round, so the score stays near a half."""
    home = Home(tmp_path / "home")
    asked = Asked("unclear", "flipped_labels", changes=(put("prepare", "items", 8),))
    (unclear,) = await ended(home, asked, policy=TrainerPolicy(bounds={"score": 0.5}))
    assert remedies(unclear)[:2] == ["more_items"] * 2
    measured = [one for one in unclear.all(GateFailed) if one.stage == "prepare"]
    assert [one.checks[0].n for one in measured[:3]] == [8, 16, 32]
    jobs = [one.name.split("-")[2] for one in home.folder.glob("work/training/jobs/*")]
    assert jobs.count("begin") == jobs.count("sft") == 1
    assert jobs.count("baseline") >= 3
