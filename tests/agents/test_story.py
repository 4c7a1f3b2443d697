"""A whole history, and the same history cut at every position and gone on from there.

Time stands still in the story, so that what follows from the same facts is the same to the letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.agent import Agent
from agents.audit import audit
from agents.scheduler import SCHEDULER
from agents.shell import Shell, introduce
from agents.trainer import TRAINER
from agents.trainer.workers.failing import failed
from agents.worker import Runner, Tell, Worker
from events.bus import LogTailBus
from events.catalog.hand import ApprovalGiven, HoldRequested
from events.catalog.roles import RoleDefined
from events.catalog.training import StageCompleted, StageRequested, TrainingRequested
from events.chain import Signer
from events.desk import LogDesk
from events.envelope import Envelope, draft
from events.fact import Fact
from events.ids import derived_id
from events.memory import MemoryStore
from events.message import Event, Outcome
from events.store import append

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
AGENTS: Sequence[Agent[Any]] = (SCHEDULER, TRAINER)
PROFILE = {"name": "support", "purpose": "answers customers", "model_type": "support_replies"}


async def grant(told: Fact, _tell: Tell) -> Outcome:
    """Every stage succeeds, but the first attempt at the second one."""
    request = told.event
    assert isinstance(request, StageRequested)
    if (request.stage, request.attempt) == ("srl", 1):
        raise MemoryError("no room")
    return StageCompleted(run=request.run, stage=request.stage, attempt=request.attempt, seconds=1)


WORKERS = {StageRequested.wire: Worker(StageRequested, grant, failed)}


def said(number: int, event: Event) -> Any:
    return draft(event, derived_id("story", number))


BEGINNING = (
    said(1, RoleDefined.model_validate({"role": "support", "profile": PROFILE})),
    said(2, TrainingRequested(role="support", pipeline="rehearsal", base="tiny")),
    said(3, TrainingRequested(role="suport", pipeline="rehearsal", base="tiny")),
)


class StillStore(MemoryStore):
    """A log in which nothing is random and no time passes."""

    def __init__(self, log: Sequence[Envelope] = ()) -> None:
        super().__init__(lambda: NOW, Signer.fresh())
        self.history = list(log)


async def settle(store: MemoryStore) -> None:
    """Let everyone answer until nobody has anything more to say."""
    await introduce(store, AGENTS)
    bus = LogTailBus(store)
    end = -1
    while end != (end := (await store.head()).position):
        for agent in AGENTS:
            await Shell(agent, store, bus, "test").settle()
        await Runner(WORKERS, LogDesk(store, bus, WORKERS, "pretend")).settle()
    await bus.close()


async def play() -> list[Envelope]:
    store = StillStore()
    await append(store, *BEGINNING, actor="test")
    await settle(store)
    run = next(e for e in await store.read() if e.type == "RunStarted").event()
    hold = HoldRequested(run=getattr(run, "run", ""))
    await append(store, said(4, hold), actor="test")
    await settle(store)
    return await store.read(limit=10_000)


async def again(log: Sequence[Envelope]) -> list[Envelope]:
    """A log that was cut here, and goes on: each surviving event is told anew as it was."""
    store = StillStore()
    await copied(store, log)
    await settle(store)
    return await store.read(limit=10_000)


async def copied(store: MemoryStore, log: Sequence[Envelope]) -> None:
    by_id = {envelope.event_id: envelope for envelope in log}
    for envelope in log:
        event = envelope.event()
        one = draft(event, envelope.event_id)
        cause = by_id.get(envelope.cause_id or "")
        await append(store, one._replace(outcome=False), actor=envelope.actor, cause=cause)


def test_a_weak_worker_is_asked_again_and_the_run_is_completed() -> None:
    log = asyncio.run(play())
    types = [envelope.type for envelope in log]
    assert types.count("RunStarted") == 1
    assert types.count("TrainingRejected") == 1
    assert types.count("StageFailed") == 1
    assert types.count("StageRequested") == 5
    assert types.count("RunCompleted") == 1
    assert types[-1] == "HandRefused"


def test_every_request_is_answered_once() -> None:
    log = asyncio.run(play())
    caused = [envelope.cause_id for envelope in log]
    for envelope in log:
        if envelope.type == "StageRequested":
            assert caused.count(envelope.event_id) == 1


def whole() -> list[Envelope]:
    return asyncio.run(play())


@pytest.mark.parametrize("survived", [3, *range(5, 22)])
def test_a_crash_between_any_two_transactions_changes_nothing(survived: int) -> None:
    log = whole()
    cut = log[:survived]
    while len(cut) < len(log) and cut[-1].cause_id and log[len(cut)].cause_id == cut[-1].cause_id:
        cut.append(log[len(cut)])  # a transaction is never cut
    facts = [(e.type, e.stream, e.data) for e in log[: len(log) - 2]]
    went_on = asyncio.run(again(cut))
    assert [(e.type, e.stream, e.data) for e in went_on][: len(facts)] == facts


def test_the_audit_derives_every_decision_again() -> None:
    async def audited() -> None:
        store = StillStore()
        await append(store, *BEGINNING, actor="test")
        await settle(store)
        report = await audit(store, AGENTS)
        assert report.good
        assert report.decisions == sum(
            1 for e in await store.read(limit=1000) if e.actor.startswith("agent:")
        )

    asyncio.run(audited())


def test_an_approval_of_nothing_is_refused_and_stays_in_history() -> None:
    async def refused() -> None:
        store = StillStore()
        await append(store, said(9, ApprovalGiven(run="nobody")), actor="test")
        await settle(store)
        assert (await store.read(limit=100))[-1].type == "HandRefused"

    asyncio.run(refused())
