"""What the trainer knows: the roles there are, and the runs that are under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agents.agent import hears
from agents.trainer.run import Run, taken
from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed
from events.catalog.gates import (
    CandidateRegistered,
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RollbackRequested,
    RunApproved,
    RunCancelled,
    RunHeld,
    RunPaused,
    RunResumed,
)
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.roles import RoleDefined, RoleProfile, RoleRetired
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
    RollbackRequested, RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled, GatePassed,
    GateFailed, RemedyApplied, RunRolledBack, IterationDecided, CandidateRegistered,
    DataRequested, DataBegun, DatasetAccepted, DatasetRejected,
)  # fmt: skip


OURS = "agent:trainer"
"""As whom the trainer speaks: of others' requests for data it is not the one that waits."""


class State(NamedTuple):
    """All of it."""

    roles: Mapping[str, RoleProfile]
    runs: Mapping[str, Run]
    policy: TrainerPolicy


INITIAL = State({}, {}, TrainerPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=role, profile=profile):
            return state._replace(roles={**state.roles, role: profile})
        case RoleRetired(role=role):
            left = {name: one for name, one in state.roles.items() if name != role}
            return state._replace(roles=left)
        case PolicyAdopted(policy=TrainerPolicy() as policy):
            return state._replace(policy=policy)
        case RunStarted() as begun:
            run = Run(
                begun.run, begun.role, begun.pipeline, begun.stages,
                begun.model_type, begun.base, begun.seed, begun.due,
            )  # fmt: skip
            return state._replace(runs={**state.runs, run.id: run})
        case RunCompleted(run=run) | RunAbandoned(run=run) | RunCancelled(run=run):
            rest = {key: one for key, one in state.runs.items() if key != run}
            return state._replace(runs=rest)
        case DataRequested() | DataBegun() | DatasetAccepted() | DatasetRejected():
            known = data_run(state, told)
        case event:
            known = state.runs.get(getattr(event, "run", ""))
    if known is None:
        return state
    return state._replace(runs={**state.runs, known.id: taken(known, told)})


def data_run(state: State, told: Fact) -> Run | None:
    """The run for which data is being made that this fact is about."""
    match told.event:
        case DataRequested(run=name) if told.actor == OURS:
            return state.runs.get(name or "")
        case DataBegun(run=name):
            run = state.runs.get(name or "")
            return run if run and run.request == told.cause_id else None
        case DatasetAccepted(run=name, dataset=made) | DatasetRejected(run=name, dataset=made):
            run = state.runs.get(name or "")
            return run if run and (run.dataset or None) == made and run.request else None
    return None
