"""A human's hand on a run: obeyed, or refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from agents.trainer.asking import asked
from agents.trainer.conduct import broken, examined, rolled_back
from agents.trainer.reviewing import waited
from agents.trainer.run import Run
from agents.trainer.state import State
from events.catalog.deadlines import DeadlineLifted
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
from events.catalog.training import RequestWithdrawn
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES

Hand = (
    PauseRequested
    | ResumeRequested
    | HoldRequested
    | ApprovalGiven
    | CancelRequested
    | RollbackRequested
)


def withdrawn(run: Run, reason: str) -> Sequence[Event]:
    """Of a stage's worker; data that is being made is another agent's, and is not waited for."""
    if not run.request or run.stage == PIPELINES[run.pipeline].data_stage:
        return ()
    return (RequestWithdrawn(run=run.id, request=run.request, reason=reason),)


def obeyed(state: State, hand: Hand, told: Fact) -> Sequence[Event]:
    """What follows from it."""
    run = state.runs.get(hand.run)
    reason = f"no run {hand.run!r} is under way" if run is None else _unfit(run, hand)
    if run is None or reason:
        return (HandRefused(run=hand.run, asked=hand.wire, reason=reason),)
    stopped = withdrawn(run, hand.wire)
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
    if run.waits_for_people():
        return (waited(state, run, told),)
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
