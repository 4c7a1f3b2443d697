"""The one effectful shell around every agent: it reads, lets it decide, and writes the answer.

Decisions and the checkpoint behind their cause are one transaction, under the agent's lease: a
crash anywhere, or a second process, changes nothing. A checkpoint that moved without a decision is
written now and then only, because to read an event again that had no answer harms nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from agents.agent import Agent
from events.bus import Bus
from events.catalog.agents import AgentPaused, AgentResumed, AgentStarted
from events.envelope import Draft, Envelope, draft
from events.errors import CheckpointMoved, LeaseLost, LogUnavailable
from events.fact import Fact, fact
from events.ids import derived_id
from events.message import Event
from events.store import (
    Append,
    EventStore,
    Held,
    Lease,
    Move,
    PutSnapshot,
    ReleaseLease,
    RenewLease,
    Snapshot,
    TakeLease,
    append,
    every,
)

S = TypeVar("S")
log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds for which an agent's lease is taken; renewed at a third of it."""
IDLE = 1.0
"""Seconds that a reader waits for the bell before it looks by itself."""
BATCH = 100
LAG = 1000
"""Events that a checkpoint may fall behind before it is written without a decision."""
SNAPSHOT = 5000
"""Facts taken in between two snapshots of an agent's state."""


class Shell(Generic[S]):
    """Leads one agent along the log, for as long as it runs."""

    def __init__(self, agent: Agent[S], store: EventStore, bus: Bus, holder: str) -> None:
        self.agent, self._store, self._bus, self._holder = agent, store, bus, holder
        self.name = f"agent {agent.name}"
        self.position = 0
        """Up to here everything is answered."""
        self.decisions = 0
        self.failure = ""
        """Why the agent stands still, where it does."""
        self._state: S = agent.initial
        self._written = 0
        self._written_at = 0.0
        self._since_snapshot = 0
        self._states = TypeAdapter[Any](type(agent.initial))

    async def run(self) -> None:
        """Lead the agent until cancelled; wait and come back where the log or the lease is lost."""
        while True:
            try:
                held = await self._lease()
                async with asyncio.TaskGroup() as group:
                    renewing = group.create_task(self._renew(held))
                    try:
                        await self._lead(held)
                    finally:
                        renewing.cancel()
            except* (LeaseLost, CheckpointMoved) as lost:
                self.failure = ""  # the log answers
                log.info("agent %s yields: %s", self.agent.name, lost.exceptions[0])
                await asyncio.sleep(IDLE)
            except* LogUnavailable as away:
                self.failure = str(away.exceptions[0])
                log.warning("agent %s waits: %s", self.agent.name, self.failure)
                await asyncio.sleep(IDLE)

    async def settle(self) -> None:
        """Answer what stands in the log now, and stop. For one who runs without an owner."""
        if await self._paused():
            return
        held = await self._lease()
        await self._begin()
        while await self._go_on(held):
            continue
        await self._rest(held)
        await self._store.submit(ReleaseLease(held))

    async def _lease(self) -> Held:
        lease = await self._store.submit(TakeLease(self.agent.checkpoint, self._holder, LEASE))
        assert isinstance(lease, Lease)
        return Held(lease.name, lease.epoch)

    async def _renew(self, held: Held) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            await self._store.submit(RenewLease(held, LEASE))

    async def _lead(self, held: Held) -> None:
        hand = {AgentPaused.wire, AgentResumed.wire}
        ear = self._bus.ear(self.agent.hears | hand)
        try:
            await self._begin()
            self.failure = ""
            while True:
                if await self._paused() or not await self._go_on(held):
                    await ear.wait(IDLE)
        finally:
            ear.close()
            with suppress(LogUnavailable, LeaseLost, CheckpointMoved, asyncio.CancelledError):
                await self._rest(held)
                if self._store.shared:  # others wait for it, and no new owner would end it
                    await self._store.submit(ReleaseLease(held))

    async def _paused(self) -> bool:
        last = await self._store.last(f"agent/{self.agent.name}")
        while last is not None and last.type not in (AgentPaused.wire, AgentResumed.wire):
            if last.version == 1:
                return False
            earlier = await self._store.stream(last.stream, last.version - 2, 1)
            last = earlier[0]
        return last is not None and last.type == AgentPaused.wire

    async def _begin(self) -> None:
        """Come to the state at the checkpoint, from a snapshot where there is one."""
        self.position = self._written = await self._store.checkpoint(self.agent.checkpoint)
        self._from = await started_at(self._store, self.agent)
        self._state, behind = await self._restored()
        async for batch in every(self._store, behind, self.position, self.agent.hears):
            answers = await recorded(self._store, self.agent, batch)
            for envelope in batch:
                told = fact(envelope)
                if self.agent.takes_in(told):
                    self._state = self.agent.evolve(self._state, told)
                    events = [one.event() for one in answers.get(told.id, ())]
                    self._state = self.agent.folded(self._state, told, events)

    async def _restored(self) -> tuple[S, int]:
        kept = await self._store.snapshot(self.agent.checkpoint)
        if kept is None or kept.fold != self.agent.version or kept.position > self.position:
            return self.agent.initial, 0
        try:
            return self._states.validate_json(kept.state), kept.position
        except ValidationError:
            return self.agent.initial, 0

    async def _go_on(self, held: Held) -> bool:
        """Answer the next facts; whether there may be more."""
        head = (await self._store.head()).position
        batch = await self._store.read(self.position, head, BATCH, self.agent.hears)
        if batch:
            await self._answer(batch, held)
        if len(batch) < BATCH:
            self.position = max(self.position, head)
        behind = self.position - self._written
        if behind >= LAG or (behind and time.monotonic() - self._written_at > LEASE / 3):
            await self._write(held)
        if self._since_snapshot >= SNAPSHOT:
            await self._keep()
        return len(batch) == BATCH

    async def _answer(self, batch: Sequence[Envelope], held: Held) -> None:
        """Decide on fact after fact, and let the answers share one commit.

        Each is a transaction of its own that begins where the one before it ended, so if one is
        refused, so are all behind it. Nothing here is believed before all of them are in the log.
        """
        state, written, position = self._state, self._written, self.position
        answers: list[Append] = []
        defect: Exception | None = None
        for cause in batch:
            told = fact(cause)
            if self.agent.takes_in(told):
                try:
                    state, drafts = self._decided(state, told)
                except Exception as error:  # what was decided before it is written all the same
                    defect = error
                    break
                self._since_snapshot += 1
                if drafts:
                    move = Move(self.agent.checkpoint, written, told.position, held)
                    answers.append(Append(drafts, self.agent.actor, cause, move=move))
                    written = told.position
            position = told.position
        await self._said(answers)
        self._state, self.position = state, position
        if answers:
            self._written, self._written_at = written, time.monotonic()
            self.decisions += sum(len(answer.drafts) for answer in answers)
        if defect is not None:
            raise defect

    def _decided(self, state: S, told: Fact) -> tuple[S, tuple[Draft, ...]]:
        state = self.agent.evolve(state, told)
        decisions: Sequence[Event] = ()
        if told.position >= self._from:
            decisions = self.agent.decide(state, told)
        if not decisions:
            return state, ()
        ids = self.agent.decision_ids(told.id, len(decisions))
        drafts = tuple(draft(event, one) for event, one in zip(decisions, ids, strict=True))
        return self.agent.folded(state, told, decisions, ids), drafts

    async def _said(self, answers: Sequence[Append]) -> None:
        found = await asyncio.gather(*map(self._store.submit, answers), return_exceptions=True)
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer

    async def _write(self, held: Held) -> None:
        move = Move(self.agent.checkpoint, self._written, self.position, held)
        await append(self._store, move=move)
        self._written, self._written_at = self.position, time.monotonic()

    async def _rest(self, held: Held) -> None:
        if self.position > self._written:
            await self._write(held)
        if self._since_snapshot:
            await self._keep()

    async def _keep(self) -> None:
        state = self._states.dump_json(self._state).decode()
        kept = Snapshot(self.agent.checkpoint, self.agent.version, self.position, state)
        await self._store.submit(PutSnapshot(kept))
        self._since_snapshot = 0


