"""The memory that a replay takes, measured in a process of its own that does nothing else.

`python -m tests.bench.memory LOG` is that process: it replays, and prints one line of JSON. With
`--fill N` it writes such a log instead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import infra.assemble  # noqa: F401  (what a process of the house has loaded)
from events.projection import replayed
from events.sql.sqlite import SqliteStore
from tests.bench.notes import filled, notes
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


def replay_alone(events: int) -> Taken:
    """What a replay of so many events takes in a process of its own."""
    with disk() as folder:
        log = str(folder / "log.db")
        _child("--fill", str(events), log)
        return Taken(**json.loads(_child(log)))


def _child(*words: str) -> str:
    command = [sys.executable, "-m", "tests.bench.memory", *words]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def peak_mb() -> float:
    """The most memory that this process ever held. (`getrusage` would tell its parent's.)"""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


async def _replay(log: Path) -> Taken:
    store = SqliteStore(log)
    events = (await store.head()).position
    start, began = peak_mb(), time.perf_counter()
    states = await replayed([notes()], store, events)
    seconds = time.perf_counter() - began
    await store.close()
    assert sum(row["count"] for row in states["notes"].values()) == events
    return Taken(events, start, peak_mb(), round(seconds, 3))


def measure(short: bool) -> Result:
    few = replay_alone(20_000)
    many = replay_alone(100_000 if short else 1_000_000)
    figures = {f"{one.events:,} events": [one.peak_mb] for one in (few, many)}
    figures["no event"] = [many.start_mb]
    how = "a process that has loaded the house, and replays a SqliteStore once, chain verified"
    return Result(
        f"the most memory that a replay of {many.events:,} events held (VmHWM)",
        "MB",
        dict.fromkeys(figures, how),
        figures,
        [Goal("MB at the peak", many.peak_mb, MOST_MB, at_least=False)],
        {"seconds": many.seconds},
    )


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--fill", type=int, default=0)
    asked = parser.parse_args()
    if asked.fill:
        asyncio.run(filled(asked.log, asked.fill))
    else:
        print(json.dumps(asyncio.run(_replay(asked.log))._asdict()))


if __name__ == "__main__":
    _main()
