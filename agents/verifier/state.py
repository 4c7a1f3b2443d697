"""What the verifier knows: the candidates of each role, what was seen of them, what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from agents.agent import hears
from agents.verifier.standing import Candidate, Open, Standing
from agents.verifier.suites import FIXED, is_task
from agents.verifier.watching import asked_of, rang, watched
from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.examinations import ExaminationRequested, ExaminationWithdrawn
from events.catalog.gates import CandidateRegistered
from events.catalog.policies import PolicyAdopted, VerifierPolicy
from events.catalog.roles import RoleDefined, RoleRetired
from events.catalog.training import Artifact
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
from pipelines.suites.comparing import merged

T = TypeVar("T")

HEARS = hears(
    RoleDefined, RoleRetired, PolicyAdopted, CandidateRegistered, VerificationRequested,
    ExaminationRequested, ExaminationWithdrawn, ModelVerified, VerificationFailed,
    VerificationJudged, VerificationRefused, RegressionDetected, WeaknessDetected,
    CandidateWithdrawn, DeadlineSet, DeadlinePassed,
)  # fmt: skip

OURS = "agent:verifier"
"""As whom the verifier speaks: what a run says of itself is not among its own claims."""
REMEMBERED = 10
"""Candidates of a role that can be looked at again, the newest."""
BASES = ("base", "sft")
"""What a first candidate is compared with: where its run began."""


class State(NamedTuple):
    """All of it."""

    roles: Mapping[str, str]
    """Their model types."""
    standing: Mapping[str, Standing]
    policy: VerifierPolicy
    least: Mapping[str, float] = {}
    """The accuracy that roles ask of their models, of those that say so."""


INITIAL = State({}, {}, VerifierPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=role, profile=profile):
            kind, before = profile.model_type, state.roles.get(role)
            if before not in (None, kind):  # its candidates answer other problems
                why = f"role {role!r} is of another type now"
                state = state._replace(standing=_ended(state.standing, role, why))
            least = {**_without(state.least, role)}
            if (wanted := asked_of(profile)) is not None:
                least[role] = wanted
            return state._replace(roles={**state.roles, role: kind}, least=least)
        case RoleRetired(role=role):
            gone = _ended(state.standing, role, f"role {role!r} was retired")
            rest, least = _without(state.roles, role), _without(state.least, role)
            return state._replace(roles=rest, standing=gone, least=least)
        case VerificationRefused(role=role) if role not in state.roles:
            return state._replace(standing=_without(state.standing, role))
        case PolicyAdopted(policy=VerifierPolicy() as policy):
            return state._replace(policy=policy)
        case DeadlineSet(key=key, due=due):
            return _with_due(state, key, due)
        case event:
            role = getattr(event, "role", "")
    if not role or role not in state.roles:
        return state
    known = state.standing.get(role, Standing())
    taken = _taken(known, told, state.least.get(role))
    return state if taken is known else _put(state, role, taken)


def _ended(standing: Mapping[str, Standing], role: str, why: str) -> dict[str, Standing]:
    """Without the candidates of a role; what is open stays until it is withdrawn."""
    known, rest = standing.get(role), _without(standing, role)
    if known is None or known.open is None:
        return rest
    return {**rest, role: Standing(open=known.open._replace(void=why))}


def _without(some: Mapping[str, T], name: str) -> dict[str, T]:
    return {key: one for key, one in some.items() if key != name}


def _with_due(state: State, key: str, due: datetime) -> State:
    kind, _, name = key.partition("/")
    if kind == "verifier" and (known := state.standing.get(name)):
        return _put(state, name, known._replace(due=due.isoformat()))
    if kind == "verification":
        for role, known in state.standing.items():
            if known.open is not None and known.open.id == name:
                late = known.open._replace(due=due.isoformat())
                return _put(state, role, known._replace(open=late))
    return state


def _put(state: State, role: str, standing: Standing) -> State:
    return state._replace(standing={**state.standing, role: standing})


def _taken(known: Standing, told: Fact, least: float | None) -> Standing:
    match told.event:
        case CandidateRegistered() as registered:
            return _registered(known, registered)
        case ExaminationRequested() as asked:
            return _asked(known, asked, told)
        case ModelVerified(verification=name, attempt=attempt) as verified:
            if not _is_open(known, name, attempt):
                return known
            return _seen(known, verified, told, least)
        case VerificationFailed(verification=name, attempt=attempt):
            if known.open is None or not _is_open(known, name, attempt):
                return known
            failures = known.open.failures + 1
            failed = known.open._replace(request="", answer=told.id, failures=failures)
            return known._replace(open=failed)
        case ExaminationWithdrawn(verification=name) if known.open and known.open.id == name:
            late = known.open._replace(request="", failures=known.open.failures + 1)
            return known._replace(open=late)
        case VerificationJudged(model=model):
            candidate = None if model is None else known.of(model.sha256)
            closed = known._replace(open=None)
            return closed.put(candidate._replace(judged=True)) if candidate else closed
        case VerificationRefused(verification=str()) if known.open is not None:
            candidate = known.of(known.open.model)
            closed = known._replace(open=None)
            return closed.put(candidate._replace(judged=True)) if candidate else closed
        case RegressionDetected(since=False) if told.actor == OURS:
            return known._replace(found=known.found + 1)
        case RegressionDetected() as ours if told.actor == OURS and rang(ours):
            return known._replace(watch=None)
        case WeaknessDetected(model=Artifact(sha256=model), focus=focus):
            candidate = known.of(model)
            return known.put(candidate._replace(weak=focus)) if candidate else known
        case CandidateWithdrawn(model=model):
            rest = tuple(one for one in known.candidates if one.model != model)
            return known._replace(candidates=rest)
        case _:
            return known


def _registered(known: Standing, registered: CandidateRegistered) -> Standing:
    made = {one.kind: one for one in registered.made}
    candidate = Candidate(
        run=registered.run,
        model=registered.model,
        base=next((made[kind] for kind in BASES if kind in made), None),
        rows=made.get("rows"),
        claims=known.claims,
        found=min(known.found, known.claims),
    )
    others = tuple(one for one in known.candidates if one.model != candidate.model)
    return known._replace(candidates=(*others, candidate)[-REMEMBERED:], claims=known.claims + 1)


def _asked(known: Standing, asked: ExaminationRequested, told: Fact) -> Standing:
    before = known.open if known.open and known.open.id == asked.verification else None
    model = "" if asked.model is None else asked.model.sha256
    begun = before or Open(asked.verification, model, asked.suites, asked.examples)
    # another round asks fresh problems alone; what was wanted altogether stays known
    now = begun._replace(attempt=asked.attempt, request=told.id, answer="")
    known = known._replace(open=now)
    candidate = known.of(model)
    if candidate is None or candidate.baseline is not None:
        return known
    return known.put(candidate._replace(baseline=asked.baseline))


def _is_open(known: Standing, name: str, attempt: int) -> bool:
    one = known.open
    return one is not None and bool(one.request) and (one.id, one.attempt) == (name, attempt)


def _seen(known: Standing, verified: ModelVerified, told: Fact, least: float | None) -> Standing:
    """What was counted is added to what was seen before; the same items are not counted twice."""
    assert known.open is not None
    now = known.open._replace(request="", answer=told.id, failures=0, rounds=known.open.rounds + 1)
    known = known._replace(open=now)
    candidate = known.of(now.model)
    if candidate is None:
        return known
    if candidate is known.candidates[-1]:
        known = known._replace(watch=watched(known.watch, least, verified))
    own, tasks = candidate.own, dict(candidate.tasks)
    for one in verified.suites:
        if one.compared != "baseline":
            continue
        if is_task(one.suite):
            tasks[one.suite] = one.cells
        elif one.suite != FIXED or candidate.before is None:
            own = merged(own, one.cells)
    again = any(one.compared == "itself" for one in verified.suites)
    fixed = next((one for one in verified.artifacts if one.kind == "items.fixed"), None)
    return known.put(
        candidate._replace(
            own=own,
            tasks=tasks,
            before=candidate.before or fixed,
            looks=candidate.looks + again,
        )
    )
