"""Where a reward model is wrong: by area, by how far the sides lie apart, by which is longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from events.catalog.training import Measured
from pipelines.data.report import Table
from pipelines.evidence.correlation import beyond, correlation
from pipelines.evidence.intervals import proportion
from pipelines.length import words_more
from pipelines.splitting import STEPS, step

Rows = Sequence[Mapping[str, Any]]
CLEAR = 0.4
"""From here on a preference is clear: by what its two sides were given."""
FEW = 10
"""Pairs below which nothing is said of a kind."""


def right(margins: Sequence[float]) -> Measured:
    """Pairs whose better side is scored higher; a tie is wrong."""
    return proportion(sum(one > 0 for one in margins), len(margins))


def kinds(rows: Rows, margins: Sequence[float]) -> dict[str, Measured]:
    """How often it is right with each kind of preference."""
    found: dict[str, list[float]] = {}
    for row, margin in zip(rows, margins, strict=True):
        for name in KINDS:
            found.setdefault(f"{name} {KINDS[name](row)}", []).append(margin)
    return {name: right(own) for name, own in sorted(found.items()) if len(own) >= FEW}


def hardest(found: Mapping[str, Measured]) -> tuple[str, Measured] | None:
    """The kind of preference that it judges worst."""
    return min(found.items(), key=lambda one: (one[1].value, one[0]), default=None)


def by_length(rows: Rows, margins: Sequence[float]) -> tuple[Measured, float]:
    """How the margin goes with the difference in length; and what of that the gap of the pairs
    does not explain, from -1 to 1."""
    longer = [float(_more(row)) for row in rows]
    gaps = [float(row.get("gap", 0.0)) for row in rows]
    return correlation(margins, longer), beyond(margins, longer, gaps)


def clear(rows: Rows, margins: Sequence[float]) -> tuple[list[float], list[float]]:
    """The margins of clear preferences, and of the others."""
    both = list(zip(rows, margins, strict=True))
    return (
        [margin for row, margin in both if row["gap"] >= CLEAR],
        [margin for row, margin in both if row["gap"] < CLEAR],
    )


def _more(row: Mapping[str, Any]) -> int:
    return words_more(str(row["chosen"]), str(row["rejected"]))


def table(title: str, found: Mapping[str, Measured], note: str = "") -> Table:
    """For a report, the worst first."""
    rows = sorted(found.items(), key=lambda one: one[1].value)
    return Table(
        title,
        ("kind", "right", "surely between", "pairs"),
        [(name, one.value, f"{one.low:.2f} to {one.high:.2f}", one.n) for name, one in rows],
        note,
    )


def _length(row: Mapping[str, Any]) -> str:
    more = _more(row)
    return "longer" if more > 0 else "shorter" if more < 0 else "as long"


KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "area": lambda row: str(row.get("area", "all")),
    "gap": lambda row: f"{step(row) / STEPS:.1f} to {(step(row) + 1) / STEPS:.1f}",
    "the better one is": _length,
}
