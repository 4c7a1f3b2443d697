"""The runs as people see them: how far each has come, stage by stage."""

from __future__ import annotations

from typing import Any

from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlineSet
from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import RunApproved, RunCancelled, RunHeld, RunPaused, RunResumed
from events.catalog.parts import PartBuilt, PartFailed
from events.catalog.reviews import ReviewAnswered, ReviewOpened
from events.catalog.training import (
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from events.catalog.verification import (
    CandidateWithdrawn,
    RegressionDetected,
    VerificationJudged,
)
from events.envelope import format_time
from events.fact import Fact
from events.projection import Projection, State
from pipelines.catalog import PIPELINES

_KINDS = (
    RunStarted, StageRequested, StageCompleted, StageFailed, RunCompleted, RunAbandoned,
    RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled, GatePassed, GateFailed,
    RemedyApplied, RunRolledBack, IterationDecided, CandidateRegistered,
    DataRequested, DataBegun, DatasetAccepted, DatasetRejected, PartBuilt, PartFailed,
    ReviewOpened, ReviewAnswered, DeadlineSet, RegressionDetected, VerificationJudged,
    CandidateWithdrawn,
)  # fmt: skip
TRAINER = "agent:trainer"
TROUBLES = 100
"""So many failures of a stage are kept here; the log has all."""


def _apply(state: State, told: Fact) -> None:
    event = told.event
    if isinstance(event, RunStarted):
        limits = event.limits
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
            "position": told.position,
            "ended_at": None,
            "candidate": None,
            "since": None,
            "due": None if event.due is None else format_time(event.due),
            "limits": {"usd": limits.money, "tokens": limits.tokens},
            "spent": {"usd": 0.0, "tokens": 0},
            "given": event.dataset,
            "data": {"request": None, "dataset": None, "parts": {}},
            "people": None,
            "regression": None,
            "rolled_back": [],
            "stages": [_waiting(name) for name in event.stages],
        }
        return
    if isinstance(event, DataRequested | DataBegun | DatasetAccepted | DatasetRejected):
        _data(state, told)
        return
    if isinstance(event, PartBuilt | PartFailed):
        _part(state, event)
        return
    if isinstance(event, ReviewOpened | ReviewAnswered | DeadlineSet):
        _people(state, told)
        return
    row = state.get(getattr(event, "run", None) or "")
    if row is None:
        return
    if isinstance(event, RunCompleted | RunAbandoned | RunCancelled):
        row["ended_at"], row["position"] = told.recorded_at, told.position
        if row["people"] is not None:
            row["people"]["open"] = False
    match event:
        case StageRequested(attempt=attempt):
            stage = _stage(row, event.stage)
            stage.update(status="running", attempts=attempt)
            stage["asked_at"] = stage["asked_at"] or told.recorded_at
        case StageCompleted(seconds=seconds, metrics=metrics, artifacts=artifacts, spent=spent):
            _costs(row, spent.money, spent.tokens)
            shown = {name: figure.model_dump(mode="json") for name, figure in metrics.items()}
            made = [one.model_dump(mode="json") for one in artifacts]
            stage = _stage(row, event.stage)
            stage.update(status="completed", seconds=seconds, metrics=shown, artifacts=made)
        case StageFailed(reason=reason, spent=spent):
            _costs(row, spent.money, spent.tokens)
            stage = _stage(row, event.stage)
            stage.update(status="failed", reason=reason)
            _trouble(stage, event.attempt, reason)
        case GatePassed() | GateFailed():
            stage = _stage(row, event.stage)
            if stage["status"] == "waiting":  # it was given what it would have made
                stage["status"] = "completed"
            gate = _gate(stage)
            checks = [check.model_dump(mode="json") for check in event.checks]
            gate.update(verdict=event.verdict, checks=checks)
            if isinstance(event, GateFailed):
                _trouble(stage, event.attempt, event.reason)
            if row["people"] is not None and row["people"]["stage"] == event.stage:
                row["people"]["open"] = False
        case RemedyApplied(remedy=name, symptom=symptom, back_to=back, changes=changes):
            settings = [one.model_dump(mode="json") for one in changes]
            stage = _stage(row, event.stage)
            applied = {
                "attempt": stage["attempts"], "remedy": name, "symptom": symptom, "back_to": back,
                "changes": settings,
            }  # fmt: skip
            _gate(stage)["remedies"].append(applied)
        case IterationDecided(trend=trend, decision=decision, reason=reason):
            rounds = _stage(row, event.stage).setdefault("rounds", [])
            rounds.append({"trend": trend, "decision": decision, "reason": reason})
        case RunRolledBack(stage=behind, reason=reason):
            row["rolled_back"].append({"stage": behind, "reason": reason})
        case RegressionDetected(reason=reason):
            row["regression"] = reason
        case VerificationJudged(verdict=verdict) if row["candidate"]:
            gone = (row["since"] or {}).get("withdrawn")
            row["since"] = {"verdict": verdict, "withdrawn": gone, "at": told.recorded_at}
        case CandidateWithdrawn(reason=reason):
            row["since"] = {"verdict": "worse", "withdrawn": reason, "at": told.recorded_at}
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
            row["data"] = {"request": told.id, "dataset": None, "parts": {}}
            stage.update(status="running", attempts=stage["attempts"] + 1)
            stage["asked_at"] = stage["asked_at"] or told.recorded_at
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
            _trouble(stage, max(1, stage["attempts"]), reason)


