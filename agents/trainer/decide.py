"""What the trainer answers: runs begin, their stages follow, a human's hand is obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from difflib import get_close_matches

from agents.agent import Agent
from agents.trainer.state import HEARS, INITIAL, Run, State, evolve
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HandRefused,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RunApproved,
    RunCancelled,
    RunHeld,
    RunPaused,
    RunResumed,
)
from events.catalog.policies import TrainerPolicy
from events.catalog.training import (
    RequestWithdrawn,
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
    TrainingRejected,
    TrainingRequested,
)
from events.fact import Fact
from events.ids import derived_id
from events.message import Event
from pipelines.pipeline import PIPELINES

VERSION = "1"

Hand = PauseRequested | ResumeRequested | HoldRequested | ApprovalGiven | CancelRequested


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case TrainingRequested() as request:
            return _begun(state, request, told)
        case StageCompleted(run=name, stage=stage, attempt=attempt):
            run = state.runs.get(name)
            if run is None or not run.finished or (run.stage, run.attempt) != (stage, attempt):
                return ()
            return () if run.paused or run.held else _onwards(state, run, told)
        case StageFailed(run=name, stage=stage, attempt=attempt):
            run = state.runs.get(name)
            if run is None or not run.failed or (run.stage, run.attempt) != (stage, attempt):
                return ()
            return () if run.paused else _again(state, run, told)
        case DeadlinePassed(key=key):
            run = state.runs.get(key.removeprefix("run/"))
            if run is None or not run.request:
                return ()
            late = run._replace(failed=f"no outcome within {state.policy.stage_hours:g} h")
            return (_withdrawn(run, late.failed), *_again(state, late, told))
        case (
            PauseRequested()
            | ResumeRequested()
            | HoldRequested()
            | ApprovalGiven()
            | CancelRequested()
        ) as hand:
            return _obeyed(state, hand, told)
        case _:
            return ()


def _begun(state: State, request: TrainingRequested, told: Fact) -> Sequence[Event]:
    reason = _no(state, request)
    if reason:
        return (TrainingRejected(role=request.role, reason=reason),)
    pipeline = PIPELINES[request.pipeline]
    name = derived_id("run", told.id).replace("-", "")[:12]
    run = Run(name, request.role, pipeline.name, pipeline.stages)
    seed = int(derived_id("seed", told.id)[:8], 16) if request.seed is None else request.seed
    started = RunStarted(
        run=name,
        role=request.role,
        pipeline=pipeline.name,
        base=request.base,
        stages=pipeline.stages,
        seed=seed,
    )
    return (started, *_asked(state, run, pipeline.stages[0], 1, told))


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


def _asked(state: State, run: Run, stage: str, attempt: int, told: Fact) -> Sequence[Event]:
    due = told.time + timedelta(hours=state.policy.stage_hours)
    return (
        StageRequested(run=run.id, stage=stage, attempt=attempt),
        DeadlineSet(key=f"run/{run.id}", due=due),
    )


def _onwards(state: State, run: Run, told: Fact) -> Sequence[Event]:
    place = run.stages.index(run.stage) + 1
    if place < len(run.stages):
        return _asked(state, run, run.stages[place], 1, told)
    return (RunCompleted(run=run.id), DeadlineLifted(key=f"run/{run.id}"))


def _again(state: State, run: Run, told: Fact) -> Sequence[Event]:
    """The stage once more, or the end of the run with its reason."""
    if run.retryable and run.attempt < state.policy.max_attempts:
        return _asked(state, run, run.stage, run.attempt + 1, told)
    times = "once" if run.attempt == 1 else f"{run.attempt} times"
    reason = f"stage {run.stage!r} failed {times}, at last: {run.failed}"
    return (RunAbandoned(run=run.id, reason=reason[:2000]), DeadlineLifted(key=f"run/{run.id}"))


def _withdrawn(run: Run, reason: str) -> Event:
    return RequestWithdrawn(run=run.id, request=run.request, reason=reason)


def _obeyed(state: State, hand: Hand, told: Fact) -> Sequence[Event]:
    run = state.runs.get(hand.run)
    reason = f"no run {hand.run!r} is under way" if run is None else _unfit(run, hand)
    if run is None or reason:
        return (HandRefused(run=hand.run, asked=hand.wire, reason=reason),)
    stopped = [_withdrawn(run, hand.wire)] if run.request else []
    lifted = DeadlineLifted(key=f"run/{run.id}")
    match hand:
        case PauseRequested():
            return (RunPaused(run=run.id), *stopped, lifted)
        case CancelRequested(reason=why):
            return (RunCancelled(run=run.id, reason=why), *stopped, lifted)
        case HoldRequested():
            return (RunHeld(run=run.id),)
        case ApprovalGiven():
            follows = _onwards(state, run, told) if run.finished and not run.paused else ()
            return (RunApproved(run=run.id), *follows)
        case ResumeRequested():
            return (RunResumed(run=run.id), *_resumed(state, run, told))


def _resumed(state: State, run: Run, told: Fact) -> Sequence[Event]:
    if run.finished:
        return () if run.held else _onwards(state, run, told)
    if run.failed:
        return _again(state, run, told)
    return _asked(state, run, run.stage, run.attempt, told)


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
