"""A run under way, as its facts tell it: what it has made, what was tried, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from events.catalog.changes import Change
from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.gates import (
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import RunApproved, RunHeld, RunPaused, RunResumed
from events.catalog.training import (
    Artifact,
    Measured,
    RequestWithdrawn,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from events.fact import Fact
from pipelines.catalog import PIPELINES
from pipelines.summary import score

POLICY = "policy"
"""What an artifact is that holds the model which a run is about."""


class Passed(NamedTuple):
    """A stage whose gate held, and what it made."""

    stage: str
    attempt: int
    artifacts: tuple[Artifact, ...]
    score: float | None
    """Of the policy among them, on held-out items."""


class Run(NamedTuple):
    """A run under way. What has ended is forgotten here; the log and the projection know it."""

    id: str
    role: str
    pipeline: str
    stages: tuple[str, ...]
    model_type: str = ""
    base: str = ""
    seed: int = 0
    due: datetime | None = None
    """When it is given up."""
    stage: str = ""
    attempt: int = 0
    """How often the present stage was asked for in this run."""
    attempts: Mapping[str, int] = {}
    """The same of all stages."""
    tries: int = 0
    """How often in a row it was asked for without a remedy."""
    request: str = ""
    """The open request, or nothing."""
    dataset: str = ""
    """The data set that is being made for it."""
    answered: str = ""
    """The fact that ended the present request."""
    metrics: Mapping[str, Measured] = {}
    """What the present stage has measured, once it is done."""
    made: tuple[Artifact, ...] = ()
    """What it has made; the run's own only once its gate has held."""
    passed: tuple[Passed, ...] = ()
    """Stages whose gates held, in the order of the walk."""
    changes: tuple[Change, ...] = ()
    used: Mapping[str, int] = {}
    """How often each remedy was tried, by stage and name."""
    rounds: int = 0
    """How often the present stage was repeated because it helped."""
    finished: bool = False
    """The present stage is done; what follows has not been asked for."""
    failed: str = ""
    """Why the present attempt failed."""
    kind: str = ""
    """And of what kind that was."""
    retryable: bool = True
    paused: bool = False
    held: bool = False

    def behind(self, stage: str, attempt: int) -> Run:
        """With this stage passed, and what it has made its own."""
        found = score(self.metrics)
        one = Passed(stage, attempt, self.made, None if found is None else found.value)
        return self._replace(passed=(*self.passed, one))

    def inputs(self, best: bool = False) -> tuple[Artifact, ...]:
        """The latest of each kind that its stages have made; of policies, maybe the best."""
        found: dict[str, Artifact] = {}
        for one in self.passed:
            found |= {artifact.kind: artifact for artifact in one.artifacts}
        ranked = [
            (one.score, artifact)
            for one in self.passed
            for artifact in one.artifacts
            if artifact.kind == POLICY and one.score is not None
        ]
        if best and ranked:
            found[POLICY] = max(ranked, key=lambda pair: pair[0])[1]
        return tuple(found[kind] for kind in sorted(found))


def taken(run: Run, told: Fact) -> Run:
    """The run that has taken one more fact in."""
    match told.event:
        case StageRequested(stage=stage, attempt=attempt):
            return _begun(run, stage, attempt, told.id)
        case DataRequested():
            stage = PIPELINES[run.pipeline].data_stage
            return _begun(run, stage, run.attempts.get(stage, 0) + 1, told.id)
        case DataBegun(dataset=name):
            return run._replace(dataset=name)
        case DatasetAccepted() as accepted:
            figures = {"quality": accepted.quality, "rows": float(accepted.count)}
            metrics = {
                name: Measured(value=value, low=value, high=value, n=accepted.count)
                for name, value in figures.items()
            }
            return run._replace(
                finished=True, request="", dataset="", answered=told.id, metrics=metrics,
                made=(accepted.rows, accepted.provenance),
            )  # fmt: skip
        case DatasetRejected(reason=reason):
            return run._replace(
                failed=reason, kind="rejected", request="", dataset="", answered=told.id
            )
        case StageCompleted(stage=stage, attempt=attempt) as done:
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(
                finished=True, request="", metrics=done.metrics, made=done.artifacts
            )
        case StageFailed(stage=stage, attempt=attempt) as broke:
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(
                failed=broke.reason, kind=broke.kind, retryable=broke.retryable, request=""
            )
        case GatePassed(stage=stage, attempt=attempt):
            return run.behind(stage, attempt)
        case GateFailed():
            return run._replace(made=())
        case RemedyApplied(stage=at, remedy=name, changes=changes, back_to=stage):
            used = {**run.used, f"{at}/{name}": run.used.get(f"{at}/{name}", 0) + 1}
            back = run._replace(used=used, changes=(*run.changes, *changes), tries=0)
            return _without(back, stage)
        case RunRolledBack(stage=stage, attempt=attempt):
            return _back(run, stage, attempt)
        case IterationDecided(decision="continue"):
            return run._replace(rounds=run.rounds + 1)
        case _:
            return _by_hand(run, told)


def _by_hand(run: Run, told: Fact) -> Run:
    match told.event:
        case RequestWithdrawn():
            return run._replace(request="")
        case RunPaused():
            return run._replace(paused=True)
        case RunResumed():
            return run._replace(paused=False, tries=max(0, run.tries - 1))
        case RunHeld():
            return run._replace(held=True)
        case RunApproved():
            return run._replace(held=False)
        case _:
            return run


def _begun(run: Run, stage: str, attempt: int, request: str) -> Run:
    same = stage == run.stage
    return run._replace(
        stage=stage,
        attempt=attempt,
        attempts={**run.attempts, stage: attempt},
        tries=run.tries + 1 if same else 1,
        rounds=run.rounds if same else 0,
        request=request,
        metrics={},
        made=(),
        finished=False,
        failed="",
        kind="",
    )


def _without(run: Run, stage: str) -> Run:
    """Before this stage again: what it and those behind it have made is not used."""
    place = run.stages.index(stage)
    kept = tuple(one for one in run.passed if run.stages.index(one.stage) < place)
    return run._replace(passed=kept)


def _back(run: Run, stage: str, attempt: int) -> Run:
    """Behind this stage again, as it was after this attempt."""
    kept: list[Passed] = []
    for one in run.passed:
        kept.append(one)
        if (one.stage, one.attempt) == (stage, attempt):
            break
    return run._replace(passed=tuple(kept), made=())
