"""The memory that a replay takes, measured in a process of its own that does nothing else.

`python -m tests.bench.memory LOG` is that process: it replays, and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from events.projection import replayed
from events.sql.sqlite import SqliteStore
from tests.bench.replay import filled, notes
from tests.bench.results import ROOT, Goal, Result
from tests.bench.rounds import disk

MOST_MB = 300


class Taken(NamedTuple):
    """What a replay took."""

    events: int
    start_mb: float
    """Before the first event, all modules loaded."""
    peak_mb: float
    seconds: float


def replay_alone(log: Path) -> Taken:
    """Replay the log in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.memory", str(log)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Taken(**json.loads(answer.stdout))


def peak_mb() -> float:
    """The most memory that this process ever held. (`getrusage` would tell its parent's.)"""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def _replay(log: Path) -> Taken:
    store = SqliteStore(log)
    events = (await store.head()).position
    start, began = peak_mb(), time.perf_counter()
    states = await replayed([notes()], store, events)
    taken = time.perf_counter() - began
    await store.close()
    assert sum(row["count"] for row in states["notes"].values()) == events
    return Taken(events, round(start, 1), round(peak_mb(), 1), round(taken, 3))


def measure(short: bool) -> Result:
    figures: dict[str, list[float]] = {}
    with disk() as folder:
        for events in (20_000, 100_000 if short else 1_000_000):
            log = folder / f"{events}.db"
            asyncio.run(filled(log, events))
            taken = replay_alone(log)
            figures[f"{events:,} events"] = [taken.peak_mb]
            figures["before the first"] = [taken.start_mb]
    how = "a process that loads all agents and projections, and replays a SqliteStore once"
    return Result(
        f"the most memory that a replay of {events:,} events held (VmHWM)",
        "MB",
        dict.fromkeys(figures, how),
        figures,
        [Goal("MB at the peak", taken.peak_mb, MOST_MB, at_least=False)],
        {"seconds": taken.seconds},
    )


if __name__ == "__main__":
    import infra.assemble  # noqa: F401  (what a process of the house has loaded)

    print(json.dumps(asyncio.run(_replay(Path(sys.argv[1])))._asdict()))
