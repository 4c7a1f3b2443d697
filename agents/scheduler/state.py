"""What the scheduler knows: the schedules, how far their slots were seen, and open deadlines."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from agents.agent import hears
from events.catalog.agents import AgentPaused, AgentResumed
from events.catalog.deadlines import DeadlineLifted, DeadlinePassed, DeadlineSet
from events.catalog.policies import PolicyAdopted, SchedulerPolicy
from events.catalog.schedules import (
    ScheduleDefined,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    SlotsDue,
)
from events.fact import Fact

HEARS = hears(
    ScheduleDefined, SchedulePaused, ScheduleResumed, ScheduleRemoved, SlotsDue,
    DeadlineSet, DeadlineLifted, DeadlinePassed, PolicyAdopted, AgentPaused, AgentResumed,
)  # fmt: skip


class Schedule(NamedTuple):
    """One schedule as it stands."""

    definition: ScheduleDefined
    defined_at: datetime
    revision: str
    """The event since which its slots are counted: its definition, or a resumption."""
    since: datetime
    """Up to here its slots were seen."""
    active: bool = True
    due: str = ""
    """The newest `SlotsDue` that told it something new."""


class Deadline(NamedTuple):
    """Something that must have happened by then."""

    due: datetime
    set_by: str
    """The event that set it."""


class State(NamedTuple):
    """All of it."""

    schedules: dict[str, Schedule]
    deadlines: dict[str, Deadline]
    policy: SchedulerPolicy
    paused: bool = False
    resumed_at: datetime | None = None
    """When a human let the scheduler go on: slots before that were missed."""


INITIAL = State({}, {}, SchedulerPolicy())


def evolve(state: State, told: Fact) -> State:
    """The state that has taken one more fact in."""
    match told.event:
        case DeadlineSet(key=key, due=due_at):
            made_one = Deadline(due_at, told.id)
            return state._replace(deadlines={**state.deadlines, key: made_one})
        case DeadlineLifted(key=key):
            return _lifted(state, key)
        case DeadlinePassed(key=key, due=due_at):
            open_one = state.deadlines.get(key)
            return _lifted(state, key) if open_one and open_one.due == due_at else state
        case ScheduleDefined(schedule=name) as definition:
            made = Schedule(definition, told.time, told.id, told.time)
            return state._replace(schedules={**state.schedules, name: made})
        case ScheduleRemoved(schedule=name):
            left = {key: one for key, one in state.schedules.items() if key != name}
            return state._replace(schedules=left)
        case SchedulePaused(schedule=name):
            return _changed(state, name, active=False)
        case ScheduleResumed(schedule=name):
            known = state.schedules.get(name)
            if known is None or known.active:
                return state
            return _changed(state, name, active=True, revision=told.id, since=told.time)
        case SlotsDue(schedule=name) as due:
            known = state.schedules.get(name)
            news = known is not None and known.active and known.revision == due.revision
            if known is None or not news or known.since != due.since:
                return state
            return _changed(state, name, since=due.at, due=told.id)
        case PolicyAdopted(policy=SchedulerPolicy() as policy):
            return state._replace(policy=policy)
        case AgentPaused(agent="scheduler"):
            return state._replace(paused=True)
        case AgentResumed(agent="scheduler"):
            return state._replace(paused=False, resumed_at=told.time)
        case _:
            return state


def _changed(state: State, name: str, **changes: object) -> State:
    known = state.schedules.get(name)
    if known is None:
        return state
    changed = known._replace(**changes)  # type: ignore[arg-type]  # the names are Schedule's own
    return state._replace(schedules={**state.schedules, name: changed})


def _lifted(state: State, key: str) -> State:
    left = {name: one for name, one in state.deadlines.items() if name != key}
    return state._replace(deadlines=left)
