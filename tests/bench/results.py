"""What a measure found: its raw figures, the ratios made of them, and the goals it was held to."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


class PeerMissing(Exception):
    """The peer of a measure is not installed here."""


@dataclass(frozen=True)
class Goal:
    """One figure and its bound."""

    what: str
    value: float
    bound: float
    at_least: bool = True
    spread: tuple[float, float] | None = None
    """The lowest and the highest of the figures of which `value` is the median."""

    @property
    def reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def document(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "value": round(self.value, 4),
            "spread": None if self.spread is None else [round(one, 4) for one in self.spread],
            "goal": f"{'at least' if self.at_least else 'at most'} {self.bound:g}",
            "reached": self.reached,
        }


@dataclass(frozen=True)
class Result:
    """One measure, as it is kept in `benchmarks/results`."""

    what: str
    unit: str
    sides: dict[str, str]
    """Each side and its settings."""
    figures: dict[str, list[float]]
    goals: list[Goal]
    notes: dict[str, Any] = field(default_factory=dict)

    def keep(self, name: str, short: bool) -> None:
        document = {
            "name": name,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "short": short,
            "machine": machine(),
            "what": self.what,
            "sides": self.sides,
            "unit": self.unit,
            "figures": {side: [round(x, 4) for x in row] for side, row in self.figures.items()},
            "medians": {
                side: round(statistics.median(row), 4) for side, row in self.figures.items()
            },
            **self.notes,
            "goals": [goal.document() for goal in self.goals],
            "reached": all(goal.reached for goal in self.goals),
        }
        RESULTS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, indent=2) + "\n"
        (RESULTS / f"{name}.json").write_text(text)


def ratio(ours: list[float], theirs: list[float], what: str, bound: float) -> Goal:
    """The median over the pairs of neighbours: what slows a round down slows both of its sides."""
    pairs = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Goal(what, statistics.median(pairs), bound, spread=(min(pairs), max(pairs)))


def percentile(figures: list[float], share: float) -> float:
    """The smallest figure that is not below this share of them."""
    return sorted(figures)[min(len(figures) - 1, int(share * len(figures)))]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
    }
