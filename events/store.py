"""What every store of the log promises, whatever holds it: `MemoryStore`, `SqliteStore`, Postgres.

One contract test speaks for all of them. Writing goes through `submit`: an operation is admitted
whole or refused with a named error, and what is acknowledged is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from events.chain import Head
from events.envelope import Draft, Envelope, draft
from events.message import Event

EXISTS = -1
"""Expected version of a stream that must have begun; 0 is one that must not have."""

Heard = Callable[[int, frozenset[str]], None]
"""Told after each commit: the new head position, and the types of the events committed."""


class Held(NamedTuple):
    """A lease as its holder knows it."""

    name: str
    epoch: int


class Lease(NamedTuple):
    """Who may act under a name, and until when. Free when `holder` is empty or `until` is past."""

    name: str
    kind: str
    position: int
    """Of the request that it grants; 0 for a lease on anything else."""
    holder: str
    epoch: int
    until: float
    local: bool
    """The holder lives and dies with the owner of the log."""


class Move(NamedTuple):
    """A checkpoint that goes on from `old` to `new`, if its reader still holds the lease."""

    name: str
    old: int
    new: int
    lease: Held | None = None


class Snapshot(NamedTuple):
    """A fold's state at a position: a cache, which anyone may throw away."""

    name: str
    fold: str
    """Version of the fold that made it; another version does not read it."""
    position: int
    state: str


@dataclass(frozen=True, slots=True)
class Append:
    """Events to be added, all or none, and the checkpoint and lease that go with them."""

    drafts: tuple[Draft, ...] = ()
    actor: str = "system"
    cause: Envelope | None = None
    expected: Mapping[str, int] | None = None
    move: Move | None = None
    answers: Held | None = None
    """The lease on the request that these events answer."""
    correlation: str | None = None
    """An id that binds events without a cause to others; their own, unless it is given."""


@dataclass(frozen=True, slots=True)
class TakeLease:
    """Ask for a lease by its name."""

    name: str
    holder: str
    seconds: float
    local: bool = True


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Ask for the oldest request of these types that nobody works on."""

    kinds: tuple[str, ...]
    holder: str
    seconds: float
    local: bool = True
    without: frozenset[str] = frozenset()
    """Names of leases of requests that this one cannot carry out."""


@dataclass(frozen=True, slots=True)
class RenewLease:
    """Hold on to a lease."""

    held: Held
    seconds: float


@dataclass(frozen=True, slots=True)
class ReleaseLease:
    """Give a lease back before it ends."""

    held: Held


@dataclass(frozen=True, slots=True)
class EndLocalLeases:
    """What a new owner does with the leases of its predecessor, who is dead."""


@dataclass(frozen=True, slots=True)
class PutSnapshot:
    """Keep, or with an empty state drop, a snapshot."""

    snapshot: Snapshot


Operation = (
    Append | TakeLease | ClaimRequest | RenewLease | ReleaseLease | EndLocalLeases | PutSnapshot
)
Answer = tuple[Envelope, ...] | Lease | None


class EventStore(Protocol):
    """The log. Reading gives what is committed; writing gives an answer or a named error."""

    shared: ClassVar[bool]
    """Other owners write to the same log, so nobody's leases end because this one begins."""

    async def submit(self, operation: Operation) -> Answer:
        """Carry out one operation, durably."""

    async def head(self) -> Head:
        """Where the log ends, under signature; position 0 when it is empty."""

    async def read(
        self,
        after: int = 0,
        until: int | None = None,
        limit: int = 500,
        types: Iterable[str] | None = None,
    ) -> list[Envelope]:
        """At most `limit` envelopes with `after` < position <= `until`, in order."""

    async def stream(self, name: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        """One stream, by version."""

    async def last(self, stream: str) -> Envelope | None:
        """The newest envelope of a stream."""

    async def find(self, event_ids: Sequence[str]) -> dict[str, Envelope]:
        """Those of the events that the log holds."""

    async def effects(self, cause_ids: Sequence[str], after: int = 0) -> list[Envelope]:
        """What these events caused, as far as it stands behind position `after`, in order."""

    async def position_at(self, moment: str) -> int:
        """The last position recorded at or before a time."""

    async def checkpoint(self, name: str) -> int:
        """How far a reader has come; 0 for one that never began."""

    async def leases(self) -> list[Lease]:
        """All leases, open requests among them."""

    async def snapshot(self, name: str) -> Snapshot | None:
        """The newest snapshot of a fold."""

    async def sealed_under(self, key_id: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        """The events that were sealed under one subject's key, in order."""

    async def reveal(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """The same with personal fields in plain text, where their subject was not forgotten."""

    async def hashes(self, after: int, until: int) -> list[str]:
        """The hashes of these events, in order; at most a segment of them (`events.merkle`)."""

    async def segments(self) -> list[str]:
        """The roots of the whole segments, as they were kept: a cache, which may be wrong."""

    async def verify(self, after: int = 0, limit: int = 1000) -> Walk:
        """Read on from `after` without trusting the chain: what the audit walks on."""

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Call `heard` after each commit of this process, until the returned function is called."""

    async def close(self) -> None:
        """Finish what was submitted, and let go of the database."""


class Walk(NamedTuple):
    """A stretch of the log as it lies there; `damage` says why it ends early."""

    envelopes: list[Envelope]
    damage: str = ""


async def append(
    store: EventStore,
    *events: Event | Draft,
    actor: str = "system",
    cause: Envelope | None = None,
    expected: Mapping[str, int] | None = None,
    move: Move | None = None,
    answers: Held | None = None,
    correlation: str | None = None,
) -> tuple[Envelope, ...]:
    """Add events to the log, all or none; the same ids and content give the same answer."""
    drafts = tuple([e if isinstance(e, Draft) else draft(e) for e in events])
    asked = Append(drafts, actor, cause, expected, move, answers, correlation)
    answer = await store.submit(asked)
    assert isinstance(answer, tuple)
    assert not isinstance(answer, Lease)
    return answer


async def every(
    store: EventStore,
    after: int = 0,
    until: int | None = None,
    types: Iterable[str] | None = None,
    batch: int = 1000,
) -> AsyncIterator[list[Envelope]]:
    """The log in bounded batches, to `until` or to where it ends when the reader gets there."""
    wanted = None if types is None else frozenset(types)
    end = (await store.head()).position if until is None else until
    while after < end:
        envelopes = await store.read(after, end, batch, wanted)
        if not envelopes:
            return
        yield envelopes
        after = envelopes[-1].position
        await asyncio.sleep(0)  # a long reading lets others have their turn
