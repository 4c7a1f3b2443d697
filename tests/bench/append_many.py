"""Durable appends from 64 callers at once, beside the peer's and beside the limit."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from events.chain import Signer
from events.ids import new_id
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.bench import raw
from tests.bench.notes import note
from tests.bench.peer import SETTINGS, Peer
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk, fsync_us, interleaved

APPENDERS = 64
OURS = (
    "SqliteStore: WAL, synchronous=FULL, SHA-256 chain, head signed with Ed25519 in every commit, "
    "append-only triggers; 64 asyncio tasks, each appends one event of its own stream at its "
    "expected version and waits for the commit; plain asyncio loop"
)


async def appended(path: Path, events: int, appenders: int) -> float:
    """Events a second, from an empty log on."""
    store = SqliteStore(path, Signer.fresh())

    async def appender(number: int) -> None:
        for version in range(events // appenders):
            said = note(number)
            await append(store, said, actor="bench", expected={f"note/{said.about}": version})

    began = time.perf_counter()
    await asyncio.gather(*(appender(number) for number in range(appenders)))
    taken = time.perf_counter() - began
    await store.close()
    return events // appenders * appenders / taken


def measure(short: bool) -> Result:
    many, few = (6_400, 1_000) if short else (32_000, 3_000)
    with disk() as folder:
        fresh = (folder / f"{number}.db" for number in range(1_000))

        def ours() -> float:
            return asyncio.run(appended(next(fresh), many, APPENDERS))

        def theirs() -> float:
            peer = Peer(next(fresh))
            figure = peer.append(few)
            peer.close()
            return figure

        def limit() -> float:
            table = raw.Raw(next(fresh))
            figure = table.append(many, 100)
            table.close()
            return figure

        def ordered() -> float:
            table = raw.Raw(next(fresh), new_id)
            figure = table.append(many, 100)
            table.close()
            return figure

        sides = {
            "ratchet": ours,
            "eventsourcing": theirs,
            "raw sqlite3": limit,
            "raw sqlite3, ordered ids": ordered,
        }
        figures = interleaved(sides, 5 if short else 9)
        pairs = zip(figures["ratchet"], figures["raw sqlite3, ordered ids"], strict=True)
        notes = {
            "fsync_us": fsync_us(folder),
            "of raw sqlite3 with ordered ids": round(median(a / b for a, b in pairs), 3),
        }
    return Result(
        "durable appends, 64 callers at once",
        "events/s",
        {
            "ratchet": OURS,
            "eventsourcing": SETTINGS,
            "raw sqlite3": f"batches of 100; {raw.SETTINGS}",
            "raw sqlite3, ordered ids": "the same, but its ids are in the order of time, as ours",
        },
        figures,
        [
            ratio(figures["ratchet"], figures["eventsourcing"], "of eventsourcing", 8),
            ratio(figures["ratchet"], figures["raw sqlite3"], "of raw sqlite3", 0.6),
        ],
        notes,
    )
