"""The schedules as people see them: what each is, and how often it ticked or was missed."""

from __future__ import annotations

from agents.agent import hears
from events.catalog.schedules import (
    ScheduleDefined,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleTicked,
    SlotsSkipped,
)
from events.fact import Fact
from events.projection import Projection, State


def _apply(state: State, told: Fact) -> None:
    event = told.event
    if isinstance(event, ScheduleDefined):
        state[event.schedule] = {
            **event.model_dump(mode="json"),
            "status": "active",
            "defined_at": told.recorded_at,
            "ticks": 0,
            "skipped": 0,
            "last": None,
        }
        return
    row = state.get(getattr(event, "schedule", ""))
    if row is None:
        return
    match event:
        case ScheduleRemoved():
            del state[event.schedule]
        case SchedulePaused():
            row["status"] = "paused"
        case ScheduleResumed():
            row["status"] = "active"
        case ScheduleTicked(scheduled_for=slot):
            row["ticks"] += 1
            row["last"] = slot.isoformat()
        case SlotsSkipped(count=count):
            row["skipped"] += count


SCHEDULES = Projection(
    "schedules",
    "1",
    hears(
        ScheduleDefined, SchedulePaused, ScheduleResumed, ScheduleRemoved, ScheduleTicked,
        SlotsSkipped,
    ),
    _apply,
)  # fmt: skip
