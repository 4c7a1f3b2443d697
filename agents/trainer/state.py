"""What the trainer knows: the roles there are, and the runs that are under way."""

from __future__ import annotations

from typing import NamedTuple

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
        case (
            StageRequested(run=run)
            | StageCompleted(run=run)
            | StageFailed(run=run)
            | RequestWithdrawn(run=run)
            | RunPaused(run=run)
            | RunResumed(run=run)
            | RunHeld(run=run)
            | RunApproved(run=run)
        ):
            known = state.runs.get(run)
            if known is None:
                return state
            return State(state.roles, {**state.runs, run: _taken(known, told)}, state.policy)
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
        case _:
            return state


def _taken(run: Run, told: Fact) -> Run:
    match told.event:
        case StageRequested(stage=stage, attempt=attempt):
            return run._replace(
                stage=stage, attempt=attempt, request=told.id, finished=False, failed=""
            )
        case StageCompleted(stage=stage, attempt=attempt):
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(finished=True, request="")
        case StageFailed(stage=stage, attempt=attempt, reason=reason, retryable=retryable):
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(failed=reason, retryable=retryable, request="")
        case RequestWithdrawn():
            return run._replace(request="")
        case RunPaused():
            return run._replace(paused=True)
        case RunResumed():
            return run._replace(paused=False)
        case RunHeld():
            return run._replace(held=True)
        case RunApproved():
            return run._replace(held=False)
        case _:
            return run
