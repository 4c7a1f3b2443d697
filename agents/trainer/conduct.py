"""How a run goes on: its gate is judged, what it made is kept or mended, or it ends."""

from __future__ import annotations

from datetime import timedelta

from agents.trainer import judging, reviewing
from agents.trainer.asking import Decisions, asked, given_up
from agents.trainer.mending import mended, remedy
from agents.trainer.run import POLICY, Passed, Run
from agents.trainer.spending import over
from agents.trainer.state import State
from agents.trainer.taking import unasked
from events.catalog.deadlines import DeadlineLifted
from events.catalog.gates import (
    CandidateRegistered,
    Checked,
    Decision,
    GateFailed,
    GatePassed,
    IterationDecided,
    RunRolledBack,
    Trend,
)
from events.catalog.training import RunCompleted
from events.fact import Fact
from events.message import Event
from pipelines.catalog import PIPELINES
from pipelines.gates import overall, sound, symptoms
from pipelines.gates import told as said


def examined(state: State, run: Run, told: Fact) -> Decisions:
    """What follows from a stage that is done: people are asked last, where all else holds."""
    checks = judging.examined(state, run)
    if overall(checks) in ("pass", "waived"):
        items = reviewing.queue(state, run)
        if items is not None:
            return reviewing.opened(state, run, items, told)
        if run.waits_for_people():
            return ()
        checks = (*checks, *reviewing.heard(state, run))
    return _judged(state, run, checks, told)


def broken(state: State, run: Run, told: Fact) -> Decisions:
    """What follows from a stage that could not be carried out."""
    symptom = f"failed {run.kind}"
    if remedy(run, (symptom,)):
        return mended(state, run, (symptom,), run.failed, told)
    if run.retryable and run.kind != "rejected" and run.tries < state.policy.max_attempts:
        return asked(state, run, run.stage, told)
    times = "once" if run.tries == 1 else f"{run.tries} times"
    return given_up(run, f"stage {run.stage!r} failed {times}, at last: {run.failed}")


def onwards(state: State, run: Run, told: Fact) -> Decisions:
    """The stage behind one whose gate has held, or the end."""
    pipeline = PIPELINES[run.pipeline]
    stage = pipeline.stage(run.stage)
    turned: Decisions = ()
    if stage.trend:
        again, turned = _turned(state, run, told)
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


def _judged(state: State, run: Run, checks: tuple[Checked, ...], told: Fact) -> Decisions:
    stage = PIPELINES[run.pipeline].stage(run.stage)
    match overall(checks):
        case "pass" | "waived" as verdict:
            gate = GatePassed(
                run=run.id, stage=run.stage, attempt=run.attempt, verdict=verdict, checks=checks
            )
            behind = run.behind(run.stage, run.attempt)
            if not stage.gate and not checks and not run.made:
                return onwards(state, run, told)
            return (gate, *onwards(state, unasked(behind), told))
        case verdict:
            wrong = [one for one in checks if one.verdict in ("fail", "inconclusive")]
            reason = "; ".join(map(_why, wrong))[:2000]
            failed = GateFailed(
                run=run.id, stage=run.stage, attempt=run.attempt,
                verdict="inconclusive" if verdict == "inconclusive" else "fail",
                checks=checks, reason=reason,
            )  # fmt: skip
            return (failed, *mended(state, run, symptoms(checks), reason, told))


def _why(one: Checked) -> str:
    silent = one.metric == reviewing.PEOPLE and one.value is None
    return "people were to compare, and nobody did" if silent else said(one)


def _turned(state: State, run: Run, told: Fact) -> tuple[bool, Decisions]:
    """Whether a stage that may be repeated is, and what is decided about what it made."""
    metric = PIPELINES[run.pipeline].stage(run.stage).trend
    found = run.metrics.get(metric)
    if found is None or not sound(found):
        return False, (_round(run, "stable", "evaluate", f"{metric} was not measured"),)
    why = f"{metric} {found.value:+.3g} ({found.low:+.3g} to {found.high:+.3g})"
    if found.low > 0:
        enough = _enough(state, run, told)
        why += f"; {enough}" if enough else ""
        return not enough, (_round(run, "improving", "evaluate" if enough else "continue", why),)
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


def _enough(state: State, run: Run, told: Fact) -> str:
    """Why a model that grows better is not made better still, or nothing."""
    if run.rounds + 1 >= state.policy.iterations:
        return f"these were {run.rounds + 1} rounds, as many as there may be"
    again = timedelta(seconds=2 * run.seconds)
    if run.due is not None and told.time + again > run.due:
        return "no time is left for another round and the evaluation"
    return over(run, another=True)


def _round(run: Run, trend: Trend, decision: Decision, why: str) -> Event:
    return IterationDecided(
        run=run.id,
        stage=run.stage,
        attempt=run.attempt,
        trend=trend,
        decision=decision,
        reason=why,
    )


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
