"""The runs as people see them: how far each has come, stage by stage."""

from __future__ import annotations

from typing import Any

from events.catalog.hand import RunApproved, RunCancelled, RunHeld, RunPaused, RunResumed
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from events.fact import Fact
from events.projection import Projection, State

_KINDS = (
    RunStarted, StageRequested, StageCompleted, StageFailed, RunCompleted, RunAbandoned,
    RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled,
)  # fmt: skip


def _apply(state: State, told: Fact) -> None:
    event = told.event
    if isinstance(event, RunStarted):
        state[event.run] = {
            "run": event.run,
            "pipeline": event.pipeline,
            "role": event.role,
            "base": event.base,
            "seed": event.seed,
            "status": "running",
            "held": False,
            "reason": "",
            "started_at": told.recorded_at,
            "stages": [_waiting(name) for name in event.stages],
        }
        return
    row = state.get(getattr(event, "run", ""))
    if row is None:
        return
    match event:
        case StageRequested(attempt=attempt):
            _stage(row, event.stage).update(status="running", attempts=attempt)
        case StageCompleted(seconds=seconds, metrics=metrics):
            shown = {name: figure.model_dump(mode="json") for name, figure in metrics.items()}
            _stage(row, event.stage).update(status="completed", seconds=seconds, metrics=shown)
        case StageFailed(reason=reason):
            _stage(row, event.stage).update(status="failed", reason=reason)
        case RunCompleted():
            row["status"] = "completed"
        case RunAbandoned(reason=reason):
            row.update(status="abandoned", reason=reason)
        case RunCancelled(reason=reason):
            row.update(status="cancelled", reason=reason)
        case RunPaused():
            row["status"] = "paused"
        case RunResumed():
            row["status"] = "running"
        case RunHeld() | RunApproved():
            row["held"] = isinstance(event, RunHeld)


def _waiting(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "waiting",
        "attempts": 0,
        "seconds": None,
        "metrics": {},
        "gate": None,
    }


def _stage(row: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in row["stages"] if stage["name"] == name)


RUNS = Projection("runs", "1", frozenset(kind.wire for kind in _KINDS), _apply)
