"""The composition root: which agents, workers and projections there are, put together once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agents.agent import Agent
from agents.roster import ROSTER
from agents.rules import POLICIES, ROLES
from agents.scheduler import SCHEDULER
from agents.scheduler.schedules import SCHEDULES
from agents.shell import Shell, introduce
from agents.trainer import TRAINER
from agents.trainer.workers.pretend import pretender
from agents.worker import Runner, Worker
from events.bus import Bus, LogTailBus
from events.memory import utc_now
from events.projection import Fold, Projection, restored
from events.store import EndLocalLeases, EventStore
from infra.clock import Clock
from infra.home import Home
from infra.settings import Settings
from pipelines.runs import RUNS

if TYPE_CHECKING:
    from infra.api.server import Server

log = logging.getLogger(__name__)

AGENTS: tuple[Agent[Any], ...] = (SCHEDULER, TRAINER)
PROJECTIONS: dict[str, Projection] = {
    projection.name: projection for projection in (ROLES, POLICIES, RUNS, SCHEDULES, ROSTER)
}


@dataclass
class House:
    """Everything that runs in one process around one log."""

    store: EventStore
    bus: Bus
    shells: list[Shell[Any]]
    runner: Runner | None
    clock: Clock
    folds: dict[str, Fold]
    started_at: datetime = field(default_factory=utc_now)
    stopped: dict[str, str] = field(default_factory=dict)
    """Parts that came to an end by a defect, and why."""

    def troubles(self) -> dict[str, str]:
        """What does not work just now, by part."""
        found = dict(self.stopped)
        for shell in self.shells:
            if shell.failure:
                found[f"agent {shell.agent.name}"] = shell.failure
        if self.runner is not None and self.runner.failure:
            found["workers"] = self.runner.failure
        if self.clock.failure:
            found["clock"] = self.clock.failure
        return found

    async def projection(self, name: str) -> Any:
        """The present state of a projection, kept warm."""
        fold = self.folds.get(name)
        if fold is None:
            fold = self.folds[name] = await restored(PROJECTIONS[name], self.store)
        return await fold.catch_up(self.store)

    async def run(self) -> None:
        """Run all parts until cancelled. One that fails by a defect stands still; the rest go on."""
        parts = {f"agent {shell.agent.name}": shell.run() for shell in self.shells}
        parts["clock"] = self.clock.run()
        if self.runner is not None:
            parts["workers"] = self.runner.run()
        async with asyncio.TaskGroup() as group:
            for name, part in parts.items():
                group.create_task(self._guarded(name, part), name=name)

    async def _guarded(self, name: str, part: Any) -> None:
        try:
            await part
        except Exception as error:  # reported at /readyz: an agent that fails must not hide
            self.stopped[name] = f"{type(error).__name__}: {error}"
            log.exception("%s stands still", name)

    async def close(self) -> None:
        """Keep what may be kept, and let go of the log."""
        for fold in self.folds.values():
            await fold.catch_up(self.store)
            await fold.keep(self.store)
        await self.bus.close()
        await self.store.close()


async def built(
    store: EventStore,
    settings: Settings,
    agents: Sequence[Agent[Any]] = AGENTS,
    workers: Sequence[Worker] | None = None,
) -> House:
    """The house of an owner: its predecessor's leases end, its agents are introduced."""
    await store.submit(EndLocalLeases())
    await introduce(store, agents)
    bus = LogTailBus(store)
    if workers is None:
        workers = (pretender(settings.workers.pretend_seconds),)
    grants = {worker.kind.wire: worker for worker in workers}
    runner = None
    if settings.workers.slots and grants:
        runner = Runner(grants, store, bus, "pretend", settings.workers.slots)
    shells = [Shell(agent, store, bus, me()) for agent in agents]
    return House(store, bus, shells, runner, Clock(store, bus), {})


def door(house: House, home: Home, listening: socket.socket, owner: str) -> Server:
    """The HTTP door of the house, still closed; `owner` is the token of the home's note."""
    from infra.api.server import Server

    return Server(house, home, listening, owner)


async def settled(store: EventStore, agents: Sequence[Agent[Any]] = AGENTS) -> None:
    """Let the agents answer all that stands in the log, once; for who has no owner to do it."""
    await store.submit(EndLocalLeases())
    await introduce(store, agents)
    bus = LogTailBus(store)
    end = -1
    while end != (end := (await store.head()).position):
        for agent in agents:
            await Shell(agent, store, bus, me()).settle()
    await bus.close()


def me() -> str:
    """This process, as a holder of leases."""
    return f"{socket.gethostname()}:{os.getpid()}"