def _trouble(stage: dict[str, Any], attempt: int, reason: str) -> None:
    """What went wrong in an attempt; of very many the first."""
    if len(stage["troubles"]) < TROUBLES:
        stage["troubles"].append({"attempt": attempt, "reason": reason})


def _part(state: State, event: PartBuilt | PartFailed) -> None:
    """What a part has cost so far, in the place of what it had cost before."""
    rows = (row for row in reversed(state.values()) if row["data"]["dataset"] == event.dataset)
    row = next(rows, None)
    if row is None:
        return
    parts, number = row["data"]["parts"], str(event.part)
    before = parts.get(number, {"usd": 0.0, "tokens": 0})
    now = {"usd": event.spent.money, "tokens": event.spent.tokens}
    _costs(row, now["usd"] - before["usd"], now["tokens"] - before["tokens"])
    parts[number] = now


def _people(state: State, told: Fact) -> None:
    """Who is asked behind a stage, until when, and how many pairs have their word."""
    match told.event:
        case ReviewOpened(review=name, count=count) if told.actor == TRAINER:
            row = state.get(name.partition("-")[0])
            if row is not None:
                stage = name.split("-", 1)[1].rpartition("-")[0]
                row["people"] = {
                    "review": name, "stage": stage, "count": count, "answered": [],
                    "until": None, "open": True,
                }  # fmt: skip
        case ReviewAnswered(review=name, answers=answers):
            row = state.get(name.partition("-")[0])
            people = None if row is None else row["people"]
            if people is not None and people["review"] == name and people["open"]:
                said = {one.item for one in answers if one.item <= people["count"]}
                people["answered"] = sorted({*people["answered"], *said})
        case DeadlineSet(key=key, due=due) if key.startswith("run/"):
            row = state.get(key.removeprefix("run/"))
            if row is not None and row["people"] is not None and row["people"]["open"]:
                row["people"]["until"] = format_time(due)


def _costs(row: dict[str, Any], usd: float, tokens: int) -> None:
    row["spent"]["usd"] += usd
    row["spent"]["tokens"] += tokens


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
        "asked_at": None,
        "seconds": None,
        "metrics": {},
        "artifacts": [],
        "gate": None,
        "troubles": [],
    }


def _stage(row: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in row["stages"] if stage["name"] == name)


RUNS = Projection("runs", "4", frozenset(kind.wire for kind in _KINDS), _apply)
