"""Replay: read, verify the chain, validate and fold, beside the peer's way to an aggregate."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from events.projection import replayed
from events.sql.sqlite import SqliteStore
from tests.bench.notes import filled, notes
from tests.bench.peer import SETTINGS, Peer
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk, interleaved

THEIRS = 5_000
OURS = (
    "events.projection.replayed over the whole log in a SqliteStore: the hash of every event "
    "computed again, every event validated by its class, one fold that hears all types"
)


async def replays(path: Path, events: int) -> float:
    """Events a second."""
    store = SqliteStore(path)
    began = time.perf_counter()
    states = await replayed([notes()], store, events)
    taken = time.perf_counter() - began
    await store.close()
    assert sum(row["count"] for row in states["notes"].values()) == events
    return events / taken


def measure(short: bool) -> Result:
    events = 50_000 if short else 100_000
    with disk() as folder:
        path = folder / "ours.db"
        asyncio.run(filled(path, events))
        peer = Peer(folder / "peer.db")
        grown = peer.grown(THEIRS)
        sides = {
            "ratchet": lambda: asyncio.run(replays(path, events)),
            "eventsourcing": lambda: peer.replay(grown, THEIRS),
        }
        figures = interleaved(sides, 5 if short else 9)
        peer.close()
    theirs = f"repository.get of an aggregate of {THEIRS:,} events; {SETTINGS}"
    return Result(
        f"replay of {events:,} events: read, verify, validate, fold",
        "events/s",
        {"ratchet": OURS, "eventsourcing": theirs},
        figures,
        [ratio(figures["ratchet"], figures["eventsourcing"], "of eventsourcing", 3)],
    )
