"""Two models side by side: where they came from, and which of their figures surely differ.

Figures of different runs are of different problems, so each is compared by its interval: where the
two overlap, nothing is surely different. What a verification measured on the fixed suite is of the
same problems for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Row = Mapping[str, Any]
Apart = Literal["higher", "lower", "not surely another", "only one"]
FACTS = ("role", "status", "pipeline", "run", "seed", "base", "data", "size", "registered_at")


def differing(one: Row, other: Row) -> dict[str, Any]:
    """What is said of both; `other` is told beside `one`."""
    return {
        "models": [one["model"], other["model"]],
        "same": one["sha256"] == other["sha256"],
        "facts": [
            {"what": name, "one": mine, "other": theirs}
            for name in FACTS
            if (mine := _fact(one, name)) != (theirs := _fact(other, name))
        ],
        "figures": _figures(one.get("metrics", {}), other.get("metrics", {})),
        "suites": _figures(_suites(one), _suites(other)),
    }


def apart(one: Row | None, other: Row | None) -> Apart:
    """Whether the other's figure surely lies higher or lower."""
    if one is None or other is None:
        return "only one"
    if other["low"] > one["high"]:
        return "higher"
    return "lower" if other["high"] < one["low"] else "not surely another"


def _figures(mine: Row, theirs: Row) -> list[dict[str, Any]]:
    return [
        {
            "metric": name,
            "one": mine.get(name),
            "other": theirs.get(name),
            "other_is": apart(mine.get(name), theirs.get(name)),
        }
        for name in sorted({*mine, *theirs})
    ]


def _suites(row: Row) -> Row:
    """The newest score on each suite."""
    found: dict[str, Any] = {}
    for one in row.get("verifications", ()):
        found |= one["suites"]
    return found


def _fact(row: Row, name: str) -> Any:
    one = row.get(name)
    if isinstance(one, Mapping):  # a base, a data set
        return one.get("name") or one.get("dataset")
    return one


def rows(figures: Iterable[Row], shown: Any) -> list[tuple[object, ...]]:
    """For people; `shown` tells a figure with its interval."""
    return [
        (
            it["metric"],
            *("" if it[side] is None else shown(it[side]) for side in ("one", "other")),
            it["other_is"],
        )
        for it in figures
    ]
