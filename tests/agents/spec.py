"""Given these facts, when one more, then these decisions: how every decider is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.agent import Agent
from events.envelope import format_time
from events.fact import Fact, decided
from events.message import Event

BEGIN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@dataclass
class History:
    """An agent that has been told some facts; each comes a minute after the one before it."""

    agent: Agent[Any]
    state: Any = None
    position: int = 0
    facts: list[Fact] = field(default_factory=list)
    """All that was told and decided, in order."""

    def __post_init__(self) -> None:
        self.state = self.agent.initial

    def tell(self, event: Event, event_id: str = "") -> Sequence[Event]:
        """One more fact; its decisions are folded, as in the shell."""
        self.position += 1
        at = BEGIN + self.position * timedelta(minutes=1)
        told = Fact(
            event, event_id or f"id-{self.position}", self.position, format_time(at), "test", None
        )
        self.state = self.agent.evolve(self.state, told)
        decisions = self.agent.decide(self.state, told)
        self.state = self.agent.folded(self.state, told, decisions)
        ids = self.agent.decision_ids(told.id, len(decisions))
        answered = zip(decisions, ids, strict=True)
        self.facts += [told, *(decided(one, of, told, self.agent.actor) for one, of in answered)]
        return decisions

    def now(self) -> datetime:
        """The time of the newest fact."""
        return BEGIN + self.position * timedelta(minutes=1)


def given(agent: Agent[Any], *events: Event) -> History:
    history = History(agent)
    for event in events:
        history.tell(event)
    return history


def kinds(decisions: Sequence[Event]) -> list[str]:
    return [event.wire for event in decisions]


class Time:
    """A clock that tests push on."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
