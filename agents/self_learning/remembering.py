"""What becomes of a memory that is told: kept, merged, refused, and what it closes.

A later word about the same subject closes an earlier one at the moment since which it is so; a word
about an earlier time holds until the next known one begins. Episodes close nothing: what happened
twice happened twice. What held before a bounded fact is not taken to hold again behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.self_learning.items import Item, Items, Proposal, kept_items
from agents.self_learning.likeness import same
from agents.self_learning.retention import carried_out, erased
from agents.self_learning.state import State, following
from events.catalog.memories import (
    EraseRequested,
    MemoryKept,
    MemoryMerged,
    MemoryRefused,
    MemorySuperseded,
    MergeRequested,
    PersonalMemoryProposed,
)
from events.fact import Fact
from events.message import Event
from events.suggest import near


def proposed(state: State, event: Proposal, told: Fact) -> Sequence[Event]:
    """The answer to a memory that is told."""
    role = event.role
    begin = event.valid_from or told.time
    reason = not_at_work(state, role) or no_room(state, role)
    if not reason and event.valid_to is not None and event.valid_to <= begin:
        reason = "what is so ended before it began: name valid_from as well"
    if reason:
        return (MemoryRefused(role=role, item=told.id, reason=reason),)
    items = state.items[role]
    item = items[told.id]
    twin = _twin(items, item, begin, event.valid_to)
    if twin:
        return (MemoryMerged(role=role, item=told.id, into=twin, of=role),)
    line = _line(items, item)
    later = [one.valid_from for _, one in line if one.valid_from and one.valid_from > begin]
    ends = [end for end in (event.valid_to, *later) if end is not None]
    answer: list[Event] = [
        MemoryKept(
            role=role,
            item=told.id,
            scope=event.scope,
            model=event.model,
            session=event.session,
            kind=event.kind,
            about=event.about,
            valid_from=begin,
            valid_to=min(ends, default=None),
            sealed=isinstance(event, PersonalMemoryProposed),
        )
    ]
    answer += [
        MemorySuperseded(role=role, item=name, by=told.id, valid_to=begin)
        for name, one in line
        if one.valid_from and one.valid_from <= begin and one.lasts_beyond(begin)
    ]
    return (*answer, *carried_out(following(state, told, answer), role, told.time))


def not_at_work(state: State, role: str) -> str:
    """Why nothing can be told to this role, or nothing."""
    known = state.roles.get(role)
    if known is None:
        hint = near(role, state.working())
        return f"no role is named {role!r}" + (f", did you mean {hint!r}?" if hint else "")
    return f"role {role!r} was retired" if known.retired else ""


def no_room(state: State, role: str) -> str:
    """Why a role that is at work keeps no more, or nothing."""
    most = state.roles[role].memory.retention_items
    if most == 0:
        return f"role {role!r} keeps no memories: its retention_items is 0"
    bound = state.policy.memories_per_role
    if most is not None and most <= bound:
        return ""
    items = state.items.get(role, {})
    if len(items) < bound or (many := len(kept_items(items))) < bound:
        return ""
    return (
        f"the memory of role {role!r} is full with {many:,}: give the role retention_items, or "
        "the policy of self_learning more memories_per_role"
    )


def _twin(items: Items, item: Item, begin: datetime, end: datetime | None) -> str:
    """The memory that says the same already, and of the same time."""
    if item.key:
        return ""
    for name, other in kept_items(items):
        if (
            other.kind == item.kind
            and other.about == item.about
            and other.holds_beside(item)
            and _meets(other, item.kind, begin, end)
            and same(other.print, item.print, slips=not item.about)
        ):
            return name
    return ""


def _meets(other: Item, kind: str, begin: datetime, end: datetime | None) -> bool:
    if other.valid_from is None or (end is not None and end != other.valid_to):
        return False
    if kind == "episode":
        return other.valid_from == begin
    return other.valid_from <= begin and other.lasts_beyond(begin)


def _line(items: Items, item: Item) -> list[tuple[str, Item]]:
    """All that is known about the same subject, one after the other in time."""
    if not item.about or item.kind == "episode":
        return []
    return [
        (name, other)
        for name, other in kept_items(items)
        if other.about == item.about and other.kind != "episode" and other.holds_beside(item)
    ]


def merge_asked(state: State, event: MergeRequested, told: Fact) -> Sequence[Event]:
    """Two memories are one, if they can be."""
    items = dict(kept_items(state.items.get(event.role, {})))
    one, other = items.get(event.item), items.get(event.into)
    if one is None or other is None:
        lost = event.item if one is None else event.into
        reason = f"role {event.role!r} remembers no {lost!r}"
    elif event.item == event.into:
        reason = "it is the same memory twice"
    elif one.kind != other.kind or not one.holds_beside(other):
        reason = "they belong to different places, persons or kinds"
    else:
        return (MemoryMerged(role=event.role, item=event.item, into=event.into, of=event.role),)
    return (MemoryRefused(role=event.role, item=told.id, reason=reason),)


def erase_asked(state: State, event: EraseRequested, told: Fact) -> Sequence[Event]:
    """What was named is put out of the memory; what was learned from an event, wherever it is."""
    roles = state.items if event.source is not None else {event.role: None}
    answer: list[Event] = []
    for role in roles:
        names = [
            name
            for name, item in kept_items(state.items.get(role, {}))
            if name == event.item
            or (item.scope == "session" and item.place == event.session)
            or event.source in item.sources
        ]
        answer += erased(role, names, event.reason)
    if answer:
        return answer
    reason = f"nothing of it is in the memory of role {event.role!r}"
    return (MemoryRefused(role=event.role, item=told.id, reason=reason),)


def forgotten(state: State, key_id: str | None) -> Sequence[Event]:
    """All that was known of a person is put out, everywhere."""
    if not key_id:
        return ()
    answer: list[Event] = []
    for role, items in state.items.items():
        names = [name for name, item in kept_items(items) if item.key == key_id]
        answer += erased(role, names, "the person was forgotten")
    return answer
