"""What one more agent costs that hears nothing of what is said, while 1,000 events a second are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agents.agent import Agent, hears
from events.catalog.agents import AgentPaused
from events.chain import Signer
from events.fact import Fact
from events.message import Event
from events.sql.sqlite import SqliteStore
from events.store import append
from infra.assemble import built
from infra.settings import Settings, Workers
from tests.bench.notes import note
from tests.bench.results import Goal, Result
from tests.bench.rounds import disk, interleaved

RATE, TICK = 1_000, 0.01
MORE = 10
"""Agents that one side has more than the other."""


def _evolve(state: int, _told: Fact) -> int:
    return state + 1


def _decide(_state: int, _told: Fact) -> Sequence[Event]:
    return ()


def idler(name: str) -> Agent[int]:
    """An agent that waits for events that nobody says here."""
    return Agent(name, "1", 0, hears(AgentPaused), _evolve, _decide)


async def spent(path: Path, agents: int, seconds: float) -> float:
    """Seconds of processor time that the process takes, for each second of the clock."""
    store = SqliteStore(path, Signer.fresh())
    settings = Settings(workers=Workers(slots=0))
    house = await built(store, settings, [idler(f"idler-{n}") for n in range(agents)])
    running = asyncio.create_task(house.run())
    await asyncio.sleep(0.5)
    began, processor, said = time.perf_counter(), time.process_time(), 0
    while (now := time.perf_counter() - began) < seconds:
        due = int(now * RATE) - said
        if due:
            await append(store, *map(note, range(due)), actor="bench")
            said += due
        await asyncio.sleep(TICK)
    taken = (time.process_time() - processor) / (time.perf_counter() - began)
    assert said >= 0.98 * seconds * RATE, f"only {said} events in {seconds:g} s: the disk is busy"
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await house.close()
    return taken


def measure(short: bool) -> Result:
    seconds = 10.0
    with disk() as folder:
        fresh = (folder / f"{number}.db" for number in range(1_000))
        few, many = "1 idle agent", f"{1 + MORE} idle agents"
        sides = {
            few: lambda: asyncio.run(spent(next(fresh), 1, seconds)),
            many: lambda: asyncio.run(spent(next(fresh), 1 + MORE, seconds)),
        }
        figures = interleaved(sides, 2 if short else 5)
    each = [
        100 * (more - less) / MORE for more, less in zip(figures[many], figures[few], strict=True)
    ]
    middle = sorted(each)[len(each) // 2]
    goal = Goal("% of a core, each", middle, 2, at_least=False, spread=(min(each), max(each)))
    how = (
        f"the whole house on a SqliteStore (FULL), {RATE:,} events a second appended in ticks of "
        f"{TICK * 1000:g} ms for {seconds:g} s; processor time of the process"
    )
    return Result(
        "one more idle agent",
        "cores",
        {few: how, many: "the same"},
        figures,
        [goal],
    )
