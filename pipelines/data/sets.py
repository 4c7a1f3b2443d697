"""The data sets as people see them, and the evaluation sets that must not be in them."""

from __future__ import annotations

from typing import Any

from events.catalog.data import (
    DataBegun,
    DatasetAccepted,
    DatasetRedacted,
    DatasetRejected,
)
from events.catalog.evaluation_sets import EvaluationSetRegistered
from events.catalog.imports import DatasetImported
from events.catalog.parts import (
    AssemblyFailed,
    AssemblyRequested,
    DatasetAssembled,
    PartBuilt,
    PartFailed,
    PartRequested,
)
from events.catalog.reviews import OF_SETS, ReviewOpened
from events.fact import Fact
from events.message import Value
from events.projection import Projection, State

_KINDS = (
    DataBegun, PartRequested, PartBuilt, PartFailed, AssemblyRequested, DatasetAssembled,
    AssemblyFailed, DatasetAccepted, DatasetRejected, DatasetImported, DatasetRedacted,
    ReviewOpened,
)  # fmt: skip

MAKER = "agent:data_generator"
"""Who opens the queues of data sets."""
_Kept = DatasetAssembled | DatasetImported | DatasetAccepted | DatasetRedacted


def _apply(state: State, told: Fact) -> None:
    event = told.event
    match event:
        case DataBegun():
            state[event.dataset] = _row(event, "building", told) | {
                "model_type": event.model_type,
                "quantity": event.quantity,
                "seed": event.seed,
                "quality_target": event.quality_target,
                "sources": list(event.sources),
                "scorer": event.scorer,
            }
        case DatasetImported():
            state[event.dataset] = _row(event, "imported", told) | {
                "sources": ["import"],
                "used": ["import"],
                "licence": event.licence,
                **_made(event),
            }
    name = getattr(event, "dataset", None) or ""
    if isinstance(event, ReviewOpened) and told.actor == MAKER:
        name = event.review.removeprefix(OF_SETS)
    row = state.get(name)
    if row is None:
        return
    match event:
        case PartRequested():
            _part(row, event.part).update(
                source=event.source, quantity=event.quantity, status="building"
            )
        case PartBuilt():
            _part(row, event.part).update(
                status="built",
                accepted=event.accepted,
                rejected=dict(event.rejected),
                spent=event.spent.model_dump(mode="json"),
                seconds=event.seconds,
            )
        case PartFailed():
            _part(row, event.part).update(status="failed", reason=event.reason)
        case AssemblyRequested():
            row["status"] = "assembling"
        case DatasetAssembled():
            row.update(
                _made(event),
                used=list(event.used),
                by_source=dict(event.by_source),
                waits=event.waits,
            )
        case AssemblyFailed(reason=reason):
            row["reason"] = reason
        case DatasetAccepted():
            row.update(_artifacts(event), status="accepted", count=event.count, reason="")
        case ReviewOpened(review=review):
            status = "waiting for people" if row["status"] == "assembling" else row["status"]
            row.update(review=review, status=status)
        case DatasetRejected(reason=reason):
            row.update(status="rejected", reason=reason)
        case DatasetRedacted():
            forgotten = row["removed"].get("forgotten", 0) + event.gone
            row.update(_artifacts(event), count=event.count)
            row["removed"] = {**row["removed"], "forgotten": forgotten}


def _row(event: DataBegun | DatasetImported, status: str, told: Fact) -> dict[str, Any]:
    return {
        "dataset": event.dataset,
        "role": event.role,
        "kind": event.kind,
        "status": status,
        "reason": "",
        "count": 0,
        "quality": {},
        "removed": {},
        "parts": {},
        "scorer": None,
        "waits": 0,
        "review": "",
        "begun_at": told.recorded_at,
    }


def _made(event: DatasetAssembled | DatasetImported) -> dict[str, Any]:
    figures = {name: one.model_dump(mode="json") for name, one in event.quality.items()}
    said = {"count": event.count, "quality": figures, "removed": dict(event.removed)}
    return said | _artifacts(event)


def _artifacts(event: _Kept) -> dict[str, Any]:
    kept: dict[str, Value] = {
        "rows": event.rows, "provenance": event.provenance, "report": event.report,
    }  # fmt: skip
    return {name: one.model_dump(mode="json") for name, one in kept.items()}


def _part(row: dict[str, Any], part: int) -> dict[str, Any]:
    """By its number, as a text: JSON has no other names."""
    found: dict[str, Any] = row["parts"].setdefault(str(part), {"part": part})
    return found


def _guard(state: State, told: Fact) -> None:
    if isinstance(told.event, EvaluationSetRegistered):
        state[told.event.name] = {
            "name": told.event.name,
            "artifact": told.event.artifact.model_dump(mode="json"),
            "rows": told.event.rows,
            "registered_at": told.recorded_at,
        }


DATASETS = Projection("datasets", "2", frozenset(kind.wire for kind in _KINDS), _apply)
EVALUATION_SETS = Projection(
    "evaluation_sets", "1", frozenset({EvaluationSetRegistered.wire}), _guard
)
