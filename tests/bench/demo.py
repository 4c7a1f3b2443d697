"""Where the time of the demo goes: how much is no training, no generation and no evaluation.

Inside are the jobs that trained, measured or made the base, and the making of the data; outside is
all the rest: starting Python, loading torch, deciding, waiting for each other, keeping models, the
audit and the report. The jobs say themselves how long they took, the makers of data likewise.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from events.store import every
from infra.assemble import AGENTS
from infra.home import Home
from tests.bench.results import ROOT, Goal, Result
from tests.bench.rounds import disk

OUTSIDE = 0.15
MADE = ("PartBuilt", "DatasetAssembled")


class Span(NamedTuple):
    """Seconds of some work, on the clock of the machine."""

    begins: float
    ends: float


def covered(spans: Iterator[Span]) -> float:
    """The time in which at least one of them was at work."""
    total, until = 0.0, 0.0
    for one in sorted(spans):
        total += max(0.0, one.ends - max(one.begins, until))
        until = max(until, one.ends)
    return total


def of_jobs(home: Home) -> Iterator[Span]:
    """Every job, from its start to its outcome."""
    for folder in (home.folder / "work" / "training" / "jobs").iterdir():
        outcome = folder / "outcome.json"
        ends = outcome.stat().st_mtime
        yield Span(ends - float(json.loads(outcome.read_bytes())["seconds"]), ends)


async def of_data(home: Home) -> list[Span]:
    """Every part that was made, and the putting together with its measures."""
    store, found = home.reader(), []
    async for batch in every(store, types=MADE):
        for envelope in batch:
            ends = datetime.fromisoformat(envelope.recorded_at).timestamp()
            found.append(Span(ends - float(getattr(envelope.event(), "seconds", 0.0)), ends))
    await store.close()
    return found


def played(folder: Path, pipeline: str, seed: int) -> tuple[float, float, dict[str, Any]]:
    """Seconds of the whole command, seconds inside, and what it said."""
    assert AGENTS  # whoever assembles knows all events, and so does who reads them here
    home = Home(folder / f"{pipeline}-{seed}")
    words = ["--home", str(home.folder), "demo", "--pipeline", pipeline, "--seed", str(seed)]
    environment = {name: of for name, of in os.environ.items() if not name.startswith("RATCHET")}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.main", *words, "--json"],
        cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    whole = time.monotonic() - began
    assert done.returncode in (0, 1), done.stderr[-3000:]
    inside = covered(iter([*of_jobs(home), *asyncio.run(of_data(home))]))
    return whole, inside, json.loads(done.stdout)


def measure(short: bool) -> Result:
    """`--short` leaves out the two pipelines that learn preferences."""
    figures: dict[str, list[float]] = {}
    notes: dict[str, Any] = {}
    goals: list[Goal] = []
    with disk() as folder:
        for pipeline in ("srl_rlvr",) if short else ("srl_rlvr", "dpo", "srf"):
            whole, inside, said = played(folder, pipeline, 5)
            figures[f"{pipeline}, outside"] = [whole - inside]
            figures[f"{pipeline}, inside"] = [inside]
            goals.append(
                Goal(f"outside, {pipeline}", (whole - inside) / whole, OUTSIDE, at_least=False)
            )
            notes[pipeline] = {"status": said["status"], "seconds": round(whole, 1)}
    sides = {
        name: "until the command has ended, less what is inside"
        if name.endswith("outside")
        else "the ideal: jobs and makers of data alone, side by side counted once"
        for name in figures
    }
    return Result("the demo, by where its time goes", "s", sides, figures, goals, notes)
