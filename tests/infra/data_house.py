"""A whole house that makes data sets in a home of its own, and what is asked of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.audit import audit
from events.artifacts import Artifacts
from events.catalog.data import DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.policies import DataPolicy, PolicyAdopted
from events.catalog.roles import RoleDefined
from events.envelope import Envelope, draft
from events.message import Event
from events.store import EventStore, append
from infra.assemble import AGENTS, built
from infra.home import Home, Lock
from infra.settings import Model, Models, Settings
from trainers.model_types import model_type
from trainers.model_types.kind import problem_of

PATIENCE = 180.0


def role(name: str, kind: str, **profile: Any) -> RoleDefined:
    whole = {"name": name, "purpose": "Be tried.", "model_type": kind, **profile}
    return RoleDefined.model_validate_json(json.dumps({"role": name, "profile": whole}))


def models(url: str, **how: Any) -> Models:
    """Teacher and verifier behind one server."""
    teacher, verifier = (Model(url=url, model=name, **how) for name in ("teacher", "verifier"))
    return Models(teacher=teacher, verifier=verifier)


@dataclass
class Making:
    """The house at work."""

    store: EventStore
    artifacts: Artifacts

    async def say(self, *events: Event) -> list[Envelope]:
        return list(await append(self.store, *map(draft, events), actor="test"))

    async def policy(self, **policy: Any) -> None:
        await self.say(PolicyAdopted(policy=DataPolicy(**policy)))

    async def made(self, **asked: Any) -> DatasetAccepted | DatasetRejected:
        """What became of a request."""
        (request,) = await self.say(DataRequested(**asked))
        async with asyncio.timeout(PATIENCE):
            while True:
                types = {"DatasetAccepted", "DatasetRejected"}
                found = await self.store.read(request.position, 10**9, 1000, types)
                for one in found:
                    if one.correlation_id == request.correlation_id:
                        event = one.event()
                        assert isinstance(event, DatasetAccepted | DatasetRejected)
                        return event
                await asyncio.sleep(0.02)

    def rows(self, accepted: DatasetAccepted | DatasetRejected) -> list[dict[str, Any]]:
        assert isinstance(accepted, DatasetAccepted), accepted
        text = self.artifacts.read(accepted.rows.sha256).decode()
        return [json.loads(line) for line in text.splitlines()]

    async def events(self, *types: str) -> list[Envelope]:
        return await self.store.read(0, 10**9, 10_000, set(types))

    async def good(self) -> bool:
        """Whether every decision comes out the same again."""
        report = await audit(self.store, AGENTS)
        return report.good and not report.drift


@asynccontextmanager
async def making(folder: Path, **settings: Any) -> AsyncIterator[Making]:
    """A house with agents, workers and models, until the end of the test."""
    home = Home(folder / "home")
    with Lock(home) as lock:
        assert lock.take()
        store = home.writer()
        house = await built(store, Settings(**settings), home=home)
        running = asyncio.create_task(house.run())
        try:
            yield Making(store, Artifacts(home.artifacts))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await house.close()


def all_right(rows: list[dict[str, Any]], kind: str) -> bool:
    """Whether the type's own verifier calls every row right."""
    found = model_type(kind)
    return all(found.verify(problem_of(row), row["completion"]).correct for row in rows)
