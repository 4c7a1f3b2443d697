"""What the trainer knows: the roles there are, and the runs that are under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agents.agent import hears
from agents.trainer.bases import Known, learned
from agents.trainer.run import Run
from agents.trainer.spending import with_spent
from agents.trainer.taking import taken
from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.evaluation_sets import EvaluationSetRegistered
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
from events.catalog.imports import DatasetImported
from events.catalog.parts import PartBuilt, PartFailed
from events.catalog.policies import PolicyAdopted, TrainerPolicy
from events.catalog.registry import ModelAdded
from events.catalog.reviews import ReviewAnswered, ReviewOpened
from events.catalog.roles import RoleDefined, RoleProfile, RoleRetired
from events.catalog.training import (
    MOST_GUARDED,
    Artifact,
    Measured,
    RequestWithdrawn,
    RunAbandoned,
    RunCompleted,
    RunStarted,
    StageCompleted,
    StageFailed,
    StageRequested,
    TrainingRequested,
)
from events.catalog.verification import WeaknessDetected
from events.fact import Fact
from pipelines.catalog import PIPELINES

HEARS = hears(
    RoleDefined, RoleRetired, PolicyAdopted, TrainingRequested, RunStarted, StageRequested,
    StageCompleted, StageFailed, RequestWithdrawn, RunCompleted, RunAbandoned, DeadlinePassed,
    PauseRequested, ResumeRequested, HoldRequested, ApprovalGiven, CancelRequested,
    RollbackRequested, RunPaused, RunResumed, RunHeld, RunApproved, RunCancelled, GatePassed,
    GateFailed, RemedyApplied, RunRolledBack, IterationDecided, CandidateRegistered,
    DataRequested, DataBegun, DatasetAccepted, DatasetRejected, ModelAdded,
    PartBuilt, PartFailed, DatasetImported, DeadlineSet, ReviewOpened, ReviewAnswered,
    WeaknessDetected, EvaluationSetRegistered,
)  # fmt: skip


OURS = "agent:trainer"
"""As whom the trainer speaks: of others' requests for data it is not the one that waits."""


SETS = 1000
"""So many data sets are remembered; a run is given one of these."""


class Given(NamedTuple):
    """A data set that a run may be given."""

    role: str
    kind: str
    rows: Artifact
    provenance: Artifact
    figures: Mapping[str, Measured]
    """Those that a gate of data looks at."""
    model_type: str = ""
    """For which it was made; of an imported one nobody says."""


class State(NamedTuple):
    """All of it."""

    roles: Mapping[str, RoleProfile]
    runs: Mapping[str, Run]
    policy: TrainerPolicy
    models: Known = Known()
    """Those that can be named as a base."""
    datasets: Mapping[str, Given] = {}
    """The latest that were accepted or imported."""
    months: Mapping[str, tuple[str, float]] = {}
    """What runs of each role have cost this month."""
    weak: Mapping[str, tuple[str, ...]] = {}
    """What the models of each role are weak in: the next data is about that."""
    guarded: Mapping[str, Artifact] = {}
    """The registered evaluation sets, by name."""


INITIAL = State({}, {}, TrainerPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=role, profile=profile):
            return state._replace(roles={**state.roles, role: profile})
        case RoleRetired(role=role):
            left = {name: one for name, one in state.roles.items() if name != role}
            return state._replace(roles=left)
        case WeaknessDetected(role=role, focus=focus) if role in state.roles:
            return state._replace(weak={**state.weak, role: focus})
        case PolicyAdopted(policy=TrainerPolicy() as policy):
            return state._replace(policy=policy)
        case EvaluationSetRegistered(name=name, artifact=artifact):
            others = {key: one for key, one in state.guarded.items() if key != name}
            newest = [*others.items(), (name, artifact)][-MOST_GUARDED - 1 :]
            return state._replace(guarded=dict(newest))
        case RunStarted() as begun:
            run = run_of(state, begun)
            return state._replace(runs={**state.runs, run.id: run})
        case RunCompleted(run=run) | RunAbandoned(run=run) | RunCancelled(run=run):
            rest = {key: one for key, one in state.runs.items() if key != run}
            return state._replace(runs=rest)
        case CandidateRegistered() | ModelAdded():
            return state._replace(models=learned(state.models, told.event))
        case DatasetAccepted() | DatasetImported() as made:
            state = state._replace(datasets=_remembered(state, made))
            known = data_run(state, told)
        case DataRequested() | DataBegun() | DatasetRejected() | PartBuilt() | PartFailed():
            known = data_run(state, told)
        case DeadlineSet(key=key) | DeadlinePassed(key=key):
            known = state.runs.get(key.removeprefix("run/")) if key.startswith("run/") else None
        case ReviewOpened() | ReviewAnswered():
            known = review_run(state, told)
        case event:
            known = state.runs.get(getattr(event, "run", ""))
    if known is None:
        return state
    after = taken(known, told)
    spent = after.cost.money - known.cost.money
    months = with_spent(state.months, known.role, spent, told.time) if spent else state.months
    return state._replace(runs={**state.runs, known.id: after}, months=months)


def run_of(state: State, begun: RunStarted) -> Run:
    """As it stands when it begins: what it was given instead of making it is there already."""
    run = Run(
        begun.run, begun.role, begun.pipeline, begun.stages, begun.model_type, begun.base,
        begun.seed, begun.due, students=begun.students, known=begun.known,
        limits=begun.limits, given=begun.dataset or "",
    )  # fmt: skip
    given, stage = state.datasets.get(run.given), PIPELINES[run.pipeline].data_stage
    if given is None:
        return run
    run = run._replace(rows=given.rows)
    if not stage:
        return run
    return run._replace(
        stage=stage, attempt=1, attempts={stage: 1}, tries=1, finished=True,
        metrics=given.figures, made=(given.rows, given.provenance),
    )  # fmt: skip


def review_run(state: State, told: Fact) -> Run | None:
    """The run that has people answer in this queue."""
    match told.event:
        case ReviewOpened(review=name) if told.actor == OURS:
            return state.runs.get(name.partition("-")[0])
        case ReviewAnswered(review=name):
            run = state.runs.get(name.partition("-")[0])
            return run if run is not None and run.review == name else None
    return None


def _remembered(state: State, made: DatasetAccepted | DatasetImported) -> Mapping[str, Given]:
    rows = float(made.count)
    figures = {"rows": Measured(value=rows, low=rows, high=rows, n=made.count)}
    kind = ""
    if isinstance(made, DatasetAccepted):
        one, kind = made.quality, made.model_type
        figures["quality"] = Measured(value=one, low=one, high=one, n=made.count)
    elif "overall" in made.quality:
        figures["quality"] = made.quality["overall"]
    given = Given(made.role, made.kind, made.rows, made.provenance, figures, kind)
    kept = {name: one for name, one in state.datasets.items() if name != made.dataset}
    return dict([*kept.items(), (made.dataset, given)][-SETS:])


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
        case PartBuilt(dataset=made) | PartFailed(dataset=made):
            return next((run for run in state.runs.values() if run.dataset == made), None)
    return None
