"""What a fold or a decider is told: an event, and the little of its envelope that may matter."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from events.envelope import Envelope, parse_time
from events.message import Event


class Fact(NamedTuple):
    """An event with where and when it entered history.

    An agent that folds its own decision is told the position and the time of the decision's
    cause: so it can be told before the decision is written, and again in any replay.
    """

    event: Event
    id: str
    position: int
    recorded_at: str
    actor: str
    cause_id: str | None
    key_id: str | None = None
    """Whose key its personal texts are sealed with, where it has any; of whom, nobody can tell."""

    @property
    def time(self) -> datetime:
        return parse_time(self.recorded_at)


def fact(envelope: Envelope) -> Fact:
    return Fact(
        envelope.event(),
        envelope.event_id,
        envelope.position,
        envelope.recorded_at,
        envelope.actor,
        envelope.cause_id,
        envelope.key_id,
    )


def decided(event: Event, event_id: str, cause: Fact, actor: str) -> Fact:
    """A decision, as its own agent folds it behind `cause`."""
    return Fact(event, event_id, cause.position, cause.recorded_at, actor, cause.id)
