"""What goes into the log (a draft) and what comes out of it (an envelope)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from unicodedata import normalize

from events.errors import Malformed
from events.ids import new_id
from events.message import Event
from events.personal import PREFIX, is_sealed
from events.upcast import lift


class Sealing(NamedTuple):
    """What the store needs to seal a draft that speaks of a person."""

    subject: str
    """Whose key it is sealed under. However the letters of a name are composed, it is one name."""
    fields: tuple[str, ...]
    forgets: bool
    """With it the key is deleted."""


class Draft(NamedTuple):
    """An event about to be said, serialised once, by whoever says it."""

    event_id: str
    type: str
    schema: int
    stream: str
    data: str
    known_id: bool
    """The caller chose the id, so it may already stand in the log."""
    opens: bool
    """A request that waits for a worker."""
    closes: str
    """The id of a request that nobody needs to answer any more, or ''."""
    outcome: bool
    """Worker's work: it is admitted under a lease only."""
    sealing: Sealing | None = None
    """Where `data` holds personal texts: nothing of them leaves the store's memory unsealed."""


def draft(event: Event, event_id: str | None = None) -> Draft:
    """`event`, ready to be appended."""
    if event_id is not None and not (event_id and event_id.isprintable()):
        raise Malformed(f"{event_id!r} is no id for an event", where="id")
    stream = event.stream()
    if not stream.isprintable():
        raise Malformed(f"{stream!r} is no name for a stream", where=event.wire)
    return Draft(
        event_id or new_id(),
        event.wire,
        event.schema_version,
        stream,
        event.written(),
        event_id is not None,
        event.opens,
        getattr(event, event.withdraws) if event.withdraws else "",
        event.outcome,
        _sealing(event) if event.personal else None,
    )


def _sealing(event: Event) -> Sealing:
    for name in event.personal:
        if is_sealed(getattr(event, name)):
            raise Malformed(
                f"{name!r} is a sealed text already",
                where=name,
                right=f"plain text; what begins with {PREFIX!r} can be told by nobody but the log",
            )
    subject = normalize("NFC", getattr(event, event.sealed_for))
    return Sealing(subject, event.personal, event.forgets)


class Envelope(NamedTuple):
    """An event with all that the log knows about it. The fields are the columns of the table."""

    position: int
    event_id: str
    type: str
    schema: int
    stream: str
    version: int
    recorded_at: str
    actor: str
    correlation_id: str
    cause_id: str | None
    data: str
    key_id: str | None
    previous_hash: str
    hash: str

    def event(self) -> Event:
        """The event itself, in today's shape."""
        return lift(self.type, self.schema, self.data)

    def time(self) -> datetime:
        return parse_time(self.recorded_at)

    @classmethod
    def from_json(cls, shown: dict[str, Any]) -> Envelope:
        """From what is shown to programs: without the chain, which only who has the log can see."""
        given = {name: shown[name] for name in cls._fields if name in shown}
        data = json.dumps(shown["data"], ensure_ascii=False, separators=(",", ":"))
        return cls(**{"key_id": None, "previous_hash": "", **given, "data": data})

    def to_json(self) -> dict[str, Any]:
        """As it is shown to people and programs."""
        return {
            "position": self.position,
            "event_id": self.event_id,
            "type": self.type,
            "schema": self.schema,
            "stream": self.stream,
            "version": self.version,
            "recorded_at": self.recorded_at,
            "actor": self.actor,
            "correlation_id": self.correlation_id,
            "cause_id": self.cause_id,
            "data": json.loads(self.data),
            "hash": self.hash,
        }


COLUMNS = Envelope._fields


def format_time(moment: datetime) -> str:
    """UTC with microseconds, of constant width, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