async def recorded(
    store: EventStore, agent: Agent[Any], causes: Sequence[Envelope]
) -> dict[str, list[Envelope]]:
    """What the agent once decided on each of these, in order."""
    answers: dict[str, list[Envelope]] = {}
    for effect in await store.effects([cause.event_id for cause in causes]):
        if effect.actor == agent.actor and effect.cause_id is not None:
            answers.setdefault(effect.cause_id, []).append(effect)
    return answers


async def starts(store: EventStore) -> dict[str, list[AgentStarted]]:
    """Which versions of each agent began where, in order."""
    found: dict[str, list[AgentStarted]] = {}
    async for batch in every(store, types=[AgentStarted.wire]):
        for envelope in batch:
            event = envelope.event()
            assert isinstance(event, AgentStarted)
            found.setdefault(event.agent, []).append(event)
    return found


async def started_at(store: EventStore, agent: Agent[Any]) -> int:
    """The first position that this agent, in whatever version, was there to answer."""
    began = (await starts(store)).get(agent.name)
    return began[0].from_position if began else 1


async def introduce(store: EventStore, agents: Sequence[Agent[Any]]) -> None:
    """Record which version of each agent goes on from where, once for each version.

    In a young log all begin at its first event; an agent that is new to an old log leaves the past
    alone, and a new version goes on where the old one stopped.
    """
    known = await starts(store)
    head = (await store.head()).position
    drafts = []
    for agent in agents:
        before = known.get(agent.name)
        if before and before[-1].version == agent.version:
            continue
        begin = 1 if not known else head + 1
        if before:
            begin = await store.checkpoint(agent.checkpoint) + 1
        event = AgentStarted(agent=agent.name, version=agent.version, from_position=begin)
        drafts.append(draft(event, derived_id("started", agent.name, len(before or ()), head)))
    if drafts:
        await append(store, *drafts)
