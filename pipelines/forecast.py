"""How long runs like this one took here: what people plan with, beside what was measured.

Runs are alike where pipeline, profile and model type are the same. Only those count that passed all
their stages, for the others ended early. Of fewer than three nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from events.envelope import parse_time

LEAST = 3
TINY = "tiny"
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
LATEST = 50
"""So many of the newest are looked at: a machine, and what it is used for, change."""


class Forecast(NamedTuple):
    """Seconds, by what so many earlier runs took: a tenth took less, a half, nine tenths."""

    low: float
    middle: float
    high: float
    n: int

    def document(self) -> dict[str, float]:
        """As JSON."""
        return {
            "seconds": round(self.middle, 1),
            "low": round(self.low, 1),
            "high": round(self.high, 1),
            "runs": self.n,
        }


def alike(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest runs like this one that came through, but itself."""
    mine = _kind(row)
    found = [
        one
        for one in rows
        if one["status"] == "completed" and one["run"] != row["run"] and _kind(one) == mine
    ]
    return found[-LATEST:]


def whole(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Forecast | None:
    """How long all of it takes, from the beginning to the candidate."""
    return _of([_between(one["started_at"], one["ended_at"]) for one in alike(row, rows)])


def remaining(
    row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], now: datetime
) -> Forecast | None:
    """How long it still takes, by how far it has come; a run that has ended takes no longer."""
    begun = [one for one in row["stages"] if one["asked_at"] is not None]
    if row["ended_at"] is not None or not begun:
        return None
    stage = begun[-1]
    since = (now - parse_time(stage["asked_at"])).total_seconds()
    took = [
        _between(asked, one["ended_at"])
        for one in alike(row, rows)
        if (asked := _asked(one, stage["name"])) is not None
    ]
    found = _of(took)
    if found is None:
        return None
    low, middle, high = (max(0.0, one - since) for one in found[:3])
    return Forecast(low, middle, high, found.n)


def quantile(values: Sequence[float], share: float) -> float:
    """Below which this share of the values lies, between two of them where it falls so."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    under = int(place)
    over = min(under + 1, len(ordered) - 1)
    return ordered[under] + (place - under) * (ordered[over] - ordered[under])


def told(seconds: float) -> str:
    """As a person would say it: 45 s, 3 min 10 s, 2 h 5 min."""
    whole_ones = round(seconds)
    if whole_ones < 60:
        return f"{whole_ones} s"
    minutes, rest = divmod(whole_ones, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if left else f"{hours} h"


def said(found: Forecast | None) -> str:
    """A forecast in a few words, or why there is none."""
    if found is None:
        return f"not known yet, for fewer than {LEAST} runs like it have come through here"
    span = f"{told(found.low)} to {told(found.high)}"
    return f"about {told(found.middle)} ({span}, by {found.n} earlier runs like it)"


def _of(seconds: Sequence[float]) -> Forecast | None:
    if len(seconds) < LEAST:
        return None
    low, middle, high = (quantile(seconds, share) for share in (LOW, MIDDLE, HIGH))
    return Forecast(low, middle, high, len(seconds))


def _kind(row: Mapping[str, Any]) -> tuple[str, str, bool]:
    return row["pipeline"], row["model_type"], row["base"] == TINY


def _asked(row: Mapping[str, Any], stage: str) -> str | None:
    return next((one["asked_at"] for one in row["stages"] if one["name"] == stage), None)


def _between(start: str, end: str) -> float:
    return (parse_time(end) - parse_time(start)).total_seconds()
