"""From an HTTP request to the agent's decision in the log, in a real `ratchet up`, warm.

The clock starts before the client sends, and stops when a second process (this one) reads the
decision in the log. So it holds the request, two commits with their fsyncs, the wake-up of the
agent, and up to one pause between two looks; what it cannot hold is time that the server hides.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from events.catalog.training import RunStarted, TrainingRejected
from events.envelope import parse_time
from events.ids import new_id
from infra.home import Home
from tests.bench.http import Caller
from tests.bench.results import ROOT, Goal, Result, percentile
from tests.bench.rounds import disk, fsync_us

LOOK = 0.0003
"""Seconds between two looks at the log."""
ROLES = 25
"""Requests are spread over so many roles: a hundred open runs of one role are refused."""
P50_MS, P99_MS = 10, 40


class Decisions:
    """Sees the decisions as they enter the log."""

    def __init__(self, home: Home) -> None:
        self._store = home.reader()
        self._waiting: dict[str, asyncio.Future[tuple[float, float]]] = {}
        self._position = 0

    async def follow(self) -> None:
        """Look until cancelled."""
        decisions = [RunStarted.wire, TrainingRejected.wire]
        while True:
            head = (await self._store.head()).position
            if head > self._position:
                for one in await self._store.read(self._position, head, 1000, decisions):
                    waiting = self._waiting.pop(one.cause_id or "", None)
                    if waiting is not None:
                        recorded = parse_time(one.recorded_at).timestamp()
                        waiting.set_result((time.time(), recorded))
                self._position = head
            await asyncio.sleep(LOOK)

    async def on(self, event_id: str) -> tuple[float, float]:
        """When the decision on this event was seen, and the time that it bears."""
        waiting: asyncio.Future[tuple[float, float]] = asyncio.get_running_loop().create_future()
        self._waiting[event_id] = waiting
        async with asyncio.timeout(20):
            return await waiting


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[dict[str, Any]]:
    """A `ratchet up` on this home, and the note that it left."""
    command = [sys.executable, "-m", "infra.cli.main", "--home", str(home.folder), "up"]
    environment = {name: of for name, of in os.environ.items() if not name.startswith("RATCHET")}
    environment |= {"PYTHONPATH": str(ROOT), "RATCHET__LOG__LEVEL": "error"}
    with (home.folder.parent / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", "0"],
            cwd=home.folder.parent,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(30):
            while (owner := home.owner()) is None:
                assert process.poll() is None, (home.folder.parent / "up.log").read_text()
                await asyncio.sleep(0.05)
        yield owner
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


class Publisher(Protocol):
    """Somebody who speaks to an owner, by whatever way."""

    async def publish(self, kind: str, data: dict[str, Any], event_id: str = "") -> None:
        """Say it, and return when it was acknowledged."""

    async def close(self) -> None:
        """Go away."""


async def timed(
    folder: Path,
    callers: int,
    requests: int,
    to: Callable[[dict[str, Any]], Awaitable[Publisher]] = Caller.to,
) -> tuple[list[float], list[float]]:
    """Milliseconds until each decision was seen, and until the time that it bears."""
    home = Home(folder / f"home-{callers}")
    seen: list[float] = []
    recorded: list[float] = []
    async with running(home) as owner:
        decisions = Decisions(home)
        follow = asyncio.create_task(decisions.follow())
        people = [await to(owner) for _ in range(callers)]
        for number in range(ROLES):
            profile = {"name": f"r{number}", "purpose": "x", "model_type": "arithmetic_reasoning"}
            await people[0].publish("RoleDefined", {"role": f"r{number}", "profile": profile})

        async def one(caller: Publisher, number: int) -> tuple[float, float]:
            data = {"role": f"r{number % ROLES}", "pipeline": "rehearsal", "base": "tiny"}
            event_id = new_id()
            began = time.time()
            answer = asyncio.ensure_future(decisions.on(event_id))
            await caller.publish("TrainingRequested", data, event_id)
            at, bears = await answer
            return (at - began) * 1000, (bears - began) * 1000

        async def some(caller: Publisher, first: int) -> None:
            for number in range(first, requests, callers):
                at, bears = await one(caller, number)
                if number >= 20:  # the first ones warm it up
                    seen.append(at)
                    recorded.append(bears)

        await asyncio.gather(*(some(caller, first) for first, caller in enumerate(people)))
        follow.cancel()
        for caller in people:
            await caller.close()
    return seen, recorded


def measure(short: bool) -> Result:
    requests = 220 if short else 520
    figures: dict[str, list[float]] = {}
    goals: list[Goal] = []
    notes: dict[str, Any] = {}
    with disk() as folder:
        for callers in (1, 8):
            seen, recorded = asyncio.run(timed(folder, callers, requests))
            name = f"{callers} caller{'s' if callers > 1 else ''}"
            figures[name] = seen
            p50, p99 = percentile(seen, 0.5), percentile(seen, 0.99)
            goals.append(Goal(f"p50 ms, {name}", p50, P50_MS, at_least=False))
            goals.append(Goal(f"p99 ms, {name}", p99, P99_MS, at_least=False))
            notes[f"until the time that the decision bears, {name}"] = {
                "p50": round(percentile(recorded, 0.5), 3),
                "p99": round(percentile(recorded, 0.99), 3),
            }
        notes["fsync_us"] = fsync_us(folder)
    how = (
        f"`ratchet up`, embedded log (FULL), default settings, workers pretend; POST /events of "
        f"TrainingRequested over kept loopback connections, {ROLES} roles; from before sending "
        f"until this process reads the decision in the log, looking every {LOOK * 1000:g} ms"
    )
    return Result(
        "from request to decision", "ms", dict.fromkeys(figures, how), figures, goals, notes
    )
