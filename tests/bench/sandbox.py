"""What it costs to run a program that nobody vouches for, beside a bare interpreter.

Each run is a fresh interpreter either way; ours has walls around it, and the time they take to be
raised and taken down is in the figures.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial

from tests.bench.results import Goal, Result, percentile
from trainers.sandbox.choose import ordinary_user, possible
from trainers.sandbox.launch import LOADER, NotEnclosed, Order, carry_out
from trainers.sandbox.plan import Walls
from trainers.sandbox.probe import breaches
from trainers.sandbox.sandbox import Sandbox, sandbox

PROGRAM = "print(6 * 7)"
TESTS = [f"assert add({n}, 2) == {n + 2}" for n in range(5)]


def measure(short: bool) -> Result:
    runs = 40 if short else 200
    box = sandbox()
    python = box.walls.interpreter.python

    def bare() -> None:
        said = subprocess.check_output([python, "-I", "-S", "-c", PROGRAM], env={}, text=True)
        assert said == "42\n"

    def enclosed() -> None:
        assert box.run(PROGRAM).out == "42\n"

    def checked() -> None:
        found = box.check("def add(a, b): return a + b", TESTS)
        assert all(one.passed for one in found)

    sides: dict[str, Callable[[], None]] = {
        "bare": bare,
        "ours": enclosed,
        "check of five": checked,
    }
    others: dict[str, str] = {}
    for walls in possible(box.walls.interpreter, ordinary_user()):
        if walls.kind != box.walls.kind and _hold(Sandbox(walls)):
            sides[walls.kind] = partial(_behind, walls)
            others[walls.kind] = "the same program behind other walls that hold here"
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, deed in sides.items():  # one of each in turn, so that a busy moment hits all
            began = time.perf_counter()
            deed()
            figures[name].append(1000 * (time.perf_counter() - began))
    middle = statistics.median(figures["ours"])
    return Result(
        "a run in the sandbox, from the call to its result",
        "milliseconds",
        {
            "bare": "python -I -S in a subprocess, with no walls",
            "ours": f"{box.walls.kind}, probed at start",
            "check of five": "five tests of one program, in a room that stays between programs",
            **others,
        },
        figures,
        [Goal("p50 of a run, ms", middle, 60, False)],
        {"p99": {name: round(percentile(row, 0.99), 1) for name, row in figures.items()}},
    )


def _behind(walls: Walls) -> None:
    assert carry_out(walls, Order(LOADER, PROGRAM.encode())).out == b"42\n"


def _hold(box: Sandbox) -> bool:
    try:
        return not breaches(box.walls)
    except NotEnclosed:
        return False
