"""What the role's policy puts out of its memory: what is too old, and what is too much.

The age of a memory counts from when it was first told, however often it is told again. One deadline
a role waits for its oldest memory; one that comes too early changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal

from agents.self_learning.items import kept_items
from agents.self_learning.state import BEFORE, State
from events.catalog.deadlines import DeadlineLifted, DeadlineSet
from events.catalog.memories import MOST_IDS, MemoryErased, MemoryExpired
from events.message import Event


def carried_out(state: State, role: str, now: datetime) -> list[Event]:
    """What has to go now, and when to look again."""
    memory = state.roles[role].memory
    items = kept_items(state.items.get(role, {}))
    days, most = memory.retention_days, memory.retention_items
    answer: list[Event] = []
    if days is not None:
        until = now - timedelta(days=days)
        old = [name for name, _ in takewhile(lambda one: one[1].told_at <= until, items)]
        items = items[len(old) :]
        answer += _expired(role, old, "age", days)
    if most is not None and len(items) > most:
        surplus, items = items[: len(items) - most], items[len(items) - most :]
        answer += _expired(role, [name for name, _ in surplus], "count", most)
    oldest = items[0][1].told_at if items else None
    return [*answer, *_deadline(state, role, days, oldest)]


def _expired(
    role: str, names: Sequence[str], rule: Literal["age", "count"], bound: float
) -> list[Event]:
    return [
        MemoryExpired(role=role, items=some, rule=rule, bound=bound) for some in in_parts(names)
    ]


def _deadline(state: State, role: str, days: float | None, oldest: datetime | None) -> list[Event]:
    stands = state.due.get(role)
    if days is None or oldest is None:
        return [DeadlineLifted(key=BEFORE + role)] if stands is not None else []
    due = oldest + timedelta(days=days)
    if stands is not None and stands <= due:
        return []
    return [DeadlineSet(key=BEFORE + role, due=due)]


def erased(role: str, names: Sequence[str], reason: str) -> list[Event]:
    """These out of the memory of a role."""
    return [MemoryErased(role=role, items=some, reason=reason) for some in in_parts(names)]


def in_parts(names: Sequence[str]) -> list[tuple[str, ...]]:
    """As many at a time as an event may name."""
    return [tuple(names[at : at + MOST_IDS]) for at in range(0, len(names), MOST_IDS)]
