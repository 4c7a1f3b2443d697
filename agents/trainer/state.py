"""What the trainer knows: the roles there are, and the runs that are under way."""

from __future__ import annotations

from typing import Any, NamedTuple

from agents.agent import hears
from events.catalog.deadlines import DeadlinePassed
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RunApproved,
    RunCancelled,
    RunHeld,
    RunPaused,
    RunResumed,
)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.roles import RoleDefined, RoleRetired
from events.catalog.training import (
    RequestWithdrawn,
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
    TrainingRequested,
)
from events.fact import Fact

HEARS = hears(
    RoleDefined, RoleRetired, PolicyAdopted, TrainingRequested, RunStarted, StageRequested,
    StageCompleted, StageFailed, RequestWithdrawn, RunCompleted, RunAbandoned, DeadlinePassed,
    PauseRequested, ResumeRequested, HoldRequested, ApprovalGiven, CancelRequested,
    RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled,
)  # fmt: skip


class Run(NamedTuple):
    """A run under way. What has ended is forgotten here; the log and the projection know it."""

    id: str
    role: str
    pipeline: str
    stages: tuple[str, ...]
    stage: str = ""
    attempt: int = 0
    request: str = ""
    """The open `StageRequested`, or nothing."""
    finished: bool = False
    """The present stage is done; the next one has not been asked for."""
    failed: str = ""
    """Why the present attempt failed."""
    retryable: bool = True
    paused: bool = False
    held: bool = False


class State(NamedTuple):
    """All of it."""

    roles: frozenset[str]
    runs: dict[str, Run]
    policy: TrainerPolicy


INITIAL = State(frozenset(), {}, TrainerPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case StageRequested(run=run, stage=stage, attempt=attempt):
            fresh = {"finished": False, "failed": "", "request": told.id}
            return _led(state, run, stage=stage, attempt=attempt, **fresh)
        case StageCompleted(run=run, stage=stage, attempt=attempt):
            return _led(state, run, (stage, attempt), finished=True, request="")
        case StageFailed(run=run, stage=stage, attempt=attempt, reason=reason, retryable=again):
            return _led(state, run, (stage, attempt), failed=reason, retryable=again, request="")
        case RoleDefined(role=role):
            return state._replace(roles=state.roles | {role})
        case RoleRetired(role=role):
            return state._replace(roles=state.roles - {role})
        case PolicyAdopted(policy=TrainerPolicy() as policy):
            return state._replace(policy=policy)
        case RunStarted(run=run, role=role, pipeline=pipeline, stages=stages):
            return state._replace(runs={**state.runs, run: Run(run, role, pipeline, stages)})
        case RunCompleted(run=run) | RunAbandoned(run=run) | RunCancelled(run=run):
            left = {key: one for key, one in state.runs.items() if key != run}
            return state._replace(runs=left)
        case RequestWithdrawn(run=run):
            return _led(state, run, request="")
        case RunPaused(run=run):
            return _led(state, run, paused=True)
        case RunResumed(run=run):
            return _led(state, run, paused=False)
        case RunHeld(run=run):
            return _led(state, run, held=True)
        case RunApproved(run=run):
            return _led(state, run, held=False)
        case _:
            return state


def _led(state: State, run: str, at: tuple[str, int] | None = None, **changes: Any) -> State:
    """The state with a run changed, if it is known and, where that matters, at this attempt."""
    known = state.runs.get(run)
    if known is None or (at is not None and at != (known.stage, known.attempt)):
        return state
    return State(state.roles, {**state.runs, run: known._replace(**changes)}, state.policy)
