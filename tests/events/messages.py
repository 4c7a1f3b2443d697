"""Events that no agent speaks of, a clock that stands still, and short ways to say things."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from events.envelope import Envelope
from events.errors import RatchetError
from events.message import Event, Name, Outcome, Request
from events.store import Answer, ClaimRequest, EventStore, Held, Lease, Operation, TakeLease


class Noted(Event, wire="Test.Noted", by="anyone", stream="note/{about}"):
    """Somebody wrote something down."""

    about: Name = "a"
    text: str = ""


class Counted(Event, wire="Test.Counted", by="anyone", stream="note/{about}"):
    """Another kind of fact in the same streams."""

    about: Name = "a"
    count: int = 0


class WorkRequested(
    Request, wire="Test.WorkRequested", by="anyone", stream="work", answered_by="worker"
):
    """Somebody wants work done."""

    what: str = ""


class RestRequested(
    Request, wire="Test.RestRequested", by="anyone", stream="work", answered_by="worker"
):
    """Somebody wants to see no work done."""


class WorkDone(Outcome, wire="Test.WorkDone", by="worker", stream="work"):
    """A worker has done it."""

    result: str = ""


class WorkCancelled(
    Event, wire="Test.WorkCancelled", by="anyone", stream="work", withdraws="request"
):
    """Nobody wants it any more."""

    request: str = ""


WORK, REST = WorkRequested.wire, RestRequested.wire


class Clock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


async def take(store: EventStore, name: str, holder: str = "me", seconds: float = 10) -> Lease:
    return granted(await store.submit(TakeLease(name, holder, seconds)))


async def claim(
    store: EventStore,
    *kinds: str,
    holder: str = "worker",
    local: bool = True,
    without: frozenset[str] = frozenset(),
) -> Lease | None:
    answer = await store.submit(ClaimRequest(kinds or (WORK,), holder, 10, local, without))
    return None if answer is None else granted(answer)


def granted(answer: Answer) -> Lease:
    assert isinstance(answer, Lease)
    return answer


def held(lease: Lease | None) -> Held:
    assert lease is not None
    return Held(lease.name, lease.epoch)


async def outcome(store: EventStore, operation: Operation) -> Answer | str:
    """What became of it, as a value that can be compared."""
    try:
        return await store.submit(operation)
    except RatchetError as error:
        return f"{type(error).__name__}: {error}"


def positions(envelopes: Iterable[Envelope]) -> list[int]:
    return [envelope.position for envelope in envelopes]
