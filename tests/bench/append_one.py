"""Durable appends from a single caller, who pays for each fsync alone."""

from __future__ import annotations

import asyncio
import time

from events.chain import Signer
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.bench import raw
from tests.bench.notes import STREAMS, note
from tests.bench.peer import SETTINGS, Peer
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk, fsync_us, interleaved

OURS = (
    "SqliteStore: WAL, synchronous=FULL, SHA-256 chain, head signed with Ed25519 in every commit, "
    "append-only triggers; one asyncio task, one event at its expected version each; "
    "plain asyncio loop"
)


async def appended(store: SqliteStore, events: int) -> float:
    """Events a second, one after another, in 64 streams by turns."""
    versions = []
    for index in range(STREAMS):
        last = await store.last(f"note/w{index}")
        versions.append(last.version if last else 0)
    began = time.perf_counter()
    for index in range(events):
        said, place = note(index), index % STREAMS
        await append(store, said, actor="bench", expected={f"note/{said.about}": versions[place]})
        versions[place] += 1
    return events / (time.perf_counter() - began)


def measure(short: bool) -> Result:
    events = 300 if short else 600
    with disk() as folder:
        store = SqliteStore(folder / "ours.db", Signer.fresh())
        peer, table = Peer(folder / "peer.db"), raw.Raw(folder / "raw.db")
        sides = {
            "ratchet": lambda: asyncio.run(appended(store, events)),
            "eventsourcing": lambda: peer.append(events),
            "raw sqlite3": lambda: table.append(events, 1),
        }
        figures = interleaved(sides, 9 if short else 21)
        notes = {"fsync_us": fsync_us(folder)}
        asyncio.run(store.close())
        peer.close()
        table.close()
    return Result(
        "durable appends, one caller",
        "events/s",
        {
            "ratchet": OURS,
            "eventsourcing": SETTINGS,
            "raw sqlite3": f"one event a transaction; {raw.SETTINGS}",
        },
        figures,
        [
            ratio(figures["ratchet"], figures["eventsourcing"], "of eventsourcing", 0.8),
            ratio(figures["ratchet"], figures["raw sqlite3"], "of raw sqlite3", 0.5),
        ],
        notes,
    )
