"""The memories as people and models find them: each with its text while it is remembered.

A memory that has ended leaves a stone behind: which event kept it, which ended it, and by which
rule; its text is gone from here. What was merged is found in the memory that is left.
"""

from __future__ import annotations

from typing import Any

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
from events.envelope import format_time
from events.fact import Fact
from events.projection import Projection, State

MOST_SOURCES = 256
_KINDS = (
    MemoryProposed, PersonalMemoryProposed, LearningBroadcast, MemoryKept, MemorySuperseded,
    MemoryMerged, MemoryRefused, MemoryExpired, MemoryErased,
)  # fmt: skip


def _apply(state: State, told: Fact) -> None:
    event = told.event
    match event:
        case MemoryProposed() | PersonalMemoryProposed():
            state[told.id] = _told(event, told)
        case LearningBroadcast(learning=name):
            state[name] = _learned(event, told)
        case MemoryKept(item=name) if name in state:
            state[name].update(
                status="kept",
                kept_by=told.id,
                kept_at=told.position,
                valid_from=format_time(event.valid_from),
                valid_to=None if event.valid_to is None else format_time(event.valid_to),
            )
        case MemorySuperseded(item=name, by=by, valid_to=end) if name in state:
            state[name].update(superseded_by=by, valid_to=format_time(end))
        case MemoryMerged(item=name, into=into):
            _merge(state, name, into)
        case MemoryRefused(item=name):
            state.pop(name, None)
        case MemoryExpired(items=names, rule=rule, bound=bound):
            unit = "days" if rule == "age" else "items"
            _end(state, names, "expired", f"the role keeps {bound:g} {unit}", told)
        case MemoryErased(items=names, reason=reason):
            _end(state, names, "erased", reason, told)


def _told(event: MemoryProposed | PersonalMemoryProposed, told: Fact) -> dict[str, Any]:
    sealed = isinstance(event, PersonalMemoryProposed)
    return _row(told, told.id, event.role, event.model, event.text) | {
        "scope": event.scope,
        "session": event.session,
        "kind": event.kind,
        "about": event.about,
        "tags": list(event.tags),
        "confidence": event.confidence,
        "sources": [told.id, *event.sources],
        "sealed": sealed,
        "key_id": told.key_id,
    }


def _learned(event: LearningBroadcast, told: Fact) -> dict[str, Any]:
    return _row(told, event.learning, event.role, event.model, event.text) | {
        "scope": "shared",
        "kind": "lesson",
        "tags": list(event.tags),
        "confidence": event.confidence,
        "sources": [told.id, *event.sources],
        "reach": {one.role: one.score for one in event.recipients},
    }


def _row(told: Fact, name: str, role: str, model: str | None, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "role": role,
        "model": model,
        "session": None,
        "about": None,
        "text": text,
        "status": "told",
        "told_at": told.recorded_at,
        "position": told.position,
        "valid_from": None,
        "valid_to": None,
        "sealed": False,
        "key_id": None,
        "reach": {},
        "kept_by": None,
        "superseded_by": None,
        "ended_by": None,
        "ended_at": None,
        "because": None,
    }


def _merge(state: State, name: str, into: str) -> None:
    gone, left = state.pop(name, None), state.get(into)
    if left is None:
        return
    sources = [*left["sources"], name, *(gone["sources"] if gone else ())]
    left["sources"] = list(dict.fromkeys(sources))[:MOST_SOURCES]
    if gone:
        left["tags"] = list(dict.fromkeys([*left["tags"], *gone["tags"]]))[:16]
        left["confidence"] = max(left["confidence"], gone["confidence"])


def _end(state: State, names: tuple[str, ...], status: str, because: str, told: Fact) -> None:
    for name in names:
        row = state.get(name)
        if row is not None:
            row.update(
                status=status,
                text=None,
                ended_by=told.id,
                ended_at=told.recorded_at,
                because=because,
            )


MEMORIES = Projection("memories", "1", frozenset(kind.wire for kind in _KINDS), _apply)
