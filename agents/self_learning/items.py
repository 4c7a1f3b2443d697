"""Memories as decisions need them: where each belongs, when it holds, what tells it from others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from agents.self_learning.likeness import Print, imprint
from events.catalog.learnings import LearningBroadcast
from events.catalog.memories import (
    MemoryErased,
    MemoryExpired,
    MemoryKept,
    MemoryMerged,
    MemoryProposed,
    MemoryRefused,
    MemorySuperseded,
    PersonalMemoryProposed,
)
from events.fact import Fact

Proposal = MemoryProposed | PersonalMemoryProposed
MOST_SOURCES = 256
"""Sources that a memory is known by, however often it was told."""


class Item(NamedTuple):
    """A memory that is told, and kept once `valid_from` is set."""

    scope: str
    place: str
    """The model or the session, or nothing."""
    kind: str
    about: str
    key: str
    """Whose key it is sealed with, or nothing."""
    print: Print
    sources: tuple[str, ...]
    told_at: datetime
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def holds_beside(self, other: Item) -> bool:
        """Whether both belong to the same memory of the same subject."""
        return (self.scope, self.place, self.key) == (other.scope, other.place, other.key)

    def lasts_beyond(self, moment: datetime) -> bool:
        return self.valid_to is None or self.valid_to > moment


Items = dict[str, Item]


def kept_items(items: Items) -> list[tuple[str, Item]]:
    """Those that are kept, in the order in which they were told."""
    return [(name, item) for name, item in items.items() if item.valid_from is not None]


def item_of(event: Proposal, told: Fact) -> Item:
    """What a proposal would become."""
    personal = isinstance(event, PersonalMemoryProposed)
    place = {"model": event.model, "session": event.session}.get(event.scope) or ""
    return Item(
        event.scope,
        place,
        event.kind,
        event.about or "",
        (told.key_id or "?") if personal else "",
        Print("") if personal else imprint(event.text),
        (told.id, *event.sources),
        told.time,
    )


def item_of_learning(event: LearningBroadcast, told: Fact) -> Item:
    sources = (event.learning, *event.sources)
    return Item("shared", "", "lesson", "", "", imprint(event.text), sources, told.time)


def taken(items: Items, told: Fact) -> Items:
    """The memories of a role after a decision on them."""
    match told.event:
        case MemoryKept(item=name, valid_from=begin, valid_to=end) if name in items:
            return {**items, name: items[name]._replace(valid_from=begin, valid_to=end)}
        case MemorySuperseded(item=name, valid_to=end) if name in items:
            return {**items, name: items[name]._replace(valid_to=end)}
        case MemoryMerged(item=name) | MemoryRefused(item=name):
            return without(items, (name,))
        case MemoryExpired(items=names) | MemoryErased(items=names):
            return without(items, names)
        case _:
            return items


def merged(items: Items, into: str, sources: Iterable[str]) -> Items:
    """The memory that is left has the sources of both."""
    left = items.get(into)
    if left is None:
        return items
    both = tuple(dict.fromkeys((*left.sources, *sources)))[:MOST_SOURCES]
    return {**items, into: left._replace(sources=both)}


def without(items: Items, names: Iterable[str]) -> Items:
    gone = set(names)
    return {name: item for name, item in items.items() if name not in gone}
