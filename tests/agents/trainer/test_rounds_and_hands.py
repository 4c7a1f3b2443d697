"""Rounds that go on while they help, and a person's hand that brings a run back."""

from __future__ import annotations

import pytest

from events.catalog.gates import (
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import HandRefused, RollbackRequested
from events.catalog.roles import RoleRetired
from events.catalog.training import Measured, StageCompleted, StageRequested
from pipelines.catalog import PIPELINES
from tests.agents.spec import kinds
from tests.agents.trainer.story import GOOD, Figures, Story, measured, only


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


def test_a_later_round_that_goes_too_far_costs_only_itself() -> None:
    story = Story("dpo").until("iterate")
    better: Figures = {"gain": (0.02, 0.05), "score": (0.7, 0.8)}
    helped = only(story.done(better, "policy", "rounds"), StageRequested)
    first = [one for one in helped.inputs if one.kind in ("policy", "rounds")]
    said = story.done({"kl": (0.2, 0.3)}, "policy", "rounds")
    assert kinds(said)[:2] == ["GateFailed", "RemedyApplied"]
    again = only(said, StageRequested)
    assert [one for one in again.inputs if one.kind in ("policy", "rounds")] == first
    said = story.done({"kl": (0.08, 0.12)}, "policy", "rounds")
    assert only(said, RemedyApplied).remedy == "more_items"
    again = only(said, StageRequested)
    assert [one for one in again.inputs if one.kind in ("policy", "rounds")] == first
    assert story.state.rounds == 1
    said = story.done({"gain": (0.02, 0.05), "kl": (0.2, 0.3)}, "policy", "rounds")
    assert only(said, RemedyApplied).remedy == "without_another_round"
    assert next(one for one in only(said, StageRequested).inputs if one.kind == "policy") in first


def test_a_figure_that_contradicts_itself_ends_no_better_than_none() -> None:
    turned = Measured(value=0.0, low=0.5, high=-0.5, n=100)
    story = Story("dpo").until("iterate")
    good = measured(GOOD["dpo"]["iterate"])
    done = StageCompleted(
        run=story.run, stage="iterate", attempt=1, seconds=1.0, metrics=good | {"gain": turned}
    )
    decided = only(list(story.history.tell(done)), IterationDecided)
    assert (decided.trend, decided.decision) == ("stable", "evaluate")


def test_what_a_hand_brings_back_begins_with_all_its_tries_and_rounds() -> None:
    story = Story("dpo").until("iterate")
    story.done({"gain": (0.02, 0.05)}, "policy")
    story.broke("defect")
    assert (story.state.rounds, story.state.tries) == (1, 3)
    story.history.tell(RollbackRequested(run=story.run, stage="optimise"))
    assert (story.state.stage, story.state.rounds, story.state.tries) == ("iterate", 0, 1)
    story.broke("defect")
    assert kinds(story.broke("defect"))[0] == "StageRequested"


def test_a_run_ends_with_its_role() -> None:
    story = Story().until("rlvr")
    request = story.state.request
    said = list(story.history.tell(RoleRetired(role="sums", reason="replaced")))
    assert kinds(said) == ["RequestWithdrawn", "RunAbandoned", "DeadlineLifted"]
    assert (said[0].request, said[1].reason) == (request, "role 'sums' was retired")  # type: ignore[attr-defined]
    assert story.run not in story.history.state.runs


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
