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
from events.envelope import Draft, Envelope, draft, format_time
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

few = st.integers(0, 3)
ids = st.sampled_from(IDS)
names = st.sampled_from(["agent/a", "agent/b", *map(request_lease, IDS)])
leases = st.builds(Held, names, few)
streams = st.sampled_from(STREAMS)
holders = st.sampled_from(["one", "two"])
seconds = st.sampled_from([0.0, 5.0, 10.0])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Noted, about=st.sampled_from("ab"), text=st.sampled_from(["", "x", "é\n"])),
    st.builds(Counted, about=st.sampled_from("ab"), count=few),
    st.builds(WorkRequested, what=st.sampled_from("xy")),
    st.builds(RestRequested),
    st.builds(WorkDone),
    st.builds(WorkCancelled, request=ids),
)
drafts = st.builds(draft, events, ids) | st.builds(draft, events)


@dataclass(frozen=True)
class Said:
    """An append whose cause is named by where it stands, since it has no envelope yet."""

    drafts: tuple[Draft, ...]
    cause: int | None
    rest: dict[str, Any]

    def operation(self, log: list[Envelope]) -> Append:
        cause = log[self.cause % len(log)] if log and self.cause is not None else None
        return Append(self.drafts, cause=cause, **self.rest)


@dataclass(frozen=True)
class Answered:
    """A worker's answer to an open request, mostly a fitting one."""

    index: int
    epoch: int | None
    said: Draft

    async def operation(self, store: EventStore) -> Operation:
        asked = [lease for lease in await store.leases() if lease.kind]
        if not asked:
            return Append((self.said,))
        lease = asked[self.index % len(asked)]
        [cause] = await store.read(lease.position - 1, lease.position)
        epoch = lease.epoch if self.epoch is None else self.epoch
        return Append((self.said,), cause=cause, answers=Held(lease.name, epoch))


said = st.builds(
    Said,
    st.lists(drafts, max_size=3).map(tuple),
    st.none() | st.integers(0, 20),
    st.fixed_dictionaries(
        {},
        optional={
            "actor": st.sampled_from(["system", "human:ann", "bad\nname"]),
            "expected": st.dictionaries(streams, st.integers(-1, 3), max_size=2),
            "move": st.builds(Move, st.sampled_from(READERS), few, few, st.none() | leases),
            "answers": leases,
        },
    ),
)
others: st.SearchStrategy[Operation] = st.one_of(
    st.builds(TakeLease, names, holders, seconds, st.booleans()),
    st.builds(ClaimRequest, st.sampled_from(KINDS), holders, seconds, st.booleans()),
    st.builds(RenewLease, leases, seconds),
    st.builds(ReleaseLease, leases),
    st.builds(EndLocalLeases),
    st.builds(
        Snapshot,
        st.sampled_from(["runs", "models"]),
        st.sampled_from("12"),
        few,
        st.sampled_from(["", "{}", "[]"]),
    ).map(PutSnapshot),
)
answers = st.builds(Answered, few, st.none() | few, st.builds(draft, st.builds(WorkDone), ids))
turns = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 4.0, -3.0]), st.lists(said | answers | others, max_size=6)
    ),
    max_size=8,
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
        "effects": await store.effects(causes),
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
            log = await memory.read()
            operations = [
                one.operation(log)
                if isinstance(one, Said)
                else await one.operation(memory)
                if isinstance(one, Answered)
                else one
                for one in turn
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
