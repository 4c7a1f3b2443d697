"""Rounds that go on while they help, and a person's hand that brings a run back."""

from __future__ import annotations

import pytest

from events.catalog.gates import (
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import HandRefused, RollbackRequested
from events.catalog.training import StageRequested
from pipelines.catalog import PIPELINES
from tests.agents.spec import kinds
from tests.agents.trainer.story import Story, only


@pytest.mark.parametrize(
    ("gain", "trend", "decision", "follows"),
    [
        ((0.02, 0.05), "improving", "continue", "iterate"),
        ((-0.01, 0.02), "stable", "evaluate", "evaluate"),
        ((-0.05, -0.02), "degrading", "roll_back", "evaluate"),
    ],
)
def test_iterations_go_on_while_they_help(
    gain: tuple[float, float], trend: str, decision: str, follows: str
) -> None:
    story = Story("dpo").until("iterate")
    said = story.done({"gain": gain}, "policy")
    decided = only(said, IterationDecided)
    assert (decided.trend, decided.decision) == (trend, decision)
    asked = only(said, StageRequested)
    assert asked.stage == follows
    if decision == "roll_back":
        rolled = only(said, RunRolledBack)
        assert rolled.stage == "optimise"
        policy = next(one for one in asked.inputs if one.kind == "policy")
        assert policy in rolled.artifacts


def test_a_round_that_goes_too_far_is_made_smaller_and_then_done_without() -> None:
    story = Story("dpo").until("iterate")
    assert only(story.done({"kl": (0.2, 0.3)}, "policy"), RemedyApplied).remedy == "smaller_rounds"
    said = story.done({"kl": (0.2, 0.3)}, "policy")
    assert only(said, RemedyApplied).back_to == "evaluate"
    assert only(said, RunRolledBack).stage == "optimise"
    asked = only(said, StageRequested)
    assert asked.stage == "evaluate"
    assert next(one for one in asked.inputs if one.kind == "policy").size == 5  # that of optimise


def test_iterations_end_where_the_policy_says() -> None:
    story = Story("dpo").until("iterate")
    decisions = []
    while story.state.stage == "iterate":
        said = story.done({"gain": (0.02, 0.05)}, "policy")
        decisions.append(only(said, IterationDecided).decision)
    assert decisions == ["continue", "continue", "evaluate"]


def test_a_person_may_force_a_run_back_to_where_it_was() -> None:
    story = Story().until("rlvr")
    request = story.state.request
    said = list(story.history.tell(RollbackRequested(run=story.run, stage="baseline")))
    assert kinds(said)[:2] == ["RequestWithdrawn", "RunRolledBack"]
    assert said[0].request == request  # type: ignore[attr-defined]
    asked = only(said, StageRequested)
    assert (asked.stage, asked.attempt) == ("srl", 2)
    assert "policy" not in {one.kind for one in asked.inputs}
    refused = only(
        list(story.history.tell(RollbackRequested(run=story.run, stage="verify"))), HandRefused
    )
    assert refused.reason == (
        "the run has not passed a stage 'verify'; it has passed: data, baseline"
    )


LAST = {("distill", "verify", "improvement below")}
"""What is given up: a student that learned nothing by all that was tried before."""


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "rehearsal"])
def test_every_figure_that_a_gate_asks_for_has_a_remedy_where_it_does_not_hold(name: str) -> None:
    """But what no change of settings could mend, and what may be measured again."""
    without = {
        ("srl_rlvr", "baseline"),
        ("dpo", "initialise"),
        ("distill", "teacher"),
    }
    sizes = {"share above", "speedup below"}  # of the student that was chosen
    for stage in PIPELINES[name].walk:
        if (name, stage.name) in without:
            continue
        cured = {symptom for remedy in stage.remedies for symptom in remedy.cures}
        for check in stage.gate:
            wrong = f"{check.metric} {'below' if check.side == 'at_least' else 'above'}"
            assert wrong in cured | sizes or (name, stage.name, wrong) in LAST, (stage.name, wrong)
