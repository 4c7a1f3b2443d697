"""What came of a run, in three figures: what it was, what it is, and how sure the difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

LAST = ("verify", "evaluate")
"""Stages that compare the best policy with the baseline."""
OUTCOMES = ("score", "sampled")
"""What says how good a model is: the rubric's score where there is one, else its accuracy."""


def score(metrics: Mapping[str, T]) -> T | None:
    """The figure by which policies are compared."""
    return next((metrics[name] for name in OUTCOMES if name in metrics), None)


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row of the runs; a figure is None where it was not measured."""
    metrics: Mapping[str, Any] = next(
        (one["metrics"] for one in reversed(row["stages"]) if one["name"] in LAST), {}
    )
    return {
        "run": row["run"],
        "pipeline": row["pipeline"],
        "status": row["status"],
        "reason": row["reason"],
        "baseline": metrics.get("baseline"),
        "final": score(metrics),
        "improvement": metrics.get("improvement"),
        "candidate": row["candidate"],
        "stages": row["stages"],
    }
