"""The roster: which agents work in this log, in which version, and which are paused."""

from __future__ import annotations

from agents.agent import hears
from events.catalog.agents import AgentPaused, AgentResumed, AgentStarted
from events.fact import Fact
from events.projection import Projection, State


def _apply(state: State, told: Fact) -> None:
    match told.event:
        case AgentStarted(agent=name, version=version, from_position=begin):
            row = state.setdefault(name, {"agent": name, "paused": False, "versions": []})
            row["versions"].append({"version": version, "from_position": begin})
        case AgentPaused(agent=name) | AgentResumed(agent=name) as hand:
            row = state.setdefault(name, {"agent": name, "paused": False, "versions": []})
            row["paused"] = isinstance(hand, AgentPaused)
            row["since"] = told.recorded_at


ROSTER = Projection("agents", "1", hears(AgentStarted, AgentPaused, AgentResumed), _apply)
