"""What makes data sets here: sources with their models, their client and their view of the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from agents.data_generator.sources.collaborative import Collaborative, Shared
from agents.data_generator.sources.real import Heard, Real
from agents.data_generator.sources.source import Source
from agents.data_generator.sources.subscriptions import Subscription, Subscriptions
from agents.data_generator.sources.synthetic import Synthetic, Team
from agents.data_generator.sources.web import Site, Web
from agents.data_generator.workers.assembling import Assembler
from agents.data_generator.workers.building import Builder
from events.artifacts import Artifacts
from events.catalog.data import DatasetAccepted
from events.catalog.feedback import FeedbackGiven
from events.catalog.people import FeedbackReceived
from events.catalog.roles import RoleDefined, RoleProfile
from events.errors import Malformed
from events.personal import is_sealed
from events.store import EventStore, every
from guardrails.caller import Caller
from guardrails.endpoint import Endpoint
from infra.experts.child import experts
from infra.home import Home
from infra.http import Http
from infra.settings import Data, Model, Models, Settings

TOGETHER = 10
"""Problems that the exact experts are asked in one call; they read all of them alike."""


class Making:
    """All of it, for as long as the house stands."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: EventStore,
        knowledge: Callable[[str, int], Awaitable[Sequence[Any]]] | None = None,
    ) -> None:
        artifacts = Artifacts(home.artifacts)
        folder = home.folder / "work" / "data"
        self._http = Http(settings.data.own_hosts)
        self._teams = Teams(settings.models)
        history = History(store)
        sources = self._sources(settings.data, artifacts, history, knowledge)
        self.builder = Builder(sources, artifacts, folder, history.profile)
        self.assembler = Assembler(artifacts, folder)

    def _sources(
        self,
        data: Data,
        artifacts: Artifacts,
        history: History,
        knowledge: Callable[[str, int], Awaitable[Sequence[Any]]] | None,
    ) -> dict[str, Source]:
        sites = [Site(name, one.url, one.licence) for name, one in data.sites.items()]
        subscriptions = [
            Subscription(name, one.url, one.key.get_secret_value(), one.licence, one.usd_per_page)
            for name, one in data.subscriptions.items()
        ]
        synthetic = Synthetic(
            self._teams.of, self._teams.forget, knowledge, data.engines, self._http.text
        )
        made: tuple[Source, ...] = (
            synthetic,
            Real(history.heard),
            Subscriptions(subscriptions, self._http),
            Web(sites, self._http),
            Collaborative(history.shared, artifacts),
        )
        return {one.name: one for one in made}

    async def close(self) -> None:
        await self._teams.close()
        await self._http.close()


class Teams:
    """Teacher and verifier for each model type: configured ones, else exact experts."""

    def __init__(self, models: Models) -> None:
        self._teacher = endpoint("teacher", models.teacher)
        self._verifier = endpoint("verifier", models.verifier)
        self._retriever = endpoint("retriever", models.retriever)
        self._teams: dict[str, Team] = {}
        self._open = AsyncExitStack()
        self._starting = asyncio.Lock()

    async def of(self, model_type: str) -> Team:
        """Those for this type; its experts are started where one of them is not configured."""
        async with self._starting:
            team = self._teams.get(model_type)
            if team is None:
                team = self._teams[model_type] = await self._team(model_type)
            return team

    def forget(self, model_type: str) -> None:
        """Start others the next time: of these nobody answers."""
        self._teams.pop(model_type, None)

    async def close(self) -> None:
        await self._open.aclose()

    async def _team(self, model_type: str) -> Team:
        teacher, verifier, together = self._teacher, self._verifier, 1
        if teacher is None or verifier is None:
            found = await self._open.enter_async_context(experts([model_type]))
            together = TOGETHER if teacher is None and verifier is None else 1
            teacher = teacher or found[model_type].teacher
            verifier = verifier or found[model_type].verifier
        others = () if self._retriever is None else (self._retriever,)
        caller = Caller((teacher, verifier, *others))
        self._open.push_async_callback(caller.close)
        return Team(teacher, verifier, caller, together, self._retriever)


def endpoint(name: str, model: Model) -> Endpoint | None:
    """The endpoint as it is configured, or None."""
    if not model.url:
        return None
    if not model.model:
        where = f"models.{name}.model"
        raise Malformed(f"the {name} has an address and no model", where=where,
                        right="the name by which its server knows it")  # fmt: skip
    return Endpoint(
        name=name,
        url=model.url,
        model=model.model,
        key=model.key,
        concurrency=model.concurrency,
        requests_per_minute=model.requests_per_minute,
        timeout_s=model.timeout_s,
        price_in_per_1m=model.price_in_per_1m,
        price_out_per_1m=model.price_out_per_1m,
    )


class History:
    """What sources want to know of the log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def profile(self, event_id: str) -> RoleProfile | None:
        """The role as this event defined it."""
        found = (await self._store.find([event_id])).get(event_id)
        event = None if found is None else found.event()
        return event.profile if isinstance(event, RoleDefined) else None

    async def heard(self, role: str, before: int) -> AsyncIterator[Heard]:
        """What people said about answers of a role; sealed texts as far as they can be opened."""
        types = [FeedbackGiven.wire, FeedbackReceived.wire]
        async for batch in every(self._store, 0, before - 1, types):
            own = [one for one in batch if one.stream == f"feedback/{role}"]
            for envelope in await self._store.reveal(own):
                match envelope.event():
                    case FeedbackGiven() as said:
                        yield Heard(
                            envelope.event_id, said.asked, said.answered, said.correction,
                            said.rating,
                        )  # fmt: skip
                    case FeedbackReceived() as said if not is_sealed(said.asked):
                        yield Heard(envelope.event_id, said.asked, said.answered, "", said.rating)

    async def shared(self, model_type: str, role: str, before: int) -> Sequence[Shared]:
        """The accepted sets of other roles of this type, the newest first."""
        found = []
        types = [DatasetAccepted.wire]
        async for batch in every(self._store, 0, before - 1, types):
            for envelope in batch:
                event = envelope.event()
                assert isinstance(event, DatasetAccepted)
                alike = event.model_type == model_type and event.kind == "trajectories"
                if alike and event.role != role:
                    rows, provenance = event.rows.sha256, event.provenance.sha256
                    found.append(Shared(event.dataset, event.role, rows, provenance))
        return found[::-1]
