"""The data generator alone: a request, its parts, and what becomes of each of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.data_generator import DATA_GENERATOR
from events.catalog.costs import Limits, Spent
from events.catalog.data import DataBegun, DataRequested, DatasetRejected
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.methods import MethodFlagged, MethodRated
from events.catalog.parts import AssemblyRequested, PartRequested
from events.catalog.policies import DataPolicy, PolicyAdopted
from events.catalog.roles import RoleDefined
from tests.agents.data_generator.sets import (
    PROFILE,
    ROLE,
    WANTED,
    all_built,
    begun,
    broken,
    built,
)
from tests.agents.spec import given


def test_a_request_begins_a_set_and_asks_for_its_parts_by_a_deadline() -> None:
    history = given(DATA_GENERATOR, ROLE)
    first, *asked, deadline = history.tell(WANTED)
    assert isinstance(first, DataBegun)
    assert (first.model_type, first.seed, first.quality_target) == ("sentiment_analysis", 7, 0.95)
    assert first.profile == "id-1"
    parts = [one for one in asked if isinstance(one, PartRequested)]
    assert [(one.part, one.first, one.quantity, one.attempt) for one in parts] == [
        (1, 0, 250, 1), (2, 250, 250, 1), (3, 500, 250, 1), (4, 750, 250, 1),
    ]  # fmt: skip
    due = history.now() + timedelta(hours=12)
    assert deadline == DeadlineSet(key=f"dataset/{first.dataset}", due=due)


def test_the_set_and_its_seed_follow_from_the_request_alone() -> None:
    wanted = DataRequested(role="support", quantity=10)
    first, second = given(DATA_GENERATOR, ROLE), given(DATA_GENERATOR, ROLE)
    assert first.tell(wanted, "the-same") == second.tell(wanted, "the-same")
    one, other = first.tell(wanted, "another")[0], second.tell(wanted, "a third")[0]
    assert isinstance(one, DataBegun)
    assert isinstance(other, DataBegun)
    assert one.seed != other.seed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": "suport"}, "no role is named 'suport', did you mean 'support'?"),
        ({"sources": ("sythetic",)}, "no source is named 'sythetic', did you mean 'synthetic'?"),
    ],
)
def test_what_cannot_be_made_is_rejected_with_a_suggestion(
    change: dict[str, Any], reason: str
) -> None:
    wanted = WANTED.model_copy(update=change)
    answer = given(DATA_GENERATOR, ROLE).tell(wanted)
    assert answer == (DatasetRejected(role=wanted.role, reason=reason),)


def test_an_empty_home_knows_no_role() -> None:
    reason = "no role is named 'support'; none is defined yet"
    assert given(DATA_GENERATOR).tell(WANTED) == (DatasetRejected(role="support", reason=reason),)


def test_a_million_rows_are_few_parts() -> None:
    _, asked = begun(WANTED.model_copy(update={"quantity": 1_000_000}))
    assert len(asked) <= 60
    assert sum(one.quantity for one in asked) == 1_000_000
    assert [one.first for one in asked] == [
        sum(one.quantity for one in asked[:place]) for place in range(len(asked))
    ]


def test_each_source_is_asked_for_all_of_it() -> None:
    _, asked = begun(sources=("synthetic", "web"), part_rows=600)
    assert [(one.source, one.first, one.quantity) for one in asked] == [
        ("synthetic", 0, 600), ("synthetic", 600, 400), ("web", 0, 600), ("web", 600, 400),
    ]  # fmt: skip
    assert [one.part for one in asked] == [1, 2, 3, 4]


def test_the_budget_is_the_lesser_of_policy_and_role_and_is_shared_by_the_parts() -> None:
    profile = {**PROFILE, "budget": {"usd_per_run": 8.0}}
    role = RoleDefined.model_validate({"role": "support", "profile": profile})
    policy = PolicyAdopted(policy=DataPolicy(usd=20, tokens=1000, part_minutes=2))
    answer = given(DATA_GENERATOR, policy, role).tell(WANTED)
    first, part = answer[0], answer[1]
    assert isinstance(first, DataBegun)
    assert isinstance(part, PartRequested)
    assert first.limits == Limits(money=8.0, tokens=1000, seconds=120)
    assert part.limits == Limits(money=2.0, tokens=250, seconds=120)


def test_when_all_parts_are_built_they_are_assembled_in_their_order() -> None:
    history, asked = begun()
    request = all_built(history, asked[::-1])
    assert [part.part for part in request.parts] == [1, 2, 3, 4]
    assert (request.attempt, request.quantity, request.seed) == (1, 1000, 7)


def test_a_part_that_fails_is_tried_again_within_the_same_budget() -> None:
    history, asked = begun(usd=4.0)
    (again,) = history.tell(broken(asked[0], spent=Spent(money=0.25)))
    assert isinstance(again, PartRequested)
    assert (again.part, again.attempt, again.first) == (1, 2, 0)
    assert again.limits.money == 1.0
    (third,) = history.tell(broken(again, spent=Spent(money=0.75)))
    assert isinstance(third, PartRequested)
    assert third.attempt == 3
    assert history.tell(broken(third)) == ()


@pytest.mark.parametrize(
    "hopeless", [{"retryable": False}, {"spent": Spent(money=5.0)}], ids=["for good", "spent"]
)
def test_a_part_without_hope_is_not_tried_again(hopeless: dict[str, Any]) -> None:
    history, asked = begun()
    assert history.tell(broken(asked[0], **hopeless)) == ()


def test_a_source_that_fails_does_not_stop_the_others() -> None:
    history, asked = begun(sources=("web", "synthetic"), part_rows=1000)
    web, synthetic = asked
    assert history.tell(broken(web, retryable=False, reason="no host answers")) == ()
    request = history.tell(built(synthetic))[0]
    assert isinstance(request, AssemblyRequested)
    assert [part.source for part in request.parts] == ["synthetic"]


def test_no_row_at_all_is_a_rejection_that_tells_why() -> None:
    history, asked = begun(part_rows=500)
    history.tell(built(asked[0], accepted=0, rejected={"rubbish": 400, "wrong": 100}))
    decisions = history.tell(broken(asked[1], retryable=False, reason="the teacher is away"))
    rejected, lifted, rated, flagged = decisions
    assert isinstance(rejected, DatasetRejected)
    assert rejected.reason == (
        "no source has built a row; refused: rubbish 400, wrong 100; synthetic: the teacher is away"
    )
    assert lifted == DeadlineLifted(key=f"dataset/{rejected.dataset}")
    assert rated == MethodRated(method="collaboration", score=0.0, parts=2)
    assert isinstance(flagged, MethodFlagged)
