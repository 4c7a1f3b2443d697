"""A whole history of remembering and talking, and the same one cut at every position.

Time stands still in it, but for the deadlines, which are said as the clock would say them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from agents.agent import Agent
from agents.audit import audit
from agents.self_learning import SELF_LEARNING
from agents.shell import Shell, introduce
from events.bus import LogTailBus
from events.catalog.deadlines import DeadlinePassed
from events.catalog.learnings import (
    CollaborationRequested,
    ContributionMade,
    LearningOffered,
    Lesson,
    Participant,
)
from events.catalog.memories import EraseRequested, PersonalMemoryProposed
from events.catalog.messages import (
    MessageSent,
    ReplySent,
    SubscribeRequested,
    TopicPublished,
)
from events.catalog.people import SubjectForgotten
from events.envelope import Envelope
from events.ids import derived_id
from events.memory import MemoryStore
from events.projection import Fold
from events.store import append
from memory.messages.collaborations import COLLABORATIONS
from memory.messages.inboxes import INBOXES
from memory.remembering.memories import MEMORIES
from tests.agents.self_learning.roles import BILLING, PARCELS, fact, role
from tests.agents.test_story import NOW, StillStore, copied, said

AGENTS: Sequence[Agent[Any]] = (SELF_LEARNING,)
SHORT = role("support", "Answers on orders.", memory={"retention_items": 3, "retention_days": 30.0})
ASKED = said(8, MessageSent(sender="support", to="billing", text="How?", reply_within_s=60))
UNASKED = said(9, MessageSent(sender="support", to="parcels", text="When?", reply_within_s=60))
TALK = said(
    10,
    CollaborationRequested(
        task="Which draft?",
        rounds=1,
        participants=(
            Participant(member="support", part="lead"),
            Participant(member="billing"),
        ),
    ),
)
SESSION = derived_id("collaboration", TALK.event_id).replace("-", "")[:12]


def personal(number: int, text: str) -> Any:
    event = PersonalMemoryProposed(role="parcels", subject="Ann", text=text, about="city")
    return said(number, event)


def contribution(number: int, member: str, *learned: str) -> Any:
    lessons = tuple(Lesson(text=one) for one in learned)
    event = ContributionMade(
        collaboration=SESSION, round=1, member=member, text="The first.", learnings=lessons
    )
    return said(number, event)


def passed(number: int, key: str, after: timedelta) -> Any:
    return said(number, DeadlinePassed(key=key, due=NOW + after))


TOLD: Sequence[Any] = (
    said(1, SHORT),
    said(2, BILLING),
    said(3, PARCELS),
    said(4, fact("Refunds take 30 days.", about="refunds")),
    said(5, fact("Refunds take 14 days.", about="refunds")),
    said(6, fact("refunds take 14 days", about="refunds")),
    said(7, SubscribeRequested(member="billing", topic="shop.>")),
    ASKED,
    UNASKED,
    TALK,
    said(11, ReplySent(message=ASKED.event_id, sender="billing", text="By card.")),
    said(12, TopicPublished(sender="support", topic="shop.kettle", text="The lid breaks.")),
    said(13, LearningOffered(role="support", text="An invoice names its payment.")),
    said(14, LearningOffered(role="billing", text="an invoice names its payment")),
    contribution(15, "support", "A refund is told before the payment."),
    contribution(16, "billing", "Round to cents."),
    said(19, fact("The shop is open on Sundays.")),
    said(21, EraseRequested(role="billing", item=derived_id("story", 4), reason="wrong role")),
    passed(22, f"message/{UNASKED.event_id}", timedelta(seconds=60)),
    passed(23, f"message/{ASKED.event_id}", timedelta(seconds=60)),
    passed(24, f"collaboration/{SESSION}", timedelta(minutes=30)),
    passed(25, "memory/support", timedelta(days=30)),
    said(26, fact("Nobody keeps this.", role="suport")),
    personal(17, "Lives in Oslo."),
    personal(18, "Lives in Rome."),
    said(20, SubjectForgotten(subject="Ann")),
)
"""What the world says, in the order in which it says it."""


async def settle(store: MemoryStore) -> None:
    await introduce(store, AGENTS)
    bus = LogTailBus(store)
    await Shell(SELF_LEARNING, store, bus, "test").settle()
    await bus.close()


async def told(store: MemoryStore) -> None:
    """Tell what has not been told yet, each after the answer to the one before."""
    await settle(store)
    known = {one.event_id for one in await store.read(limit=10_000)}
    for one in TOLD:
        if one.event_id not in known:
            await append(store, one, actor="test")
            await Shell(SELF_LEARNING, store, LogTailBus(store), "test").settle()


async def play() -> list[Envelope]:
    store = StillStore()
    await told(store)
    return await store.read(limit=10_000)


@pytest.fixture(scope="module")
def log() -> list[Envelope]:
    return asyncio.run(play())


def shown(log: Sequence[Envelope]) -> list[tuple[str, str, str]]:
    """Without what was sealed: each log seals with keys of its own."""
    open_ones = [e for e in log if e.key_id is None]
    return [(e.type, e.stream, e.data) for e in open_ones]


def test_everything_that_was_told_is_answered_once(log: list[Envelope]) -> None:
    types = [envelope.type for envelope in log]
    once = {
        "MemoryMerged": 2,
        "MemorySuperseded": 2,
        "MemoryErased": 1,
        "MemoryRefused": 2,
        "MessageUnanswered": 1,
        "ReplyDelivered": 1,
        "TopicDelivered": 1,
        "LearningBroadcast": 2,
        "CollaborationConcluded": 1,
        "MemoryExpired": 3,
    }
    assert {wire: types.count(wire) for wire in once} == once


def test_a_crash_between_any_two_transactions_changes_nothing(log: list[Envelope]) -> None:
    async def gone_on(cut: Sequence[Envelope]) -> list[Envelope]:
        store = StillStore()
        await copied(store, [one for one in cut if one.key_id is None])
        await told(store)
        return await store.read(limit=10_000)

    sealed = next(place for place, one in enumerate(log) if one.key_id is not None)
    cuts = [
        place
        for place in range(len(AGENTS), sealed)
        if log[place].cause_id is None or log[place].cause_id != log[place - 1].cause_id
    ]
    assert len(cuts) > 30
    for place in cuts:
        assert shown(asyncio.run(gone_on(log[:place]))) == shown(log), place


def test_every_decision_is_derived_again(log: list[Envelope]) -> None:
    async def audited() -> None:
        store = StillStore()
        await told(store)
        report = await audit(store, AGENTS)
        assert report.good
        assert not report.drift
        by_agents = sum(1 for e in log if e.actor.startswith("agent:"))
        assert report.decisions == by_agents

    asyncio.run(audited())


async def folded() -> dict[str, dict[str, Any]]:
    store = StillStore()
    await told(store)
    folds = [Fold(one) for one in (MEMORIES, INBOXES, COLLABORATIONS)]
    return {fold.projection.name: await fold.catch_up(store) for fold in folds}


@pytest.fixture(scope="module")
def states() -> dict[str, dict[str, Any]]:
    return asyncio.run(folded())


def test_what_has_ended_leaves_a_stone_that_says_by_which_event(
    log: list[Envelope], states: dict[str, dict[str, Any]]
) -> None:
    memories = states["memories"]
    personal_ones = [memories[derived_id("story", number)] for number in (17, 18)]
    (erased,) = [one for one in log if one.type == "MemoryErased"]
    for row in personal_ones:
        assert (row["status"], row["text"]) == ("erased", None)
        assert row["ended_by"] == erased.event_id
        assert row["because"] == "the person was forgotten"
    first = memories[derived_id("story", 4)]
    assert (first["status"], first["because"]) == ("expired", "the role keeps 3 items")
    assert derived_id("story", 6) not in memories


def test_every_member_finds_what_was_said_to_it(states: dict[str, dict[str, Any]]) -> None:
    inboxes = states["inboxes"]["inboxes"]
    found = {member: [one["kind"] for one in letters] for member, letters in inboxes.items()}
    assert found == {
        "billing": ["message", "round", "topic", "learning", "learning"],
        "parcels": ["message"],
        "support": ["round", "reply", "unanswered"],
    }
    assert inboxes["billing"][0]["status"] == "answered"
    assert inboxes["parcels"][0]["status"] == "unanswered"
    assert states["inboxes"]["sent"] == {}
    assert states["inboxes"]["sessions"] == {}


def test_a_session_shows_what_was_said_and_its_result(states: dict[str, dict[str, Any]]) -> None:
    row = states["collaborations"][SESSION]
    assert row["status"] == "concluded"
    assert [one["member"] for one in row["said"]] == ["support", "billing"]
    assert row["result"]["result"] == "The first."
    assert [one["broadcast"] for one in row["result"]["learnings"]] == [True, False]
    assert row["offered"] == {}


def test_a_snapshot_of_the_state_reads_as_it_was_written() -> None:
    async def kept() -> None:
        store = StillStore()
        await told(store)
        snapshot = await store.snapshot(SELF_LEARNING.checkpoint)
        assert snapshot is not None
        again: Any = Shell(SELF_LEARNING, store, LogTailBus(store), "test")
        await again._begin()
        assert again._state.items["billing"] == {}
        assert again._states.dump_json(again._state).decode() == snapshot.state

    asyncio.run(kept())
