"""Reports of runs, written into the home: Markdown, one page for a browser, and a model card.

A run that has ended gets its report by itself, from whoever owns the home.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

from events.artifacts import Artifacts
from events.bus import Bus
from events.catalog.hand import RunCancelled
from events.catalog.training import RunAbandoned, RunCompleted
from events.errors import LogUnavailable, RatchetError
from events.projection import Fold
from infra.home import Home
from pipelines.data.report import markdown, page
from pipelines.rehearsal import REHEARSAL
from pipelines.telling import card, report

log = logging.getLogger(__name__)

LARGEST = 1 << 26
CURVE = "curve."
STAGES = "page."
ENDS = tuple(one.wire for one in (RunCompleted, RunAbandoned, RunCancelled))
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
    told = report(row, _steps(Artifacts(home.artifacts), row), rows)
    _put(place / "report.md", markdown(told))
    if row["candidate"]:
        _put(place / "model_card.md", markdown(card(row, purpose)))
    _put_stages(place, Artifacts(home.artifacts), row)
    _put(place / PAGE, page(told))
    return place / PAGE


def _put_stages(place: Path, artifacts: Artifacts, row: Mapping[str, Any]) -> None:
    """What single stages have told beside their figures: their pairs, their reward model."""
    for stage in row["stages"]:
        for one in stage.get("artifacts", ()):
            if one["kind"].startswith(STAGES):
                name = f"{one['kind'].removeprefix(STAGES)}.html"
                _put(place / name, artifacts.read(one["sha256"], LARGEST).decode())


def folder(home: Home, row: Mapping[str, Any]) -> Path:
    """Where the report of a run lies, once it is there."""
    return home.folder / "reports" / str(row["run"])


class Reporter:
    """A part of the house: behind the end of a run, its report."""

    name = "reports of runs"

    def __init__(self, home: Home, bus: Bus, runs: Callable[[], Awaitable[Fold]]) -> None:
        self._home, self._bus, self._runs = home, bus, runs
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
            if row["ended_at"]
            and row["pipeline"] != REHEARSAL.name
            and not (folder(self._home, row) / PAGE).is_file()
        ]
        for row in missing:
            await asyncio.to_thread(self._write, row, rows)

    def _write(self, row: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> None:
        try:
            reported(self._home, row, rows)
            self.failure = ""
        except (OSError, RatchetError) as error:  # a full disk, a lost curve: the run stands
            self.failure = f"report of run {row['run']}: {error}"
            log.warning("%s", self.failure)


def _put(file: Path, text: str) -> None:
    """Whole or not at all, whoever else writes it just now."""
    beside = file.with_name(f".{file.name}.{uuid4().hex}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, file)


def _steps(artifacts: Artifacts, row: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What each training said of its steps."""
    found = {}
    for stage in row["stages"]:
        for one in stage.get("artifacts", ()):
            if one["kind"].startswith(CURVE):
                content = artifacts.read(one["sha256"], LARGEST)
                word = one["kind"].removeprefix(CURVE)
                name = stage["name"] if word == stage["name"] else f"{stage['name']} {word}"
                found[name] = [json.loads(line) for line in content.splitlines()]
    return found
