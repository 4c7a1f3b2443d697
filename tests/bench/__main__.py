"""`python -m tests.bench [NAME...] [--short]`: measure, keep the results, print a table.

A goal that is missed is said, and is no error: on a busy machine every measure can miss.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from tests.bench.results import PeerMissing, Result

MEASURES = {
    "append_many": "durable appends, 64 callers at once",
    "append_one": "durable appends, one caller",
    "replay": "read, verify, validate and fold a log",
    "audit": "derive every decision of a log again",
    "proof": "prove one event of a million, and check the proof",
    "latency": "from an HTTP request to the agent's decision in the log",
    "nats_latency": "from a request on NATS to the agent's decision in the log",
    "idle": "the processor time of an agent that has nothing to do",
    "memory": "the memory that a replay takes",
    "relay": "the log told to JetStream, acknowledged",
    "consume": "batches of the stream read over NATS",
    "generation": "tokens a second out of a small model",
    "jobs": "the start of a training job, and two of them side by side",
    "postgres_many": "durable appends to Postgres, 64 callers at once",
    "readers": "reader processes on one log in Postgres",
    "trainers": "steps of SRL and RLVR beside TRL's trainer, and PPO beside GRPO",
    "knowledge": "hybrid search beside the bare engine, and at the door of a home",
    "sandbox": "a program run behind walls, beside a bare interpreter",
    "decontamination": "documents searched for evaluation items and for near duplicates",
    "collaboration": "three models that make trajectories, beside plain asyncio",
    "generator": "verified trajectories from exact experts, through the client of cloud models",
    "demo": "the demo, by where its time goes",
    "stages": "a stage of a pipeline that does nothing",
    "runs": "a thousand runs listed and shown at the warm server",
    "meaning": "knowledge asked and evaluation items said in other words, by embedder",
    "remembering": "five abilities of a memory, by way of finding",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--short", action="store_true", help="smaller and fewer rounds")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in MEASURES]
    if unknown:
        parser.error(f"no measure is named {unknown[0]!r}; there are: {', '.join(MEASURES)}")
    missed, left_out = 0, 0
    for name in asked.names or MEASURES:
        print(f"{name}: {MEASURES[name]} ...", file=sys.stderr, flush=True)
        try:
            measure = import_module(f"tests.bench.{name}").measure
        except PeerMissing as missing:
            print(f"  {name:<12} left out: {missing}")
            left_out += 1
            continue
        result: Result = measure(asked.short)
        result.keep(name, asked.short)
        missed += _told(name, result)
    print(f"{missed or 'none'} of the goals missed, {left_out or 'none'} of the measures left out")


def _told(name: str, result: Result) -> int:
    """Print the rows of one measure; how many of its goals were missed."""
    for side, row in result.figures.items():
        middle = sorted(row)[len(row) // 2]
        print(f"  {name:<12} {side:<16} {middle:>14,.2f} {result.unit}")
    for goal in result.goals:
        low, high = goal.spread or (goal.value, goal.value)
        bound = f"{'at least' if goal.at_least else 'at most'} {goal.bound:g}"
        end = "reached" if goal.reached else "MISSED"
        spread = f"({low:.2f} to {high:.2f})" if goal.spread else ""
        print(f"  {name:<12} {goal.what:<28} {goal.value:>8.2f} {spread:<18} {bound:<14} {end}")
    sys.stdout.flush()
    return sum(not goal.reached for goal in result.goals)


if __name__ == "__main__":
    main()
