"""One run as text: where it stands, what its gates judged, what was done, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cli import show
from pipelines.catalog import PIPELINES
from pipelines.criteria import decision, number, points
from pipelines.forecast import Forecast, said
from pipelines.telling import people

Row = Mapping[str, Any]


def told_run(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    """All of it."""
    parts = [_head(row, whole, left), _stages(row)]
    checks = [line for one in row["stages"] for line in _checks(one)]
    if checks:
        headings = ("stage", "metric", "value", "from", "to", "items", "bound", "verdict")
        parts.append(show.table(headings, checks))
    done = _done(row)
    if done:
        parts.append("\n".join(done))
    found = points(row)
    if row["ended_at"] and found:
        lines = [decision(row), *(f"  {one.met:<12} {one.says}" for one in found)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _head(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    held = ", held until somebody approves" if row["held"] else ""
    reason = f": {row['reason']}" if row["reason"] else ""
    given = f", on data set {row['given']}" if row["given"] else ""
    lines = [
        f"Run {row['run']} of role {row['role']}, pipeline {row['pipeline']}, from {row['base']}, "
        f"seed {row['seed']}{given}",
        f"{row['status']}{reason}{held}, begun {row['started_at'][:19]}Z",
    ]
    if row["ended_at"]:
        lines[-1] += f", ended {row['ended_at'][:19]}Z"
    else:
        lines.append(_ahead(row, whole, left))
    budget = _budget(row)
    if budget:
        lines.append(budget)
    if row["people"] is not None:
        lines.append(people(row))
        if row["people"]["open"]:
            lines.append(f"next: `ratchet review list {row['people']['review']}`")
    return "\n".join(lines)


def _ahead(row: Row, whole: Forecast | None, left: Forecast | None) -> str:
    """How long it takes here, or what people plan with where nobody knows yet."""
    if left is not None:
        line = f"Time left: {said(left)}."
    else:
        line = f"Time it takes: {said(whole)}."
        planned = "; ".join(f"{what}: {time}" for what, time in PIPELINES[row["pipeline"]].planned)
        if whole is None and planned:
            line += f" People plan with: {planned}."
    return line if row["due"] is None else f"{line} It is given up at {row['due'][:19]}Z."


def _budget(row: Row) -> str:
    spent, limits = row["spent"], row["limits"]
    parts = []
    if spent["usd"] or limits["usd"] is not None:
        of = "" if limits["usd"] is None else f" of {limits['usd']:.2f}"
        parts.append(f"{spent['usd']:.2f}{of} dollars")
    if spent["tokens"] or limits["tokens"] is not None:
        of = "" if limits["tokens"] is None else f" of {limits['tokens']:,}"
        parts.append(f"{spent['tokens']:,}{of} tokens")
    return f"Calls of models: {', '.join(parts)}" if parts else ""


def _stages(row: Row) -> str:
    columns = ("stage", "status", "attempts", "seconds", "gate")
    return show.table(columns, [_stage(one) for one in row["stages"]])


def _stage(one: Row) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = (one["gate"] or {}).get("verdict", "")
    return one["name"], one["status"], one["attempts"] or "", seconds, gate


def _checks(stage: Row) -> list[tuple[object, ...]]:
    """The figures that its gate looked at last."""
    found: list[tuple[object, ...]] = []
    for one in (stage["gate"] or {}).get("checks", ()):
        sign = ">=" if one["side"] == "at_least" else "<="
        value, low, high = (
            "" if one[name] is None else number(one[name]) for name in ("value", "low", "high")
        )
        bound = f"{sign} {one['bound']:g}"
        found.append(
            (stage["name"], one["metric"], value, low, high, one["n"], bound, one["verdict"])
        )
    return found


def _done(row: Row) -> list[str]:
    """What did not hold and what was done about it, rounds, and what was given back."""
    lines = []
    for one in row["stages"]:
        name = one["name"]
        lines += [f"{name}, attempt {it['attempt']}: {it['reason']}" for it in one["troubles"]]
        for it in (one["gate"] or {}).get("remedies", ()):
            lines.append(f"{name}: {it['symptom']}, {it['remedy']}, on from {it['back_to']}")
        for place, it in enumerate(one.get("rounds", ()), 1):
            lines.append(f"{name}, round {place}: {it['trend']}, {it['decision']}: {it['reason']}")
    if row["regression"]:
        lines.append(f"worse than the baseline: {row['regression']}")
    lines += [f"rolled back behind {it['stage']}: {it['reason']}" for it in row["rolled_back"]]
    return lines
