"""A log as a fleet leaves it: the real scheduler and trainer at work, their workers instant.

Every eleventh stage fails, so there are retries and runs given up; now and then a human pauses
a run, or asks for a role that nobody has defined.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import cast

from agents.trainer.workers.failing import failed
from agents.worker import Tell, Worker
from events.catalog.hand import PauseRequested, ResumeRequested
from events.catalog.roles import RoleDefined
from events.catalog.training import StageCompleted, StageRequested, TrainingRequested
from events.chain import Signer
from events.fact import Fact
from events.message import Outcome
from events.sql.sqlite import SqliteStore
from events.store import append, every
from infra.assemble import built
from infra.house import House
from infra.settings import Settings, Workers

ROLES = 12
_PIPELINES = ("rehearsal",) * 3
_ENDS = ("RunCompleted", "RunAbandoned", "TrainingRejected")


def instant() -> Worker:
    """Grants stages at once; a stage fails by its request's id, so the same log fails the same."""

    async def grant(told: Fact, _tell: Tell) -> Outcome:
        request = cast(StageRequested, told.event)
        if told.position % 11 == 0:
            return failed(told, RuntimeError("out of memory"))
        return StageCompleted(
            run=request.run, stage=request.stage, attempt=request.attempt, seconds=0.01
        )

    return Worker(StageRequested, grant, failed)


async def grown(path: Path, events: int) -> int:
    """A log of at least so many events under `path`; how many of them are decisions."""
    store = SqliteStore(path, Signer.fresh())
    settings = Settings(workers=Workers(slots=16))
    house = await built(store, settings, workers=(instant(),))
    running = asyncio.create_task(house.run())
    try:
        async with asyncio.TaskGroup() as group:
            for index in range(ROLES):
                group.create_task(_role(house, f"role-{index}", _PIPELINES[index % 3], events))
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    decisions = 0
    async for batch in every(store):
        decisions += sum(envelope.actor.startswith("agent:") for envelope in batch)
    await house.close()
    return decisions


async def _role(house: House, role: str, pipeline: str, events: int) -> None:
    """Ask for one training after another, until the log is long enough."""
    store, ear = house.store, house.bus.ear(_ENDS)
    profile = {"name": role, "purpose": "it has a purpose", "model_type": "arithmetic_reasoning"}
    await append(store, RoleDefined.model_validate({"role": role, "profile": profile}))
    asked = 0
    while (await store.head()).position < events:
        name = f"no-{role}" if asked % 50 == 49 else role
        wanted = TrainingRequested(role=name, pipeline=pipeline, base="tiny")
        (request,) = await append(store, wanted, actor="bench")
        asked += 1
        while not await _ended(house, request.event_id, hand=asked % 10 == 5):
            await ear.wait(1.0)
    ear.close()


async def _ended(house: House, request: str, hand: bool) -> bool:
    answers = await house.store.effects([request])
    if not answers:
        return False
    if answers[0].type == "TrainingRejected":
        return True
    stream = await house.store.stream(answers[0].stream)
    if hand and stream[-1].type == "StageRequested":
        run = answers[0].stream.removeprefix("run/")
        await append(house.store, PauseRequested(run=run), ResumeRequested(run=run))
    return any(one.type in _ENDS for one in stream)
