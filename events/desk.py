"""Where workers get their work: a desk grants requests, hears how they go on, takes the answers.

Behind the desk of a worker beside the log stand the store and the bus; behind that of one far away,
messages. Both promise the same: a request is granted to one at a time, for as long as it is
renewed, and the first answer under the current lease is the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import Field

from events.bus import Bus, Progress
from events.envelope import Envelope, draft
from events.ids import derived_id
from events.message import Name, Outcome, Value
from events.store import ClaimRequest, EventStore, Held, Lease, RenewLease, append

Seconds = Annotated[float, Field(ge=1, le=600, strict=False)]
Epoch = Annotated[int, Field(ge=1, lt=2**63)]


class Claim(Value):
    """Said from afar: who wants to carry out what, and for how long at first."""

    kinds: tuple[Name, ...] = Field(min_length=1, max_length=100)
    holder: Name
    seconds: Seconds = 30.0
    pipelines: tuple[Name, ...] = Field(default=(), max_length=100)
    """Of stages, those of these pipelines alone; empty takes all."""
    tasks: tuple[Name, ...] | None = Field(default=None, max_length=1000)
    """Of examinations, those that ask no other benchmarks than these; left out, it has them all."""


class Renewal(Value):
    """Said from afar: how much longer."""

    request_id: str
    epoch: Epoch
    seconds: Seconds = 30.0


class Answered(Value):
    """Said from afar: what came of it."""

    request_id: str
    epoch: Epoch
    type: str
    data: dict[str, Any]


class Told(Value):
    """Said from afar: how far it has come."""

    request_id: str
    says: dict[str, Any]


class Granted(NamedTuple):
    """A request that is ours to carry out, while its lease holds."""

    request: Envelope
    held: Held


class Desk(Protocol):
    """What a worker needs; each call may find the log away (`LogUnavailable`)."""

    async def claim(self, kinds: Iterable[str], seconds: float) -> Granted | None:
        """The oldest request of these kinds that nobody works on."""

    async def renew(self, held: Held, seconds: float) -> None:
        """Hold on to it, or learn that it is lost."""

    async def answer(self, granted: Granted, outcome: Outcome) -> None:
        """Say what came of it; a conflict when somebody else was first. Safe to say again."""

    def tell(self, progress: Progress) -> None:
        """Tell whoever listens. Never blocks, never fails."""

    async def news(self, seconds: float) -> None:
        """Return when there may be a new request, or after so long."""

    def close(self) -> None:
        """Want no more news."""


def outcome_id(granted: Granted) -> str:
    """The id of the answer, the same however often it is sent."""
    return derived_id("outcome", granted.request.event_id, granted.held.epoch)


class LogDesk:
    """The desk of a worker that runs beside the log."""

    def __init__(
        self, store: EventStore, bus: Bus, kinds: Iterable[str], holder: str, local: bool = True
    ) -> None:
        self._store, self._bus = store, bus
        self._holder, self._local = holder, local
        self._ear = bus.ear(kinds)

    async def claim(self, kinds: Iterable[str], seconds: float) -> Granted | None:
        asked = ClaimRequest(tuple(sorted(kinds)), self._holder, seconds, self._local)
        lease = await self._store.submit(asked)
        if lease is None:
            return None
        assert isinstance(lease, Lease)
        (request,) = await self._store.read(lease.position - 1, lease.position, 1)
        return Granted(request, Held(lease.name, lease.epoch))

    async def renew(self, held: Held, seconds: float) -> None:
        await self._store.submit(RenewLease(held, seconds))

    async def answer(self, granted: Granted, outcome: Outcome) -> None:
        said = draft(outcome, outcome_id(granted))
        actor = f"worker:{self._holder}"
        await append(self._store, said, actor=actor, cause=granted.request, answers=granted.held)

    def tell(self, progress: Progress) -> None:
        self._bus.say(progress)

    async def news(self, seconds: float) -> None:
        await self._ear.wait(seconds)

    def close(self) -> None:
        self._ear.close()
