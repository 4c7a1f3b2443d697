"""A run as a report: its stages and gates, what was done where they did not hold, its curves.

The model card beside it says what the model is, what it came from, and how good it was measured to
be. Both hold only what history and its artifacts say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.catalog import PIPELINES
from pipelines.data.plots import Curve
from pipelines.data.report import Checked, Report, Table
from pipelines.summary import summary

DRAWN = ("loss", "reward", "outcome", "similarity", "accuracy", "score", "kl", "entropy")
"""Numbers of a training's steps that people want to see."""
MOST = 400
"""Points of a curve."""
GATES = {"kl": 0.1}


def report(row: Mapping[str, Any], steps: Mapping[str, Sequence[Mapping[str, Any]]]) -> Report:
    """Of a row of the runs, and what its trainings said of each step, by stage."""
    pipeline = PIPELINES[row["pipeline"]]
    lines = [
        f"Role {row['role']} ({row['model_type']}), from {row['base']}, seed {row['seed']}.",
        f"{row['status']}{': ' + row['reason'] if row['reason'] else ''}.",
        *_figures(row),
    ]
    return Report(
        f"Run {row['run']}: {pipeline.name}",
        tuple(lines),
        tuple(check for stage in row["stages"] for check in _checks(stage)),
        tables=(
            Table(
                "Stages",
                ("stage", "what it does", "status", "attempts", "seconds", "gate"),
                [_stage(pipeline.stage(one["name"]).does, one) for one in row["stages"]],
            ),
            *_remedies(row),
            Table("What people plan with", ("undertaking", "time"), pipeline.planned),
        ),
        curves=tuple(_curves(steps)),
    )


def card(row: Mapping[str, Any], purpose: str) -> Report:
    """The model's own page."""
    made = row["candidate"] or {}
    figures = [
        (stage["name"], name, one["value"], one["low"], one["high"], one["n"])
        for stage in row["stages"]
        for name, one in sorted(stage["metrics"].items())
    ]
    artifacts = [
        (stage["name"], one["kind"], one["sha256"], one["size"])
        for stage in row["stages"]
        for one in stage.get("artifacts", ())
    ]
    return Report(
        f"Model {made.get('sha256', 'none')[:19]}",
        (
            f"For the role {row['role']}: {purpose}",
            f"Made by run {row['run']} ({row['pipeline']}) from {row['base']}, seed {row['seed']}.",
            "Figures are of held-out problems that it was not trained on, with 95 % intervals;"
            " beyond the role nothing was measured.",
        ),
        (),
        tables=(
            Table("Figures", ("stage", "metric", "value", "low", "high", "n"), figures),
            Table("What it came from", ("stage", "what", "sha256", "bytes"), artifacts),
        ),
    )


def _figures(row: Mapping[str, Any]) -> list[str]:
    found = summary(row)
    return [
        f"{name.capitalize()}: {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f},"
        f" {one['n']} items)."
        for name in ("baseline", "final", "improvement")
        if (one := found[name]) is not None
    ]


def _checks(stage: Mapping[str, Any]) -> list[Checked]:
    found = []
    for one in (stage["gate"] or {}).get("checks", ()):
        side = "at least" if one["side"] == "at_least" else "at most"
        value = "not measured"
        if one["value"] is not None:
            value = f"{one['value']:.3g} ({one['low']:.3g} to {one['high']:.3g})"
        passed = one["verdict"] in ("pass", "waived")
        name = f"{stage['name']}: {one['metric']}"
        found.append(Checked(name, value, f"{side} {one['bound']:g}", passed))
    return found


def _stage(does: str, one: Mapping[str, Any]) -> tuple[object, ...]:
    seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
    gate = (one["gate"] or {}).get("verdict") or ""
    return one["name"], does, one["status"], one["attempts"], seconds, gate


def _remedies(row: Mapping[str, Any]) -> list[Table]:
    applied = [
        (stage["name"], one["symptom"], one["remedy"], one["back_to"])
        for stage in row["stages"]
        for one in (stage["gate"] or {}).get("remedies", ())
    ]
    rolled = [(one["stage"], one["reason"]) for one in row["rolled_back"]]
    tables = []
    if applied:
        headings = ("stage", "symptom", "remedy", "on from")
        tables.append(Table("What was done where a gate did not hold", headings, applied))
    if rolled:
        tables.append(Table("Rolled back", ("behind", "why"), rolled))
    return tables


def _curves(steps: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Curve]:
    found = []
    for stage, lines in steps.items():
        for name in DRAWN:
            points = [
                (float(one["step"]), float(one[name]))
                for one in lines
                if isinstance(one.get(name), int | float)
            ]
            if len(points) > 1:
                thin = points[:: max(1, len(points) // MOST)]
                found.append(Curve(f"{stage}: {name}", tuple(thin), GATES.get(name)))
    return found
