"""What the trainer answers: runs begin, their stages follow, a human's hand is obeyed."""

from __future__ import annotations

from collections.abc import Sequence

from agents.agent import Agent, with_policy
from agents.trainer.asking import given_up
from agents.trainer.beginning import begun
from agents.trainer.conduct import broken, examined
from agents.trainer.hands import obeyed, withdrawn
from agents.trainer.run import Run
from agents.trainer.state import HEARS, INITIAL, State, evolve, review_run
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed
from events.catalog.hand import (
    ApprovalGiven,
    CancelRequested,
    HoldRequested,
    PauseRequested,
    ResumeRequested,
    RollbackRequested,
)
from events.catalog.reviews import ReviewAnswered
from events.catalog.roles import RoleRetired
from events.catalog.training import StageCompleted, StageFailed, TrainingRequested
from events.fact import Fact
from events.message import Event

VERSION = "4"


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case TrainingRequested() as request:
            return begun(state, request, told)
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
        case ReviewAnswered():
            run = review_run(state, told)
            if run is None or run.waits_for_people():
                return ()
            return _followed(state, run, told)
        case DeadlinePassed() as passed:
            return _late(state, passed, told)
        case RoleRetired(role=role):
            why = f"role {role!r} was retired"
            runs = [run for run in state.runs.values() if run.role == role]
            return [one for run in runs for one in (*withdrawn(run, why), *given_up(run, why))]
        case (
            PauseRequested()
            | ResumeRequested()
            | HoldRequested()
            | ApprovalGiven()
            | CancelRequested()
            | RollbackRequested()
        ) as hand:
            return obeyed(state, hand, told)
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


def _late(state: State, passed: DeadlinePassed, told: Fact) -> Sequence[Event]:
    """What follows when that was waited for long enough; a deadline that was put off is none."""
    run = state.runs.get(passed.key.removeprefix("run/"))
    if run is None or (run.until is not None and passed.due < run.until):
        return ()
    if run.review:
        return _followed(state, run, told)
    if not run.request:
        return ()
    why = f"no outcome within {state.policy.stage_hours:g} h"
    late = run._replace(failed=why, kind="late", retryable=True)
    return (*withdrawn(run, why), *broken(state, late, told))


TRAINER: Agent[State] = Agent(
    name="trainer",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=with_policy,
)
