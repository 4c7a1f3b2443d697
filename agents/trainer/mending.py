"""What is done where a gate did not hold or a stage broke: a remedy, or the end of the run."""

from __future__ import annotations

from collections.abc import Sequence

from agents.trainer.asking import Decisions, asked, given_up
from agents.trainer.judging import worse
from agents.trainer.run import POLICY, Passed, Run
from agents.trainer.state import State
from events.catalog.gates import RemedyApplied, RunRolledBack
from events.catalog.training import Artifact
from events.catalog.verification import RegressionDetected
from events.fact import Fact
from pipelines.catalog import PIPELINES
from pipelines.gates import told as said
from pipelines.remedies import Remedy, chosen


def remedy(run: Run, wrong: Sequence[str]) -> tuple[Remedy, str] | None:
    """The first that is left for any of these symptoms.

    What a run was given is not made again: what would go on from there is none.
    """
    pipeline = PIPELINES[run.pipeline]
    there = pipeline.stage(run.stage).remedies
    if run.given:
        there = tuple(one for one in there if (one.back_to or run.stage) != pipeline.taking)
    return chosen(there, wrong, _used(run))


def mended(state: State, run: Run, wrong: Sequence[str], reason: str, told: Fact) -> Decisions:
    """A remedy and the stage that it goes on from, or the end of the run."""
    lost = _regression(run)
    found = remedy(run, wrong)
    if found is None:
        end = given_up(run, f"stage {run.stage!r}: {reason}; no remedy is left")
        return (*lost, *(_as_it_was(run, reason) if lost else ()), *end)
    one, symptom = found
    if one.skips:
        return (*lost, *_skipped(state, run, one, symptom, reason, told))
    to = one.back_to or run.stage
    applied = RemedyApplied(
        run=run.id, stage=run.stage, symptom=symptom, remedy=one.name,
        changes=one.changes, back_to=to,
    )  # fmt: skip
    after = run._replace(changes=(*run.changes, *one.changes))
    if to != run.stage:  # the rounds of a stage that helped stay
        after = after._replace(passed=_before(run, to))
    return (*lost, applied, *_dropped(run, after, one, reason), *asked(state, after, to, told))


def _skipped(
    state: State, run: Run, one: Remedy, symptom: str, reason: str, told: Fact
) -> Decisions:
    """On without this stage, with what was there before it."""
    following = PIPELINES[run.pipeline].following(run.stage)
    if following is None or not run.passed:
        return given_up(run, f"stage {run.stage!r}: {reason}; it cannot be done without")
    applied = RemedyApplied(
        run=run.id, stage=run.stage, symptom=symptom, remedy=one.name, back_to=following
    )
    back = _back(run, run.passed[-1], run.inputs(), f"{one.name}: {reason}")
    return (applied, back, *asked(state, run, following, told))


def _dropped(run: Run, after: Run, one: Remedy, reason: str) -> Decisions:
    """Said when a policy that had passed is not used any more."""
    dropped = run.passed[len(after.passed) :]
    if not any(artifact.kind == POLICY for one in dropped for artifact in one.artifacts):
        return ()
    if not after.passed:
        return ()
    return (_back(run, after.passed[-1], after.inputs(), f"{one.name}: {reason}"),)


def _regression(run: Run) -> Decisions:
    """Said when the end shows a model that is surely worse than what the run began with."""
    checks = worse(run)
    model = next((one for one in run.inputs(best=True) if one.kind == POLICY), None)
    if not checks or model is None:
        return ()
    return (
        RegressionDetected(
            role=run.role, run=run.id, model=model, baseline=_baseline(run), checks=checks,
            reason="; ".join(said(one) for one in checks)[:2000],
        ),
    )  # fmt: skip


def _as_it_was(run: Run, reason: str) -> Decisions:
    """Behind the stage that measured the baseline again: nothing that came after it is used."""
    begun = _begun(run)
    if begun is None:
        return ()
    kept = run._replace(passed=run.passed[: run.passed.index(begun) + 1])
    return (_back(run, begun, kept.inputs(), f"no better than the baseline: {reason}"),)


def _begun(run: Run) -> Passed | None:
    """The first stage that measured a model: what all later ones are compared with."""
    return next((one for one in run.passed if one.score is not None), None)


def _baseline(run: Run) -> Artifact | None:
    begun = _begun(run)
    there = () if begun is None else begun.artifacts
    return next((one for one in there if one.kind in ("base", POLICY)), None)


def _back(run: Run, to: Passed, holds: Sequence[Artifact], reason: str) -> RunRolledBack:
    return RunRolledBack(
        run=run.id,
        stage=to.stage,
        attempt=to.attempt,
        artifacts=tuple(holds),
        reason=reason[:2000],
    )


def _used(run: Run) -> dict[str, int]:
    """How often the remedies of its present stage were tried."""
    before = f"{run.stage}/"
    return {
        key.removeprefix(before): many for key, many in run.used.items() if key.startswith(before)
    }


def _before(run: Run, stage: str) -> tuple[Passed, ...]:
    place = run.stages.index(stage)
    return tuple(one for one in run.passed if run.stages.index(one.stage) < place)
