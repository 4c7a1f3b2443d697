"""What a stage of a pipeline costs that does nothing: asked for, granted, answered, judged.

Beside it stands what it cannot do without: the commits of one stage, each with its fsync, by a bare
sqlite3 connection on the same disk. A stage has three: the grant, the answer, the decision.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from events.catalog.roles import RoleDefined
from events.catalog.training import RunCompleted, TrainingRequested
from events.store import append
from infra.assemble import built
from infra.home import Home
from infra.settings import Settings, Workers
from pipelines.catalog import PIPELINES
from tests.bench.results import Goal, Result, percentile
from tests.bench.rounds import disk

COST_MS = 50.0
COMMITS = 3
PROFILE = {"name": "support", "purpose": "is waited for", "model_type": "support_replies"}
STAGES = len(PIPELINES["rehearsal"].stages)


async def walked(home: Home, runs: int) -> list[float]:
    """Milliseconds of each stage, as a mean over those of one run; the first run warms all up."""
    settings = Settings(workers=Workers(slots=2, pretend_seconds=0))
    home.folder.mkdir(parents=True)
    house = await built(home.writer(), settings, home=home)
    running = asyncio.create_task(house.run())
    role = RoleDefined.model_validate({"role": "support", "profile": PROFILE})
    await append(house.store, role, actor="bench")
    ear, found = house.bus.ear({RunCompleted.wire}), []
    for turn in range(runs + 1):
        began = time.perf_counter()
        wanted = TrainingRequested(role="support", pipeline="rehearsal", base="tiny")
        await append(house.store, wanted, actor="bench")
        await ear.wait(30)
        if turn:
            found.append((time.perf_counter() - began) * 1000 / STAGES)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert len(await house.store.read(types=[RunCompleted.wire])) == runs + 1
    await house.close()
    return found


def bare(folder: Path, rounds: int) -> list[float]:
    """Milliseconds of as many commits as a stage has, each of one row of 1,000 bytes."""
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE rows (text TEXT)")
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(COMMITS):
            db.execute("INSERT INTO rows VALUES (?)", ("x" * 1000,))
        found.append((time.perf_counter() - began) * 1000)
    db.close()
    return found


def measure(short: bool) -> Result:
    runs = 25 if short else 200
    with disk() as folder:
        ours = asyncio.run(walked(Home(folder / "home"), runs))
        ideal = bare(folder, runs)
    goals = [
        Goal("ms a stage, median", percentile(ours, 0.5), COST_MS, at_least=False),
        Goal("ms a stage, p95", percentile(ours, 0.95), COST_MS, at_least=False),
    ]
    sides = {
        "a stage": f"a rehearsal whose stages take no time, a whole house, {STAGES} stages a run",
        "its commits": f"{COMMITS} commits of a bare sqlite3 connection, WAL, FULL",
    }
    figures = {"a stage": ours, "its commits": ideal}
    return Result("a stage that does nothing, embedded", "ms", sides, figures, goals)
