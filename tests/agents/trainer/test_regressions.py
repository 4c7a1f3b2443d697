"""A model that is surely worse than its baseline: said, and what there was before stands again."""

from __future__ import annotations

from events.catalog.gates import GateFailed, RemedyApplied, RunRolledBack
from events.catalog.training import RunAbandoned, StageRequested
from events.catalog.verification import RegressionDetected
from tests.agents.spec import kinds
from tests.agents.trainer.story import Figures, Story, only

WORSE: Figures = {"improvement": (-0.2, -0.1), "retention": (0.6, 0.8)}


def measured_base(story: Story) -> Story:
    """Behind a baseline that has kept its base."""
    story.until("baseline").done(None, "base")
    return story


def test_a_candidate_that_is_surely_worse_is_a_regression_and_trained_more_gently() -> None:
    story = measured_base(Story()).until("verify")
    said = story.done(WORSE)
    assert kinds(said)[:4] == ["GateFailed", "RegressionDetected", "RemedyApplied", "RunRolledBack"]
    found = only(said, RegressionDetected)
    assert [one.metric for one in found.checks] == ["improvement", "retention"]
    assert found.model.size == 3  # that of rlvr, whose score was the best
    assert found.baseline.kind == "base"
    assert found.reason.startswith("improvement -0.15 (-0.2 to -0.1) is below 0; retention 0.7")
    assert only(said, RemedyApplied).remedy == "back_and_gentler"
    assert only(said, RunRolledBack).stage == "baseline"
    assert "policy" not in {one.kind for one in only(said, StageRequested).inputs}


def test_a_run_that_stays_worse_ends_where_it_began() -> None:
    story = measured_base(Story()).until("verify")
    story.done(WORSE)
    said = story.until("verify").done(WORSE)
    assert kinds(said) == [
        "GateFailed", "RegressionDetected", "RunRolledBack", "RunAbandoned", "DeadlineLifted",
    ]  # fmt: skip
    back = only(said, RunRolledBack)
    assert back.stage == "baseline"
    assert "policy" not in {one.kind for one in back.artifacts}
    assert only(said, RunAbandoned).reason.endswith("no remedy is left")


def test_of_preferences_the_imitation_is_the_baseline() -> None:
    story = Story("dpo")
    story.done(None, "policy", "sft")
    story.until("evaluate")
    said = story.done({"retention": (0.7, 0.8)})
    assert only(said, RegressionDetected).baseline.size == 1


def test_what_is_not_sure_is_no_regression() -> None:
    story = Story().until("verify")
    said = story.done({"improvement": (-0.1, 0.1), "retention": (0.9, 1.1)})
    assert only(said, GateFailed).verdict == "inconclusive"
    assert "RegressionDetected" not in kinds(said)


def test_a_round_of_training_that_made_it_worse_is_not_yet_one() -> None:
    story = Story().until("srl")
    said = story.done({"gain": (-0.3, -0.2)}, "policy")
    assert "RegressionDetected" not in kinds(said)
