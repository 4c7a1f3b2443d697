"""How a data set is divided: rows over parts, and what may be spent over both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from agents.data_generator.state import Making, Part
from events.catalog.costs import Limits, Spent

N = TypeVar("N", int, float)

MOST_PARTS = 60
"""Of one round, over all its sources: all parts of a set stand in one event, which stays small."""
SMALLEST_YIELD = 0.1
"""However few rows were left, no more than ten times what is missing is asked for."""


class Share(NamedTuple):
    """What one part is to build."""

    source: str
    quantity: int
    first: int


def divided(sources: Sequence[str], quantity: int, size: int, making: Making | None) -> list[Share]:
    """So many rows from each of the sources, in parts of about this size."""
    most = max(1, MOST_PARTS // len(sources))
    size = max(size, -(-quantity // most))
    shares = []
    for source in sources:
        begin = 0 if making is None else _asked_for(making, source)
        shares += [
            Share(source, min(size, quantity - first), begin + first)
            for first in range(0, quantity, size)
        ]
    return shares


def missing(making: Making, count: int, used: Sequence[str]) -> int:
    """How many rows to ask each of these sources for, so that enough of them are left."""
    accepted = sum(part.accepted for part in making.built() if part.source in used)
    left = max(count / accepted if accepted else 0.0, SMALLEST_YIELD)
    short = making.begun.quantity - count
    return -(-short * 1000 // int(left * 1000)) + 1


def least(one: Limits, other: Limits) -> Limits:
    """What both allow."""
    return Limits(
        money=_less(one.money, other.money),
        tokens=_less(one.tokens, other.tokens),
        seconds=_less(one.seconds, other.seconds),
    )


def spent(making: Making) -> Spent:
    """What all parts have cost so far."""
    each = [part.spent for part in making.parts.values()]
    return Spent(
        calls=sum(one.calls for one in each),
        tokens=sum(one.tokens for one in each),
        money=sum(one.money for one in each),
        seconds=sum(one.seconds for one in each),
    )


def left(limits: Limits, gone: Spent) -> Limits:
    """What of it may still be spent."""
    money, tokens = limits.money, limits.tokens
    return Limits(
        money=None if money is None else max(0.0, money - gone.money),
        tokens=None if tokens is None else max(0, tokens - gone.tokens),
        seconds=limits.seconds,
    )


def is_spent(limits: Limits) -> bool:
    """Whether nothing is left of money or tokens that were given."""
    return limits.money == 0 or limits.tokens == 0


def portion(limits: Limits, quantity: int, whole: int) -> Limits:
    """What a part with so many of all rows may spend; its time is its own."""
    money, tokens = limits.money, limits.tokens
    return Limits(
        money=None if money is None else money * quantity / whole,
        tokens=None if tokens is None else tokens * quantity // whole,
        seconds=limits.seconds,
    )


def _asked_for(making: Making, source: str) -> int:
    return sum(part.quantity for part in making.parts.values() if part.source == source)


def _less(one: N | None, other: N | None) -> N | None:
    bounds = [bound for bound in (one, other) if bound is not None]
    return min(bounds) if bounds else None


def gives_more(parts: Iterable[Part], source: str) -> bool:
    """Whether a source has built something, and could build more."""
    built = [part.built for part in parts if part.source == source and part.built is not None]
    return bool(built) and all(one.more for one in built)
