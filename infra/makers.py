"""Those who make data sets: workers that load what they need when there is something to make.

The collaboration loads LangGraph and a model client, which takes seconds; who only publishes or
answers need not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from agents.data_generator.workers.failing import assembly_failed, part_failed
from agents.worker import Tell, Worker
from events.catalog.parts import AssemblyRequested, PartRequested
from events.fact import Fact
from events.message import Outcome
from events.store import EventStore
from infra.home import Home
from infra.settings import Settings

if TYPE_CHECKING:
    from agents.data_generator.workers.assembling import NearestOf
    from infra.making import Making

Knowledge = Callable[[str, int], Awaitable[Sequence[Any]]]
"""Asks the knowledge base for so many hits, each with a text and the event that it comes from."""


class Makers:
    """A part of the house: it lets its models go when the house closes."""

    name = "makers of data"
    failure = ""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: EventStore,
        knowledge: Knowledge | None = None,
        nearest_of: NearestOf | None = None,
    ) -> None:
        """With `nearest_of`, evaluation items are looked for by meaning as well."""
        self._load: Callable[[], Making] = lambda: loaded(
            home, settings, store, knowledge, nearest_of
        )
        self._making: Making | None = None
        self._loading = asyncio.Lock()

    def workers(self) -> Sequence[Worker]:
        return (
            Worker(PartRequested, self._build, part_failed),
            Worker(AssemblyRequested, self._assemble, assembly_failed),
        )

    async def run(self) -> None:
        """Wait until cancelled, and close what was opened."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Let models and connections go."""
        if self._making is not None:
            making, self._making = self._making, None
            await making.close()

    async def _build(self, told: Fact, tell: Tell) -> Outcome:
        return await (await self._made()).builder.grant(told, tell)

    async def _assemble(self, told: Fact, tell: Tell) -> Outcome:
        return await (await self._made()).assembler.grant(told, tell)

    async def _made(self) -> Making:
        async with self._loading:
            if self._making is None:
                self._making = await asyncio.to_thread(self._load)
            return self._making


def loaded(
    home: Home,
    settings: Settings,
    store: EventStore,
    knowledge: Knowledge | None,
    nearest_of: NearestOf | None,
) -> Making:
    """What they work with."""
    from infra.making import Making

    return Making(home, settings, store, knowledge, nearest_of)
