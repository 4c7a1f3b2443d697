"""Reports of runs, written into the home: Markdown, one page for a browser, and a model card.

A run that has ended gets its report by itself, from whoever owns the home.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

from events.artifacts import Artifacts
from events.bus import Bus
from events.catalog.hand import RunCancelled
from events.catalog.training import RunAbandoned, RunCompleted
from events.catalog.verification import CandidateWithdrawn, VerificationJudged
from events.envelope import parse_time
from events.errors import LogDamaged, LogUnavailable, Malformed, NotFound, RatchetError
from events.projection import Fold
from infra.home import Home
from pipelines.data.report import markdown, page
from pipelines.rehearsal import REHEARSAL
from pipelines.telling import card, report

log = logging.getLogger(__name__)

GONE = (NotFound, LogDamaged, Malformed)
"""How an artifact is answered that is lost, or is no longer what was put there."""
LARGEST = 1 << 26
HUGE = 1e300
"""What is not smaller cannot be drawn, and NaN is not."""
CURVE = "curve."
STAGES = "page."
ENDS = tuple(
    one.wire
    for one in (RunCompleted, RunAbandoned, RunCancelled, VerificationJudged, CandidateWithdrawn)
)
PAGE = "report.html"
FIRST, LOOK = 5.0, 60.0
"""Seconds between looks where nobody rings, the first of them sooner."""
LATEST = 100
"""Of so many of the newest runs a report that is missing is made up for."""


def reported(
    home: Home, row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]] = (), purpose: str = ""
) -> Path:
    """Where the page of a run now lies; written anew each time."""
    place = folder(home, row)
    place.mkdir(parents=True, exist_ok=True)
    artifacts = Artifacts(home.artifacts)
    steps, lost = _steps(artifacts, row)
    beside, gone = _put_stages(place, artifacts, row)
    told = report(row, steps, rows)
    more = [
        f"{what} {', '.join(names)}."
        for what, names in (
            ("Beside this page, of single stages:", beside),
            ("Not to be read any more:", [*lost, *gone]),
        )
        if names
    ]
    told = told._replace(lines=(*told.lines, *more))
    _put(place / "report.md", markdown(told))
    if row["candidate"]:
        _put(place / "model_card.md", markdown(card(row, purpose)))
    _put(place / PAGE, page(told))
    return place / PAGE


def _put_stages(
    place: Path, artifacts: Artifacts, row: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """What single stages have told beside their figures: their pairs, their reward model. The names
    of these pages, and what of them is lost."""
    put, lost = [], []
    for stage, one in _kept(row, STAGES):
        try:
            text = artifacts.read(one["sha256"], LARGEST).decode()
        except (*GONE, UnicodeDecodeError):
            lost.append(f"the page of {stage}")
            continue
        put.append(f"{one['kind'].removeprefix(STAGES)}.html")
        _put(place / put[-1], text)
    return put, lost


def folder(home: Home, row: Mapping[str, Any]) -> Path:
    """Where the report of a run lies, once it is there."""
    return home.folder / "reports" / str(row["run"])


class Reporter:
    """A part of the house: behind the end of a run, its report, and anew when its candidate has
    been verified or withdrawn."""

    name = "reports of runs"

    def __init__(self, home: Home, bus: Bus, runs: Callable[[], Awaitable[Fold]]) -> None:
        self._home, self._bus, self._runs = home, bus, runs
        self._told: dict[str, str] = {}
        """Until when each report knows what became of its candidate."""
        self.failure = ""

    async def run(self) -> None:
        """Write what is missing, wait for the next end; until cancelled."""
        ear, pause = self._bus.ear(ENDS), FIRST
        try:
            while True:
                await ear.wait(pause)
                pause = LOOK
                with suppress(LogUnavailable):
                    await self.look()
        finally:
            ear.close()

    async def look(self) -> None:
        """Write what is missing."""
        rows = list((await self._runs()).state.values())
        missing = [
            deepcopy(row)
            for row in rows[-LATEST:]
            if row["ended_at"] and row["pipeline"] != REHEARSAL.name and self._late(row)
        ]
        for row in missing:
            await asyncio.to_thread(self._write, row, rows)

    def _late(self, row: Mapping[str, Any]) -> bool:
        """Whether there is no report, or one from before something became of the candidate."""
        try:
            written = (folder(self._home, row) / PAGE).stat().st_mtime
        except OSError:
            return True
        at = (row["since"] or {}).get("at", "")
        if not at or self._told.get(row["run"]) == at:
            return False
        return parse_time(at).timestamp() > written

    def _write(self, row: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> None:
        try:
            reported(self._home, row, rows)
            self._told[row["run"]] = (row["since"] or {}).get("at", "")
            self.failure = ""
        except (OSError, RatchetError) as error:  # a full disk, a lost curve: the run stands
            self.failure = f"report of run {row['run']}: {error}"
            log.warning("%s", self.failure)


def _put(file: Path, text: str) -> None:
    """Whole or not at all, whoever else writes it just now."""
    beside = file.with_name(f".{file.name}.{uuid4().hex}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, file)


def _kept(row: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The artifacts of all stages whose kind begins so, each with the name of its stage."""
    for stage in row["stages"]:
        for one in stage.get("artifacts", ()):
            if one["kind"].startswith(kind):
                yield stage["name"], one


def _steps(
    artifacts: Artifacts, row: Mapping[str, Any]
) -> tuple[dict[str, list[dict[str, float]]], list[str]]:
    """What each training said of its steps, and which of that is lost."""
    found, lost = {}, []
    for stage, one in _kept(row, CURVE):
        word = one["kind"].removeprefix(CURVE)
        name = stage if word == stage else f"{stage} {word}"
        try:
            content = artifacts.read(one["sha256"], LARGEST)
        except GONE:
            lost.append(f"the curve of {name}")
            continue
        found[name] = [step for line in content.splitlines() if (step := _step(line))]
    return found, lost


def _step(line: bytes) -> dict[str, float]:
    """The numbers of a step; a worker elsewhere may have written anything."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    numbers = {
        str(name): float(one)
        for name, one in said.items()
        if isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < HUGE
    }
    return numbers if "step" in numbers else {}
