"""Specs and folders of small jobs, and `python -m trainers.job` run on them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from events.catalog.jobs import DataRef, JobSpec, Limits, Recipe, Resources
from tests.house.source import ROOT
from tests.trainers.line import TRAINER

POINTS = tuple({"x": x / 10, "y": 2 * x / 10 + 1} for x in range(-10, 11))


def content(rows: tuple[Mapping[str, Any], ...] = POINTS) -> bytes:
    """Rows as a file has them."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def ref(text: bytes, name: str = "train") -> DataRef:
    """What a spec says of a file."""
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    return DataRef(name=name, sha256=digest, size=len(text), rows=text.count(b"\n"))


def spec(
    job: str = "one",
    limits: Limits | None = None,
    resources: Resources | None = None,
    seed: int = 7,
    **settings: Any,
) -> JobSpec:
    """A job that fits a line."""
    return JobSpec(
        job=job,
        base="none",
        model_type="line",
        data=(ref(content()),),
        recipe=Recipe(trainer=TRAINER, settings=settings),
        seed=seed,
        resources=resources or Resources(),
        limits=limits or Limits(),
    )


def laid(folder: Path, wanted: JobSpec, text: bytes | None = None) -> Path:
    """The folder of a job, as an executor lays it; its spec."""
    text = content() if text is None else text
    (folder / "data").mkdir(parents=True)
    for one in wanted.data:
        (folder / "data" / one.sha256.removeprefix("sha256:")).write_bytes(text)
    file = folder / "spec.json"
    file.write_text(wanted.model_dump_json())
    return file


def started(file: Path, *words: str) -> subprocess.Popen[str]:
    """The job, running in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "trainers.job", str(file), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ran(file: Path, *words: str) -> tuple[int, str]:
    """The job, run to its end: its exit code, and all that it said."""
    process = started(file, *words)
    out, err = process.communicate(timeout=180)
    return process.returncode, out + err


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The whole lines that are there."""
    text = (folder / "metrics.jsonl").read_text() if (folder / "metrics.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for it."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.01)


def model(folder: Path) -> bytes:
    """The weights, to the last bit."""
    return (folder / "model" / "line.json").read_bytes()
