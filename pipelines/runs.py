"""The runs as people see them: how far each has come, stage by stage."""

from __future__ import annotations

from typing import Any

from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
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
from pipelines.catalog import PIPELINES

_KINDS = (
    RunStarted, StageRequested, StageCompleted, StageFailed, RunCompleted, RunAbandoned,
    RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled, GatePassed, GateFailed,
    RemedyApplied, RunRolledBack, IterationDecided, CandidateRegistered,
    DataRequested, DataBegun, DatasetAccepted, DatasetRejected,
)  # fmt: skip
TRAINER = "agent:trainer"


def _apply(state: State, told: Fact) -> None:
    event = told.event
    if isinstance(event, RunStarted):
        state[event.run] = {
            "run": event.run,
            "pipeline": event.pipeline,
            "role": event.role,
            "model_type": event.model_type,
            "base": event.base,
            "seed": event.seed,
            "status": "running",
            "held": False,
            "reason": "",
            "started_at": told.recorded_at,
            "ended_at": None,
            "candidate": None,
            "data": {"request": None, "dataset": None},
            "rolled_back": [],
            "stages": [_waiting(name) for name in event.stages],
        }
        return
    if isinstance(event, DataRequested | DataBegun | DatasetAccepted | DatasetRejected):
        _data(state, told)
        return
    row = state.get(getattr(event, "run", ""))
    if row is None:
        return
    if isinstance(event, RunCompleted | RunAbandoned | RunCancelled):
        row["ended_at"] = told.recorded_at
    match event:
        case StageRequested(attempt=attempt):
            _stage(row, event.stage).update(status="running", attempts=attempt)
        case StageCompleted(seconds=seconds, metrics=metrics, artifacts=artifacts):
            shown = {name: figure.model_dump(mode="json") for name, figure in metrics.items()}
            made = [one.model_dump(mode="json") for one in artifacts]
            stage = _stage(row, event.stage)
            stage.update(status="completed", seconds=seconds, metrics=shown, artifacts=made)
        case StageFailed(reason=reason):
            _stage(row, event.stage).update(status="failed", reason=reason)
        case GatePassed() | GateFailed():
            gate = _gate(_stage(row, event.stage))
            checks = [check.model_dump(mode="json") for check in event.checks]
            gate.update(verdict=event.verdict, checks=checks)
        case RemedyApplied(remedy=name, symptom=symptom, back_to=back):
            applied = {"remedy": name, "symptom": symptom, "back_to": back}
            _gate(_stage(row, event.stage))["remedies"].append(applied)
        case IterationDecided(trend=trend, decision=decision, reason=reason):
            rounds = _stage(row, event.stage).setdefault("rounds", [])
            rounds.append({"trend": trend, "decision": decision, "reason": reason})
        case RunRolledBack(stage=behind, reason=reason):
            row["rolled_back"].append({"stage": behind, "reason": reason})
        case CandidateRegistered(model=model):
            row["candidate"] = model.model_dump(mode="json")
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


def _data(state: State, told: Fact) -> None:
    """A set that is made for a run is one of its stages, though another agent makes it."""
    event: Any = told.event
    row = state.get(event.run or "")
    if row is None:
        return
    stage = _stage(row, PIPELINES[row["pipeline"]].data_stage)
    match event:
        case DataRequested() if told.actor == TRAINER:
            row["data"] = {"request": told.id, "dataset": None}
            stage.update(status="running", attempts=stage["attempts"] + 1)
        case DataBegun(dataset=name) if told.cause_id == row["data"]["request"]:
            row["data"]["dataset"] = name
        case DatasetAccepted(dataset=name) if name == row["data"]["dataset"]:
            figures = {"quality": event.quality, "rows": float(event.count)}
            stage["status"] = "completed"
            stage["metrics"] = {
                key: {"value": one, "low": one, "high": one, "n": event.count}
                for key, one in figures.items()
            }
        case DatasetRejected(dataset=name, reason=reason) if name == row["data"]["dataset"]:
            stage.update(status="failed", reason=reason)


def _gate(stage: dict[str, Any]) -> dict[str, Any]:
    if stage["gate"] is None:
        stage["gate"] = {"verdict": None, "checks": [], "remedies": []}
    gate: dict[str, Any] = stage["gate"]
    return gate


def _waiting(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "waiting",
        "attempts": 0,
        "seconds": None,
        "metrics": {},
        "artifacts": [],
        "gate": None,
    }


def _stage(row: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in row["stages"] if stage["name"] == name)


RUNS = Projection("runs", "2", frozenset(kind.wire for kind in _KINDS), _apply)
