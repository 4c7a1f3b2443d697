"""Runs and models in short, a page at a time: what lists show of rows that know far more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from pipelines.summary import score

Row = Mapping[str, Any]


def brief(row: Row) -> dict[str, Any]:
    """A model in one line."""
    metrics: Mapping[str, Any] = row.get("metrics", {})
    return {
        **{name: row[name] for name in ("model", "status", "reason", "sha256", "size")},
        **{name: row.get(name) for name in ("role", "version", "run", "pipeline")},
        "base": (row.get("base") or {}).get("name"),
        "score": score(metrics),
        "improvement": metrics.get("improvement"),
        "verified": row["verified"],
        "registered_at": row["registered_at"],
    }


def run_brief(row: Row) -> dict[str, Any]:
    """A run in one line: where it stands, not what its stages found."""
    return {
        **{key: value for key, value in row.items() if key != "stages"},
        "stage": next((one["name"] for one in row["stages"] if one["status"] != "completed"), None),
    }


def page(rows: Sequence[Row], after: int, limit: int) -> tuple[list[Row], int | None]:
    """So many of them from there on, and where the next page begins."""
    some = list(islice(rows, after, after + limit))
    ends = after + len(some)
    return some, ends if ends < len(rows) else None
