"""The page of a registered model: what it is for, what it came from, how good it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.data.report import Report, Table
from pipelines.lineage import Node, tree
from pipelines.meanings import explained

Row = Mapping[str, Any]
FIGURE = ("metric", "value", "low", "high", "n")


def model_card(row: Row, ancestors: Node, purpose: str = "") -> Report:
    """All that history knows of a model; what nobody measured is not claimed."""
    return Report(
        f"Model {row['model']}",
        (*_lines(row, purpose), *(f"{line}" for line in _limits(row))),
        (),
        tables=(
            Table("Figures of held-out problems, with 95 % intervals", FIGURE, figures(row)),
            Table("What the figures say", ("metric", "what it says"), _meant(row)),
            Table("Why it was taken", CHECKPOINT, checkpoints(row)),
            Table("Verified since", VERIFIED, verifications(row)),
            Table("What became of it", ("since", "status", "why"), changes(row)),
            Table("Where it came from", ("",), [(line,) for line in tree(ancestors)]),
        ),
    )


def figures(row: Row) -> list[tuple[object, ...]]:
    """The figures of its last stage."""
    return [
        (name, *(_short(one[part]) for part in ("value", "low", "high")), one["n"])
        for name, one in sorted(row.get("metrics", {}).items())
    ]


def _meant(row: Row) -> list[tuple[object, ...]]:
    return list(explained(sorted(row.get("metrics", {}))).items())


CHECKPOINT = ("stage", "attempt", "score", "low", "high", "n", "what became of it")


def checkpoints(row: Row) -> list[tuple[object, ...]]:
    """All policies of its run, the one that was taken among them in its place."""
    selection = row.get("selection") or {}
    taken = selection.get("taken")
    every = list(selection.get("others", ()))
    if taken is not None:
        every.insert(taken["place"], taken)
    return [_checkpoint(one, one is taken) for one in every]


VERIFIED = ("verification", "at", "verdict", "suites")


def verifications(row: Row) -> list[tuple[object, ...]]:
    return [
        (one["verification"], one["at"][:19], one["verdict"] or "", _suites(one["suites"]))
        for one in row["verifications"]
    ]


def changes(row: Row) -> list[tuple[object, ...]]:
    return [(one["at"][:19], one["status"], one["reason"]) for one in row["changes"]]


def _lines(row: Row, purpose: str) -> Sequence[str]:
    if row["status"] == "added":
        note = f": {row['note']}" if row["note"] else ""
        return (f"Brought along by somebody{note}.", f"Licence: {row['licence']}.")
    base = row["base"] or {}
    return (
        f"For the role {row['role']} ({row['model_type'] or 'type unknown'})"
        + (f": {purpose}" if purpose else "."),
        f"Made by run {row['run']} ({row['pipeline']}) from {base.get('name')}, seed {row['seed']}."
        f" {row['sha256']}, {row['size']:,} bytes.",
        f"Now: {row['status']}{', ' + row['reason'] if row['reason'] else ''}.",
    )


def _limits(row: Row) -> Sequence[str]:
    """What is not known of it."""
    if row["status"] == "added":
        return ("Nothing was measured of it here.",)
    told = ["Beyond its role nothing was measured; what it learned from is told below by hash."]
    if not row["verified"]:
        told.append("Behind its run nobody has verified it yet.")
    return told


def _checkpoint(one: Row, taken: bool) -> tuple[object, ...]:
    score = one["score"]
    told = [_short(score[name]) for name in ("value", "low", "high")] if score else ["", "", ""]
    became = "taken" if taken else one["dropped"] or "not the best"
    return one["stage"], one["attempt"], *told, score["n"] if score else "", became


def _suites(suites: Row) -> str:
    return ", ".join(f"{name} {one['value']:.3f}" for name, one in sorted(suites.items()))


def _short(value: float) -> str:
    return f"{value:.4g}"
