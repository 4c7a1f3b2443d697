"""The models that there are: what each came from, why it was taken, how good it is, what it is now.

A version is named by its role and its place among the role's: `support/v3`; a model that somebody
brought along by the name it was given. While a run is under way, what it makes is remembered here;
with its end it becomes a part of its model, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from events.catalog.data import DatasetAccepted
from events.catalog.gates import CandidateRegistered, GatePassed, RemedyApplied, RunRolledBack
from events.catalog.hand import RunCancelled
from events.catalog.registry import ModelAdded
from events.catalog.training import Artifact, RunAbandoned, RunCompleted, RunStarted, StageCompleted
from events.catalog.verification import (
    CandidateWithdrawn,
    ModelVerified,
    RegressionDetected,
    VerificationJudged,
)
from events.fact import Fact
from events.projection import Projection, State
from pipelines.summary import LAST, score

POLICY = "policy"
METRICS = 100
"""Figures that are kept of a stage."""
MOST = 20
"""Verifications, and changes of its status, that are kept of a model: the last ones."""
_GIVEN = {"rows": "", "provenance": "", "count": None, "quality": None}
"""Of a data set that the run was given: its name says all else."""
CHECKPOINTS = 100
"""Policies of a run that are remembered, so that it can be said why one of them was taken."""

_KINDS = (
    RunStarted, StageCompleted, GatePassed, RemedyApplied, RunRolledBack, RunCompleted,
    RunAbandoned, RunCancelled, CandidateRegistered, DatasetAccepted, ModelAdded, ModelVerified,
    VerificationJudged, RegressionDetected, CandidateWithdrawn,
)  # fmt: skip


def _apply(state: State, told: Fact) -> None:
    for part in ("models", "roles", "hashes", "runs"):
        state.setdefault(part, {})
    match told.event:
        case RunStarted() as begun:
            state["runs"][begun.run] = _under_way(state, begun)
        case ModelAdded() as added:
            _added(state, added, told)
        case CandidateRegistered() as registered:
            _registered(state, registered, told)
        case ModelVerified() | VerificationJudged() as verified:
            _verified(state, verified, told)
        case RegressionDetected(role=role, model=Artifact(sha256=sha256), reason=reason):
            _turned(row_of(state, role, sha256), "regressed", told, reason)
        case CandidateWithdrawn() as withdrawn:
            _withdrawn(state, withdrawn, told)
        case RunAbandoned(run=run) | RunCancelled(run=run):
            state["runs"].pop(run, None)
        case event:
            run = state["runs"].get(getattr(event, "run", None) or "")
            if run is not None:
                _went_on(state, run, told)


def row_of(state: Mapping[str, Any], role: str, sha256: str) -> dict[str, Any] | None:
    """The newest version of a role that is this model."""
    names = [one for one in state["hashes"].get(sha256, ()) if one.startswith(f"{role}/v")]
    return state["models"][names[-1]] if names else None


def _under_way(state: State, begun: RunStarted) -> dict[str, Any]:
    return {
        "role": begun.role,
        "pipeline": begun.pipeline,
        "model_type": begun.model_type,
        "seed": begun.seed,
        "stages": list(begun.stages),
        "base": _named(state, begun.base, begun.known, "base.given"),
        "students": [
            _named(state, name, begun.known, f"student.{place}")
            for place, name in enumerate(begun.students, 1)
        ],
        "now": None,
        "checkpoints": [],
        "measured": {},
        "data": {} if begun.dataset is None else {**_GIVEN, "dataset": begun.dataset},
    }


def _named(state: State, name: str, known: tuple[Artifact, ...], kind: str) -> dict[str, Any]:
    """A model as the request named it, and which of those here that is."""
    given = next((one for one in known if one.kind == kind), None)
    sha256 = None if given is None else given.sha256
    ids = state["hashes"].get(sha256 or "", ())
    model = name if name in ids else ids[-1] if ids else None
    if given is None and name in state["models"]:
        model, sha256 = name, state["models"][name]["sha256"]
    return {"name": name, "model": model, "sha256": sha256}


def _went_on(state: State, run: dict[str, Any], told: Fact) -> None:
    """A run under way, by what it measures, passes, and throws away."""
    match told.event:
        case StageCompleted() as done:
            shown = {
                name: done.metrics[name].model_dump(mode="json")
                for name in sorted(done.metrics)[:METRICS]
            }
            made = next((one for one in done.artifacts if one.kind == POLICY), None)
            run["now"] = {
                "stage": done.stage,
                "attempt": done.attempt,
                "metrics": shown,
                "policy": None if made is None else made.sha256,
            }
        case GatePassed(stage=stage, attempt=attempt):
            now = run["now"]
            if now is None or (now["stage"], now["attempt"]) != (stage, attempt):
                return
            run["measured"][stage] = now["metrics"]
            if now["policy"] is not None:
                one = {
                    "stage": stage,
                    "attempt": attempt,
                    "sha256": now["policy"],
                    "score": score(now["metrics"]),
                    "dropped": "",
                }
                run["checkpoints"] = [*run["checkpoints"], one][-CHECKPOINTS:]
        case RemedyApplied(remedy=remedy, back_to=stage):
            place = run["stages"].index(stage)
            _drop(run, lambda one: run["stages"].index(one["stage"]) >= place, remedy)
        case RunRolledBack(stage=stage, attempt=attempt, reason=reason):
            place = run["stages"].index(stage)
            _drop(run, lambda one: _behind(run, one, place, attempt), reason)
        case DatasetAccepted() as accepted:
            run["data"] = {
                "dataset": accepted.dataset,
                "rows": accepted.rows.sha256,
                "provenance": accepted.provenance.sha256,
                "count": accepted.count,
                "quality": accepted.quality,
            }
        case RunCompleted(run=name) if all(one["dropped"] for one in run["checkpoints"]):
            del state["runs"][name]  # of a walk without a model nothing is registered


def _behind(run: dict[str, Any], one: Mapping[str, Any], place: int, attempt: int) -> bool:
    """Whether a checkpoint was made after this attempt at the stage in this place."""
    own: int = run["stages"].index(one["stage"])
    return own > place or (own == place and one["attempt"] > attempt)


def _drop(run: dict[str, Any], which: Callable[[dict[str, Any]], bool], reason: str) -> None:
    for one in run["checkpoints"]:
        if not one["dropped"] and which(one):
            one["dropped"] = reason


def _registered(state: State, event: CandidateRegistered, told: Fact) -> None:
    """One more version of the role; the ones before it are superseded, but for what was worse."""
    run = state["runs"].pop(event.run, None) or {}
    role = state["roles"].setdefault(event.role, {"count": 0, "current": None})
    role["count"] += 1
    name = f"{event.role}/v{role['count']}"
    if role["current"] is not None:
        before = state["models"][role["current"]]
        if before["status"] in ("candidate", "standing"):
            _turned(before, "superseded", told, f"{name} came after it")
    measured = run.get("measured", {})
    last = next((one for one in LAST if one in measured), None)
    state["models"][name] = _row(name, "candidate", event.model, told) | {
        "role": event.role,
        "version": role["count"],
        "run": event.run,
        "pipeline": run.get("pipeline"),
        "model_type": run.get("model_type"),
        "seed": run.get("seed"),
        "base": run.get("base"),
        "students": run.get("students", []),
        "before": role["current"],
        "measured_in": last,
        "metrics": measured.get(last, {}),
        "selection": _selection(run, event.model.sha256),
        "data": run.get("data", {}),
        "made": [one.model_dump(mode="json") for one in event.made],
    }
    role["current"] = name
    state["hashes"].setdefault(event.model.sha256, []).append(name)


def _selection(run: Mapping[str, Any], sha256: str) -> dict[str, Any]:
    """Why this one: beside all that the run has made, with their scores on held-out items."""
    among = run.get("checkpoints", [])
    taken = next((one for one in reversed(among) if one["sha256"] == sha256), None)
    others = [one for one in among if one is not taken]
    left = [one for one in others if not one["dropped"]]
    if taken is None or taken["score"] is None:
        why = "the last that passed its gates; no score was measured"
    elif left:
        why = f"the best by its held-out score, of {len(left) + 1} that passed their gates"
    else:
        why = "the only one that passed its gates and was not thrown away"
    return {
        "why": why,
        "taken": None if taken is None else {**taken, "place": among.index(taken)},
        "others": others,
    }


def _added(state: State, event: ModelAdded, told: Fact) -> None:
    """Brought along by somebody; under the name of an earlier one it takes that one's place."""
    before = state["models"].get(event.name)
    if before is not None:
        names = state["hashes"][before["sha256"]]
        names.remove(event.name)
        if not names:
            del state["hashes"][before["sha256"]]
    row = _row(event.name, "added", event.model, told)
    state["models"][event.name] = row | {"licence": event.licence, "note": event.note}
    state["hashes"].setdefault(event.model.sha256, []).append(event.name)


