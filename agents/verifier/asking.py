"""What is asked of whom: a request becomes an examination, with everything that a worker needs."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches

from agents.verifier.standing import Candidate, Open, Standing
from agents.verifier.state import State
from agents.verifier.suites import EXAMPLES, FIXED, FRESH, unknown
from events.catalog.deadlines import DeadlineSet
from events.catalog.examinations import ExaminationRequested
from events.catalog.training import Artifact
from events.catalog.verification import VerificationRequested
from events.fact import Fact
from events.ids import derived_id
from events.message import Event

Decisions = tuple[Event, ...]
MANY = 100_000


def no(state: State, request: VerificationRequested) -> str:
    """Why this cannot be verified, or nothing."""
    role = request.role
    if role not in state.roles:
        near = get_close_matches(role, state.roles, 1)
        meant = f", did you mean {near[0]!r}?" if near else ""
        return f"no role is named {role!r}{meant}"
    if strange := unknown(request.suites):
        return f"no suite is named {strange!r}; there are: fixed, fresh, examples, task.NAME"
    standing = state.standing.get(role, Standing())
    if standing.open is not None:
        return f"verification {standing.open.id} of role {role!r} is still under way"
    if request.suites == (EXAMPLES,) and request.examples is not None:
        return ""
    candidate = wanted(standing, request)
    if candidate is None:
        return _nobody(standing, request)
    if EXAMPLES in request.suites and request.examples is None and candidate.rows is None:
        return f"it is not known what run {candidate.run} was trained on: name the examples"
    return ""


def wanted(standing: Standing, request: VerificationRequested) -> Candidate | None:
    """The candidate that is meant: the one that stands, unless another is named."""
    if request.run is None and request.model is None:
        return standing.candidates[-1] if standing.candidates else None
    for one in reversed(standing.candidates):
        if request.model in (None, one.model.sha256) and request.run in (None, one.run):
            return one
    return None


def begun(state: State, request: VerificationRequested, told: Fact) -> Decisions:
    """A verification that nobody refuses."""
    standing = state.standing.get(request.role, Standing())
    candidate = wanted(standing, request)
    suites = tuple(dict.fromkeys(request.suites or state.policy.suites))
    rows = None if candidate is None else candidate.rows
    if EXAMPLES in suites and request.examples is None and rows is None:  # the policy's wish
        suites = tuple(one for one in suites if one != EXAMPLES) or (FRESH,)
    name = derived_id("verification", told.id, request.role).replace("-", "")[:12]
    model = "" if candidate is None else candidate.model.sha256
    one = Open(name, model, suites, request.examples)
    return asked(state, request.role, one, told)


def asked(state: State, role: str, one: Open, told: Fact) -> Decisions:
    """The next examination of a verification, of whoever measures, and until when. Where nobody
    could tell yet, fresh problems alone are asked, each time twice as many."""
    standing = state.standing.get(role, Standing())
    candidate = standing.of(one.model)
    earlier = standing.before(one.model)
    attempt = one.attempt + 1
    suites = (FRESH,) if one.rounds else one.suites
    examples = one.examples
    if examples is None and candidate is not None and EXAMPLES in one.suites:
        examples = candidate.rows
    request = ExaminationRequested(
        verification=one.id,
        attempt=attempt,
        role=role,
        model_type=state.roles[role],
        run=None if candidate is None else candidate.run,
        model=None if candidate is None else candidate.model,
        baseline=None if candidate is None else _baseline(candidate, earlier),
        before=candidate.before if candidate is not None and FIXED in suites else None,
        examples=examples if EXAMPLES in suites else None,
        suites=suites,
        items=min(MANY, state.policy.items * 2**one.rounds),
        seed=int(derived_id("seed", one.id, attempt)[:8], 16),
    )
    due = told.time + timedelta(hours=state.policy.hours)
    return (request, DeadlineSet(key=f"verification/{one.id}", due=due))


def _baseline(candidate: Candidate, earlier: Candidate | None) -> Artifact | None:
    """Always the same one for a candidate: what was seen beside another does not add up."""
    if candidate.baseline is not None:
        return candidate.baseline
    return candidate.base if earlier is None else earlier.model


def _nobody(standing: Standing, request: VerificationRequested) -> str:
    if not standing.candidates:
        return f"role {request.role!r} has no registered candidate"
    known = ", ".join(one.run for one in standing.candidates)
    named = request.run or request.model
    return f"{named} is no candidate of role {request.role!r}; there are those of runs {known}"
