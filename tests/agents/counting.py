"""A small agent for tests: it answers every ping with a pong that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from agents.agent import Agent, hears
from events.fact import Fact
from events.message import Event


class TestPinged(Event, wire="TestPinged", by="anyone", stream="ping/{who}"):
    """Somebody knocked."""

    __test__: ClassVar[bool] = False
    who: str
    example: ClassVar[dict[str, Any]] = {"who": "me"}


class TestPonged(Event, wire="TestPonged", stream="ping/{who}"):
    """The counter answered."""

    __test__: ClassVar[bool] = False
    who: str
    count: int
    example: ClassVar[dict[str, Any]] = {"who": "me", "count": 1}


@dataclass(frozen=True)
class Count:
    """How many pings were heard, and how many pongs were said."""

    pings: int = 0
    pongs: int = 0


def evolve(state: Count, told: Fact) -> Count:
    match told.event:
        case TestPinged():
            return Count(state.pings + 1, state.pongs)
        case TestPonged():
            return Count(state.pings, state.pongs + 1)
        case _:
            return state


def counter(version: str = "1", step: int = 1) -> Agent[Count]:
    """The agent; another `step` makes it decide otherwise."""

    def decide(state: Count, told: Fact) -> Sequence[Event]:
        if isinstance(told.event, TestPinged):
            return [TestPonged(who=told.event.who, count=state.pings * step + state.pongs)]
        return ()

    return Agent("counter", version, Count(), hears(TestPinged, TestPonged), evolve, decide)
