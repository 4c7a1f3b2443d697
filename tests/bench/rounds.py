"""Rounds: each side once, then each side again, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.results import ROOT

Side = Callable[[], float]
"""Does its work once, and says the figure that came of it."""


def interleaved(sides: Mapping[str, Side], rounds: int) -> dict[str, list[float]]:
    """The figures of each side, round by round. An unmeasured round before them warms all up."""
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(-1, rounds):
        for name, side in sides.items():
            gc.collect()
            figure = side()
            if turn >= 0:
                figures[name].append(figure)
    return figures


@contextmanager
def disk() -> Iterator[Path]:
    """A folder on the disk of this checkout: a temporary folder in memory would know no fsync."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield Path(folder)


def fsync_us(folder: Path) -> float:
    """What the disk asks for one fsync, median of 200: it bounds whoever waits for each commit."""
    handle = os.open(folder / "probe", os.O_WRONLY | os.O_CREAT)
    taken = []
    for _ in range(200):
        os.write(handle, b"x" * 4096)
        began = time.perf_counter()
        os.fsync(handle)
        taken.append(time.perf_counter() - began)
    os.close(handle)
    return round(sorted(taken)[100] * 1e6, 1)
