"""What all routes share: the house behind the door, its guard, and how much is borne at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from events.errors import LogUnavailable
from events.store import Answer, Operation, PutSnapshot, Snapshot
from infra.api.auth import Guard
from infra.api.metrics import Counts
from infra.api.problems import TurnedAway
from infra.home import Home
from infra.house import House
from infra.rejected import Rejected

WRITES = 256
"""Messages in work at the same time; each may hold a megabyte."""
STREAMS = 64
"""Callers that listen at the same time."""
PROBE = "door/probe"
ROOM = 1 << 17
"""Bytes that have to fit in before the log counts as writable again: many usual messages."""


@dataclass
class Slots:
    """So many at once, and not one more."""

    most: int
    taken: int = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        self.check()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    def check(self) -> None:
        """Whether there is room for one more."""
        if self.taken >= self.most:
            raise TurnedAway(
                429,
                f"{self.most} calls of this kind are in work already",
                where="server",
                right="try again in a second",
                headers={"Retry-After": "1"},
            )


@dataclass
class Door:
    """One door of one home."""

    house: House
    home: Home
    guard: Guard
    rejected: Rejected
    counts: Counts
    writes: Slots = field(default_factory=lambda: Slots(WRITES))
    streams: Slots = field(default_factory=lambda: Slots(STREAMS))
    stopping: bool = False
    """Those who listen are told to come back later."""
    failure: str = ""
    """Why the log took the last message not, where it did not."""

    async def submit(self, operation: Operation) -> Answer:
        """Write, and remember whether it could be done."""
        try:
            answer = await self.house.store.submit(operation)
        except LogUnavailable as away:
            self.failure = str(away)
            raise
        self.failure = ""
        return answer

    async def probe(self) -> None:
        """After a failure, find out whether the log can be written again, without an event."""
        if not self.failure:
            return
        try:
            await self.submit(PutSnapshot(Snapshot(PROBE, "1", 0, "x" * ROOM)))
            await self.submit(PutSnapshot(Snapshot(PROBE, "1", 0, "")))
        except LogUnavailable:
            return
