"""What becomes of a memory that is told: given these facts, when one more, then these decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agents.self_learning import SELF_LEARNING
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.memories import (
    EraseRequested,
    MemoryErased,
    MemoryExpired,
    MemoryKept,
    MemoryMerged,
    MemoryRefused,
    MemorySuperseded,
    MergeRequested,
    PersonalMemoryProposed,
)
from events.catalog.people import SubjectForgotten
from events.catalog.policies import PolicyAdopted, SelfLearningPolicy
from events.catalog.roles import RoleRetired
from events.envelope import format_time
from events.fact import Fact
from events.message import Event
from tests.agents.self_learning.roles import SUPPORT, fact, role
from tests.agents.spec import BEGIN, History, given, kinds

DAY = timedelta(days=1)


def reason(history: History, event: Event) -> str:
    (refused,) = history.tell(event)
    assert isinstance(refused, MemoryRefused)
    return refused.reason


def test_a_memory_is_kept_as_of_the_moment_it_was_told() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    (kept,) = history.tell(fact("Refunds take 30 days."), "item-1")
    assert kept == MemoryKept(
        role="support", item="item-1", scope="role", kind="fact", valid_from=history.now()
    )


def test_the_same_fact_told_in_other_words_is_merged_into_the_first() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("Refunds are possible within 30 days."), "one")
    merged = MemoryMerged(role="support", item="two", into="one", of="support")
    assert history.tell(fact("refunds possible, within 30 days", sources=("s",)), "two") == (
        merged,
    )
    assert history.state.items["support"]["one"].sources == ("one", "two", "s")
    assert list(history.state.items["support"]) == ["one"]


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Refunds are possible within 14 days."},
        {"text": "Refunds are not possible within 30 days."},
        {"text": "Refunds are possible within 30 days.", "kind": "lesson"},
        {"text": "Refunds are possible within 30 days.", "scope": "model", "model": "m"},
        {"text": "Refunds are possible within 30 days.", "scope": "session", "session": "s"},
    ],
)
def test_what_says_or_reaches_something_else_is_no_copy(other: dict[str, Any]) -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("Refunds are possible within 30 days."))
    assert kinds(history.tell(fact(**other))) == ["MemoryKept"]


def test_the_same_episode_at_another_time_is_another_episode() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("The shop was down.", kind="episode", valid_from=BEGIN))
    later = fact("The shop was down.", kind="episode", valid_from=BEGIN + DAY)
    assert kinds(history.tell(later)) == ["MemoryKept"]
    assert kinds(history.tell(later)) == ["MemoryMerged"]


def test_a_newer_fact_closes_the_older_one_at_the_moment_it_begins() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("Refunds take 30 days.", about="refunds"), "old")
    kept, closed = history.tell(fact("Refunds take 14 days.", about="refunds"), "new")
    assert isinstance(kept, MemoryKept)
    assert closed == MemorySuperseded(
        role="support", item="old", by="new", valid_to=kept.valid_from
    )
    old, new = (history.state.items["support"][name] for name in ("old", "new"))
    assert old.valid_to == new.valid_from
    assert new.valid_to is None


def test_a_late_word_about_an_earlier_time_holds_until_the_next_known_one() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    told = {"about": "city"}
    history.tell(fact("Lives in Oslo.", valid_from=BEGIN, **told), "oslo")
    history.tell(fact("Lives in Rome.", valid_from=BEGIN + 10 * DAY, **told), "rome")
    kept, closed = history.tell(fact("Lives in Lyon.", valid_from=BEGIN + 5 * DAY, **told), "lyon")
    assert isinstance(kept, MemoryKept)
    assert kept.valid_to == BEGIN + 10 * DAY
    assert isinstance(closed, MemorySuperseded)
    assert (closed.item, closed.valid_to) == ("oslo", BEGIN + 5 * DAY)


def test_what_became_so_again_is_a_new_memory() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    for city in ("Oslo", "Rome"):
        history.tell(fact(f"Lives in {city}.", about="city"))
    assert kinds(history.tell(fact("Lives in Oslo.", about="city"))) == [
        "MemoryKept",
        "MemorySuperseded",
    ]


def test_a_slip_of_the_pen_in_a_subject_that_is_named_is_a_correction() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("the invoise goes to accounting", about="invoices"))
    corrected = fact("the invoice goes to accounting", about="invoices")
    assert kinds(history.tell(corrected)) == ["MemoryKept", "MemorySuperseded"]


def test_the_oldest_is_put_out_when_there_is_one_too_many() -> None:
    small = role("support", memory={"retention_items": 2})
    history = given(SELF_LEARNING, small)
    for text in ("First.", "Second."):
        assert kinds(history.tell(fact(text), text[:-1])) == ["MemoryKept"]
    expired = MemoryExpired(role="support", items=("First",), rule="count", bound=2)
    assert history.tell(fact("Third."))[1] == expired
    assert len(history.state.items["support"]) == 2


def test_a_role_that_keeps_nothing_says_so() -> None:
    history = given(SELF_LEARNING, role("support", memory={"retention_items": 0}))
    assert "retention_items is 0" in reason(history, fact("First."))
    assert history.state.items["support"] == {}


def test_one_deadline_waits_for_the_oldest_memory() -> None:
    history = given(SELF_LEARNING, role("support", memory={"retention_days": 30.0}))
    first = history.tell(fact("First."), "first")
    due = history.now() + 30 * DAY
    assert first[1] == DeadlineSet(key="memory/support", due=due)
    assert kinds(history.tell(fact("Second."), "second")) == ["MemoryKept"]
    second_due = history.now() + 30 * DAY
    passed = DeadlinePassed(key="memory/support", due=due)
    assert at(history, passed, due) == (
        MemoryExpired(role="support", items=("first",), rule="age", bound=30),
        DeadlineSet(key="memory/support", due=second_due),
    )
    gone = at(history, DeadlinePassed(key="memory/support", due=second_due), second_due)
    assert kinds(gone) == ["MemoryExpired"]
    assert history.state.due == {}


def test_a_shorter_retention_is_carried_out_at_once_and_a_lifted_one_lifts_the_deadline() -> None:
    history = given(SELF_LEARNING, role("support", memory={"retention_days": 30.0}))
    history.tell(fact("First."), "first")
    history.tell(fact("Second."), "second")
    fewer = history.tell(role("support", memory={"retention_items": 1}))
    assert list(fewer) == [
        MemoryExpired(role="support", items=("first",), rule="count", bound=1),
        DeadlineLifted(key="memory/support"),
    ]


def test_a_memory_that_is_told_again_is_no_younger_for_it() -> None:
    history = given(SELF_LEARNING, role("support", memory={"retention_days": 30.0}))
    history.tell(fact("First."), "first")
    due = history.now() + 30 * DAY
    assert kinds(history.tell(fact("first"))) == ["MemoryMerged"]
    expired = at(history, DeadlinePassed(key="memory/support", due=due), due)
    assert kinds(expired) == ["MemoryExpired"]


def test_a_full_memory_without_a_policy_refuses_and_forgets_nothing() -> None:
    bound = PolicyAdopted(policy=SelfLearningPolicy(memories_per_role=2))
    history = given(SELF_LEARNING, SUPPORT, bound, fact("First."), fact("Second."))
    assert "is full with 2" in reason(history, fact("Third."))
    assert len(history.state.items["support"]) == 2


@pytest.mark.parametrize("wanted", ["suport", "support"])
def test_nobody_remembers_for_a_role_that_is_not_at_work(wanted: str) -> None:
    history = given(SELF_LEARNING, SUPPORT)
    if wanted == "support":
        history.tell(RoleRetired(role="support", reason="replaced"))
        assert reason(history, fact("A.", role=wanted)) == "role 'support' was retired"
    else:
        assert "did you mean 'support'?" in reason(history, fact("A.", role=wanted))


def test_what_ended_before_it_was_told_needs_a_beginning() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    assert "name valid_from" in reason(history, fact("The shop is shut.", valid_to=BEGIN))


def test_memories_are_erased_by_name_by_session_and_by_source() -> None:
    history = given(SELF_LEARNING, SUPPORT, role("billing"))
    history.tell(fact("One.", sources=("bad",)), "one")
    history.tell(fact("Two.", scope="session", session="s1"), "two")
    history.tell(fact("Three.", scope="session", session="s2"), "three")
    history.tell(fact("Four.", role="billing", sources=("bad",)), "four")

    def asked(**what: str) -> list[Event]:
        return list(history.tell(EraseRequested(role="support", reason="wrong", **what)))

    def gone(role: str, *names: str) -> MemoryErased:
        return MemoryErased(role=role, items=names, reason="wrong")

    assert asked(session="s1") == [gone("support", "two")]
    assert asked(source="bad") == [gone("support", "one"), gone("billing", "four")]
    assert asked(item="three") == [gone("support", "three")]
    assert kinds(asked(item="three")) == ["MemoryRefused"]


def test_two_memories_are_made_one_only_where_they_belong_together() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    history.tell(fact("Refunds take a month."), "one")
    history.tell(fact("It takes a month until money is back."), "two")
    history.tell(fact("Be kind.", kind="lesson"), "three")
    ask = MergeRequested(role="support", item="two", into="one")
    assert history.tell(ask) == (
        MemoryMerged(role="support", item="two", into="one", of="support"),
    )
    assert history.state.items["support"]["one"].sources == ("one", "two")
    assert "remembers no 'two'" in reason(history, ask)
    assert "the same memory" in reason(history, ask.model_copy(update={"item": "one"}))
    assert "different" in reason(history, ask.model_copy(update={"item": "three"}))


def personal(key: str, event_id: str, history: History, **fields: Any) -> list[str]:
    event = PersonalMemoryProposed(
        **{"role": "support", "subject": "sealed:1:x", "text": "sealed:1:y", **fields}
    )
    return kinds(at(history, event, history.now(), event_id, key))


def at(
    history: History, event: Event, when: Any, event_id: str = "", key: str | None = None
) -> tuple[Event, ...]:
    """One more fact at a time of its own, sealed with a key."""
    history.position += 1
    name = event_id or f"id-{history.position}"
    told = Fact(event, name, history.position, format_time(when), "test", None, key)
    history.state = SELF_LEARNING.evolve(history.state, told)
    decisions = SELF_LEARNING.decide(history.state, told)
    history.state = SELF_LEARNING.folded(history.state, told, decisions)
    return tuple(decisions)


def test_personal_memories_of_two_people_never_meet_and_go_with_their_person() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    assert personal("ann", "a1", history, about="city") == ["MemoryKept"]
    assert personal("bob", "b1", history, about="city") == ["MemoryKept"]
    assert personal("ann", "a2", history, about="city") == ["MemoryKept", "MemorySuperseded"]
    forgotten = SubjectForgotten(subject="sealed:1:x")
    (erased,) = at(history, forgotten, history.now(), key="ann")
    assert erased == MemoryErased(
        role="support", items=("a1", "a2"), reason="the person was forgotten"
    )
    assert list(history.state.items["support"]) == ["b1"]
    assert at(history, forgotten, history.now(), key="nobody") == ()


def test_of_roles_that_never_were_nothing_stays_in_the_state() -> None:
    history = given(SELF_LEARNING, SUPPORT)
    for number in range(3):
        stranger = f"nobody-{number}"
        assert "no role is named" in reason(history, fact("Tea is hot.", role=stranger))
        for asked in (
            MergeRequested(role=stranger, item="a", into="b"),
            EraseRequested(role=stranger, item="a", reason="it was wrong"),
        ):
            assert reason(history, asked)
    assert set(history.state.items) <= {"support"}
