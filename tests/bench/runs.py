"""Runs listed and shown at the warm server, with a thousand of them in the history.

Beside them stands the health of the same server over the same connection: what any answer costs.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import cast

from agents.trainer.workers.failing import failed
from agents.worker import Tell, Worker
from events.catalog.roles import RoleDefined
from events.catalog.training import StageCompleted, StageRequested, TrainingRequested
from events.fact import Fact
from events.message import Outcome
from events.store import append
from infra.assemble import built
from infra.cli.demo import END
from infra.home import Home
from infra.settings import Settings, Workers
from tests.agents.trainer.story import GOOD, POLICIES, artifact, measured
from tests.bench.http import Caller
from tests.bench.latency import running
from tests.bench.results import Goal, Result, percentile
from tests.bench.rounds import disk

ANSWER_MS = 50.0
WARM_S = 120.0
ROLES = 20
PROFILE = {"purpose": "answers customers", "model_type": "support_replies"}


def instant() -> Worker:
    """Grants the stages of `dpo` at once, with figures that pass."""

    async def grant(told: Fact, _tell: Tell) -> Outcome:
        one = cast(StageRequested, told.event)
        made = (artifact("policy", told.position),) if one.stage in POLICIES else ()
        return StageCompleted(
            run=one.run, stage=one.stage, attempt=one.attempt, seconds=1.0,
            metrics=measured(GOOD[one.pipeline][one.stage]), artifacts=made,
        )  # fmt: skip

    return Worker(StageRequested, grant, failed)


async def grown(home: Home, runs: int) -> str:
    """A history of so many runs of `dpo`; the id of one in the middle."""
    home.folder.mkdir(parents=True)
    settings = Settings(workers=Workers(slots=32))
    house = await built(home.writer(), settings, workers=(instant(),))
    running_ = asyncio.create_task(house.run())
    names = [f"role-{number}" for number in range(ROLES)]
    for name in names:
        role = {"role": name, "profile": {"name": name, **PROFILE}}
        await append(house.store, RoleDefined.model_validate(role), actor="bench")
    for number in range(runs):
        wanted = TrainingRequested(role=names[number % ROLES], pipeline="dpo", base="tiny")
        await append(house.store, wanted, actor="bench")
    while True:
        state = (await house.fold("runs")).state
        if len(state) == runs and all(row["ended_at"] for row in state.values()):
            break
        await asyncio.sleep(0.5)
    assert all(row["status"] == "completed" for row in state.values()), END
    middle = sorted(state)[runs // 2]
    running_.cancel()
    with suppress(asyncio.CancelledError):
        await running_
    await house.close()
    return middle


async def asked(home: Home, paths: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each answer; the first round warms all up.

    An owner that has just begun tells its history to NATS and reads it for its agents: it is warm
    when nothing of that holds up an answer any more.
    """
    found: dict[str, list[float]] = {name: [] for name in paths}
    async with running(home) as owner:
        caller = await Caller.to(owner)
        quick, until = 0, time.monotonic() + WARM_S
        while quick < 100 and time.monotonic() < until:
            began = time.perf_counter()
            await caller.get("/healthz")
            quick = quick + 1 if time.perf_counter() - began < 0.005 else 0
            await asyncio.sleep(0.01)
        for turn in range(rounds + 1):
            for name, path in paths.items():
                began = time.perf_counter()
                await caller.get(path)
                if turn:
                    found[name].append((time.perf_counter() - began) * 1000)
        await caller.close()
    return found


def measure(short: bool) -> Result:
    runs, rounds = (100, 20) if short else (1000, 100)
    with disk() as folder:
        home = Home(Path(folder) / "home")
        middle = asyncio.run(grown(home, runs))
        paths = {"list": "/runs?limit=1000", "show": f"/runs/{middle}", "health": "/healthz"}
        figures = asyncio.run(asked(home, paths, rounds))
    goals = [
        Goal(f"ms, p95, {name}", percentile(figures[name], 0.95), ANSWER_MS, at_least=False)
        for name in ("list", "show")
    ]
    sides = {
        "list": f"GET /runs?limit=1000 of {runs} runs of seven stages, kept connection",
        "show": "GET /runs/RUN, the same",
        "health": "GET /healthz, the same: what any answer costs",
    }
    notes = {"runs": runs}
    return Result("runs at the warm server", "ms", sides, figures, goals, notes)
