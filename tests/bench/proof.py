"""Proofs from a log of a million events: making one, checking one, and how large it is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from events.chain import Signer
from events.proof import flaw, parsed, prove, read, written
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.bench.notes import note
from tests.bench.results import Goal, Result, percentile
from tests.bench.rounds import disk


async def filled(path: Path, signer: Signer, events: int) -> None:
    """Notes with 200 characters of text, each but the first of a batch caused by another event."""
    store = SqliteStore(path, signer)
    [cause] = await append(store, note(0), actor="bench")
    for start in range(1, events, 1000):
        some = [note(number) for number in range(start, min(start + 1000, events))]
        cause = (await append(store, *some, actor="bench", cause=cause))[-1]
    await store.close()


async def proofs(path: Path, signer: Signer, count: int) -> tuple[dict[str, list[float]], int]:
    """Milliseconds, of events all over the log; and the size of the largest proof."""
    figures: dict[str, list[float]] = {"open to write": [], "prove": [], "verify": []}
    store = SqliteStore(path)
    end, size = (await store.head()).position, 0
    for turn in range(count):
        [event] = await store.read(turn * end // count, limit=1)
        began = time.perf_counter()
        text = written(await prove(store, event)).encode()
        figures["prove"].append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        wrong = flaw(read(parsed(text)), signer.public)
        figures["verify"].append((time.perf_counter() - began) * 1000)
        assert not wrong, wrong
        size = max(size, len(text))
    await store.close()
    for _ in range(20):
        began = time.perf_counter()
        writer = SqliteStore(path, signer)
        figures["open to write"].append((time.perf_counter() - began) * 1000)
        await writer.close()
    return figures, size


def measure(short: bool) -> Result:
    events, count = (50_000, 100) if short else (1_000_000, 1_000)
    signer = Signer.fresh()
    with disk() as folder:
        path = folder / "log.db"
        asyncio.run(filled(path, signer, events))
        figures, size = asyncio.run(proofs(path, signer, count))
    return Result(
        f"proofs from a log of {events:,} events",
        "ms",
        {
            "open to write": "SqliteStore: the end of the log and its tree looked at",
            "prove": "events.proof.prove and written: from the open log to the document",
            "verify": "parsed, read and flaw: from the bytes of the document to the answer",
        },
        {name: sorted(row)[:: max(1, len(row) // 20)] for name, row in figures.items()},
        [
            Goal("verify, median, ms", median(figures["verify"]), 1, at_least=False),
            Goal("bytes of the largest proof", size, 2000, at_least=False),
        ],
        {
            "events": events,
            "data": "Test.Noted with 200 characters of text",
            "proofs": count,
            "verify, the first in its process": round(figures["verify"][0], 3),
            "verify, 99 of 100": round(percentile(figures["verify"], 0.99), 3),
        },
    )
