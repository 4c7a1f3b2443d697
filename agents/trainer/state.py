"""What the trainer knows: the roles there are, and the runs that are under way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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


@dataclass(frozen=True)
class Run:
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


@dataclass(frozen=True)
class State:
    """All of it."""

    roles: frozenset[str] = frozenset()
    runs: dict[str, Run] = field(default_factory=dict)
    policy: TrainerPolicy = field(default_factory=TrainerPolicy)


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=role):
            return replace(state, roles=state.roles | {role})
        case RoleRetired(role=role):
            return replace(state, roles=state.roles - {role})
        case PolicyAdopted(policy=TrainerPolicy() as policy):
            return replace(state, policy=policy)
        case RunStarted(run=run, role=role, pipeline=pipeline, stages=stages):
            return replace(state, runs={**state.runs, run: Run(run, role, pipeline, stages)})
        case RunCompleted(run=run) | RunAbandoned(run=run) | RunCancelled(run=run):
            left = {key: one for key, one in state.runs.items() if key != run}
            return replace(state, runs=left)
        case _:
            run_id = getattr(told.event, "run", None)
            known = state.runs.get(run_id) if run_id is not None else None
            if known is None:
                return state
            return replace(state, runs={**state.runs, known.id: _taken(known, told)})


def _taken(run: Run, told: Fact) -> Run:
    match told.event:
        case StageRequested(stage=stage, attempt=attempt):
            return replace(
                run, stage=stage, attempt=attempt, request=told.id, finished=False, failed=""
            )
        case StageCompleted(stage=stage, attempt=attempt):
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return replace(run, finished=True, request="")
        case StageFailed(stage=stage, attempt=attempt, reason=reason, retryable=retryable):
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return replace(run, failed=reason, retryable=retryable, request="")
        case RequestWithdrawn():
            return replace(run, request="")
        case RunPaused():
            return replace(run, paused=True)
        case RunResumed():
            return replace(run, paused=False)
        case RunHeld():
            return replace(run, held=True)
        case RunApproved():
            return replace(run, held=False)
        case _:
            return run
