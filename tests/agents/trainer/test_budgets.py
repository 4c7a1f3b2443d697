"""What a run may cost, and how long it may take: then it stops, and says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.trainer.decide import TRAINER
from events.catalog.costs import Limits, Spent
from events.catalog.data import DataBegun, DataRequested, DatasetRejected
from events.catalog.gates import IterationDecided
from events.catalog.parts import PartBuilt, PartFailed
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.training import RunAbandoned, StageRequested, TrainingRequested
from events.message import Event
from tests.agents.trainer.story import Story, example, fact_of, only


def with_budget(pipeline: str = "srl_rlvr", /, **budget: float) -> Story:
    return Story(pipeline, profile={"budget": budget})


def built(story: Story, part: int, money: float, tokens: int = 0, kind: Any = PartBuilt) -> None:
    """A part of its data set has cost so much, in all its attempts."""
    spent = Spent(calls=1, tokens=tokens, money=money).model_dump(mode="json")
    if not story.state.dataset:
        begun = fact_of(
            example(DataBegun, dataset="d1", run=story.run), "begun", story.state.request
        )
        story.history.state = TRAINER.evolve(story.history.state, begun)
    assert not story.history.tell(example(kind, dataset="d1", part=part, spent=spent))


def refused(story: Story) -> list[Event]:
    rejected = DatasetRejected(role="sums", dataset="d1", run=story.run, reason="too poor")
    return list(story.history.tell(rejected))


def test_a_run_is_told_when_it_begins_what_it_may_cost() -> None:
    policy = PolicyAdopted(policy=TrainerPolicy(run_usd=5.0, run_tokens=1000))
    budget = {"usd_per_run": 2.0, "tokens_per_run": 9000}
    story = Story("srl_rlvr", policy, profile={"budget": budget})
    assert story.said[0].limits == Limits(money=2.0, tokens=1000)  # type: ignore[attr-defined]
    assert Story().said[0].limits == Limits()  # type: ignore[attr-defined]


def test_what_attempts_at_a_part_have_cost_is_counted_once() -> None:
    story = with_budget(usd_per_run=2.0)
    built(story, 1, 0.5, 100, PartFailed)
    built(story, 1, 0.7, 150)
    built(story, 2, 0.25, 50)
    assert (story.state.cost.money, story.state.cost.tokens) == (pytest.approx(0.95), 200)
    story.data()
    assert story.state.spent.money == pytest.approx(0.95)
    month = story.history.now()
    assert story.history.state.months == {"sums": (f"{month:%Y-%m}", pytest.approx(0.95))}


def test_a_budget_used_up_to_the_last_cent_still_lets_it_train() -> None:
    story = with_budget(usd_per_run=2.0)
    built(story, 1, 2.0)
    assert only(story.data(), StageRequested).stage == "baseline"


def test_a_second_data_set_may_cost_what_the_first_has_left() -> None:
    story = with_budget(usd_per_run=2.0, tokens_per_run=500)
    assert only(story.said, DataRequested).limits == Limits(money=2.0, tokens=500)
    built(story, 1, 1.5, 200)
    assert only(refused(story), DataRequested).limits == Limits(money=0.5, tokens=300)


def test_no_second_data_set_is_asked_for_where_nothing_is_left() -> None:
    story = with_budget(usd_per_run=2.0)
    built(story, 1, 2.0)
    said = refused(story)
    assert not [one for one in said if isinstance(one, DataRequested)]
    assert only(said, RunAbandoned).reason == (
        "its budget of 2.00 dollars is spent (2.00), before stage 'data'"
    )


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({"usd_per_run": 1.0}, "its budget of 1.00 dollars is spent (1.50), before stage 'srl'"),
        ({"tokens_per_run": 800}, "its budget of 800 tokens is spent (900), before stage 'srl'"),
    ],
)
def test_a_run_that_has_spent_more_than_it_may_stops(budget: dict[str, float], reason: str) -> None:
    story = with_budget(**budget).until("baseline")
    said = story.done(spent=Spent(calls=3, tokens=900, money=1.5))
    assert only(said, RunAbandoned).reason == reason


def test_the_budget_of_a_month_holds_over_all_runs_of_a_role() -> None:
    story = with_budget(usd_per_month=1.0)
    story.until("baseline").done(spent=Spent(money=1.25))
    again = TrainingRequested(role="sums", pipeline="srl_rlvr", base="tiny")
    (rejected,) = story.history.tell(again)
    month = f"{story.history.now():%Y-%m}"
    assert rejected.reason == (  # type: ignore[attr-defined]
        f"the role's budget of 1.00 dollars for {month} is spent (1.25)"
    )
    story.history.position += 60 * 24 * 40  # forty days
    assert len(story.history.tell(again)) > 1


def test_another_round_is_not_begun_without_time_for_it_and_for_the_evaluation() -> None:
    story = Story("dpo", profile={"budget": {"hours_per_run": 2.0}}).until("iterate")
    left = story.state.due - story.history.now() - timedelta(minutes=1)
    said = story.done({"gain": (0.02, 0.05)}, "policy", seconds=left.total_seconds() / 2 + 1)
    decided = only(said, IterationDecided)
    assert (decided.trend, decided.decision) == ("improving", "evaluate")
    assert decided.reason.endswith("; no time is left for another round and the evaluation")
    assert only(said, StageRequested).stage == "evaluate"


def test_another_round_is_not_begun_when_the_money_is_spent() -> None:
    story = with_budget("dpo", usd_per_run=1.0).until("iterate")
    said = story.done({"gain": (0.02, 0.05)}, "policy", spent=Spent(money=1.0))
    assert only(said, IterationDecided).reason.endswith(
        "its budget of 1.00 dollars is spent (1.00)"
    )
    assert only(said, StageRequested).stage == "evaluate"
