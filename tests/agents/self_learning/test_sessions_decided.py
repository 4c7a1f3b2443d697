"""Sessions of several models: rounds, results, and what is learned and passed on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.self_learning import SELF_LEARNING
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.learnings import (
    CollaborationAbandoned,
    CollaborationBegun,
    CollaborationConcluded,
    CollaborationRefused,
    CollaborationRequested,
    ContributionMade,
    ContributionRefused,
    LearningBroadcast,
    Lesson,
    Participant,
    RoundOpened,
)
from events.catalog.policies import PolicyAdopted, SelfLearningPolicy
from events.message import Event
from tests.agents.self_learning.roles import BILLING, PARCELS, SUPPORT, role
from tests.agents.spec import History, given, kinds

PARTS = (
    Participant(member="support", part="lead"),
    Participant(member="billing/small"),
    Participant(member="parcels", part="critic"),
)
WANTED = CollaborationRequested(task="Which draft is the best?", participants=PARTS)
LATE = "Say first when the money arrives."


class Held:
    """A session that was begun."""

    def __init__(self, **changes: Any) -> None:
        self.history = given(SELF_LEARNING, SUPPORT, BILLING, PARCELS)
        self.answer = self.history.tell(WANTED.model_copy(update=changes))
        begun = self.answer[0]
        assert isinstance(begun, CollaborationBegun)
        self.begun = begun
        self.name = begun.collaboration

    def say(self, member: str, number: int, choice: str, sure: float = 0.5, *learned: str) -> Any:
        lessons = tuple(Lesson(text=one) for one in learned)
        made = ContributionMade(
            collaboration=self.name,
            round=number,
            member=member,
            text=f"I take {choice}.",
            choice=choice,
            confidence=sure,
            learnings=lessons,
        )
        return self.history.tell(made)

    def pass_by(self) -> Any:
        due = self.history.state.talks[self.name].due
        return self.history.tell(DeadlinePassed(key=f"collaboration/{self.name}", due=due))


def concluded(answer: Any) -> CollaborationConcluded:
    found = [event for event in answer if isinstance(event, CollaborationConcluded)]
    assert len(found) == 1, kinds(answer)
    return found[0]


def test_a_session_opens_its_first_round_by_a_deadline() -> None:
    held = Held()
    _, opened, deadline = held.answer
    due = held.history.now() + timedelta(minutes=30)
    assert opened == RoundOpened(collaboration=held.name, round=1, due=due)
    assert deadline == DeadlineSet(key=f"collaboration/{held.name}", due=due)
    assert held.begun.participants == PARTS


def test_a_round_ends_with_its_last_contribution_and_the_next_one_begins() -> None:
    held = Held()
    assert kinds(held.say("support", 1, "A")) == ["ContributionTaken"]
    assert kinds(held.say("parcels", 1, "B")) == ["ContributionTaken"]
    assert kinds(held.say("billing/small", 1, "A")) == [
        "ContributionTaken",
        "RoundOpened",
        "DeadlineSet",
    ]


def test_the_majority_by_confidence_is_the_result_of_the_last_round() -> None:
    held = Held()
    for member in ("support", "billing/small", "parcels"):
        held.say(member, 1, "A" if member == "support" else "B")
    held.say("support", 2, "A", 0.9)
    held.say("billing/small", 2, "B", 0.3)
    told = concluded(held.say("parcels", 2, " b ", 0.4))
    assert (told.choice, told.by, told.rounds) == ("A", "support", 2)
    assert told.support == 0.562
    assert held.history.state.talks == {}


@pytest.mark.parametrize(("aggregate", "by"), [("lead", "support"), ("surest", "parcels")])
def test_another_rule_gives_another_result(aggregate: str, by: str) -> None:
    held = Held(aggregate=aggregate, rounds=1)
    held.say("support", 1, "A", 0.1)
    held.say("billing/small", 1, "B", 0.6)
    assert concluded(held.say("parcels", 1, "C", 0.7)).by == by


def test_when_all_want_the_same_no_further_round_is_held() -> None:
    held = Held(rounds=10)
    held.say("support", 1, "A")
    held.say("parcels", 1, "a")
    told = concluded(held.say("billing/small", 1, "A"))
    assert (told.rounds, told.support) == (1, 1.0)


def test_who_says_nothing_in_time_is_not_waited_for() -> None:
    held = Held()
    held.say("support", 1, "A")
    assert kinds(held.pass_by()) == ["RoundOpened", "DeadlineSet"]
    told = concluded(held.pass_by())
    assert told.silent == ("billing/small", "parcels")
    assert told.choice == "A"


def test_a_session_in_which_nobody_speaks_comes_to_nothing() -> None:
    held = Held()
    assert held.pass_by() == (
        CollaborationAbandoned(collaboration=held.name, reason="nobody said anything"),
        DeadlineLifted(key=f"collaboration/{held.name}"),
    )


def test_the_deadline_of_a_round_that_is_over_ends_no_later_one() -> None:
    held = Held()
    due = held.history.state.talks[held.name].due
    for member in ("support", "billing/small", "parcels"):
        held.say(member, 1, member)
    assert not held.history.tell(DeadlinePassed(key=f"collaboration/{held.name}", due=due))
    assert held.history.state.talks[held.name].round == 2


def test_a_learning_that_two_have_or_the_lead_has_is_passed_on() -> None:
    held = Held(rounds=1)
    held.say("support", 1, "A", 0.8, "Greet people by their name.")
    held.say("billing/small", 1, "A", 0.9, LATE, "Round to cents.")
    answer = held.say("parcels", 1, "A", 0.6, "say first when the money arrives")
    told = concluded(answer)
    assert {one.text: one.broadcast for one in told.learnings} == {
        "Greet people by their name.": True,
        LATE: True,
        "Round to cents.": False,
    }
    sent = [event for event in answer if isinstance(event, LearningBroadcast)]
    assert [(one.text, one.role, one.model) for one in sent] == [
        ("Greet people by their name.", "support", None),
        (LATE, "billing", "small"),
    ]
    assert kinds(answer).count("MemoryKept") == 2


def test_what_all_doubt_is_not_passed_on() -> None:
    held = Held(rounds=1)
    held.say("support", 1, "A", 0.2, LATE)
    held.say("billing/small", 1, "A", 0.3, LATE)
    answer = held.say("parcels", 1, "A", 0.9)
    assert "LearningBroadcast" not in kinds(answer)


@pytest.mark.parametrize(
    ("member", "number", "why"),
    [
        ("billing", 1, "'billing' takes no part in it"),
        ("parcels", 2, "round 2 is not open, round 1 is"),
        ("support", 1, "it has spoken in this round already"),
    ],
)
def test_a_contribution_that_does_not_fit_is_refused(member: str, number: int, why: str) -> None:
    held = Held()
    held.say("support", 1, "A")
    (refused,) = held.say(member, number, "B")
    assert refused == ContributionRefused(collaboration=held.name, member=member, reason=why)
    assert held.history.state.talks[held.name].said["support"].choice == "A"


def test_where_nobody_is_named_the_roles_are_taken_that_the_task_is_about() -> None:
    history = given(
        SELF_LEARNING,
        role("parcels", "Finds lost parcels."),
        role("code", "Reviews Python code."),
        role("tracking", "Tells where lost parcels are."),
    )
    asked = CollaborationRequested(task="Where do the lost parcels go?")
    begun = history.tell(asked)[0]
    assert isinstance(begun, CollaborationBegun)
    assert [(one.member, one.part) for one in begun.participants] == [
        ("parcels", "lead"),
        ("tracking", "contributor"),
    ]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (PARTS[:1], "at least two participants"),
        (PARTS[1:], "nobody of them would lead it"),
        ((PARTS[0], Participant(member="billing", part="lead")), "2 of them would lead it"),
        ((PARTS[0], Participant(member="biling")), "did you mean 'billing'?"),
        ((), "the task suits too few roles"),
    ],
)
def test_a_session_that_cannot_be_held_is_refused(parts: tuple[Participant, ...], why: str) -> None:
    history = given(SELF_LEARNING, SUPPORT, BILLING, PARCELS)
    asked = CollaborationRequested(task="Zebra?", participants=parts)
    assert why in refusal(history, asked)


def test_only_so_many_sessions_are_held_at_once() -> None:
    one = PolicyAdopted(policy=SelfLearningPolicy(open_collaborations=1))
    history = given(SELF_LEARNING, SUPPORT, BILLING, PARCELS, one, WANTED)
    assert "no more may be" in refusal(history, WANTED)


def refusal(history: History, event: Event) -> str:
    (refused,) = history.tell(event)
    assert isinstance(refused, CollaborationRefused)
    return refused.reason
