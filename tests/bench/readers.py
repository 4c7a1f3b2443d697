"""Reader processes on one log in Postgres: what all of them together read, one, two and four."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median

from events.chain import Signer
from events.sql.postgres.store import PostgresStore
from events.store import append
from tests.bench.notes import note
from tests.bench.results import ROOT, Goal, Result
from tests.bench.rounds import disk, interleaved
from tests.events.server import PostgresServer

STEP = 1000
"""Events that a reader asks for at a time."""
CROWD = (1, 2, 4)


async def filled(url: str, events: int) -> None:
    store = PostgresStore(url, Signer.fresh())
    for start in range(0, events, STEP):
        await append(store, *[note(n) for n in range(start, start + STEP)], actor="bench")
    await store.close()


async def read(url: str) -> int:
    """How many events there are, each read, decoded and validated."""
    store, seen = PostgresStore(url), 0
    await store.head()  # connected, as one who follows the log is
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    while some := await store.read(after=seen, limit=STEP):
        for one in some:
            one.event()
        seen = some[-1].position
    await store.close()
    return seen


def together(url: str, readers: int, events: int) -> float:
    """Events a second of all readers, from the moment at which all may begin to the last end."""
    command = [sys.executable, "-m", "tests.bench.readers", url]
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(readers)
    ]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in processes:
        assert one.stdout is not None
        assert int(one.stdout.readline()) == events
    taken = time.perf_counter() - began
    for one in processes:
        one.communicate()
    return readers * events / taken


def measure(short: bool) -> Result:
    events, rounds = (40_000, 3) if short else (200_000, 9)
    with disk() as folder:
        folder.chmod(0o755)
        server = PostgresServer(near=folder)
        try:
            server.start()
            url = server.database()
            asyncio.run(filled(url, events))
            sides = {
                f"{n} reader{'s' if n > 1 else ''}": (lambda n=n: together(url, n, events))
                for n in CROWD
            }
            figures = interleaved(sides, rounds)
        finally:
            server.remove()
    one, two, four = (figures[name] for name in sides)
    how = (
        f"processes of their own, PostgresStore.read of {STEP} events at a time from the first to "
        f"the last of {events:,}, each validated; connected beforehand, and the server shares "
        "their cores"
    )
    pairs = {
        "2 readers of 1": [a / b for a, b in zip(two, one, strict=True)],
        "4 readers of 2": [a / b for a, b in zip(four, two, strict=True)],
    }
    goals = [
        Goal(name, median(row), bound, spread=(min(row), max(row)))
        for (name, row), bound in zip(pairs.items(), (1.5, 1.0), strict=True)
    ]
    what = "events read by processes on one log in Postgres"
    return Result(what, "events/s", dict.fromkeys(sides, how), figures, goals)


if __name__ == "__main__":
    print(asyncio.run(read(sys.argv[1])), flush=True)
