"""What a training job waits for before its first step, and what two side by side lose.

Both with a trainer that loads all that ours load, and then computes on models of our size.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count

from events.catalog.jobs import JobSpec, Recipe
from tests.bench.results import ROOT, Goal, PeerMissing, Result, ratio
from tests.bench.rounds import disk, interleaved
from trainers.executor import State
from trainers.hosting import Host
from trainers.local import LocalExecutor

TRAINER = "tests.bench.learner:train"
IMPORTED = """
import time
began = time.perf_counter()
import trainers
print(time.perf_counter() - began)
"""


def learning(number: int, steps: int) -> JobSpec:
    """A job of so many steps; each round has new ones."""
    recipe = Recipe(trainer=TRAINER, settings={"steps": steps})
    return JobSpec(job=f"j{number}", base="none", model_type="none", recipe=recipe, seed=1)


def ended(executor: LocalExecutor, job: str) -> State:
    while (state := executor.poll(job)).status != "ended":
        time.sleep(0.005)
    assert state.outcome is not None, job
    assert state.outcome.status == "completed", state.outcome
    return state


def measure(short: bool) -> Result:
    for library in ("torch", "transformers", "trl"):
        if find_spec(library) is None:
            raise PeerMissing(f"{library} is not installed")
    rounds, steps = (2, 60) if short else (5, 200)
    numbers = count()
    with disk() as folder:
        host = Host(log=folder / "host.log")
        while host.health() == "loading":
            time.sleep(0.05)
        hosted = LocalExecutor(folder / "hosted", _nothing, threads=2, host=host)
        fresh = LocalExecutor(folder / "fresh", _nothing, threads=2)

        def one(executor: LocalExecutor) -> float:
            began = time.perf_counter()
            ended(executor, executor.submit(learning(next(numbers), 1)).job)
            return time.perf_counter() - began

        def together(jobs: int) -> float:
            """Steps a second of so many jobs at once, from the first beginning to the last end."""
            begun = [hosted.submit(learning(next(numbers), steps)).job for _ in range(jobs)]
            began = time.perf_counter()
            for job in begun:
                ended(hosted, job)
            return jobs * steps / (time.perf_counter() - began)

        starts = interleaved({"fresh": lambda: one(fresh), "hosted": lambda: one(hosted)}, rounds)
        speeds = interleaved({"alone": lambda: together(1), "both": lambda: together(2)}, rounds)
        hosted.close()
        fresh.close()
    imported = [_import_ms() for _ in range(5)]
    middle = statistics.median(imported)
    goals = [
        ratio(starts["fresh"], starts["hosted"], "a fresh process / the host", 5),
        ratio(speeds["both"], speeds["alone"], "two jobs / one", 1.8),
        Goal("import trainers, ms", middle, 100, False, (min(imported), max(imported))),
    ]
    how = "submit to outcome, a job of one step with torch, transformers and TRL loaded"
    return Result(
        "training jobs on this machine",
        "seconds",
        {"fresh": f"{how}, in a process of its own", "hosted": f"{how}, forked by the host"},
        starts,
        goals,
        {
            "host_loads_seconds": round(host.load_seconds, 2),
            "steps_per_second": {side: [round(x, 1) for x in row] for side, row in speeds.items()},
            "threads_of_each_job": 1,
        },
    )


def _nothing(_reference: str) -> Iterator[bytes]:
    yield from ()


def _import_ms() -> float:
    said = subprocess.check_output([sys.executable, "-c", IMPORTED], cwd=ROOT, text=True)
    return 1000 * float(said)
