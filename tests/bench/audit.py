"""The audit, which derives every decision again, beside a replay of the same log."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from agents.audit import audit
from events.projection import replayed
from events.sql.sqlite import SqliteStore
from infra.assemble import AGENTS, PROJECTIONS
from tests.bench.fleet import grown
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk, interleaved


async def audited(path: Path) -> float:
    """Events a second."""
    store = SqliteStore(path)
    began = time.perf_counter()
    report = await audit(store, AGENTS)
    taken = time.perf_counter() - began
    await store.close()
    assert report.good, report
    return report.events / taken


async def replays(path: Path) -> float:
    """Events a second, all projections of the house folded."""
    store = SqliteStore(path)
    end = (await store.head()).position
    began = time.perf_counter()
    await replayed(list(PROJECTIONS.values()), store, end)
    taken = time.perf_counter() - began
    await store.close()
    return end / taken


def measure(short: bool) -> Result:
    with disk() as folder:
        path = folder / "log.db"
        events = 10_000 if short else 32_000
        decisions = asyncio.run(grown(path, events))
        sides = {
            "audit": lambda: asyncio.run(audited(path)),
            "replay": lambda: asyncio.run(replays(path)),
        }
        figures = interleaved(sides, 5 if short else 21)
    made = "the real scheduler and trainer led runs with instant workers, some of which fail"
    return Result(
        "an audit and a replay of the same log",
        "events/s",
        {
            "audit": "agents.audit.audit with both agents: chain, signed head, every decision",
            "replay": "events.projection.replayed with all projections of the house: chain, folds",
        },
        figures,
        [ratio(figures["audit"], figures["replay"], "of replay", 0.5)],
        {"log": made, "events_at_least": events, "decisions": decisions},
    )
