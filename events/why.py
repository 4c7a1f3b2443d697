"""Why something happened: the causes of an event back to its beginning, and what followed."""

from __future__ import annotations

from typing import NamedTuple

from events.envelope import Envelope
from events.errors import NotFound
from events.ids import is_id
from events.store import EventStore

MOST = 10_000
"""Effects that are told at most; a chain of more is cut there, in order of position."""


class Why(NamedTuple):
    """One event between its causes (oldest first) and its effects (in order)."""

    event: Envelope
    causes: list[Envelope]
    effects: list[Envelope]
    beside: list[Envelope]
    """What else was decided in the answers that led to it: the gates that it passed, say."""


async def event_at(store: EventStore, name: str) -> Envelope:
    """The event with this id, or at this position."""
    found: Envelope | None = None
    if name.isdecimal() and len(name) < 19:
        at = await store.read(int(name) - 1, int(name), 1) if int(name) > 0 else []
        found = at[0] if at else None
    elif is_id(name.lower()):
        found = (await store.find([name.lower()])).get(name.lower())
    if found is None:
        head = await store.head()
        raise NotFound(
            f"there is no event {name[:60]!r}",
            where="EVENT",
            right=f"an event id, or a position from 1 to {head.position}"
            if head.position
            else "the log is still empty",
        )
    return found


async def why(store: EventStore, event: Envelope) -> Why:
    causes: list[Envelope] = []
    earlier = event
    while earlier.cause_id is not None:
        found = (await store.find([earlier.cause_id])).get(earlier.cause_id)
        if found is None or found.position >= earlier.position:
            break
        causes.append(found)
        earlier = found
    chain = {one.event_id for one in (*causes, event)}
    beside = [
        one
        for one in await store.effects([cause.event_id for cause in causes])
        if one.event_id not in chain and one.position <= event.position
    ]
    effects: list[Envelope] = []
    generation = [event]
    while generation and len(effects) < MOST:
        generation = await store.effects([one.event_id for one in generation])
        effects += generation
    effects.sort(key=lambda one: one.position)
    return Why(event, causes[::-1], effects[:MOST], beside)
