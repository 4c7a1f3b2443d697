"""What a role needs of its models is judged at the end, and what nobody measures is said."""

from __future__ import annotations

from typing import Any

import pytest

from events.catalog.gates import Checked, GateFailed, GatePassed, RemedyApplied
from events.message import Event
from tests.agents.trainer.story import Figures, Story, only


def ended(
    requirements: dict[str, Any], figures: Figures, pipeline: str = "srl_rlvr"
) -> list[Event]:
    story = Story(pipeline, profile={"requirements": requirements})
    return story.until(story.state.stages[-1]).done(figures, "policy")


def check(said: list[Event], kind: type[Any], metric: str) -> Checked:
    (found,) = [one for one in only(said, kind).checks if one.metric == metric]
    assert isinstance(found, Checked)
    return found


@pytest.mark.parametrize(
    ("pipeline", "metric"), [("srl_rlvr", "sampled"), ("dpo", "score")], ids=["answers", "rubric"]
)
def test_the_accuracy_of_a_role_is_that_of_its_answers(pipeline: str, metric: str) -> None:
    needs = {"accuracy_min": 0.6}
    good = {metric: (0.7, 0.8), "accuracy": (0.1, 0.2)}
    held = check(ended(needs, good, pipeline), GatePassed, metric)
    assert (held.bound, held.verdict) == (0.6, "pass")
    said = ended(needs, {metric: (0.2, 0.3)}, pipeline)
    assert check(said, GateFailed, metric).verdict == "fail"
    assert f"{metric} 0.25 (0.2 to 0.3) is below 0.6" in only(said, GateFailed).reason
    assert only(said, RemedyApplied).remedy == "longer_for_the_role"


def test_a_range_is_judged_on_both_sides() -> None:
    needs = {"metrics": {"reward": {"min": 0.2, "max": 0.8}}}
    said = ended(needs, {"reward": (0.85, 0.9)})
    sides = [
        (one.side, one.verdict) for one in only(said, GateFailed).checks if one.metric == "reward"
    ]
    assert sides == [("at_least", "pass"), ("at_most", "fail")]


def test_what_nobody_measures_is_said_and_does_not_pass_unseen() -> None:
    said = ended({"metrics": {"f1": {"min": 0.9}}}, {})
    passed = only(said, GatePassed)
    f1 = check(said, GatePassed, "f1")
    assert (f1.value, f1.bound, f1.verdict) == (None, 0.9, "waived")
    assert passed.verdict == "waived"


def test_only_the_end_is_held_to_what_the_role_needs() -> None:
    story = Story(profile={"requirements": {"accuracy_min": 0.9}}).until("srl")
    passed = only(story.done(None, "policy"), GatePassed)
    assert "sampled" not in {one.metric for one in passed.checks}
