"""Rows as TRL gets them: those that fit, whole, for it would cut the others off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainers.data import too_long
from trainers.failures import BadData
from trainers.policy import Policy
from trainers.run import Run

Rows = Sequence[Mapping[str, Any]]


def fitting(run: Run, policy: Policy, rows: Rows, *sides: str) -> list[dict[str, Any]]:
    """What TRL would cut off at max_length is left out; how many were is written down."""
    engine, found = policy.engine, []
    for row in rows:
        longest = max((len(engine.completion_ids(row[side])) + 1 for side in sides), default=0)
        if len(engine.prompt_ids(row["prompt"])) + longest <= run.settings.max_length:
            found.append({name: row[name] for name in ("prompt", *sides)} if sides else dict(row))
    run.note("too_long", len(rows) - len(found))
    if not found:
        raise too_long(len(rows), run.settings.max_length)
    return found


def check_weights(rows: Rows) -> None:
    if any(row.get("weight", 1.0) != 1.0 for row in rows):
        right = 'rows without weights, or "through": "ours"'
        raise BadData("TRL does not weigh rows", where="data 'train', weight", right=right)
