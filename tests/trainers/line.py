"""A trainer of somebody's own, without torch: it fits a line to points by gradient descent.

It draws its points at random, keeps that randomness in its checkpoints, and can be told to go
wrong in the ways that trainings do.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Literal

from events.documented import Documented
from trainers.outcome import Outcome
from trainers.run import Run

TRAINER = "tests.trainers.line:train"


class Settings(Documented):
    """How the line is fitted."""

    steps: int = 20
    """How often it moves."""
    rate: float = 0.05
    """How far it moves."""
    pause: float = 0.0
    """Seconds that a step takes."""
    save_every: int = 5
    """Steps between checkpoints."""
    says: int = 0
    """Bytes that each step prints."""
    wrong: Literal["", "nan", "error", "memory", "greedy", "hang", "deaf", "child", "die"] = ""
    """What goes wrong at half of the steps."""


def train(run: Run) -> Outcome:
    settings: Settings = run.settings
    points = [(row["x"], row["y"]) for row in run.rows()]
    print(f"devices {os.environ.get('CUDA_VISIBLE_DEVICES')!r}", flush=True)
    slope, offset, begin = 0.0, 0.0, 0
    if run.noted("batch") is None:
        run.note("batch", 4)
    if (place := run.resume_from()) is not None:
        kept = json.loads((place / "line.json").read_text())
        slope, offset, begin = kept["slope"], kept["offset"], kept["step"]
        version, numbers, gauss = kept["random"]
        random.setstate((version, tuple(numbers), gauss))
    for step in range(begin + 1, settings.steps + 1):
        batch = [random.choice(points) for _ in range(run.noted("batch"))]
        errors = [slope * x + offset - y for x, y in batch]
        slope -= settings.rate * sum(e * x for e, (x, _) in zip(errors, batch, strict=True)) / 4
        offset -= settings.rate * sum(errors) / 4
        loss = sum(e * e for e in errors) / 4
        time.sleep(settings.pause)
        with (run.folder / "writers").open("a") as writers:
            writers.write(f"{os.getpid()}\n")
        if settings.says:
            print("x" * settings.says)
        if settings.wrong and step == settings.steps // 2:
            loss = _go_wrong(settings.wrong, run, loss)
        if run.report(step, loss=loss, slope=slope):
            break
        state = {"slope": slope, "offset": offset, "step": step, "random": random.getstate()}
        run.safe_point(step, partial(_write, state))
    run.save_model(partial(_write, {"slope": slope, "offset": offset}))
    left = [{"x": x, "error": slope * x + offset - y} for x, y in points]
    mean = sum(abs(one["error"]) for one in left) / len(left)
    return Outcome(metrics={"error": mean, "slope": slope}, per_item=run.save_items(left))


def _write(content: object, place: Path) -> None:
    (place / "line.json").write_text(json.dumps(content))


def _go_wrong(wrong: str, run: Run, loss: float) -> float:
    match wrong:
        case "nan":
            return float("nan")
        case "error":
            raise KeyError("a defect of the trainer")
        case "memory":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        case "greedy":
            return float(len(bytearray(1 << 40)))
        case "hang":
            time.sleep(3600)
        case "deaf":
            while True:
                time.sleep(0.01)
        case "die":
            os.kill(os.getpid(), 9)
        case "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
            (run.folder / "child").write_text(str(child.pid))
    return loss
