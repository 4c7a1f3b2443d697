"""Which of the slots that fell due fire, and what is published with them.

A slot is on time when the clock was awake as it fell due, no later slot is due yet, and it is not
older than a minute; every other one was missed, and the schedule's misfire policy says what
becomes of it. A tick and the request that it publishes are one answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.agent import Agent, with_policy
from agents.scheduler.state import HEARS, INITIAL, Schedule, State, evolve
from events.catalog.policies import SchedulerPolicy
from events.catalog.schedules import (
    PublicationRefused,
    ScheduleTicked,
    SlotsDue,
    SlotsSkipped,
)
from events.errors import UnknownHistory
from events.fact import Fact
from events.message import Event
from events.upcast import lift

VERSION = "1"
ON_TIME = timedelta(minutes=1)


def decide(state: State, told: Fact) -> Sequence[Event]:
    """What follows from a fact that `state` has already taken in."""
    match told.event:
        case SlotsDue(schedule=name) as due:
            schedule = state.schedules.get(name)
            if schedule is None or schedule.due != told.id:
                return ()
            return _fire(schedule, due, state.policy)
        case _:
            return ()


def _fire(schedule: Schedule, due: SlotsDue, policy: SchedulerPolicy) -> Sequence[Event]:
    firing = _firing(schedule.definition.misfire, due, policy)
    answer: list[Event] = []
    skipped = due.count - len(firing)
    if skipped:
        until = firing[0] if firing else due.at
        answer.append(
            SlotsSkipped(
                schedule=due.schedule,
                count=skipped,
                after=due.since,
                until=until,
                misfire=schedule.definition.misfire,
            )
        )
    for slot in firing:
        late = not _on_time(slot, due)
        answer.append(
            ScheduleTicked(schedule=due.schedule, scheduled_for=slot, fired_at=due.at, late=late)
        )
        answer += _published(schedule)
    return answer


def _firing(misfire: str, due: SlotsDue, policy: SchedulerPolicy) -> tuple[datetime, ...]:
    newest = due.slots[-1:]
    if misfire == "all":
        return due.slots[-policy.max_catch_up :]
    if misfire == "latest":
        return newest
    return tuple(slot for slot in newest if _on_time(slot, due))


def _on_time(slot: datetime, due: SlotsDue) -> bool:
    newest = slot == due.slots[-1]
    return newest and slot >= due.awake_since and due.at - slot <= ON_TIME


def _published(schedule: Schedule) -> list[Event]:
    publish = schedule.definition.publish
    if publish is None:
        return []
    try:
        return [lift(publish.type, publish.schema_version, json.dumps(publish.data))]
    except UnknownHistory as error:
        name = schedule.definition.schedule
        return [PublicationRefused(schedule=name, reason=str(error)[:2000])]


SCHEDULER: Agent[State] = Agent(
    name="scheduler",
    version=VERSION,
    initial=INITIAL,
    hears=HEARS,
    evolve=evolve,
    decide=decide,
    under=with_policy,
)
