"""What becomes of a set that was put together: accepted, made larger, put to people, or rejected.

Trajectories are judged by their quality. Pairs are judged by their gap and by their clean share, as
they were offered; pairs that nobody is sure of are put to people in a queue. A set whose scorer is
people waits for them; any other does not, and what they say is there for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.data_generator.asking import deadline, queue, round_of
from agents.data_generator.parts import gives_more, is_spent, left, missing, spent
from agents.data_generator.ratings import rated
from agents.data_generator.reasons import OVERALL, counted, settling, times, too_weak, weak, why
from agents.data_generator.state import PEOPLE, Making, State, queue_of
from events.catalog.data import DatasetAccepted, DatasetRejected
from events.catalog.deadlines import DeadlineLifted
from events.catalog.parts import DatasetAssembled
from events.fact import Fact
from events.message import Event


def judged(
    state: State, making: Making, assembled: DatasetAssembled, told: Fact
) -> Sequence[Event]:
    """What follows from how good the set is, and how large."""
    begun, count = making.begun, assembled.count
    people = begun.scorer == PEOPLE
    if people and assembled.waits and not making.review and count < begun.quantity:
        waits = deadline(begun, state.policy.people_hours, told)
        return (queue(making, assembled), waits)
    reason = _not_good(state, making, assembled)
    if reason:
        return _ended(state, making, assembled, reason + why(making))
    if count >= begun.quantity:
        return _accepted(state, making, assembled)
    sources = [one for one in begun.sources if one in assembled.used]
    sources = [one for one in sources if gives_more(making.parts.values(), one)]
    spent_up = is_spent(left(begun.limits, spent(making)))
    again = bool(sources) and not spent_up and making.rounds < state.policy.rounds
    if again and not people:
        return round_of(state, making, sources, missing(making, count, assembled.used), told)
    rows = "pairs" if begun.kind == "pairs" else "rows"
    reason = f"{count:,} of {begun.quantity:,} {rows} after {times(making.rounds, 'round')}"
    if spent_up:
        reason += ", and the budget is spent"
    elif people:
        reason += f", and {times(len(making.answered), 'pair')} answered by people"
    elif not sources:
        reason += ", and no source has more"
    reason += counted("; taken out", assembled.removed) + why(making)
    return _ended(state, making, assembled, reason)


def rejected(
    state: State, making: Making, reason: str, by_source: dict[str, float]
) -> Sequence[Event]:
    """The end of a set that is not used."""
    begun = making.begun
    no = DatasetRejected(role=begun.role, dataset=making.id, reason=reason[:2000], run=begun.run)
    lifted = DeadlineLifted(key=f"dataset/{making.id}")
    return (no, lifted, *rated(state, making, by_source))


def _not_good(state: State, making: Making, assembled: DatasetAssembled) -> str:
    if making.begun.kind == "pairs":
        bounds = {"decontamination": state.policy.least_clean, "gap": state.policy.least_gap}
        return too_weak(assembled, bounds)
    target, quality = making.begun.quality_target, _overall(assembled)
    if assembled.used and quality >= target:
        return ""
    best = quality if assembled.used else max(assembled.by_source.values(), default=0.0)
    return f"quality {best:.3g} is below {target:g}{weak(assembled)}"


def _accepted(state: State, making: Making, assembled: DatasetAssembled) -> Sequence[Event]:
    begun = making.begun
    accepted = DatasetAccepted(
        dataset=begun.dataset,
        role=begun.role,
        model_type=begun.model_type,
        kind=begun.kind,
        rows=assembled.rows,
        provenance=assembled.provenance,
        report=assembled.report,
        count=assembled.count,
        quality=_overall(assembled),
        run=begun.run,
        measured=assembled.quality,
    )
    lifted = DeadlineLifted(key=f"dataset/{begun.dataset}")
    asked = _asked(making, assembled)
    return (accepted, lifted, *asked, *rated(state, making, assembled.by_source))


def _ended(
    state: State, making: Making, assembled: DatasetAssembled, reason: str
) -> Sequence[Event]:
    """Rejected; what people could settle is put to them all the same."""
    asked = _asked(making, assembled)
    told = settling(assembled.waits, queue_of(making.id)) if asked else ""
    whole = reason[: 2000 - len(told)] + told
    return (*rejected(state, making, whole, assembled.by_source), *asked)


def _asked(making: Making, assembled: DatasetAssembled) -> Sequence[Event]:
    opens = assembled.waits > 0 and not making.review
    return (queue(making, assembled),) if opens else ()


def _overall(assembled: DatasetAssembled) -> float:
    measured = assembled.quality.get(OVERALL)
    return 0.0 if measured is None else measured.value
