"""What the log says is known, as changes of an index: a pure fold over a stretch of events.

The changes of a stretch say how things stand at its end, so that doing them twice, after a crash,
comes to the same. Times are milliseconds, intervals half open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from events.catalog.knowledge import (
    KnowledgeAdded,
    KnowledgeSuperseded,
    KnowledgeWithdrawn,
    PersonalKnowledgeAdded,
)
from events.catalog.people import SubjectForgotten
from events.envelope import Envelope
from events.ids import derived_id, is_id
from events.personal import is_sealed

HEARS = frozenset(
    one.wire
    for one in (
        KnowledgeAdded,
        PersonalKnowledgeAdded,
        KnowledgeSuperseded,
        KnowledgeWithdrawn,
        SubjectForgotten,
    )
)
FIELDS = ("kind", "role", "tags", "content", "owner", "bounded")
"""Of the payload, those that are often asked for."""
YES = "yes"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Known(NamedTuple):
    """One item, as the index is to have it."""

    text: str
    owner: str | None
    """The key id of the person it is about; such a text stands in no payload."""
    payload: dict[str, Any]


@dataclass
class Changes:
    """What a stretch of the log changes."""

    known: dict[str, Known] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Fields to be set on items that stood before."""
    gone: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    """Key ids of people, all of whose items go."""
    contents: dict[str, str] = field(default_factory=dict)
    """The item that says a thing, by what is said; also those that were withdrawn since: whatever
    said the same before has lost its place to them."""


def folded(envelopes: Iterable[Envelope]) -> Changes:
    """The changes of these events, in order; personal texts revealed where they can be."""
    changes = Changes()
    for envelope in envelopes:
        match envelope.event():
            case KnowledgeAdded() as said:
                payload = {"text": said.text, "source": said.source}
                _add(changes, envelope, said, said.text, None, payload)
            case PersonalKnowledgeAdded() as said:
                if not is_sealed(said.text):
                    _add(changes, envelope, said, said.text, envelope.key_id, {})
            case KnowledgeSuperseded() as said:
                ended = {"bounded": YES, "ended": millis(envelope.time())}
                if said.by is not None:
                    ended["superseded_by"] = said.by
                _end(changes, said.item, ended)
            case KnowledgeWithdrawn() as said:
                changes.known.pop(said.item, None)
                changes.ended.pop(said.item, None)
                changes.gone.add(said.item)
            case SubjectForgotten():
                _forget(changes, envelope.key_id or "")
    return changes


def point_of(event_id: str) -> str:
    """The id of an item: that of its event, or what an index can take in its place."""
    return event_id if is_id(event_id) else derived_id("knowledge", event_id)


def content_of(text: str, owner: str | None, role: str | None, kind: str) -> str:
    """The same for all who say the same."""
    told = "\x1f".join((owner or "", role or "", kind, " ".join(text.split())))
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def millis(moment: datetime) -> int:
    """A time as an index holds it."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)  # exact: a float would end year 9999


def time_of(moment: int) -> datetime:
    """The time that an index holds so."""
    return _EPOCH + timedelta(milliseconds=moment)


def _add(
    changes: Changes,
    envelope: Envelope,
    said: KnowledgeAdded | PersonalKnowledgeAdded,
    text: str,
    owner: str | None,
    more: dict[str, Any],
) -> None:
    item = point_of(envelope.event_id)
    content = content_of(text, owner, said.role, said.kind)
    former = changes.contents.get(content)
    if former in changes.known:
        del changes.known[former]
        changes.gone.add(former)
    changes.contents[content] = item
    payload = {
        **more,
        "kind": said.kind,
        "tags": list(said.tags),
        "content": content,
        "source_event": envelope.event_id,
        "said_at": envelope.recorded_at,
    }
    payload |= {} if said.role is None else {"role": said.role}
    payload |= {} if owner is None else {"owner": owner}
    for name, moment in (("valid_from", said.valid_from), ("valid_to", said.valid_to)):
        if moment is not None:
            payload |= {name: millis(moment), "bounded": YES}
    changes.known[item] = Known(text, owner, payload)
    changes.gone.discard(item)
    changes.ended.pop(item, None)


def _end(changes: Changes, item: str, ended: dict[str, Any]) -> None:
    known = changes.known.get(item)
    if known is not None:
        changes.known[item] = known._replace(payload={**known.payload, **ended})
    elif item not in changes.gone:
        changes.ended[item] = ended


def _forget(changes: Changes, owner: str) -> None:
    changes.forgotten.add(owner)
    for item in [one for one, known in changes.known.items() if known.owner == owner]:
        del changes.known[item]
        changes.gone.add(item)
