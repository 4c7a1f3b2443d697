"""What makes data sets here: sources with their models, their client and their view of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agents.data_generator.pairing.feedback import Feedback
from agents.data_generator.pairing.queues import Queues
from agents.data_generator.pairing.rescoring import Rescored
from agents.data_generator.pairing.sampling import Sampling
from agents.data_generator.pairing.sieve import PairSieve
from agents.data_generator.sources.collaborative import Collaborative
from agents.data_generator.sources.real import Real
from agents.data_generator.sources.source import Source
from agents.data_generator.sources.subscriptions import Subscription, Subscriptions
from agents.data_generator.sources.synthetic import Synthetic
from agents.data_generator.sources.web import Site, Web
from agents.data_generator.workers.assembling import Assembler, NearestOf
from agents.data_generator.workers.building import Builder
from events.artifacts import Artifacts
from events.store import EventStore
from infra.history import History
from infra.home import Home
from infra.http import Http
from infra.rewards import RewardModels
from infra.settings import Data, Settings
from infra.teams import Teams


class Making:
    """All of it, for as long as the house stands."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: EventStore,
        knowledge: Callable[[str, int], Awaitable[Sequence[Any]]] | None = None,
        nearest_of: NearestOf | None = None,
    ) -> None:
        artifacts = Artifacts(home.artifacts)
        folder = home.folder / "work" / "data"
        self._http = Http(settings.data.own_hosts)
        self._teams = Teams(settings.models)
        history = History(store)
        sources = self._sources(settings.data, artifacts, history, knowledge)
        self._rewards = RewardModels(history, artifacts, home.folder / "work")
        pairs = self._pairs(settings.data, artifacts, history)
        self.builder = Builder(sources, artifacts, folder, history.profile, pairs)
        self.assembler = Assembler(artifacts, folder, nearest_of)

    def _sources(
        self,
        data: Data,
        artifacts: Artifacts,
        history: History,
        knowledge: Callable[[str, int], Awaitable[Sequence[Any]]] | None,
    ) -> dict[str, Source]:
        synthetic = Synthetic(
            self._teams.of, self._teams.forget, knowledge, data.engines, self._http.text
        )
        made: tuple[Source, ...] = (
            synthetic,
            Real(history.heard),
            Subscriptions(_subscriptions(data), self._http),
            Web(_sites(data), self._http),
            Collaborative(history.shared, artifacts),
        )
        return {one.name: one for one in made}

    def _pairs(self, data: Data, artifacts: Artifacts, history: History) -> dict[str, Source]:
        """The same doors, and people; what is found is scored by whom a request names."""
        writers, rewards = self._teams.writers, self._rewards.scores
        found: tuple[Source, ...] = (
            Feedback(history.heard),
            Subscriptions(_subscriptions(data), self._http, PairSieve),
            Web(_sites(data), self._http, PairSieve),
            Collaborative(history.shared_pairs, artifacts, PairSieve),
        )
        made: tuple[Source, ...] = (
            Sampling(writers, self._teams.forget, rewards),
            *(Rescored(one, writers, rewards) for one in found),
            Queues(history.answered, artifacts),
        )
        return {one.name: one for one in made}

    async def close(self) -> None:
        await self._rewards.close()
        await self._teams.close()
        await self._http.close()


def _sites(data: Data) -> list[Site]:
    return [Site(name, one.url, one.licence) for name, one in data.sites.items()]


def _subscriptions(data: Data) -> list[Subscription]:
    return [
        Subscription(name, one.url, one.key.get_secret_value(), one.licence, one.usd_per_page)
        for name, one in data.subscriptions.items()
    ]
