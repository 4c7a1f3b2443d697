"""What the data generator answers: parts are asked for, assembled, and the set is judged."""

from __future__ import annotations

from collections.abc import Sequence

from agents.agent import Agent, with_policy
from agents.data_generator.asking import assembly, collected, once_more, round_of
from agents.data_generator.judging import judged, rejected
from agents.data_generator.parts import is_spent, least, left
from agents.data_generator.reasons import meant, times, why
from agents.data_generator.state import (
    HEARS,
    INITIAL,
    PEOPLE,
    Making,
    State,
    evolve,
)
from events.catalog.costs import Limits
from events.catalog.data import SOURCES, DataBegun, DataRequested, DatasetRejected, Scorer
from events.catalog.deadlines import DeadlinePassed
from events.catalog.parts import (
    AssemblyFailed,
    DatasetAssembled,
    DataWithdrawn,
    PartBuilt,
    PartFailed,
)
from events.catalog.reviews import OF_SETS, ReviewAnswered
from events.catalog.training import MOST_GUARDED
from events.fact import Fact
from events.ids import derived_id
from events.message import Event

VERSION = "3"


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case DataRequested() as request:
            return _begun(state, request, told)
        case PartBuilt() | PartFailed() as outcome:
            making = state.sets.get(outcome.dataset)
            part = None if making is None else making.parts.get(outcome.part)
            if making is None or part is None or part.answer != told.id:
                return ()
            return _answered(state, making, outcome, told)
        case DatasetAssembled(dataset=name) as assembled:
            making = state.sets.get(name)
            if making is None or making.answer != told.id:
                return ()
            return judged(state, making, assembled, told)
        case AssemblyFailed(dataset=name) as failed:
            making = state.sets.get(name)
            if making is None or making.answer != told.id:
                return ()
            return _not_assembled(state, making, failed, told)
        case ReviewAnswered(review=key):
            making = state.sets.get(key.removeprefix(OF_SETS))
            if making is None or making.review != key or not making.asks_people():
                return ()
            return _heard(state, making, told)
        case DeadlinePassed(key=key, due=due):
            making = state.sets.get(key.removeprefix("dataset/"))
            if making is None or making.due != due.isoformat():
                return ()
            return _too_late(state, making, told)
        case _:
            return ()


def _begun(state: State, request: DataRequested, told: Fact) -> Sequence[Event]:
    sources = tuple(dict.fromkeys(request.sources or state.policy.sources))
    reason = _no(state, request, sources)
    if reason:
        return (DatasetRejected(role=request.role, reason=reason, run=request.run),)
    role, policy = state.roles[request.role], state.policy
    seed = int(derived_id("seed", told.id)[:8], 16) if request.seed is None else request.seed
    target = role.quality_min if request.quality_target is None else request.quality_target
    whole = Limits(money=policy.usd, tokens=policy.tokens, seconds=policy.part_minutes * 60)
    begun = DataBegun(
        dataset=derived_id("dataset", told.id).replace("-", "")[:12],
        role=request.role,
        model_type=role.model_type,
        kind=request.kind,
        quantity=request.quantity,
        seed=seed,
        quality_target=target,
        sources=sources,
        difficulty=request.difficulty,
        focus=request.focus,
        profile=role.profile,
        limits=least(least(whole, role.limits), request.limits),
        run=request.run,
        scorer=_scorer(state, request),
    )
    return (begun, *round_of(state, Making(begun, {}), sources, _wanted(begun), told))


def _no(state: State, request: DataRequested, sources: Sequence[str]) -> str:
    if request.role not in state.roles:
        return f"no role is named {request.role!r}{meant(request.role, state.roles)}"
    for source in sources:
        if source not in SOURCES:
            return f"no source is named {source!r}{meant(source, SOURCES)}"
    if request.kind == "trajectories" and PEOPLE in sources:
        return "people in a queue give pairs, and no trajectories"
    if request.kind == "trajectories" and request.scorer is not None:
        return "trajectories are verified; a scorer is for the kind pairs"
    if len(state.guarded) > MOST_GUARDED:
        return f"data can be searched for {MOST_GUARDED:,} evaluation sets, and more are registered"
    return ""


def _scorer(state: State, request: DataRequested) -> Scorer | None:
    if request.kind == "trajectories":
        return None
    return state.policy.scorer if request.scorer is None else request.scorer


def _wanted(begun: DataBegun) -> int:
    """Of what people are to compare some more than is wanted: not every pair has a better side."""
    more = begun.quantity // 4 + 1 if begun.scorer == PEOPLE else 0
    return begun.quantity + more


def _answered(
    state: State, making: Making, outcome: PartBuilt | PartFailed, told: Fact
) -> Sequence[Event]:
    """A part once more; or, when all have answered, what comes next."""
    part = making.parts[outcome.part]
    if isinstance(outcome, PartFailed) and outcome.retryable:
        spent_up = is_spent(left(part.limits, outcome.spent))
        if part.attempt < state.policy.part_attempts and not spent_up:
            return (once_more(state, making, outcome.part),)
    return () if making.open() else _onwards(state, making, told)


def _onwards(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """All parts have answered: whatever they built is assembled."""
    if not making.built():
        return rejected(state, making, f"no source has built a row{why(making)}", {})
    return assembly(state, making, told)


def _not_assembled(
    state: State, making: Making, failed: AssemblyFailed, told: Fact
) -> Sequence[Event]:
    if failed.retryable and making.failures < state.policy.part_attempts:
        return assembly(state, making, told)
    often = times(making.failures, "time")
    return rejected(state, making, f"assembling failed {often}, at last: {failed.reason}", {})


def _too_late(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """What is open is not waited for any more; what there is, is made use of."""
    if making.asks_people():
        if making.answered:
            return collected(state, making, told)
        waited = f"{times(making.items, 'pair')} in queue {making.review}"
        reason = f"nobody has answered {waited} within {state.policy.people_hours:g} h"
        return rejected(state, making, reason, {})
    reason = f"no outcome within {state.policy.hours:g} h"
    if making.request:
        withdrawn = DataWithdrawn(dataset=making.id, request=making.request, reason=reason)
        return (withdrawn, *rejected(state, making, f"not assembled: {reason}", {}))
    said, parts = [], dict(making.parts)
    for number in making.open():
        request = parts[number].request
        said.append(DataWithdrawn(dataset=making.id, request=request, reason=reason))
        parts[number] = parts[number]._replace(request="", failed=reason)
    return (*said, *_onwards(state, making._replace(parts=parts), told))


def _heard(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """What people say is waited for until it is enough, or all that there is."""
    enough = len(making.settled) >= making.begun.quantity
    if enough or len(making.answered) >= making.items:
        return collected(state, making, told)
    return ()


DATA_GENERATOR: Agent[State] = Agent(
    name="data_generator",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=with_policy,
)
