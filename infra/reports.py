"""Reports of runs, written into the home: Markdown, one page for a browser, and a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from events.artifacts import Artifacts
from infra.home import Home
from pipelines.data.report import markdown, page
from pipelines.telling import card, report

LARGEST = 1 << 26
CURVE = "curve."


def reported(home: Home, row: Mapping[str, Any], purpose: str = "") -> Path:
    """Where the page of a run now lies; written anew each time."""
    place = home.folder / "reports" / str(row["run"])
    place.mkdir(parents=True, exist_ok=True)
    told = report(row, _steps(Artifacts(home.artifacts), row))
    (place / "report.md").write_text(markdown(told), encoding="utf-8")
    (place / "report.html").write_text(page(told), encoding="utf-8")
    if row["candidate"]:
        (place / "model_card.md").write_text(markdown(card(row, purpose)), encoding="utf-8")
    return place / "report.html"


def _steps(artifacts: Artifacts, row: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What each training said of its steps."""
    found = {}
    for stage in row["stages"]:
        for one in stage.get("artifacts", ()):
            if one["kind"].startswith(CURVE):
                content = artifacts.read(one["sha256"], LARGEST)
                found[stage["name"]] = [json.loads(line) for line in content.splitlines()]
    return found
