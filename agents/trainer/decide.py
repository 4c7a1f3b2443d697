"""What the trainer answers: runs begin, their stages follow, a human's hand is obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

from agents.agent import Agent
from agents.trainer.conduct import asked, broken, examined, rolled_back
from agents.trainer.run import Run
from agents.trainer.state import HEARS, INITIAL, State, evolve
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HandRefused,
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
from events.catalog.policies import TrainerPolicy
from events.catalog.training import (
    RequestWithdrawn,
    RunStarted,
    StageCompleted,
    StageFailed,
    TrainingRejected,
    TrainingRequested,
)
from events.fact import Fact
from events.ids import derived_id
from events.message import Event
from pipelines.catalog import PIPELINES

VERSION = "2"

Hand = (
    PauseRequested
    | ResumeRequested
    | HoldRequested
    | ApprovalGiven
    | CancelRequested
    | RollbackRequested
)


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case TrainingRequested() as request:
            return _begun(state, request, told)
        case (
            StageCompleted(run=name, stage=stage, attempt=attempt)
            | StageFailed(run=name, stage=stage, attempt=attempt)
        ):
            run = state.runs.get(name)
            if run is None or (run.stage, run.attempt) != (stage, attempt):
                return ()
            return _followed(state, run, told)
        case DatasetAccepted() | DatasetRejected():
            return _of_data(state, told)
        case DeadlinePassed(key=key):
            run = state.runs.get(key.removeprefix("run/"))
            if run is None or not run.request:
                return ()
            why = f"no outcome within {state.policy.stage_hours:g} h"
            late = run._replace(failed=why, kind="late", retryable=True)
            return (*_withdrawn(run, why), *broken(state, late, told))
        case (
            PauseRequested()
            | ResumeRequested()
            | HoldRequested()
            | ApprovalGiven()
            | CancelRequested()
            | RollbackRequested()
        ) as hand:
            return _obeyed(state, hand, told)
        case _:
            return ()


def _followed(state: State, run: Run, told: Fact) -> Sequence[Event]:
    """What follows from a stage's end, unless a hand is on the run."""
    if run.paused:
        return ()
    if run.finished:
        return () if run.held else examined(state, run, told)
    return broken(state, run, told) if run.failed else ()


def _of_data(state: State, told: Fact) -> Sequence[Event]:
    """The run that has taken in what became of its data: it is the one that stands at its end."""
    waiting = next((run for run in state.runs.values() if run.answered == told.id), None)
    return () if waiting is None else _followed(state, waiting, told)


def _begun(state: State, request: TrainingRequested, told: Fact) -> Sequence[Event]:
    reason = _no(state, request)
    if reason:
        return (TrainingRejected(role=request.role, reason=reason),)
    pipeline = PIPELINES[request.pipeline]
    name = derived_id("run", told.id).replace("-", "")[:12]
    kind = state.roles[request.role].model_type
    seed = int(derived_id("seed", told.id)[:8], 16) if request.seed is None else request.seed
    due = _due(state, request.role, told)
    run = Run(name, request.role, pipeline.name, pipeline.stages, kind, request.base, seed, due)
    started = RunStarted(
        run=name,
        role=request.role,
        model_type=kind,
        pipeline=pipeline.name,
        base=request.base,
        stages=pipeline.stages,
        seed=seed,
        due=due,
    )
    return (started, *asked(state, run, pipeline.stages[0], told))


def _due(state: State, role: str, told: Fact) -> datetime | None:
    """When a run that begins now is given up: by the policy, or by the role's budget."""
    hours = [
        one
        for one in (state.policy.run_hours, state.roles[role].budget.hours_per_run)
        if one is not None
    ]
    return told.time + timedelta(hours=min(hours)) if hours else None


def _no(state: State, request: TrainingRequested) -> str:
    if request.role not in state.roles:
        return f"no role is named {request.role!r}{_meant(request.role, state.roles)}"
    if request.pipeline not in PIPELINES:
        return f"no pipeline is named {request.pipeline!r}{_meant(request.pipeline, PIPELINES)}"
    under_way = [run.id for run in state.runs.values() if run.role == request.role]
    if len(under_way) >= state.policy.open_runs_per_role:
        return f"run {under_way[0]} of role {request.role!r} is still under way"
    return ""


def _meant(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names[:20])}" if names else "; none is defined yet"


def _withdrawn(run: Run, reason: str) -> Sequence[Event]:
    """Of a stage's worker; data that is being made is another agent's, and is not waited for."""
    if not run.request or run.stage == PIPELINES[run.pipeline].data_stage:
        return ()
    return (RequestWithdrawn(run=run.id, request=run.request, reason=reason),)


def _obeyed(state: State, hand: Hand, told: Fact) -> Sequence[Event]:
    run = state.runs.get(hand.run)
    reason = f"no run {hand.run!r} is under way" if run is None else _unfit(run, hand)
    if run is None or reason:
        return (HandRefused(run=hand.run, asked=hand.wire, reason=reason),)
    stopped = _withdrawn(run, hand.wire)
    lifted = DeadlineLifted(key=f"run/{run.id}")
    match hand:
        case PauseRequested():
            return (RunPaused(run=run.id), *stopped, lifted)
        case CancelRequested(reason=why):
            return (RunCancelled(run=run.id, reason=why), *stopped, lifted)
        case HoldRequested():
            return (RunHeld(run=run.id),)
        case ApprovalGiven():
            follows = examined(state, run, told) if run.finished and not run.paused else ()
            return (RunApproved(run=run.id), *follows)
        case ResumeRequested():
            return (RunResumed(run=run.id), *_resumed(state, run, told))
        case RollbackRequested(stage=stage, reason=why):
            to = [one for one in run.passed if one.stage == stage][-1]
            reason = f"somebody asked for it{f': {why}' if why else ''}"
            return (*stopped, *rolled_back(state, run, to, reason, told))


def _resumed(state: State, run: Run, told: Fact) -> Sequence[Event]:
    if run.finished:
        return () if run.held else examined(state, run, told)
    if run.failed:
        return broken(state, run, told)
    return asked(state, run, run.stage, told)


def _unfit(run: Run, hand: Hand) -> str:
    """Why this cannot be asked of this run, or nothing."""
    match hand:
        case PauseRequested() if run.paused:
            return "the run is paused already"
        case ResumeRequested() if not run.paused:
            return "the run is not paused"
        case HoldRequested() if run.held:
            return "the run is held already"
        case ApprovalGiven() if not run.held:
            return "the run is not held, so there is nothing to approve"
        case RollbackRequested() if run.paused:
            return "the run is paused; resume it first"
        case RollbackRequested(stage=stage) if stage not in [one.stage for one in run.passed]:
            known = ", ".join(one.stage for one in run.passed) or "none yet"
            return f"the run has not passed a stage {stage!r}; it has passed: {known}"
        case _:
            return ""


def under(state: State, policy: TrainerPolicy) -> State:
    """The state with another policy in it."""
    return state._replace(policy=policy)


TRAINER: Agent[State] = Agent(
    name="trainer",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=under,
)
