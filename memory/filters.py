"""Conditions on the payload of points, in a small language of our own that every index speaks.

A field holds a text, a whole number, or a list of them; of a list one element is enough. There are
no booleans: the embedded engine takes them for numbers when it is asked.
What a condition means is said once, by `holds`; the adapters translate it and must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Scalar = str | int
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field is one of these."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """low <= field < high; an end that is None is open."""

    field: str
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, and is neither null nor an empty list."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them hold; none asks for nothing."""

    conditions: tuple[Condition, ...]


Condition = AnyOf | Between | Exists | Not | AllOf


def eq(field: str, value: Scalar) -> Condition:
    """The field is this value."""
    return AnyOf(field, (value,))


def any_of(field: str, values: Sequence[Scalar]) -> Condition:
    """The field is one of these values."""
    return AnyOf(field, tuple(values))


def between(field: str, low: int | None = None, high: int | None = None) -> Condition:
    """low <= field < high."""
    return Between(field, low, high)


def exists(field: str) -> Condition:
    """The field is there and not empty."""
    return Exists(field)


def not_(condition: Condition) -> Condition:
    """The condition does not hold."""
    return Not(condition)


def all_of(*conditions: Condition | None) -> Condition:
    """All of them hold; those that are None ask for nothing."""
    return AllOf(tuple(one for one in conditions if one is not None))


def holds(condition: Condition, payload: Payload) -> bool:
    """Whether a payload meets a condition: what the adapters are held to."""
    match condition:
        case AllOf(conditions):
            return all(holds(one, payload) for one in conditions)
        case Not(inner):
            return not holds(inner, payload)
        case Exists(field):
            return payload.get(field) not in (None, [], ())
        case AnyOf(field, values):
            return any(one == value for one in _each(payload, field) for value in values)
        case Between(field, low, high):
            return any(
                isinstance(one, int)
                and (low is None or one >= low)
                and (high is None or one < high)
                for one in _each(payload, field)
            )


def _each(payload: Payload, field: str) -> Sequence[Any]:
    found = payload.get(field)
    return found if isinstance(found, list | tuple) else (found,)
