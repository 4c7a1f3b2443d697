"""The embedder of a home: a server's by its address, our own in a child process, or none.

Either is asked in the same way, over HTTP and through the caller of models. A server's has a day's
allowance of tokens; beyond it, what is known is found by words until the next day.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from events.errors import Malformed, RatchetError
from guardrails.budget import Budget
from guardrails.endpoint import Endpoint
from guardrails.refusals import BudgetSpent
from infra.allowance import Allowance
from infra.child import Child, begun
from infra.settings import Embedder as Configured
from memory.embedding import EndpointEmbedder
from trainers.embedding.weights import ID, LOCAL, MODEL, folder

if TYPE_CHECKING:
    from guardrails.caller import Caller

NAME = "embedder"
STARTS = 60.0
"""Seconds in which the child has to be ready; it takes two or three."""
AGAIN = 30.0
"""Seconds until a child that did not come up is tried once more."""
LONGEST = 300.0
"""Seconds that one batch of texts may take, with all that is tried again."""
PROCESS = "infra.embedder"
BATCH = 64


class Reached(Protocol):
    """An embedder that is reached over HTTP."""

    def embedder(self) -> EndpointEmbedder:
        """As the memory takes it."""

    async def close(self) -> None:
        """Let it go."""


class Remote:
    """An embedder behind an endpoint; its client is loaded when it is first asked."""

    def __init__(self, model: Configured, allowance: Allowance) -> None:
        if not model.model:
            raise Malformed(
                "the embedder has an address and no model",
                where="models.embedder.model",
                right="the name by which its server knows it",
            )
        self._model, self._allowance = model, allowance
        self._caller: Caller | None = None

    def embedder(self) -> EndpointEmbedder:
        """Named by its model only: that it is still the same, its vectors prove."""
        return EndpointEmbedder(f"endpoint/{self._model.model}", self.ask, BATCH)

    async def ask(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, within what this day allows."""
        if self._caller is None:
            told = self._model.model_dump(exclude={"key", "tokens_per_day"})
            self._caller = _caller({**told, "key": self._model.key})
        budget = Budget(seconds=LONGEST, within=self._allowance.today())
        try:
            return await self._caller.embed(NAME, texts, budget=budget)
        except BudgetSpent as spent:
            if spent.limit == "tokens":
                spent.right = "wait for the next day (UTC), or set models.embedder.tokens_per_day"
            raise
        finally:
            self._allowance.keep()

    async def close(self) -> None:
        if self._caller is not None:
            await self._caller.close()


class Local:
    """Our own, in a child that is begun when it is first asked, and anew when it has died."""

    def __init__(self, model: Configured) -> None:
        if model.model not in ("", MODEL):
            what = f"there is no local embedder {model.model[:100]!r}"
            raise Malformed(what, where="models.embedder.model", right=f"{MODEL}, or leave it out")
        folder()  # what is missing is said now, not at the first question
        self._child: Child | None = None
        self._caller: Caller | None = None
        self._beginning: asyncio.Task[Caller] | None = None
        self._failed: tuple[float, RatchetError] | None = None

    def embedder(self) -> EndpointEmbedder:
        """Named by its weights."""
        return EndpointEmbedder(ID, self.ask, BATCH)

    async def ask(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text."""
        caller = await self._up()
        return await caller.embed(NAME, texts, budget=Budget(seconds=LONGEST))

    async def close(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)
        await self._let_go()

    async def _up(self) -> Caller:
        """Whoever asks no longer does not end the beginning: the next one finds it further on."""
        if self._child is not None and self._child.alive and self._caller is not None:
            return self._caller
        if self._failed is not None and time.monotonic() < self._failed[0]:
            raise self._failed[1]
        if self._beginning is None:
            self._beginning = asyncio.create_task(self._begun(), name="local embedder")
        return await asyncio.shield(self._beginning)

    async def _begun(self) -> Caller:
        try:
            await self._let_go()
            child = await begun(PROCESS, (), "the local embedder", STARTS)
        except RatchetError as failed:
            self._failed = (time.monotonic() + AGAIN, failed)
            raise
        finally:
            self._beginning = None
        self._child = child
        self._caller = _caller({"url": child.url, "model": MODEL, "key": child.key})
        return self._caller

    async def _let_go(self) -> None:
        child, self._child = self._child, None
        caller, self._caller = self._caller, None
        if caller is not None:
            await caller.close()
        if child is not None:
            await child.end()


def configured(model: Configured, home: Path) -> Reached | None:
    """The embedder as it is configured; None where there is none."""
    if not model.url:
        return None
    if model.url == LOCAL:
        return Local(model)
    return Remote(model, Allowance(home / "embedder.json", model.tokens_per_day))


def _caller(told: dict[str, object]) -> Caller:
    from guardrails.caller import Caller

    return Caller([Endpoint.model_validate({"name": NAME, **told})])
