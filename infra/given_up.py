"""What readers over NATS gave up: recorded by the owner of the home, and given to them again.

Only readers that stand on a consumer of the server can give up: those of other programs, made by
the factory in `events.nats.consumer` or by themselves. Our own agents read the log from a
checkpoint and leave nothing out: one that cannot go on stands still, and `/readyz` says so.

Of owners who share a server one at a time is told: it records in its own home.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from events.envelope import Envelope
from events.errors import NotFound
from events.nats.again import cleared, give_again, position_of
from events.nats.given_up import GivenUp, GivenUps
from events.nats.link import Link
from events.store import EventStore
from infra.rejected import Entry, Rejected

log = logging.getLogger(__name__)


class Begun(Protocol):
    """What makes the streams on the server."""

    ready: asyncio.Event


class Recorder:
    """The part of a house that records what was given up, and can give it again."""

    name = "given up"

    def __init__(self, store: EventStore, link: Link, rejected: Rejected, begun: Begun) -> None:
        self._store, self._link, self._rejected = store, link, rejected
        self._begun = begun
        self._told = GivenUps(link, self._record)

    @property
    def failure(self) -> str:
        return self._told.failure

    async def run(self) -> None:
        """Record until cancelled."""
        await self._begun.ready.wait()
        await self._told.run()

    async def give_again(self, entry: Entry) -> dict[str, Any]:
        """Give it to its consumer once more, and to nobody else."""
        said = await self._said(entry["position"] or 0)
        if said is None:
            raise NotFound(
                "which event this was is not known, so it cannot be given again",
                where=entry["id"],
                right="look into the reader's own log",
            )
        mark = f"again-{entry['id']}-{entry['time']}"
        waits = await give_again(self._link, entry["consumer"], said, mark)
        return {"consumer": entry["consumer"], "position": said.position, "waits": waits}

    async def _record(self, given: GivenUp) -> None:
        said = await self._said(given.position or await position_of(self._link, given))
        entry = await asyncio.to_thread(
            self._rejected.give_up,
            given.stream,
            given.consumer,
            given.sequence,
            given.deliveries,
            given.reason,
            said,
        )
        await cleared(self._link, given)
        log.warning(
            "consumer %s gave up %s at position %s: `ratchet rejected show %s` tells why",
            given.consumer,
            entry["type"] or "a message",
            entry["position"],
            entry["id"],
        )

    async def _said(self, position: int) -> Envelope | None:
        found = await self._store.read(position - 1, position, 1) if position > 0 else ()
        return found[0] if found else None