def _verified(state: State, event: ModelVerified | VerificationJudged, told: Fact) -> None:
    row = None if event.model is None else row_of(state, event.role, event.model.sha256)
    if row is None:
        return
    of = [one for one in row["verifications"] if one["verification"] == event.verification]
    if not of:
        of = [{"verification": event.verification, "verdict": None, "suites": {}, "at": ""}]
        row["verified"] += 1
        row["verifications"] = [*row["verifications"], of[0]][-MOST:]
    of[0]["at"] = told.recorded_at
    if isinstance(event, ModelVerified):
        of[0]["suites"] = {
            one.suite: one.score.model_dump(mode="json") for one in event.suites[:METRICS]
        }
        return
    of[0]["verdict"] = event.verdict
    if event.verdict in ("holds", "measured") and row["status"] == "candidate":
        _turned(row, "standing", told, f"verified: {event.verdict}")


def _withdrawn(state: State, event: CandidateWithdrawn, told: Fact) -> None:
    row = row_of(state, event.role, event.model.sha256)
    _turned(row, "withdrawn", told, event.reason)
    back = None if event.stands is None else row_of(state, event.role, event.stands.sha256)
    if back is not None:
        _turned(back, "standing", told, "the one after it was withdrawn")
    role = state["roles"].get(event.role)
    if role is not None:
        role["current"] = None if back is None else back["model"]


def _row(name: str, status: str, model: Artifact, told: Fact) -> dict[str, Any]:
    return {
        "model": name,
        "sha256": model.sha256,
        "size": model.size,
        "status": status,
        "reason": "",
        "registered_at": told.recorded_at,
        "position": told.position,
        "verified": 0,
        "verifications": [],
        "changes": [],
    }


def _turned(row: dict[str, Any] | None, status: str, told: Fact, reason: str) -> None:
    if row is None or row["status"] == status:
        return
    row.update(status=status, reason=reason)
    change = {"status": status, "at": told.recorded_at, "reason": reason}
    row["changes"] = [*row["changes"], change][-MOST:]


MODELS = Projection("models", "1", frozenset(kind.wire for kind in _KINDS), _apply)
