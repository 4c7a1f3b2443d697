"""The data generator alone: which sets are accepted, and what ends those that are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from agents.data_generator import DATA_GENERATOR
from events.catalog.costs import Spent
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.methods import MethodRated
from events.catalog.parts import AssemblyFailed, AssemblyRequested, DataWithdrawn, PartRequested
from events.catalog.policies import DataPolicy
from events.catalog.training import MOST_GUARDED, Artifact
from events.fact import Fact
from tests.agents.data_generator.sets import (
    WANTED,
    all_built,
    assembled,
    begun,
    broken,
    built,
    passed,
)
from tests.agents.spec import kinds


def test_a_good_set_is_accepted_and_its_method_rated() -> None:
    history, asked = begun()
    request = all_built(history, asked)
    accepted, lifted, rated = history.tell(assembled(request, 1000))
    assert isinstance(accepted, DatasetAccepted)
    assert (accepted.count, accepted.quality, accepted.model_type) == (
        1000, 0.98, "sentiment_analysis",
    )  # fmt: skip
    assert kinds((lifted,)) == ["DeadlineLifted"]
    assert rated == MethodRated(method="collaboration", score=0.98, parts=4)


def test_a_weak_set_is_rejected_and_its_method_flagged_once() -> None:
    history, asked = begun()
    decisions = history.tell(assembled(all_built(history, asked), 1000, 0.6, used=()))
    rejected = decisions[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "quality 0.6 is below 0.95 (weakest: validity 0.3)"
    assert kinds(decisions) == ["DatasetRejected", "DeadlineLifted", "MethodRated", "MethodFlagged"]
    _, *parts, _ = history.tell(WANTED)
    asked = [one for one in parts if isinstance(one, PartRequested)]
    again = history.tell(assembled(all_built(history, asked), 1000, 0.6))
    assert kinds(again) == ["DatasetRejected", "DeadlineLifted", "MethodRated"]
    assert again[2] == MethodRated(method="collaboration", score=0.6, parts=8)


def test_a_lower_target_of_the_request_holds() -> None:
    history, asked = begun(WANTED.model_copy(update={"quality_target": 0.5}))
    assert kinds(history.tell(assembled(all_built(history, asked), 1000, 0.6)))[0] == (
        "DatasetAccepted"
    )


def test_rows_that_were_taken_out_are_made_up_for_behind_those_already_asked_for() -> None:
    history, asked = begun()
    more = history.tell(assembled(all_built(history, asked), 800))
    parts = [one for one in more if isinstance(one, PartRequested)]
    assert [(one.part, one.first, one.quantity, one.attempt) for one in parts] == [
        (5, 1000, 250, 1), (6, 1250, 1, 1),
    ]  # fmt: skip
    assert kinds(more)[-1] == "DeadlineSet"
    request = all_built(history, parts)
    assert (request.attempt, len(request.parts)) == (2, 6)
    assert kinds(history.tell(assembled(request, 1000)))[0] == "DatasetAccepted"


def test_rounds_are_bounded() -> None:
    history, asked = begun(rounds=2)
    more = history.tell(assembled(all_built(history, asked), 100, removed={"near": 900}))
    parts = [one for one in more if isinstance(one, PartRequested)]
    rejected = history.tell(assembled(all_built(history, parts), 200, removed={"near": 9800}))[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "200 of 1,000 rows after 2 rounds; taken out: near 9,800"


def test_a_source_that_has_no_more_is_not_asked_again() -> None:
    history, asked = begun()
    request = all_built(history, asked, accepted=100, more=False)
    rejected = history.tell(assembled(request, 400))[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "400 of 1,000 rows after 1 round, and no source has more"


def test_a_spent_budget_ends_the_rounds() -> None:
    history, asked = begun(usd=1.0)
    request = all_built(history, asked, spent=Spent(money=0.25))
    rejected = history.tell(assembled(request, 400))[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "400 of 1,000 rows after 1 round, and the budget is spent"


def test_assembling_is_tried_again_and_then_given_up() -> None:
    history, asked = begun(part_attempts=2)
    request = all_built(history, asked)
    no = AssemblyFailed(dataset=request.dataset, attempt=1, reason="the disk is full")
    again = history.tell(no)[0]
    assert isinstance(again, AssemblyRequested)
    assert again.attempt == 2
    rejected = history.tell(no.model_copy(update={"attempt": 2}))[0]
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == "assembling failed 2 times, at last: the disk is full"


def test_parts_that_take_too_long_are_withdrawn_and_the_others_used() -> None:
    history, asked = begun()
    dataset = asked[0].dataset
    for one in asked[:3]:
        history.tell(built(one))
    withdrawn, request, deadline = history.tell(passed(history, dataset))
    assert isinstance(withdrawn, DataWithdrawn)
    assert isinstance(request, AssemblyRequested)
    assert [part.part for part in request.parts] == [1, 2, 3]
    assert kinds((deadline,)) == ["DeadlineSet"]
    assert history.tell(built(asked[3])) == (), "it came too late"


def test_when_nothing_came_in_time_the_set_is_rejected() -> None:
    history, asked = begun(hours=0.5)
    dataset = asked[0].dataset
    late = passed(history, dataset)
    decisions = history.tell(late)
    assert kinds(decisions)[:5] == [*["DataWithdrawn"] * 4, "DatasetRejected"]
    assert history.tell(late) == ()


def test_an_assembling_that_takes_too_long_ends_the_set() -> None:
    history, asked = begun()
    request = all_built(history, asked)
    decisions = history.tell(passed(history, request.dataset))
    assert kinds(decisions)[:3] == ["DataWithdrawn", "DatasetRejected", "DeadlineLifted"]


def test_a_deadline_of_an_earlier_round_says_nothing() -> None:
    history, asked = begun()
    key, early = f"dataset/{asked[0].dataset}", history.now() + timedelta(hours=12)
    all_built(history, asked)
    assert history.tell(DeadlinePassed(key=key, due=early)) == ()


def test_answers_of_a_set_that_nobody_knows_say_nothing() -> None:
    history, asked = begun()
    stray = asked[0].model_copy(update={"dataset": "another"})
    assert history.tell(built(stray)) == ()
    assert history.tell(built(asked[0].model_copy(update={"attempt": 9}))) == ()


def test_the_state_survives_a_snapshot() -> None:
    history, asked = begun()
    history.tell(built(asked[0]))
    states = TypeAdapter[Any](type(DATA_GENERATOR.initial))
    assert states.validate_json(states.dump_json(history.state)) == history.state


def test_registered_evaluation_sets_are_looked_for_in_every_set() -> None:
    history, asked = begun()
    exam = Artifact(kind="evaluation", sha256="sha256:" + "1" * 64, size=9)
    for name in ("second", "first", "second"):
        history.tell(EvaluationSetRegistered(name=name, artifact=exam, rows=3))
    assert all_built(history, asked).guarded == (exam, exam)


def test_where_more_sets_are_registered_than_can_be_searched_for_no_data_is_made() -> None:
    history, _ = begun()
    exam = Artifact(kind="evaluation", sha256="sha256:" + "1" * 64, size=9)
    for number in range(MOST_GUARDED):
        history.tell(EvaluationSetRegistered(name=f"exam-{number}", artifact=exam, rows=3))
    assert kinds(history.tell(WANTED))[0] == "DataBegun"
    for name in ("one-too-many", "two-too-many"):
        history.tell(EvaluationSetRegistered(name=name, artifact=exam, rows=3))
    (refused,) = history.tell(WANTED)
    assert isinstance(refused, DatasetRejected)
    assert "1,000 evaluation sets, and more are registered" in refused.reason
    assert len(history.state.guarded) == MOST_GUARDED + 1


def test_a_part_that_failed_by_no_fault_of_its_method_is_not_rated() -> None:
    history, asked = begun(part_rows=1000)
    decisions = history.tell(broken(asked[0], method=None, retryable=False))
    assert kinds(decisions) == ["DatasetRejected", "DeadlineLifted"]


def test_another_policy_would_decide_otherwise() -> None:
    history, _ = begun()
    assert DATA_GENERATOR.under is not None
    state = DATA_GENERATOR.under(history.state, DataPolicy(part_rows=500))
    told = Fact(WANTED, "another", 9, "2026-11-21T03:00:00.000000Z", "test", None)
    assert len(DATA_GENERATOR.decide(state, told)) == 4
