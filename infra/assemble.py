"""The composition root: which agents, workers and projections there are, put together once."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agents.agent import Agent
from agents.data_generator import DATA_GENERATOR
from agents.roster import ROSTER
from agents.rules import POLICIES, ROLES
from agents.scheduler import SCHEDULER
from agents.scheduler.schedules import SCHEDULES
from agents.self_learning import SELF_LEARNING
from agents.shell import Shell, introduce
from agents.trainer import TRAINER
from agents.trainer.workers.pretend import pretender
from agents.verifier import VERIFIER
from agents.worker import Runner, Worker
from events.artifacts import Artifacts
from events.bus import Bus, LogTailBus
from events.desk import LogDesk
from events.errors import LeaseLost
from events.projection import Projection
from events.store import EndLocalLeases, EventStore
from infra.clock import Clock
from infra.forgetting import Purge, Purger
from infra.home import Home
from infra.house import House, Part
from infra.knowledge import keeper
from infra.makers import Makers
from infra.redacting import from_datasets
from infra.rejected import Rejected
from infra.reports import Reporter
from infra.settings import Settings
from infra.sockets import is_loopback
from infra.training import Training
from infra.verifying import verifiers
from memory.messages.collaborations import COLLABORATIONS
from memory.messages.inboxes import INBOXES
from memory.remembering.memories import MEMORIES
from pipelines.data.queues import REVIEWS
from pipelines.data.sets import DATASETS, EVALUATION_SETS
from pipelines.models import MODELS
from pipelines.runs import RUNS

if TYPE_CHECKING:
    from infra.api.server import Server
    from infra.wire import Wire

AGENTS: tuple[Agent[Any], ...] = (SCHEDULER, TRAINER, DATA_GENERATOR, SELF_LEARNING, VERIFIER)
PROJECTIONS: dict[str, Projection] = {
    projection.name: projection
    for projection in (
        ROLES,
        POLICIES,
        RUNS,
        MODELS,
        SCHEDULES,
        ROSTER,
        MEMORIES,
        INBOXES,
        COLLABORATIONS,
        DATASETS,
        EVALUATION_SETS,
        REVIEWS,
    )
}


async def built(
    store: EventStore,
    settings: Settings,
    agents: Sequence[Agent[Any]] = AGENTS,
    workers: Sequence[Worker] | None = None,
    purges: Sequence[Purge] = (),
    wire: Wire | None = None,
    home: Home | None = None,
) -> House:
    """The house of an owner: its predecessor's leases end, its agents are introduced."""
    if not store.shared:
        await store.submit(EndLocalLeases())
    await introduce(store, agents)
    bus: Bus = LogTailBus(store) if wire is None else wire.bus(store)
    shells = [Shell(agent, store, bus, me()) for agent in agents]
    parts: list[Part] = [*shells, Clock(store, bus)]
    rejected = None if home is None else Rejected(home.folder)
    if wire is not None and home is not None and rejected is not None:
        parts.extend(wire.parts(store, bus, home, rejected))
    knowledge = None if home is None else keeper(home, settings, store, bus)
    if knowledge is not None:
        parts.append(knowledge)
        purges = [*purges, knowledge.forget]
    if home is not None:
        purges = [*purges, from_datasets(store, Artifacts(home.artifacts))]
    if purges:
        parts.append(Purger(store, bus, purges))
    slots = settings.workers.slots
    if slots and workers is None and home is not None:
        makers = Makers(
            home,
            settings,
            store,
            None if knowledge is None else knowledge.hits,
            None if knowledge is None or knowledge.nearness is None else knowledge.nearness.of,
        )
        parts += [makers, _runner("data", makers.workers(), store, bus, slots)]
        training = Training(home, settings, store, bus)
        parts += [training, _runner("training", training.workers(), store, bus, slots)]
        examiners = verifiers(home, settings, training)
        parts.append(_runner("verifying", examiners, store, bus, slots))
        workers = ()
    workers = workers_of(settings) if workers is None else workers
    if slots and workers:
        parts.append(_runner("pretend", workers, store, bus, slots))
    house = House(store, bus, shells, parts, PROJECTIONS, rejected, knowledge)
    if home is not None:
        parts.append(Reporter(home, bus, lambda: house.fold(RUNS.name)))
    return house


def _runner(
    holder: str, workers: Sequence[Worker], store: EventStore, bus: Bus, slots: int
) -> Runner:
    """Lets these workers work, under a name that says in the log who they are."""
    grants = {worker.kind.wire: worker for worker in workers}
    runner = Runner(grants, LogDesk(store, bus, grants, holder), slots)
    runner.name = f"workers, {holder}"
    return runner


def workers_of(settings: Settings) -> Sequence[Worker]:
    """Those who carry out requests where there is no home to train in: they rehearse."""
    return (pretender(settings.workers.pretend_seconds),)


def wired(home: Home, settings: Settings, owner: str) -> Wire | None:
    """The wire to NATS, its server just starting; `owner` is the token of the home's note."""
    from infra.wire import wired

    return wired(home, settings.nats, owner, is_loopback(settings.api.host))


def door(house: House, home: Home, listening: socket.socket, owner: str) -> Server:
    """The HTTP door of the house, still closed; `owner` is the token of the home's note."""
    from infra.api.server import Server

    return Server(house, home, listening, owner)


async def settled(store: EventStore, agents: Sequence[Agent[Any]] = AGENTS) -> None:
    """Let the agents answer all that stands in the log, once; for who has no owner to do it."""
    if not store.shared:
        await store.submit(EndLocalLeases())
    await introduce(store, agents)
    bus = LogTailBus(store)
    end = -1
    while end != (end := (await store.head()).position):
        for agent in agents:
            try:
                await Shell(agent, store, bus, me()).settle()
            except LeaseLost:  # another owner of a shared log leads this agent
                if not store.shared:
                    raise
    await bus.close()


def me() -> str:
    """This process, as a holder of leases."""
    return f"{socket.gethostname()}:{os.getpid()}"
