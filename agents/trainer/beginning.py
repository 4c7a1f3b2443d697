"""A run begins, or does not: what is wrong with a request is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

from agents.trainer.asking import asked, unguarded
from agents.trainer.bases import named
from agents.trainer.conduct import examined
from agents.trainer.spending import limits, month_over
from agents.trainer.state import SETS, State, run_of
from events.catalog.training import RunStarted, TrainingRejected, TrainingRequested
from events.fact import Fact
from events.ids import derived_id
from events.message import Event
from pipelines.catalog import PIPELINES


def begun(state: State, request: TrainingRequested, told: Fact) -> Sequence[Event]:
    """The run and its first stage, or why there is none."""
    reason = _no(state, request, told)
    if reason:
        return (TrainingRejected(role=request.role, reason=reason),)
    pipeline = PIPELINES[request.pipeline]
    role = state.roles[request.role]
    seed = int(derived_id("seed", told.id)[:8], 16) if request.seed is None else request.seed
    known, _ = named(state.models, request.base, request.students)
    started = RunStarted(
        run=derived_id("run", told.id).replace("-", "")[:12],
        role=request.role,
        model_type=role.model_type,
        pipeline=pipeline.name,
        base=request.base,
        stages=pipeline.stages,
        seed=seed,
        due=_due(state, request.role, told),
        limits=limits(role, state.policy),
        dataset=request.dataset,
        students=request.students,
        known=known,
    )
    run = run_of(state, started)
    first = examined(state, run, told) if run.finished else None
    return (started, *(asked(state, run, pipeline.stages[0], told) if first is None else first))


def _due(state: State, role: str, told: Fact) -> datetime | None:
    """When a run that begins now is given up: by the policy, or by the role's budget."""
    hours = [
        one
        for one in (state.policy.run_hours, state.roles[role].budget.hours_per_run)
        if one is not None
    ]
    return told.time + timedelta(hours=min(hours)) if hours else None


def _no(state: State, request: TrainingRequested, told: Fact) -> str:
    if request.role not in state.roles:
        return f"no role is named {request.role!r}{_meant(request.role, state.roles)}"
    if request.pipeline not in PIPELINES:
        return f"no pipeline is named {request.pipeline!r}{_meant(request.pipeline, PIPELINES)}"
    if request.students and request.pipeline != "distill":
        return f"pipeline {request.pipeline!r} has no students; `distill` has"
    _, wrong = named(state.models, request.base, request.students)
    if wrong:
        return wrong
    wrong = unguarded(state) or _no_data(state, request)
    if wrong:
        return wrong
    wrong = month_over(state.months, state.roles[request.role], request.role, told.time)
    if wrong:
        return wrong
    under_way = [run.id for run in state.runs.values() if run.role == request.role]
    if len(under_way) >= state.policy.open_runs_per_role:
        return f"run {under_way[0]} of role {request.role!r} is still under way"
    return ""


def _no_data(state: State, request: TrainingRequested) -> str:
    """Why this run cannot be given the data set that it names, or nothing."""
    if request.dataset is None:
        return ""
    pipeline = PIPELINES[request.pipeline]
    if not pipeline.taking:
        return f"pipeline {pipeline.name!r} takes no data set, its stages make what they need"
    given, takes = state.datasets.get(request.dataset), pipeline.stage(pipeline.taking).takes
    if given is None:
        there = [name for name, one in state.datasets.items() if one.role == request.role]
        what = f"no data set {request.dataset!r} is among the latest {SETS:,}"
        return f"{what} that were accepted or imported{_meant(request.dataset, there)}"
    if given.role != request.role:
        return f"data set {request.dataset!r} is of role {given.role!r}, not {request.role!r}"
    if given.kind != takes:
        what = f"data set {request.dataset!r} holds {given.kind}"
        return f"{what}, and pipeline {pipeline.name!r} takes {takes}"
    now = state.roles[request.role].model_type
    if given.model_type not in ("", now):
        was = given.model_type
        return f"data set {request.dataset!r} is for model type {was!r}, the role has {now!r}"
    return ""


def _meant(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names[:20])}" if names else "; none is defined yet"
