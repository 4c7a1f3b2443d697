"""From a request on NATS to the agent's decision in the log, in a real `ratchet up`, warm.

The clock runs as in `latency`. Beside it stands a bare request and reply between two clients of the
same server: what NATS itself takes, before anything is written down.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import nats

from tests.bench.broker import bench
from tests.bench.latency import P50_MS, P99_MS, ROLES, timed
from tests.bench.results import Goal, Result, percentile
from tests.bench.rounds import disk, fsync_us

BARE = "bare request and reply"


class Client:
    """A program of its own, with nats-py and the owner's address."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    async def to(cls, owner: dict[str, Any]) -> Client:
        return cls(await nats.connect(owner["nats"]))

    async def publish(self, kind: str, data: dict[str, Any], event_id: str = "") -> None:
        headers = {"Nats-Msg-Id": event_id} if event_id else None
        reply = await self._client.request(
            f"ratchet.publish.{kind}", json.dumps(data).encode(), timeout=10, headers=headers
        )
        receipt = json.loads(reply.data)
        assert "position" in receipt, receipt

    async def close(self) -> None:
        await self._client.close()


async def bare(folder: Path, requests: int) -> list[float]:
    """Milliseconds from a request to its reply, with payloads as large as ours."""
    taken = []
    async with bench(folder) as place:
        await place.link.nc.subscribe("ask.*", cb=_echo)
        await place.link.nc.flush()
        for number in range(requests + 20):
            began = time.perf_counter()
            await place.raw.request("ask.this", b"x" * 100, timeout=5)
            if number >= 20:
                taken.append((time.perf_counter() - began) * 1000)
    return taken


async def _echo(message: Any) -> None:
    await message.respond(message.data)


def measure(short: bool) -> Result:
    requests = 220 if short else 520
    figures: dict[str, list[float]] = {}
    goals: list[Goal] = []
    with disk() as folder:
        figures[BARE] = asyncio.run(bare(folder, requests))
        for callers in (1, 8):
            name = f"{callers} caller{'s' if callers > 1 else ''}"
            figures[name], _ = asyncio.run(timed(folder, callers, requests, Client.to))
            p50, p99 = percentile(figures[name], 0.5), percentile(figures[name], 0.99)
            goals.append(Goal(f"p50 ms, {name}", p50, P50_MS, at_least=False))
            goals.append(Goal(f"p99 ms, {name}", p99, P99_MS, at_least=False))
        notes = {
            "fsync_us": fsync_us(folder),
            "bare p99 ms": round(percentile(figures[BARE], 0.99), 3),
        }
    how = (
        "`ratchet up`, its own nats-server, embedded log (FULL), default settings, workers "
        "pretend; "
        f"request on ratchet.publish.TrainingRequested, {ROLES} roles; from before sending until "
        "this process reads the decision in the log"
    )
    sides = dict.fromkeys(figures, how) | {BARE: "nats-py to nats-py in one process, 100 bytes"}
    return Result("from request on NATS to decision", "ms", sides, figures, goals, notes)
