"""How a run takes in what has happened to it, fact by fact."""

from __future__ import annotations

from agents.trainer.run import Passed, Run, both
from events.catalog.data import DataBegun, DataRequested, DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.gates import (
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
)
from events.catalog.hand import RunApproved, RunHeld, RunPaused, RunResumed
from events.catalog.parts import PartBuilt, PartFailed
from events.catalog.reviews import ReviewAnswered, ReviewOpened
from events.catalog.training import (
    Measured,
    RequestWithdrawn,
    StageCompleted,
    StageFailed,
    StageRequested,
)
from events.fact import Fact
from pipelines.catalog import PIPELINES


def taken(run: Run, told: Fact) -> Run:
    """The run that has taken one more fact in."""
    match told.event:
        case StageRequested(stage=stage, attempt=attempt):
            return _begun(run, stage, attempt, told.id)
        case DataRequested():
            stage = PIPELINES[run.pipeline].data_stage
            return _begun(run, stage, run.attempts.get(stage, 0) + 1, told.id)
        case DataBegun(dataset=name):
            return _closed(run)._replace(dataset=name)
        case DatasetAccepted() as accepted:
            figures = {"quality": accepted.quality, "rows": float(accepted.count)}
            metrics = {
                name: Measured(value=value, low=value, high=value, n=accepted.count)
                for name, value in figures.items()
            }
            return _closed(run)._replace(
                finished=True, request="", dataset="", answered=told.id, metrics=metrics,
                made=(accepted.rows, accepted.provenance),
            )  # fmt: skip
        case DatasetRejected(reason=reason):
            return _closed(run)._replace(
                failed=reason, kind="rejected", request="", dataset="", answered=told.id
            )
        case PartBuilt(part=part, spent=spent) | PartFailed(part=part, spent=spent):
            return run._replace(parts={**run.parts, part: spent})
        case StageCompleted(stage=stage, attempt=attempt) as done:
            run = run._replace(spent=both(run.spent, done.spent))
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(
                finished=True, request="", metrics=done.metrics, made=done.artifacts,
                seconds=done.seconds, key=done.key,
            )  # fmt: skip
        case StageFailed(stage=stage, attempt=attempt) as broke:
            run = run._replace(spent=both(run.spent, broke.spent))
            if (stage, attempt) != (run.stage, run.attempt):
                return run
            return run._replace(
                failed=broke.reason, kind=broke.kind, retryable=broke.retryable, request=""
            )
        case GatePassed(stage=stage, attempt=attempt):
            return unasked(run.behind(stage, attempt))
        case GateFailed():
            return unasked(run._replace(made=()))
        case RemedyApplied(stage=at, remedy=name, changes=changes, back_to=stage):
            used = {**run.used, f"{at}/{name}": run.used.get(f"{at}/{name}", 0) + 1}
            back = run._replace(used=used, changes=(*run.changes, *changes), tries=0)
            return back if stage == at else _without(back, stage)
        case RunRolledBack(stage=stage, attempt=attempt):
            return _back(run, stage, attempt)
        case IterationDecided(decision="continue"):
            return run._replace(rounds=run.rounds + 1)
        case DeadlineSet(due=due):
            return run._replace(until=due)
        case DeadlinePassed(due=due):
            over = run.review and not run.paused and (run.until is None or due >= run.until)
            return run._replace(closed=True) if over else run
        case ReviewOpened(review=review):
            return run._replace(review=review, answers={}, closed=False)
        case ReviewAnswered(answers=answers):
            if not run.waits_for_people():
                return run
            said = {one.item: one.choice for one in answers if one.item <= len(run.key)}
            return run._replace(answers={**run.answers, **said})
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
        seconds=0.0,
        made=(),
        finished=False,
        failed="",
        kind="",
        key="",
        review="",
        answers={},
        closed=False,
    )


def unasked(run: Run) -> Run:
    """Nobody is asked any more."""
    return run._replace(review="", answers={}, closed=False, key="")


def _closed(run: Run) -> Run:
    """What the parts of its data have cost is the run's own."""
    return run._replace(spent=run.cost, parts={})


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
    return run._replace(passed=tuple(kept), made=(), tries=0, rounds=0)
