"""What the data generator answers: parts are asked for, assembled, and the set is judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.agent import Agent
from agents.data_generator.parts import (
    divided,
    gives_more,
    is_spent,
    least,
    left,
    missing,
    portion,
    spent,
)
from agents.data_generator.ratings import rated
from agents.data_generator.reasons import OVERALL, counted, meant, times, weak, why
from agents.data_generator.state import HEARS, INITIAL, Making, Part, State, evolve
from events.catalog.costs import Limits
from events.catalog.data import (
    SOURCES,
    AssemblyFailed,
    AssemblyRequested,
    DataBegun,
    DataRequested,
    DatasetAccepted,
    DatasetAssembled,
    DatasetRejected,
    DataWithdrawn,
    PartBuilt,
    PartFailed,
    PartRequested,
)
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.policies import DataPolicy
from events.fact import Fact
from events.ids import derived_id
from events.message import Event

VERSION = "1"


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
            return _judged(state, making, assembled, told)
        case AssemblyFailed(dataset=name) as failed:
            making = state.sets.get(name)
            if making is None or making.answer != told.id:
                return ()
            return _not_assembled(state, making, failed, told)
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
        limits=least(whole, role.limits),
        run=request.run,
    )
    return (begun, *_asked(state, Making(begun, {}), sources, request.quantity, told))


def _no(state: State, request: DataRequested, sources: Sequence[str]) -> str:
    if request.role not in state.roles:
        return f"no role is named {request.role!r}{meant(request.role, state.roles)}"
    for source in sources:
        if source not in SOURCES:
            return f"no source is named {source!r}{meant(source, SOURCES)}"
    return ""


def _asked(
    state: State, making: Making, sources: Sequence[str], quantity: int, told: Fact
) -> Sequence[Event]:
    """A round of parts, and how long they are waited for."""
    shares = divided(sources, quantity, state.policy.part_rows, making)
    limits = left(making.begun.limits, spent(making))
    whole = sum(share.quantity for share in shares)
    number = max(making.parts, default=0)
    asked = [
        _part(
            making.begun,
            number + place,
            Part(*share, portion(limits, share.quantity, whole)),
        )
        for place, share in enumerate(shares, 1)
    ]
    return (*asked, _deadline(state, making.begun, told))


def _part(begun: DataBegun, number: int, part: Part) -> PartRequested:
    return PartRequested(
        dataset=begun.dataset,
        part=number,
        attempt=part.attempt + 1,
        source=part.source,
        role=begun.role,
        model_type=begun.model_type,
        kind=begun.kind,
        quantity=part.quantity,
        first=part.first,
        seed=begun.seed,
        difficulty=begun.difficulty,
        focus=begun.focus,
        profile=begun.profile,
        limits=part.limits,
    )


def _deadline(state: State, begun: DataBegun, told: Fact) -> DeadlineSet:
    due = told.time + timedelta(hours=state.policy.hours)
    return DeadlineSet(key=f"dataset/{begun.dataset}", due=due)


def _answered(
    state: State, making: Making, outcome: PartBuilt | PartFailed, told: Fact
) -> Sequence[Event]:
    """A part once more; or, when all have answered, what comes next."""
    part = making.parts[outcome.part]
    if isinstance(outcome, PartFailed) and outcome.retryable:
        spent_up = is_spent(left(part.limits, outcome.spent))
        if part.attempt < state.policy.part_attempts and not spent_up:
            return (_part(making.begun, outcome.part, part),)
    return () if making.open() else _onwards(state, making, told)


def _onwards(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """All parts have answered: whatever they built is assembled."""
    if not making.built():
        return _rejected(state, making, f"no source has built a row{why(making)}", {})
    return _assembly(state, making, told)


def _assembly(state: State, making: Making, told: Fact) -> Sequence[Event]:
    begun = making.begun
    request = AssemblyRequested(
        dataset=begun.dataset,
        attempt=making.assembly + 1,
        role=begun.role,
        model_type=begun.model_type,
        kind=begun.kind,
        quantity=begun.quantity,
        seed=begun.seed,
        quality_target=begun.quality_target,
        parts=making.built(),
        guarded=tuple(one for _, one in sorted(state.guarded.items())),
    )
    return (request, _deadline(state, begun, told))


def _judged(
    state: State, making: Making, assembled: DatasetAssembled, told: Fact
) -> Sequence[Event]:
    begun, count = making.begun, assembled.count
    measured = assembled.quality.get(OVERALL)
    quality = 0.0 if measured is None else measured.value
    if not assembled.used or quality < begun.quality_target:
        best = quality if assembled.used else max(assembled.by_source.values(), default=0.0)
        reason = f"quality {best:.3g} is below {begun.quality_target:g}{weak(assembled)}"
        return _rejected(state, making, reason + why(making), assembled.by_source)
    if count >= begun.quantity:
        accepted = DatasetAccepted(
            dataset=begun.dataset,
            role=begun.role,
            model_type=begun.model_type,
            kind=begun.kind,
            rows=assembled.rows,
            provenance=assembled.provenance,
            report=assembled.report,
            count=count,
            quality=quality,
            run=making.begun.run,
        )
        lifted = DeadlineLifted(key=f"dataset/{begun.dataset}")
        return (accepted, lifted, *rated(state, making, assembled.by_source))
    sources = [one for one in begun.sources if one in assembled.used]
    sources = [one for one in sources if gives_more(making.parts.values(), one)]
    spent_up = is_spent(left(begun.limits, spent(making)))
    if sources and not spent_up and making.rounds < state.policy.rounds:
        return _asked(state, making, sources, missing(making, count, assembled.used), told)
    reason = f"{count:,} of {begun.quantity:,} rows after {times(making.rounds, 'round')}"
    if spent_up:
        reason += ", and the budget is spent"
    elif not sources:
        reason += ", and no source has more"
    reason += counted("; taken out", assembled.removed) + why(making)
    return _rejected(state, making, reason, assembled.by_source)


def _not_assembled(
    state: State, making: Making, failed: AssemblyFailed, told: Fact
) -> Sequence[Event]:
    if failed.retryable and making.failures < state.policy.part_attempts:
        return _assembly(state, making, told)
    often = times(making.failures, "time")
    return _rejected(state, making, f"assembling failed {often}, at last: {failed.reason}", {})


def _too_late(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """What is open is not waited for any more; what there is, is made use of."""
    reason = f"no outcome within {state.policy.hours:g} h"
    if making.request:
        withdrawn = DataWithdrawn(dataset=making.id, request=making.request, reason=reason)
        return (withdrawn, *_rejected(state, making, f"not assembled: {reason}", {}))
    said, parts = [], dict(making.parts)
    for number in making.open():
        request = parts[number].request
        said.append(DataWithdrawn(dataset=making.id, request=request, reason=reason))
        parts[number] = parts[number]._replace(request="", failed=reason)
    return (*said, *_onwards(state, making._replace(parts=parts), told))


def _rejected(
    state: State, making: Making, reason: str, by_source: dict[str, float]
) -> Sequence[Event]:
    begun = making.begun
    rejected = DatasetRejected(
        role=begun.role, dataset=making.id, reason=reason[:2000], run=begun.run
    )
    lifted = DeadlineLifted(key=f"dataset/{making.id}")
    return (rejected, lifted, *rated(state, making, by_source))


def under(state: State, policy: DataPolicy) -> State:
    """The state with another policy in it."""
    return state._replace(policy=policy)


DATA_GENERATOR: Agent[State] = Agent(
    name="data_generator",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=under,
)
