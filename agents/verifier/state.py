"""What the verifier knows: the candidates of each role, what was seen of them, what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from agents.agent import hears
from agents.verifier.suites import FIXED, is_task
from events.catalog.deadlines import DeadlinePassed, DeadlineSet
from events.catalog.examinations import Cell, ExaminationRequested, ExaminationWithdrawn
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


class Candidate(NamedTuple):
    """A model that passed its run, and what was seen of it since."""

    run: str
    model: Artifact
    base: Artifact | None
    """Where its run began."""
    rows: Artifact | None
    """Examples that it was trained on."""
    claims: int = 0
    """Claims that were made before that of its being worse; by them goes what that one needs."""
    found: int = 0
    """And those among them that were found to be so."""
    baseline: Artifact | None = None
    """With what it is compared, from its first examination on."""
    own: tuple[Cell, ...] = ()
    """Problems of its type, beside the baseline: the fixed ones once, fresh ones of every look."""
    tasks: Mapping[str, tuple[Cell, ...]] = {}
    """Of each benchmark, whose items are always the same: the newest look."""
    before: Artifact | None = None
    """Its own answers to the fixed suite when they were first asked."""
    looks: int = 0
    """How often the fixed suite was answered again."""
    judged: bool = False
    weak: tuple[str, ...] = ()
    """The weak spots that were told last."""


class Open(NamedTuple):
    """A verification under way."""

    id: str
    model: str
    """The hash of the candidate; nothing where only examples are checked."""
    suites: tuple[str, ...]
    examples: Artifact | None = None
    attempt: int = 0
    rounds: int = 0
    """How often an answer came, and nobody could tell yet."""
    failures: int = 0
    """In a row."""
    request: str = ""
    """The open examination, or nothing."""
    answer: str = ""
    """What came of it, by its event id."""
    due: str = ""
    """When the examination is not waited for any more."""


class Standing(NamedTuple):
    """The candidates of a role, the one that stands last, and the claims that were made."""

    candidates: tuple[Candidate, ...] = ()
    claims: int = 0
    found: int = 0
    open: Open | None = None
    due: str = ""
    """When the model that stands is looked at again."""

    def of(self, model: str) -> Candidate | None:
        return next((one for one in self.candidates if one.model.sha256 == model), None)

    def before(self, model: str) -> Candidate | None:
        """The candidate before this one."""
        earlier = None
        for one in self.candidates:
            if one.model.sha256 == model:
                return earlier
            earlier = one
        return None

    def put(self, candidate: Candidate) -> Standing:
        return self._replace(
            candidates=tuple(
                candidate if one.model == candidate.model else one for one in self.candidates
            )
        )


class State(NamedTuple):
    """All of it."""

    roles: Mapping[str, str]
    """Their model types."""
    standing: Mapping[str, Standing]
    policy: VerifierPolicy


INITIAL = State({}, {}, VerifierPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case RoleDefined(role=role, profile=profile):
            kind, before = profile.model_type, state.roles.get(role)
            if before not in (None, kind):  # its candidates answer other problems
                state = state._replace(standing=_without(state.standing, role))
            return state._replace(roles={**state.roles, role: kind})
        case RoleRetired(role=role):
            return state._replace(
                roles=_without(state.roles, role), standing=_without(state.standing, role)
            )
        case PolicyAdopted(policy=VerifierPolicy() as policy):
            return state._replace(policy=policy)
        case DeadlineSet(key=key, due=due):
            return _with_due(state, key, due)
        case event:
            role = getattr(event, "role", "")
    if not role or role not in state.roles:
        return state
    known = state.standing.get(role, Standing())
    taken = _taken(known, told)
    return state if taken is known else _put(state, role, taken)


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


def _taken(known: Standing, told: Fact) -> Standing:
    match told.event:
        case CandidateRegistered() as registered:
            return _registered(known, registered)
        case ExaminationRequested() as asked:
            return _asked(known, asked, told)
        case ModelVerified(verification=name, attempt=attempt) as verified:
            if not _is_open(known, name, attempt):
                return known
            return _seen(known, verified, told)
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


def _seen(known: Standing, verified: ModelVerified, told: Fact) -> Standing:
    """What was counted is added to what was seen before; the same items are not counted twice."""
    assert known.open is not None
    now = known.open._replace(request="", answer=told.id, failures=0, rounds=known.open.rounds + 1)
    known = known._replace(open=now)
    candidate = known.of(now.model)
    if candidate is None:
        return known
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
