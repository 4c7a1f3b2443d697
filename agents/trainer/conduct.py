"""How a run goes on: its gate is judged, a remedy is found where it did not hold, or it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.trainer.run import POLICY, Passed, Run
from agents.trainer.state import State
from events.catalog.changes import Change
from events.catalog.data import DataRequested
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.gates import (
    CandidateRegistered,
    Decision,
    GateFailed,
    GatePassed,
    IterationDecided,
    RemedyApplied,
    RunRolledBack,
    Trend,
)
from events.catalog.training import RunAbandoned, RunCompleted, StageRequested
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from pipelines.gates import judged, overall, symptoms
from pipelines.gates import told as said
from pipelines.remedies import Remedy, chosen, settled

Decisions = tuple[Event, ...]


def asked(state: State, run: Run, stage: str, told: Fact) -> Decisions:
    """A stage, of whoever carries it out, and until when."""
    if run.due is not None and told.time >= run.due:
        return _given_up(run, f"its time is used up, before stage {stage!r}")
    attempt = run.attempts.get(stage, 0) + 1
    one = PIPELINES[run.pipeline].stage(stage)
    request: Event
    if one.asks == "data":
        changed = settled(run.changes, stage, {"rows": one.rows, "seed": 0})
        request = DataRequested(
            role=run.role,
            quantity=max(1, round(changed.get("rows", one.rows))),
            seed=(run.seed + round(changed.get("seed", 0))) % 2**63,
            run=run.id,
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
            changes=_of(run.changes, stage),
            inputs=run.inputs(one.made_of == "best"),
        )
    due = told.time + timedelta(hours=state.policy.stage_hours)
    due = due if run.due is None else min(due, run.due)
    return (request, DeadlineSet(key=f"run/{run.id}", due=due))


def examined(state: State, run: Run, told: Fact) -> Decisions:
    """What follows from a stage that is done."""
    stage = PIPELINES[run.pipeline].stage(run.stage)
    bounds = {**_band(state, run), **state.policy.bounds}
    checks = judged(stage.gate, run.metrics, bounds, state.policy.waived)
    match overall(checks):
        case "pass" | "waived" as verdict:
            gate = GatePassed(
                run=run.id, stage=run.stage, attempt=run.attempt, verdict=verdict, checks=checks
            )
            if not stage.gate and not run.made:
                return onwards(state, run, told)
            return (gate, *onwards(state, run.behind(run.stage, run.attempt), told))
        case verdict:
            wrong = [one for one in checks if one.verdict in ("fail", "inconclusive")]
            reason = "; ".join(said(one) for one in wrong)[:2000]
            failed = GateFailed(
                run=run.id, stage=run.stage, attempt=run.attempt,
                verdict="inconclusive" if verdict == "inconclusive" else "fail",
                checks=checks, reason=reason,
            )  # fmt: skip
            return (failed, *_mended(state, run, symptoms(checks), reason, told))


def broken(state: State, run: Run, told: Fact) -> Decisions:
    """What follows from a stage that could not be carried out."""
    symptom = f"failed {run.kind}"
    if chosen(PIPELINES[run.pipeline].stage(run.stage).remedies, (symptom,), _used(run)):
        return _mended(state, run, (symptom,), run.failed, told)
    if run.retryable and run.kind != "rejected" and run.tries < state.policy.max_attempts:
        return asked(state, run, run.stage, told)
    times = "once" if run.tries == 1 else f"{run.tries} times"
    return _given_up(run, f"stage {run.stage!r} failed {times}, at last: {run.failed}")


def onwards(state: State, run: Run, told: Fact) -> Decisions:
    """The stage behind one whose gate has held, or the end."""
    pipeline = PIPELINES[run.pipeline]
    stage = pipeline.stage(run.stage)
    turned: Decisions = ()
    if stage.trend:
        again, turned = _turned(state, run)
        if again:
            return (*turned, *asked(state, run, run.stage, told))
        if len(turned) > 1:  # rolled back: what this round has made is not used
            run = run._replace(passed=run.passed[:-1])
    following = pipeline.following(run.stage)
    if following is not None:
        return (*turned, *asked(state, run, following, told))
    return (*turned, *_completed(run))


def rolled_back(state: State, run: Run, to: Passed, reason: str, told: Fact) -> Decisions:
    """Behind an earlier stage again, and on from there."""
    place = run.passed.index(to)
    back = run._replace(passed=run.passed[: place + 1])
    event = RunRolledBack(
        run=run.id, stage=to.stage, attempt=to.attempt, artifacts=back.inputs(), reason=reason
    )
    following = PIPELINES[run.pipeline].following(to.stage)
    return (
        event,
        *(_completed(back) if following is None else asked(state, back, following, told)),
    )


def _turned(state: State, run: Run) -> tuple[bool, Decisions]:
    """Whether a stage that may be repeated is, and what is decided about what it made."""
    metric = PIPELINES[run.pipeline].stage(run.stage).trend
    found = run.metrics.get(metric)
    if found is None:
        return False, (_round(run, "stable", "evaluate", f"{metric} was not measured"),)
    why = f"{metric} {found.value:+.3g} ({found.low:+.3g} to {found.high:+.3g})"
    if found.low > 0:
        again = run.rounds + 1 < state.policy.iterations
        return again, (_round(run, "improving", "continue" if again else "evaluate", why),)
    if found.high >= 0:
        return False, (_round(run, "stable", "evaluate", why),)
    earlier, kept = run.passed[-2], run._replace(passed=run.passed[:-1])
    back = RunRolledBack(
        run=run.id,
        stage=earlier.stage,
        attempt=earlier.attempt,
        artifacts=kept.inputs(),
        reason=f"the last round made it worse: {why}",
    )
    return False, (_round(run, "degrading", "roll_back", why), back)


def _round(run: Run, trend: Trend, decision: Decision, why: str) -> Event:
    return IterationDecided(
        run=run.id,
        stage=run.stage,
        attempt=run.attempt,
        trend=trend,
        decision=decision,
        reason=why,
    )


def _mended(state: State, run: Run, wrong: Sequence[str], reason: str, told: Fact) -> Decisions:
    """A remedy and the stage that it goes on from, or the end of the run."""
    found = chosen(PIPELINES[run.pipeline].stage(run.stage).remedies, wrong, _used(run))
    if found is None:
        return _given_up(run, f"stage {run.stage!r}: {reason}; no remedy is left")
    remedy, symptom = found
    if remedy.skips:
        return _skipped(state, run, remedy, symptom, reason, told)
    to = remedy.back_to or run.stage
    applied = RemedyApplied(
        run=run.id, stage=run.stage, symptom=symptom, remedy=remedy.name,
        changes=remedy.changes, back_to=to,
    )  # fmt: skip
    mended = run._replace(changes=(*run.changes, *remedy.changes))
    mended = mended._replace(passed=_before(run, to))
    return (applied, *_lost(run, mended, remedy, reason), *asked(state, mended, to, told))


def _skipped(
    state: State, run: Run, remedy: Remedy, symptom: str, reason: str, told: Fact
) -> Decisions:
    """On without this stage, with what was there before it."""
    following = PIPELINES[run.pipeline].following(run.stage)
    if following is None or not run.passed:
        return _given_up(run, f"stage {run.stage!r}: {reason}; it cannot be done without")
    applied = RemedyApplied(
        run=run.id, stage=run.stage, symptom=symptom, remedy=remedy.name, back_to=following
    )
    last = run.passed[-1]
    back = RunRolledBack(
        run=run.id,
        stage=last.stage,
        attempt=last.attempt,
        artifacts=run.inputs(),
        reason=f"{remedy.name}: {reason}"[:2000],
    )
    return (applied, back, *asked(state, run, following, told))


def _lost(run: Run, mended: Run, remedy: Remedy, reason: str) -> Decisions:
    """Said when a policy that had passed is not used any more."""
    dropped = run.passed[len(mended.passed) :]
    if not any(artifact.kind == POLICY for one in dropped for artifact in one.artifacts):
        return ()
    if not mended.passed:
        return ()
    to = mended.passed[-1]
    return (
        RunRolledBack(
            run=run.id, stage=to.stage, attempt=to.attempt, artifacts=mended.inputs(),
            reason=f"{remedy.name}: {reason}"[:2000],
        ),
    )  # fmt: skip


def _used(run: Run) -> dict[str, int]:
    """How often the remedies of its present stage were tried."""
    before = f"{run.stage}/"
    return {
        key.removeprefix(before): many for key, many in run.used.items() if key.startswith(before)
    }


def _before(run: Run, stage: str) -> tuple[Passed, ...]:
    place = run.stages.index(stage)
    return tuple(one for one in run.passed if run.stages.index(one.stage) < place)


def _completed(run: Run) -> Decisions:
    made = run.inputs(best=True)
    policy = next((one for one in made if one.kind == POLICY), None)
    lifted = DeadlineLifted(key=f"run/{run.id}")
    if policy is None:
        return (RunCompleted(run=run.id), lifted)
    rest = tuple(one for one in made if one is not policy)
    return (
        RunCompleted(run=run.id),
        CandidateRegistered(role=run.role, run=run.id, model=policy, made=rest),
        lifted,
    )


def _given_up(run: Run, reason: str) -> Decisions:
    return (
        RunAbandoned(run=run.id, reason=reason[:2000]),
        DeadlineLifted(key=f"run/{run.id}"),
    )


def _band(state: State, run: Run) -> dict[str, float]:
    """The bounds that the role itself sets."""
    role = state.roles.get(run.role)
    if role is None or role.entropy is None:
        return {}
    return {
        "entropy at_least": role.entropy.min,
        "entropy at_most": role.entropy.max,
        "entropy_relative": role.entropy.relative_min,
    }


def _of(changes: Sequence[Change], stage: str) -> tuple[Change, ...]:
    return tuple(one for one in changes if one.stage == stage)
