"""A job that asks a model the rows of a benchmark's task; no weight changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from trainers.data import HELD_OUT
from trainers.failures import BadData
from trainers.harness.scoring import Scored, choice, written
from trainers.models import load
from trainers.outcome import Outcome
from trainers.policy import device_of
from trainers.run import Run

PIECE = 32
"""Rows between two signs of life."""
WAYS = {"ours": "trainers.harness.ours", "lm_eval": "trainers.harness.lm_eval_adapter"}
"""Each has a `way`; the second needs an extra that few have."""
KINDS = ("choice", "exact", "code")


class Way(Protocol):
    """Who asks: our own loop, or the harness."""

    def likely(self, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        """Of each row: the log-likelihood of each choice behind the prompt."""

    def texts(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """What is written behind each prompt, greedily."""


class _Row(NamedTuple):
    place: int
    row: Mapping[str, Any]


def train(run: Run) -> Outcome:
    """As the trainers are called."""
    rows = [_Row(place, row) for place, row in enumerate(run.rows(HELD_OUT))]
    for one in rows:
        if one.row.get("kind") not in KINDS:
            raise BadData("a row is of no kind", where=f"line {one.place + 1}", right=str(KINDS))
    way = _way(run)
    found: dict[int, Scored] = {}
    for kind in KINDS:
        some = [one for one in rows if one.row["kind"] == kind]
        for piece in _pieces(some):
            run.beat()
            own = [one.row for one in piece]
            if kind == "choice":
                scored = map(choice, own, way.likely(own))
            else:
                scored = map(written, own, way.texts(own))
            found |= zip((one.place for one in piece), scored, strict=True)
    items = [{"row": one.place, **found[one.place]._asdict()} for one in rows]
    right = sum(one["right"] for one in items) / len(items)
    score = sum(one["score"] for one in items) / len(items)
    metrics: dict[str, float | None] = {"right": right, "score": score}
    return Outcome(metrics=metrics, per_item=run.save_items(items))


def _way(run: Run) -> Way:
    way: Way = import_module(WAYS[run.settings.through]).way(
        *load(run.spec.base, device=device_of(run)), run.settings.max_new
    )
    return way


def _pieces(rows: Sequence[_Row]) -> Iterable[Sequence[_Row]]:
    return (rows[start : start + PIECE] for start in range(0, len(rows), PIECE))
