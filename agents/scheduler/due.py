"""What the clock is to say next: pure, told what time it is.

The clock keeps a state of its own by folding the log, asks `due` what has fallen due, appends the
answer, and sleeps until `wakes`. Ids are derived from what was seen before, so any number of
clocks say each thing once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from agents.scheduler.slots import following, slots
from agents.scheduler.state import Schedule, State
from events.catalog.deadlines import DeadlinePassed
from events.catalog.schedules import SlotsDue
from events.ids import derived_id
from events.message import Event


class Said(NamedTuple):
    """An event of the clock's, and the id that no other clock can give to another event."""

    event: Event
    event_id: str


def due(state: State, now: datetime, awake_since: datetime) -> Iterator[Said]:
    """All that has fallen due by now."""
    if not state.paused:
        awake = max(awake_since, state.resumed_at or awake_since)
        for name, schedule in state.schedules.items():
            if schedule.active and (found := _slots(name, schedule, state, now, awake)):
                yield found
    for key, deadline in state.deadlines.items():
        if deadline.due <= now:
            event = DeadlinePassed(key=key, due=deadline.due)
            yield Said(event, derived_id("deadline", deadline.set_by))


def _slots(
    name: str, schedule: Schedule, state: State, now: datetime, awake: datetime
) -> Said | None:
    timing = schedule.definition.timing(schedule.defined_at)
    found = slots(timing, schedule.since, now, state.policy.max_catch_up)
    if not found.count:
        return None
    event = SlotsDue(
        schedule=name,
        revision=schedule.revision,
        since=schedule.since,
        slots=found.slots,
        count=found.count,
        at=now,
        awake_since=awake,
    )
    return Said(event, derived_id("slots", schedule.revision, schedule.since.isoformat()))


def wakes(state: State) -> datetime | None:
    """When something falls due next; None while nothing ever will."""
    moments = [deadline.due for deadline in state.deadlines.values()]
    if not state.paused:
        moments += [
            following(one.definition.timing(one.defined_at), one.since)
            for one in state.schedules.values()
            if one.active
        ]
    return min(moments, default=None)
