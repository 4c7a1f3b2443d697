"""What the verifier answers: who is measured, what is believed of it, and what is withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.agent import Agent, with_policy
from agents.verifier.asking import Decisions, asked, begun, no
from agents.verifier.judging import Judged, judged
from agents.verifier.standing import Candidate, Open, Standing
from agents.verifier.state import HEARS, INITIAL, State, evolve
from agents.verifier.suites import FRESH
from agents.verifier.watching import fallen
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.examinations import ExaminationWithdrawn
from events.catalog.gates import CandidateRegistered
from events.catalog.policies import VerifierPolicy
from events.catalog.roles import RoleDefined, RoleRetired
from events.catalog.verification import (
    CandidateWithdrawn,
    ModelVerified,
    RegressionDetected,
    VerificationFailed,
    VerificationJudged,
    VerificationRefused,
    VerificationRequested,
    WeaknessDetected,
)
from events.fact import Fact
from events.message import Event
from pipelines.suites.weakness import possible, weak

VERSION = "2"
CHEAP = 3
"""So many rounds more than the policy's where they take little time: of one as good as the one
before it, nobody can tell after a thousand items."""


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case CandidateRegistered(role=role):
            return _next(state, role, told) if state.policy.on_registration else ()
        case VerificationRequested() as request:
            reason = no(state, request)
            if reason:
                return (VerificationRefused(role=request.role, reason=reason),)
            return begun(state, request, told)
        case ModelVerified(role=role) as verified:
            standing = state.standing.get(role)
            if standing is None or standing.open is None or standing.open.answer != told.id:
                return ()
            return _believed(state, role, standing, standing.open, verified, told)
        case VerificationFailed(role=role) as failed:
            standing = state.standing.get(role)
            if standing is None or standing.open is None or standing.open.answer != told.id:
                return ()
            again = failed.retryable and standing.open.failures < state.policy.attempts
            return _broken(state, role, standing.open, failed.reason, again, told)
        case DeadlinePassed(key=key, due=due):
            return _late(state, key, due.isoformat(), told)
        case RoleRetired(role=role) | RoleDefined(role=role):
            return _unwanted(state, role)
        case _:
            return ()


def _unwanted(state: State, role: str) -> Decisions:
    """An open verification of a role that is gone, or that asks for something else now."""
    standing = state.standing.get(role)
    if standing is None or standing.open is None or not standing.open.void:
        return ()
    one = standing.open
    back = (
        (ExaminationWithdrawn(verification=one.id, request=one.request, reason=one.void),)
        if one.request
        else ()
    )
    return (
        *back,
        VerificationRefused(role=role, verification=one.id, reason=one.void),
        DeadlineLifted(key=f"verification/{one.id}"),
    )


def _late(state: State, key: str, due: str, told: Fact) -> Decisions:
    role = key.removeprefix("verifier/")
    if role != key:
        standing = state.standing.get(role)
        if standing is None or standing.due != due:
            return ()
        if standing.open is not None:  # the next one is set behind it
            return ()
        return begun(state, VerificationRequested(role=role), told) if standing.candidates else ()
    name = key.removeprefix("verification/")
    for role, standing in state.standing.items():
        one = standing.open
        if one is not None and (one.id, one.due) == (name, due) and one.request:
            why = f"nobody has measured it within {state.policy.hours:g} h"
            back = ExaminationWithdrawn(verification=name, request=one.request, reason=why)
            again = one.failures + 1 < state.policy.attempts
            late = one._replace(failures=one.failures + 1)
            return (back, *_broken(state, role, late, why, again, told))
    return ()


def _broken(state: State, role: str, one: Open, reason: str, again: bool, told: Fact) -> Decisions:
    """Once more, or given up; a model that cannot be measured stays what it is."""
    if again:
        return asked(state, role, one, told)
    times = "once" if one.failures == 1 else f"{one.failures} times"
    why = f"measuring failed {times}, at last: {reason}"[:2000]
    refused = VerificationRefused(role=role, verification=one.id, reason=why)
    lifted = DeadlineLifted(key=f"verification/{one.id}")
    return (refused, lifted, *_onwards(state, role, told, one.model))


def _believed(
    state: State, role: str, standing: Standing, one: Open, seen: ModelVerified, told: Fact
) -> Decisions:
    candidate = standing.of(one.model)
    found = Judged("measured") if candidate is None else judged(candidate, seen, state.policy)
    if found.verdict == "unclear" and FRESH in one.suites and _more(one, seen, state.policy):
        return asked(state, role, one, told)
    decided: list[Event] = [
        VerificationJudged(
            verification=one.id, role=role, run=seen.run, model=seen.model,
            verdict=found.verdict, checks=found.checks, evidence=found.evidence,
            needed=found.needed,
        ),
        DeadlineLifted(key=f"verification/{one.id}"),
    ]  # fmt: skip
    withdrawn: tuple[str, ...] = ()
    if candidate is not None:
        decided += _regressed(role, standing, candidate, one, found)
        decided += _weak(role, candidate, one, seen, state.policy)
        low = fallen(standing.watch, seen)
        decided += [] if low is None else [low]
        withdrawn = (candidate.model.sha256,) if found.lost else ()
    return (*decided, *_onwards(state, role, told, one.model, withdrawn))


def _more(one: Open, seen: ModelVerified, policy: VerifierPolicy) -> bool:
    """Whether fresh problems are asked once more, twice as many: up to the rounds of the policy,
    and then as long as they are cheap."""
    if one.rounds < policy.rounds:
        return True
    cheap = bool(seen.n) and 2 * seen.seconds <= policy.cheap_seconds
    return cheap and one.rounds < policy.rounds + CHEAP


def _regressed(
    role: str, standing: Standing, candidate: Candidate, one: Open, found: Judged
) -> list[Event]:
    """What is surely worse is said; a candidate worse than the model before it is withdrawn."""
    decided: list[Event] = []
    if found.changed:
        decided.append(
            RegressionDetected(
                role=role, run=candidate.run, model=candidate.model, baseline=candidate.model,
                verification=one.id, since=True, checks=found.failed(itself=True),
                reason=f"it is not what it was: {found.reason}"[:2000],
            )
        )  # fmt: skip
    if found.lost:
        rest = [each for each in standing.candidates if each.model != candidate.model]
        stands = rest[-1] if rest else None
        decided += [
            RegressionDetected(
                role=role, run=candidate.run, model=candidate.model, baseline=candidate.baseline,
                verification=one.id, checks=found.failed(itself=False), evidence=found.evidence,
                reason=found.reason,
            ),
            CandidateWithdrawn(
                role=role, run=candidate.run, model=candidate.model, reason=found.reason,
                stands=None if stands is None else stands.model,
                stands_run=None if stands is None else stands.run,
            ),
        ]  # fmt: skip
    return decided


def _weak(
    role: str, candidate: Candidate, one: Open, seen: ModelVerified, policy: VerifierPolicy
) -> list[Event]:
    """Areas in which it fails more often, told when they are others than the last time. Counts that
    contradict each other say nothing: who answers so must not stop whoever decides."""
    sound = [one for one in seen.areas if possible(one.wrong, one.n, seen.wrong, seen.n)]
    areas = weak(sound, seen.wrong, seen.n, policy.alpha) if seen.wrong <= seen.n else []
    focus = tuple(each.area for each in areas)
    if not focus or set(focus) == set(candidate.weak):
        return []
    return [
        WeaknessDetected(
            role=role, run=candidate.run, model=candidate.model, verification=one.id,
            focus=focus, areas=tuple(areas),
        )
    ]  # fmt: skip


def _onwards(
    state: State, role: str, told: Fact, done: str, withdrawn: tuple[str, ...] = ()
) -> Decisions:
    """The candidate that came meanwhile; or, some time later, the one that stands again."""
    standing = state.standing[role]
    left = tuple(one for one in standing.candidates if one.model.sha256 not in withdrawn)
    closed = standing._replace(open=None, candidates=left)
    if candidate := closed.of(done):
        closed = closed.put(candidate._replace(judged=True))
    after = state._replace(standing={**state.standing, role: closed})
    follows = _next(after, role, told) if state.policy.on_registration else ()
    if follows or not left or state.policy.every_hours is None:
        return follows
    due = told.time + timedelta(hours=state.policy.every_hours)
    return (DeadlineSet(key=f"verifier/{role}", due=due),)


def _next(state: State, role: str, told: Fact) -> Decisions:
    """The oldest candidate that waits to be verified: the one behind it is compared with it."""
    standing = state.standing.get(role)
    if standing is None or standing.open is not None:
        return ()
    waiting = next((one for one in standing.candidates if not one.judged), None)
    if waiting is None:
        return ()
    return begun(state, VerificationRequested(role=role, run=waiting.run), told)


VERIFIER: Agent[State] = Agent(
    name="verifier",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=with_policy,
)
