"""A run as told to whoever was not there: the decision, its figures, what was tried, what next."""

from __future__ import annotations

from typing import Any

import pytest

from events.catalog.training import StageFailed
from events.catalog.verification import CandidateWithdrawn, VerificationJudged
from events.fact import Fact
from infra.cli.one_run import told_run
from pipelines.criteria import decision
from pipelines.runs import RUNS
from tests.agents.trainer.story import Story, artifact


def row(story: Story, *behind: Any) -> dict[str, Any]:
    """What the projection makes of what was told and decided, and of what came behind it."""
    state: dict[str, Any] = {}
    facts = [one for one in story.history.facts if one.event.wire in RUNS.hears]
    for fact in facts:
        RUNS.apply(state, fact)
    for event in behind:
        RUNS.apply(
            state, Fact(event, "later", 999, "2026-01-02T00:00:00.000000Z", "agent:verifier", None)
        )
    found: dict[str, Any] = state[story.run]
    return found


def test_what_was_tried_stands_beside_what_did_not_hold() -> None:
    story = Story("dpo").until("optimise")
    story.done({"kl": (0.2, 0.3)}, "policy")
    broke = {"run": story.run, "stage": "optimise", "attempt": 2, "retryable": True}
    story.history.tell(StageFailed.model_validate({**broke, "reason": "the disk was full"}))
    story.done({"kl": (0.09, 0.15)}, "policy")
    lines = told_run(row(story), None, None).splitlines()
    place = lines.index("  optimise, attempt 1: kl 0.25 (0.2 to 0.3) is above 0.1")
    assert lines[place + 1] == (
        "    -> nearer_to_the_reference (for kl above), learning_rate x 0.5, beta x 2;"
        " on from optimise"
    )
    assert lines[place + 2] == "  optimise, attempt 2: the disk was full"
    assert lines[place + 3] == "  optimise, attempt 3: kl 0.12 (0.09 to 0.15) may be above 0.1"
    assert lines[place + 4].startswith("    -> more_items (for kl unclear), items x 2")


def test_the_decision_comes_first_then_by_which_figures_it_was_taken() -> None:
    story = Story("dpo").until("evaluate")
    story.done(None, "policy")
    told = told_run(row(story), None, None)
    order = ("Deploy:", "Better by 0.15 (0.1 to 0.2), 100 problems", "win_rate 0.65 (0.6 to 0.7)",
             "model_preferences  accuracy", "What the figures say:", "Next:")  # fmt: skip
    places = [told.index(words) for words in order]
    assert places == sorted(places)
    assert "win_rate             how often its answers beat the baseline's" in told
    assert f"models show {story.run}" in told


def test_an_abandoned_run_says_what_to_ask_next() -> None:
    story = Story("dpo").until("optimise")
    while story.run in story.history.state.runs:
        story.done({"kl": (0.2, 0.3)}, "policy")
    told = told_run(row(story), None, None)
    assert "Do not deploy: the run was abandoned: " in told
    assert "what-if --policy FILE" in told
    assert "publish TrainingRequested role=sums pipeline=dpo base=tiny" in told


@pytest.mark.parametrize("verdict", ["holds", "worse", "unclear", "measured"])
def test_what_the_verifier_found_since_is_told_with_the_decision(verdict: str) -> None:
    story = Story("dpo").until("evaluate")
    story.done(None, "policy")
    of = {"role": "sums", "run": story.run, "model": artifact("policy", 1).model_dump()}
    judged = VerificationJudged.model_validate({**of, "verification": "v", "verdict": verdict})
    found = row(story, judged)
    assert found["since"]["verdict"] == verdict
    assert decision(found).startswith("Deploy: the candidate has passed all gates of its run.")
    assert "since" in decision(found)
    gone = CandidateWithdrawn.model_validate({**of, "reason": "retention 0.6 is below 0.95"})
    for later in ((judged, gone), (gone, judged)):
        found = row(story, *later)
        assert decision(found).startswith("Do not deploy: ")
        assert "retention 0.6 is below 0.95" in told_run(found, None, None)
