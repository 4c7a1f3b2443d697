"""Which way of asking for structured answers an endpoint understands: found once, then kept.

The first ask goes down the ladder until an answer has the right form; asks that come meanwhile wait
for it. A rung that has worked is kept, and an answer of the wrong form is then the model's mistake:
it is told so once. Three asks in a row that could not be mended mean that the server has changed,
and the next one goes further down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from guardrails.endpoint import Rung

RUNGS: tuple[Rung, ...] = ("json_schema", "tool", "json_object", "text")

PATIENCE = 3
"""Asks in a row that a rung may fail after it has worked."""

NOT_UNDERSTOOD = frozenset({400, 404, 415, 422, 501})
"""Statuses by which servers refuse a way of asking."""


class Ladder:
    """Of one endpoint."""

    def __init__(self, fixed: Rung | None = None) -> None:
        self.rung: Rung = fixed or RUNGS[0]
        self._fixed, self._kept = fixed is not None, fixed is not None
        self._failures = 0
        self._first = asyncio.Lock()
        self._tried = False

    @asynccontextmanager
    async def turn(self, seconds: float | None) -> AsyncIterator[None]:
        """Wait while the first of all asks is under way; however it ends, the others go on.

        `TimeoutError` where it has not ended within so many seconds.
        """
        if self._kept or self._tried:
            yield
            return
        async with asyncio.timeout(seconds):
            await self._first.acquire()
        try:
            if not self._tried:
                yield
                return
        finally:
            self._tried = True
            self._first.release()
        yield

    def below(self, rung: Rung) -> Rung | None:
        """The next rung, while none is kept; None at the bottom."""
        if self._kept or rung == RUNGS[-1]:
            return None
        return RUNGS[RUNGS.index(rung) + 1]

    def worked(self, rung: Rung) -> None:
        """An answer asked for on this rung had the right form."""
        if not self._fixed:
            self.rung = rung
        self._kept, self._failures = True, 0

    def failed(self, rung: Rung) -> None:
        """On this rung an answer had the wrong form even after it was sent back."""
        if self._fixed:
            return
        if not self._kept:
            self.rung = rung  # the last one: what was tried above it did no better
            return
        self._failures += rung == self.rung
        if self._failures >= PATIENCE and (lower := RUNGS.index(rung) + 1) < len(RUNGS):
            self.rung, self._kept, self._failures = RUNGS[lower], False, 0
