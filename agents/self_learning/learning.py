"""Learnings: to whom each is passed on, and that none goes round in circles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agents.self_learning.items import kept_items
from agents.self_learning.likeness import Print, imprint, same
from agents.self_learning.relevance import relevances
from agents.self_learning.remembering import no_room, not_at_work
from agents.self_learning.retention import carried_out
from agents.self_learning.state import State, following
from events.catalog.learnings import LearningBroadcast, LearningOffered, LearningRefused
from events.catalog.memories import MemoryKept, MemoryMerged, MemoryRefused
from events.fact import Fact
from events.message import Event

NEAR_MISSES = 5


class Learning(NamedTuple):
    """What a member has learned."""

    name: str
    role: str
    model: str | None
    text: str
    tags: tuple[str, ...]
    confidence: float
    sources: tuple[str, ...]


def offered(state: State, event: LearningOffered, told: Fact) -> Sequence[Event]:
    """The answer to a learning that a model offers."""
    reason, least = not_at_work(state, event.role), state.policy.confidence
    if not reason and event.confidence < least:
        reason = f"a confidence of {event.confidence:g} is below {least:g}"
    if reason:
        return (LearningRefused(role=event.role, reason=reason),)
    one = Learning(
        told.id, event.role, event.model, event.text, event.tags, event.confidence, event.sources
    )
    return passed_on(state, one, told)


def passed_on(state: State, one: Learning, told: Fact) -> Sequence[Event]:
    """To whom it goes; what the fleet shares already is not said twice."""
    known = _known(state, imprint(one.text))
    if known:
        owner, twin = known
        return (MemoryMerged(role=one.role, item=one.name, into=twin, of=owner),)
    scored = relevances(one.text, one.tags, one.role, state.interests())
    policy = state.policy
    relevant = [found for found in scored if found.score >= policy.relevance]
    told_to = LearningBroadcast(
        learning=one.name,
        role=one.role,
        model=one.model,
        text=one.text,
        tags=one.tags,
        confidence=one.confidence,
        sources=one.sources,
        recipients=tuple(relevant[: policy.recipients]),
        missed=tuple(scored[len(relevant) : len(relevant) + NEAR_MISSES]),
        considered=len(scored),
        threshold=policy.relevance,
        left_out=max(0, len(relevant) - policy.recipients),
    )
    reason = no_room(state, one.role)
    if reason:
        return (told_to, MemoryRefused(role=one.role, item=one.name, reason=reason))
    kept = MemoryKept(
        role=one.role,
        item=one.name,
        scope="shared",
        model=one.model,
        kind="lesson",
        valid_from=told.time,
    )
    behind = following(state, told, (told_to, kept))
    return (told_to, kept, *carried_out(behind, one.role, told.time))


def _known(state: State, text: Print) -> tuple[str, str] | None:
    """Whose shared memory says this already, and which it is."""
    for role, items in state.items.items():
        for name, item in kept_items(items):
            if item.scope == "shared" and same(item.print, text):
                return role, name
    return None
