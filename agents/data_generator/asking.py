"""What the data generator asks for: parts of a set, their assembling, and people's word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agents.data_generator.parts import Share, divided, left, portion, spent
from agents.data_generator.state import PEOPLE, Making, Part, State, queue_of
from events.catalog.data import DataBegun
from events.catalog.deadlines import DeadlineSet
from events.catalog.parts import AssemblyRequested, DatasetAssembled, PartRequested
from events.catalog.reviews import ReviewOpened
from events.fact import Fact
from events.message import Event

MOST_ITEMS = 100_000
"""Pairs of a queue."""


def round_of(
    state: State, making: Making, sources: Sequence[str], quantity: int, told: Fact
) -> Sequence[Event]:
    """A round of parts, and how long they are waited for."""
    shares = divided(sources, quantity, state.policy.part_rows, making)
    return _parts(state, making, shares, told)


def collected(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """What people have said so far, as a part of the set."""
    return _parts(state, making, [Share(PEOPLE, making.items, 0)], told)


def once_more(state: State, making: Making, number: int) -> PartRequested:
    """A part that has failed."""
    return _part(making.begun, number, making.parts[number], state.policy.answers)


def assembly(state: State, making: Making, told: Fact) -> Sequence[Event]:
    """The parts that are built are to be put together."""
    begun, policy = making.begun, state.policy
    ask = min(2 * begun.quantity, MOST_ITEMS) if begun.scorer == PEOPLE else policy.ask_people
    pairs = {
        "least_gap": policy.least_gap, "least_clean": policy.least_clean, "ask": ask,
    } if begun.kind == "pairs" else {}  # fmt: skip
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
    return (request.model_copy(update=pairs), deadline(begun, state.policy.hours, told))


def queue(making: Making, assembled: DatasetAssembled) -> ReviewOpened:
    """The pairs that only people can settle, put to them."""
    assert assembled.waiting is not None
    return ReviewOpened(
        review=queue_of(making.id),
        role=making.begun.role,
        items=assembled.waiting,
        count=assembled.waits,
    )


def deadline(begun: DataBegun, hours: float, told: Fact) -> DeadlineSet:
    """How long whatever was asked for is waited for."""
    return DeadlineSet(key=f"dataset/{begun.dataset}", due=told.time + timedelta(hours=hours))


def _parts(state: State, making: Making, shares: Sequence[Share], told: Fact) -> Sequence[Event]:
    limits = left(making.begun.limits, spent(making))
    whole = sum(share.quantity for share in shares)
    number = max(making.parts, default=0)
    asked = [
        _part(
            making.begun,
            number + place,
            Part(*share, portion(limits, share.quantity, whole)),
            state.policy.answers,
        )
        for place, share in enumerate(shares, 1)
    ]
    return (*asked, deadline(making.begun, state.policy.hours, told))


def _part(begun: DataBegun, number: int, part: Part, answers: int) -> PartRequested:
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
        scorer=begun.scorer,
        answers=answers,
    )
