"""What a run asks for next, as long as there is time and money for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.trainer.reviewing import wanted
from agents.trainer.run import Run
from agents.trainer.spending import left, month_over, over
from agents.trainer.state import State
from events.catalog.changes import Change
from events.catalog.data import DataRequested
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.training import MOST_GUARDED, Artifact, RunAbandoned, StageRequested
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from pipelines.remedies import settled

Decisions = tuple[Event, ...]


def asked(state: State, run: Run, stage: str, told: Fact) -> Decisions:
    """A stage, of whoever carries it out, and until when; or the end of what there was."""
    one = PIPELINES[run.pipeline].stage(stage)
    reason = _spent(state, run, one.asks == "data", told)
    if reason:
        return given_up(run, f"{reason}, before stage {stage!r}")
    attempt = run.attempts.get(stage, 0) + 1
    request: Event
    if one.asks == "data":
        changed = settled(run.changes, stage, {"rows": one.rows, "seed": 0})
        request = DataRequested(
            role=run.role,
            quantity=max(1, round(changed.get("rows", one.rows))),
            seed=(run.seed + round(changed.get("seed", 0))) % 2**63,
            focus=state.weak.get(run.role, ()),
            run=run.id,
            limits=left(run),
        )
    else:
        request = StageRequested(
            run=run.id,
            stage=stage,
            attempt=attempt,
            pipeline=run.pipeline,
            role=run.role,
            model_type=run.model_type,
            base=run.base,
            seed=run.seed,
            changes=(*wanted(state, run, stage), *_of(run.changes, stage)),
            inputs=(*run.inputs(one.made_of == "best"), *_given(run, stage)),
            students=run.students,
            guarded=tuple(one for _, one in sorted(state.guarded.items())),
        )
    due = told.time + timedelta(hours=state.policy.stage_hours)
    due = due if run.due is None else min(due, run.due)
    return (request, DeadlineSet(key=f"run/{run.id}", due=due))


def unguarded(state: State) -> str:
    """Why nobody can be sure that what evaluations ask is not learned, or nothing."""
    many = len(state.guarded) > MOST_GUARDED
    what = f"runs can be searched for {MOST_GUARDED:,} evaluation sets, and more are registered"
    return what if many else ""


def given_up(run: Run, reason: str) -> Decisions:
    """The end of a run in which nothing came out right."""
    return (
        RunAbandoned(run=run.id, reason=reason[:2000]),
        DeadlineLifted(key=f"run/{run.id}"),
    )


def _spent(state: State, run: Run, data: bool, told: Fact) -> str:
    """Why nothing more can be asked for, or nothing."""
    if unguarded(state):
        return unguarded(state)
    if run.due is not None and told.time >= run.due:
        return "its time is used up"
    role = state.roles.get(run.role)
    if data and role is not None:
        month = month_over(state.months, role, run.role, told.time)
        if month:
            return month
    return over(run, another=data)


def _given(run: Run, stage: str) -> tuple[Artifact, ...]:
    """The rows that a run was given, up to the stage which would else make them."""
    taking = PIPELINES[run.pipeline].taking
    if run.rows is None or run.stages.index(stage) > run.stages.index(taking):
        return ()
    return (run.rows.model_copy(update={"kind": "dataset"}),)


def _of(changes: Sequence[Change], stage: str) -> tuple[Change, ...]:
    return tuple(one for one in changes if one.stage == stage)
