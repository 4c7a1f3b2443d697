"""Whatever is done to them, by the same clock, the store in memory and the store in a file agree.

A history is a list of turns. What belongs to one turn is submitted at once, so that the file
commits it as one batch, while memory takes it one by one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.chain import Signer
from events.envelope import Draft, draft, format_time
from events.ids import derived_id
from events.memory import MemoryStore
from events.message import Event
from events.needs import request_lease
from events.sql.sqlite import SqliteStore
from events.store import (
    Append,
    ClaimRequest,
    EndLocalLeases,
    EventStore,
    Held,
    Move,
    Operation,
    PutSnapshot,
    ReleaseLease,
    RenewLease,
    Snapshot,
    TakeLease,
)
from tests.events.messages import (
    REST,
    WORK,
    Clock,
    Counted,
    Noted,
    RestRequested,
    WorkCancelled,
    WorkDone,
    WorkRequested,
    outcome,
)

SIGNER = Signer.fresh()
IDS = [derived_id("pool", i) for i in range(6)]
STREAMS = ["note/a", "note/b", "work", "note/unheard"]
READERS = ["reader/a", "reader/b"]
KINDS = [(WORK,), (REST,), (WORK, REST), ("Test.Unheard",), ()]

SENT_AGAIN = [draft(Noted(text="again")), draft(WorkRequested(what="again"))]
"""Drafts whose ids nobody chose, and which are sent more than once all the same."""

few = st.integers(0, 3)
ids = st.sampled_from(IDS)
names = st.sampled_from(["agent/a", "agent/b", *map(request_lease, IDS)])
streams = st.sampled_from(STREAMS)
holders = st.sampled_from(["one", "two"])
seconds = st.sampled_from([0.0, 5.0, 10.0])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Noted, about=st.sampled_from("ab"), text=st.sampled_from(["", "x", "é\n"])),
    st.builds(Counted, about=st.sampled_from("ab"), count=few),
    st.builds(WorkRequested, what=st.sampled_from("xy")),
    st.builds(RestRequested),
    st.builds(WorkCancelled, request=ids),
)
drafts = st.one_of(
    st.builds(draft, events), st.builds(draft, events, ids), st.sampled_from(SENT_AGAIN)
)


@dataclass(frozen=True)
class Grip:
    """A hold on one of the leases there are: a true one, unless an epoch is made up."""

    index: int
    made_up: int | None

    async def held(self, store: EventStore, requests: bool = False) -> Held:
        there = [lease for lease in await store.leases() if lease.kind or not requests]
        if not there:
            return Held("agent/a", 1)
        lease = there[self.index % len(there)]
        return Held(lease.name, lease.epoch if self.made_up is None else self.made_up)


@dataclass(frozen=True)
class Step:
    """An operation that depends on what there is when its turn comes."""

    kind: str
    grip: Grip
    drafts: tuple[Draft, ...] = ()
    cause: int | None = None
    expected: dict[str, int] | None = None
    move: tuple[str, int | None, int, bool] | None = None

    async def operation(self, store: EventStore) -> Operation:
        log = await store.read()
        held = await self.grip.held(store, requests=self.kind == "answer")
        match self.kind:
            case "renew":
                return RenewLease(held, 5.0)
            case "release":
                return ReleaseLease(held)
            case "answer":
                request = {request_lease(e.event_id): e for e in log}.get(held.name)
                return Append(self.drafts, cause=request, answers=held)
        cause = None if self.cause is None or not log else log[self.cause % len(log)]
        return Append(self.drafts, "me", cause, self.expected, await self._move(store, held))

    async def _move(self, store: EventStore, held: Held) -> Move | None:
        if self.move is None:
            return None
        name, old, further, fenced = self.move
        old = await store.checkpoint(name) if old is None else old
        return Move(name, old, old + further, held if fenced else None)


grips = st.builds(Grip, st.integers(0, 5), st.none() | st.none() | few)
moves = st.tuples(st.sampled_from(READERS), st.none() | st.none() | few, few, st.booleans())
appends = st.builds(
    Step,
    st.just("append"),
    grips,
    st.lists(drafts, max_size=3).map(tuple),
    st.none() | st.integers(0, 20),
    st.none() | st.none() | st.dictionaries(streams, st.integers(-1, 3), max_size=2),
    st.none() | st.none() | moves,
)
dones = st.builds(draft, st.builds(WorkDone)) | st.builds(draft, st.builds(WorkDone), ids)
answers = st.builds(Step, st.just("answer"), grips, st.tuples(dones))
snapshots = st.builds(
    Snapshot,
    st.sampled_from(["runs", "models"]),
    st.sampled_from("12"),
    few,
    st.sampled_from(["", "{}", "[]"]),
)
passed_by = st.frozensets(st.sampled_from([request_lease(one) for one in IDS]), max_size=3)
claims = st.builds(ClaimRequest, st.sampled_from(KINDS), holders, seconds, st.booleans(), passed_by)
operations = st.one_of(
    appends,
    appends,
    answers,
    claims,
    claims,
    st.builds(Step, st.sampled_from(["renew", "release"]), grips),
    st.builds(TakeLease, names, holders, seconds, st.booleans()),
    st.builds(EndLocalLeases),
    snapshots.map(PutSnapshot),
)
turns = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 4.0, -3.0]), st.lists(operations, max_size=8)), max_size=8
)


async def everything(store: EventStore, times: list[str]) -> dict[str, Any]:
    """All that can be read from a store."""
    log = await store.read()
    causes = [envelope.event_id for envelope in log[::2]]
    return {
        "log": log,
        "head": await store.head(),
        "walk": await store.verify(1, 5),
        "some": [await store.read(after, after + 5, 3, [WORK, Noted.wire]) for after in range(4)],
        "streams": [await store.stream(name, after=1, limit=3) for name in STREAMS],
        "last": [await store.last(name) for name in STREAMS],
        "found": await store.find(IDS),
        "effects": [await store.effects(causes, after) for after in (0, 3)],
        "times": [await store.position_at(time) for time in times],
        "checkpoints": [await store.checkpoint(name) for name in READERS],
        "leases": await store.leases(),
        "snapshots": [await store.snapshot(name) for name in ("runs", "models")],
    }


async def play(folder: Path, history: list[tuple[float, list[Any]]], reopen: int) -> None:
    clock = Clock()
    memory, path = MemoryStore(clock, SIGNER), folder / "log.db"
    file = SqliteStore(path, SIGNER, clock)
    heard: tuple[list[int], list[int]] = ([], [])
    times = [format_time(clock.now)]
    try:
        memory.listen(lambda position, _: heard[0].append(position))
        file.listen(lambda position, _: heard[1].append(position))
        for number, (passed, turn) in enumerate(history):
            clock.go(passed)
            times.append(format_time(clock.now))
            operations = [
                await one.operation(memory) if isinstance(one, Step) else one for one in turn
            ]
            expected = [await outcome(memory, one) for one in operations]
            assert await asyncio.gather(*(outcome(file, one) for one in operations)) == expected
            assert await everything(file, times) == await everything(memory, times)
            assert heard[0][-1:] == heard[1][-1:]
            if number == reopen:
                await file.close()
                file = SqliteStore(path, SIGNER, clock)
                file.listen(lambda position, _: heard[1].append(position))
    finally:
        await file.close()
        await memory.close()


@given(turns, st.integers(0, 8))
@settings(max_examples=150)
def test_any_history_ends_the_same_in_memory_and_in_a_file(
    history: list[tuple[float, list[Any]]], reopen: int
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), history, reopen))
