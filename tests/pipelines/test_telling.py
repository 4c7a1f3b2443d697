"""Runs as people see them: the row, the report with its curves and gates, the decision."""

from __future__ import annotations

from typing import Any

from events.catalog.costs import Spent
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.training import StageFailed
from pipelines.data.report import markdown, page
from pipelines.runs import RUNS
from pipelines.telling import card, report
from tests.agents.trainer.story import Story

STEPS = {
    "optimise": [
        {"step": step, "loss": 1 / step, "kl": 0.01 * step, "accuracy": 0.5, "seconds": step}
        for step in range(1, 12)
    ],
    "optimise again": [{"step": step, "kl": 0.02} for step in range(1, 4)],
}


def row(story: Story) -> dict[str, Any]:
    """What the projection makes of all that was told and decided."""
    state: dict[str, Any] = {}
    for told in story.history.facts:
        if told.event.wire in RUNS.hears:
            RUNS.apply(state, told)
    found: dict[str, Any] = state[story.run]
    return found


def test_a_row_tells_rounds_troubles_remedies_and_what_was_given_back() -> None:
    story = Story("dpo").until("optimise")
    story.done({"kl": (0.2, 0.3)}, "policy")
    story.done(None, "policy", spent=Spent(calls=2, tokens=300, money=0.25))
    story.done({"gain": (0.02, 0.05)}, "policy")
    story.done({"gain": (-0.05, -0.02)}, "policy")
    found = row(story)
    optimise, iterate = found["stages"][4:6]
    assert optimise["troubles"] == [{"attempt": 1, "reason": "kl 0.25 (0.2 to 0.3) is above 0.1"}]
    assert optimise["gate"]["remedies"][0]["remedy"] == "nearer_to_the_reference"
    assert [one["decision"] for one in iterate["rounds"]] == ["continue", "roll_back"]
    assert found["rolled_back"][0]["stage"] == "iterate"
    assert found["spent"] == {"usd": 0.25, "tokens": 300}
    text = markdown(report(found, STEPS))
    for words in ("nearer\\_to\\_the\\_reference", "improving", "degrading", "made it worse",
                  "kl 0.25 (0.2 to 0.3) is above 0.1", "Not decided: the run has not ended.",
                  "calls of models cost 0.25 dollars and 300 tokens"):  # fmt: skip
        assert words in text, words


def test_each_curve_has_the_bound_of_its_own_gate() -> None:
    bounds = PolicyAdopted(policy=TrainerPolicy(bounds={"kl": 0.07}))
    story = Story("dpo", bounds).until("iterate")
    told = report(row(story), STEPS)
    drawn = {one.title: (one.bound, one.other) for one in told.curves}
    assert drawn == {
        "optimise: loss": (None, None),
        "optimise: kl": (0.07, None),
        "optimise: accuracy": (None, None),
        "optimise again: kl": (0.07, None),
    }
    assert "gate 0.07" in page(told)
    assert "; gate 0.07" in markdown(told)


def test_a_band_is_drawn_with_both_its_sides() -> None:
    band = {"min": 0.2, "max": 2.5}
    story = Story("srf", profile={"entropy": band})
    found = row(story)
    sides = (("at_least", 0.2), ("at_most", 2.5))
    checks = [
        {"metric": "entropy", "side": side, "bound": bound, "value": 1, "low": 1, "high": 1,
         "n": 9, "verdict": "pass"} for side, bound in sides
    ]  # fmt: skip
    found["stages"][4]["gate"] = {"verdict": "pass", "checks": checks, "remedies": []}
    steps = {"optimise": [{"step": one, "entropy": 1.0} for one in range(1, 5)]}
    (curve,) = report(found, steps).curves
    assert (curve.bound, curve.other) == (0.2, 2.5)
    assert page(report(found, steps)).count('class="bound"') == 2


def test_a_report_ends_in_a_decision_with_its_points_and_waivers() -> None:
    policy = PolicyAdopted(policy=TrainerPolicy(people="ask"))
    needs = {"requirements": {"metrics": {"f1": {"min": 0.9}}}}
    story = Story("dpo", policy, profile=needs).until("evaluate")
    story.done(None, "policy")
    found = row(story)
    told = report(found, {})
    assert told.lines[0].startswith("Deploy: the candidate has passed all gates of its run.")
    last = told.tables[-1]
    assert (last.title, last.note) == ("What success means", told.lines[0])
    assert [one[1] for one in last.rows] == [
        "accepted by a waiver", "✓ yes", "✓ yes", "accepted by a waiver",
    ]  # fmt: skip
    (waived,) = [one for one in told.tables if one.title == "Accepted without certainty"]
    assert [one[1] for one in waived.rows] == ["f1", "people"]
    assert "f1 not measured, at least 0.9" in markdown(told)
    assert "Deploy:" in markdown(card(found, "adds up"))


def test_where_a_run_skips_people_its_report_says_so() -> None:
    story = Story("dpo").until("evaluate")
    story.done(None, "policy")
    assert "Nobody was asked to compare answers" in markdown(report(row(story), {}))
    other = Story("srl_rlvr").until("verify")
    assert "Nobody was asked" not in markdown(report(row(other), {}))


def test_words_of_others_stay_words_in_a_report() -> None:
    story = Story("dpo").until("optimise")
    evil = "<script>alert(1)</script>"
    where = {"run": story.run, "stage": "optimise", "attempt": 1, "retryable": False}
    story.history.tell(StageFailed.model_validate({**where, "reason": evil}))
    told = report(row(story), {})
    assert "<script>" not in page(told)
    assert "<script>" not in markdown(told)
