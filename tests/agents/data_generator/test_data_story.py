"""A data set from its request to its acceptance, and the same history cut at every position."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agents.agent import Agent
from agents.audit import audit
from agents.data_generator import DATA_GENERATOR
from agents.data_generator.workers.failing import assembly_failed, part_failed
from agents.scheduler import SCHEDULER
from agents.shell import Shell, introduce
from agents.worker import Runner, Tell, Worker
from events.bus import LogTailBus
from events.catalog.data import DataRequested
from events.catalog.parts import AssemblyRequested, PartRequested
from events.catalog.policies import DataPolicy, PolicyAdopted
from events.chain import Signer
from events.desk import LogDesk
from events.envelope import Envelope, draft
from events.fact import Fact
from events.ids import derived_id
from events.memory import MemoryStore
from events.message import Event, Outcome
from events.store import append
from tests.agents.data_generator.sets import ROLE, assembled, built
from tests.agents.spec import BEGIN

AGENTS: Sequence[Agent[Any]] = (SCHEDULER, DATA_GENERATOR)


async def build(told: Fact, _tell: Tell) -> Outcome:
    """The web is away; one part fails at first; all others are built."""
    asked = told.event
    assert isinstance(asked, PartRequested)
    if asked.source == "web" or (asked.part, asked.attempt) == (2, 1):
        raise OSError("no host answers")
    return built(asked)


async def assemble(told: Fact, _tell: Tell) -> Outcome:
    """At first a fifth of the rows is taken out."""
    asked = told.event
    assert isinstance(asked, AssemblyRequested)
    return assembled(asked, 800 if asked.attempt == 1 else 1000)


WORKERS = {
    PartRequested.wire: Worker(PartRequested, build, part_failed),
    AssemblyRequested.wire: Worker(AssemblyRequested, assemble, assembly_failed),
}


def said(number: int, event: Event) -> Any:
    return draft(event, derived_id("data story", number))


BEGINNING = (
    said(1, ROLE),
    said(2, PolicyAdopted(policy=DataPolicy(sources=("synthetic", "web"), part_rows=400))),
    said(3, DataRequested(role="support", quantity=1000, seed=7)),
    said(4, DataRequested(role="suport", quantity=10)),
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
        for agent in AGENTS:
            await Shell(agent, store, bus, "test").settle()
        await Runner(WORKERS, LogDesk(store, bus, WORKERS, "test")).settle()
    await bus.close()


async def play() -> list[Envelope]:
    store = StillStore()
    await append(store, *BEGINNING, actor="test")
    await settle(store)
    assert (await audit(store, AGENTS)).good
    return await store.read(limit=10_000)


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
def log() -> list[Envelope]:
    return asyncio.run(play())


def test_a_source_is_away_a_part_fails_once_and_the_set_is_accepted(log: list[Envelope]) -> None:
    types = [envelope.type for envelope in log]
    assert types.count("PartRequested") == 3 + 3 * 3 + 1 + 1
    assert types.count("PartFailed") == 3 * 3 + 1
    assert types.count("AssemblyRequested") == 2
    assert types.count("DatasetAccepted") == 1
    assert types.count("DatasetRejected") == 1


def test_every_request_of_a_worker_is_answered_once(log: list[Envelope]) -> None:
    outcomes = ("PartBuilt", "PartFailed", "DatasetAssembled")
    answered = [one.cause_id for one in log if one.type in outcomes]
    asked = [one.event_id for one in log if one.type in ("PartRequested", "AssemblyRequested")]
    assert sorted(asked) == sorted(str(one) for one in answered)


def test_a_crash_between_any_two_transactions_changes_nothing(log: list[Envelope]) -> None:
    def facts(found: Sequence[Envelope]) -> list[tuple[str, str, str]]:
        return sorted((one.type, one.stream, one.data) for one in found)

    for survived in range(6, len(log)):
        cut = list(log[:survived])
        while (
            len(cut) < len(log) and cut[-1].cause_id and log[len(cut)].cause_id == cut[-1].cause_id
        ):
            cut.append(log[len(cut)])  # a transaction is never cut
        assert facts(asyncio.run(again(cut))) == facts(log), f"cut behind {survived}"
