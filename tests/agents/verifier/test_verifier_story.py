"""Candidates come, one is measured at the second try, one is withdrawn; cut at every position."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agents.agent import Agent
from agents.audit import audit
from agents.shell import Shell, introduce
from agents.verifier import VERIFIER
from agents.verifier.workers.examining import failed
from agents.what_if import what_if
from agents.worker import Runner, Tell, Worker
from events.bus import LogTailBus
from events.catalog.examinations import ExaminationRequested
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.verification import CandidateWithdrawn, VerificationRequested
from events.chain import Signer
from events.desk import LogDesk
from events.envelope import Envelope, draft
from events.fact import Fact
from events.ids import derived_id
from events.memory import MemoryStore
from events.message import Event, Outcome
from events.store import append
from tests.agents.spec import BEGIN
from tests.agents.verifier.looks import (
    BASE,
    ROLE,
    SAME,
    UNCLEAR,
    WORSE,
    artifact,
    candidate,
    measured,
    verified,
)

AGENTS: Sequence[Agent[Any]] = (VERIFIER,)
FOUND = {artifact(1): SAME, artifact(2): WORSE, artifact(3): UNCLEAR}


async def examine(told: Fact, _tell: Tell) -> Outcome:
    """The second model is worse; the third is not clear; the first look at it fails."""
    asked = told.event
    assert isinstance(asked, ExaminationRequested)
    assert asked.model is not None
    if (asked.model, asked.attempt) == (artifact(3), 1):
        raise OSError("no room")
    areas = [("sums with two carries", 30, 40)] if asked.model == artifact(1) else []
    return verified(asked, measured("fresh", FOUND[asked.model]), areas=areas, wrong=40, n=120)


WORKERS = {ExaminationRequested.wire: Worker(ExaminationRequested, examine, failed)}


def said(number: int, event: Event) -> Any:
    return draft(event, derived_id("verifier story", number))


BEGINNING = (
    said(1, ROLE),
    said(2, PolicyAdopted(policy=VerifierPolicy(items=60, cheap_seconds=0.0))),
    said(3, candidate(1, BASE)),
    said(4, candidate(2, BASE)),
    said(5, candidate(3, BASE)),
    said(6, VerificationRequested(role="sum")),
)


class StillStore(MemoryStore):
    """A log in which nothing is random and no time passes."""

    def __init__(self) -> None:
        super().__init__(lambda: BEGIN, Signer.fresh())


async def settle(store: MemoryStore) -> None:
    """Let everyone answer until nobody has anything more to say."""
    await introduce(store, AGENTS)
    bus = LogTailBus(store)
    end = -1
    while end != (end := (await store.head()).position):
        await Shell(VERIFIER, store, bus, "test").settle()
        await Runner(WORKERS, LogDesk(store, bus, WORKERS, "test")).settle()
    await bus.close()


async def play() -> tuple[list[Envelope], list[str]]:
    """The log, and what would have been decided otherwise if everything had to be kept."""
    store = StillStore()
    await append(store, *BEGINNING, actor="test")
    await settle(store)
    assert (await audit(store, AGENTS)).good
    strict = await what_if(
        store, AGENTS, VerifierPolicy(items=60, retention=1.0, alpha=0.5, cheap_seconds=0.0)
    )
    changed = [one["type"] for verdict in strict.changed for one in verdict.derived]
    return await store.read(limit=10_000), changed


async def again(log: Sequence[Envelope]) -> list[Envelope]:
    """A log that was cut here, and goes on."""
    store = StillStore()
    by_id = {envelope.event_id: envelope for envelope in log}
    for envelope in log:
        one = draft(envelope.event(), envelope.event_id)._replace(outcome=False)
        cause = by_id.get(envelope.cause_id or "")
        await append(store, one, actor=envelope.actor, cause=cause)
    await settle(store)
    return await store.read(limit=10_000)


@pytest.fixture(scope="module")
def played() -> tuple[list[Envelope], list[str]]:
    return asyncio.run(play())


def test_all_are_verified_in_their_order_and_only_what_is_surely_worse_is_withdrawn(
    played: tuple[list[Envelope], list[str]],
) -> None:
    events = [envelope.event() for envelope in played[0]]
    types = [event.wire for event in events]
    assert types.count("VerificationRefused") == 1
    assert types.count("VerificationFailed") == 1
    assert types.count("WeaknessDetected") == 1
    judged = {event.run: event.verdict for event in events if event.wire == "VerificationJudged"}  # type: ignore[attr-defined]
    assert judged == {"run1": "holds", "run2": "worse", "run3": "unclear"}
    asked = [event for event in events if isinstance(event, ExaminationRequested)]
    withdrawn = next(event for event in events if isinstance(event, CandidateWithdrawn))
    assert (withdrawn.run, withdrawn.stands_run) == ("run2", "run3")
    assert asked[-1].baseline == artifact(1)  # and not the one that was withdrawn
    assert [event.items for event in asked if event.run == "run3"] == [60, 60, 120, 240]


def test_another_policy_would_have_decided_otherwise(
    played: tuple[list[Envelope], list[str]],
) -> None:
    assert "CandidateWithdrawn" in played[1]  # the third as well


def test_a_crash_between_any_two_transactions_changes_nothing(
    played: tuple[list[Envelope], list[str]],
) -> None:
    log = played[0]

    def facts(found: Sequence[Envelope]) -> list[tuple[str, str, str]]:
        return sorted((one.type, one.stream, one.data) for one in found)

    for survived in range(8, len(log)):
        cut = list(log[:survived])
        while (
            len(cut) < len(log) and cut[-1].cause_id and log[len(cut)].cause_id == cut[-1].cause_id
        ):
            cut.append(log[len(cut)])  # a transaction is never cut
        assert facts(asyncio.run(again(cut))) == facts(log), f"cut behind {survived}"
