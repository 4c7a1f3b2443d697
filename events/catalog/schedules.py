"""Schedules: what is to happen again and again, the slots at which it did, and those missed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, ValidationError, model_validator

from events.message import Event, Moment, Name, Value, event_class, event_classes
from events.suggest import malformed, near
from events.timing import Timing, timing

Misfire = Literal["skip", "latest", "all"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_NIGHTLY = {"schedule": "nightly"}


class Publication(Value):
    """An event that is published with each tick."""

    type: Name
    data: dict[str, JsonValue]
    schema_version: int = Field(default=0, ge=0)
    """Of `data`; left out, it is the version of the day on which the schedule was written."""

    @model_validator(mode="before")
    @classmethod
    def _dated(cls, given: Any) -> Any:
        kind = event_class(str(given.get("type"))) if isinstance(given, dict) else None
        if kind is None or given.get("schema_version"):
            return given
        return {**given, "schema_version": kind.schema_version}

    @model_validator(mode="after")
    def _may_be_said(self) -> Self:
        kind = event_class(self.type)
        if kind is None:
            hint = near(self.type, event_classes())
            meant = f", did you mean {hint!r}?" if hint else ""
            raise ValueError(f"no event is named {self.type!r}{meant}")
        if kind.publisher != "anyone":
            sayer = {"agent": "an agent", "worker": "a worker"}.get(kind.publisher, "an operator")
            raise ValueError(f"{self.type!r} is said by {sayer} only, not by a schedule")
        if kind.personal:  # the schedule itself would keep the person's words in the open
            raise ValueError(f"{self.type!r} speaks of a person, which no schedule does")
        if self.schema_version == kind.schema_version:
            try:
                kind.model_validate_json(json.dumps(self.data))
            except ValidationError as error:
                raise ValueError(str(malformed(kind, error))) from None
        return self


class ScheduleDefined(Event, wire="ScheduleDefined", by="anyone", stream="schedule/{schedule}"):
    """Something is to happen again and again; a schedule of this name begins, or begins anew."""

    schedule: Name
    every: Text | None = None
    """A period such as 90s, 5m or 1h30m. Slots lie at whole periods after the definition."""
    cron: Text | None = None
    """Five fields: minute hour day-of-month month day-of-week."""
    zone: Text = "UTC"
    """The time zone in which `cron` is meant."""
    misfire: Misfire = "latest"
    """What becomes of slots during which nobody was awake: none, the newest, or all fire."""
    publish: Publication | None = None

    example: ClassVar[dict[str, Any]] = {
        **_NIGHTLY,
        "cron": "0 3 * * *",
        "zone": "Europe/Berlin",
        "publish": {
            "type": "TrainingRequested",
            "data": {"role": "support", "pipeline": "srl_rlvr", "base": "tiny"},
        },
    }

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        timing(self.every, self.cron, self.zone)
        return self

    def timing(self, defined_at: datetime) -> Timing:
        """When it falls due."""
        return timing(self.every, self.cron, self.zone, defined_at)


class SchedulePaused(Event, wire="SchedulePaused", by="anyone", stream="schedule/{schedule}"):
    """A human stopped a schedule; slots that fall due meanwhile do not count as missed."""

    schedule: Name

    example: ClassVar[dict[str, Any]] = _NIGHTLY


class ScheduleResumed(Event, wire="ScheduleResumed", by="anyone", stream="schedule/{schedule}"):
    """A human let a schedule go on, from now."""

    schedule: Name

    example: ClassVar[dict[str, Any]] = _NIGHTLY


class ScheduleRemoved(Event, wire="ScheduleRemoved", by="anyone", stream="schedule/{schedule}"):
    """A human ended a schedule."""

    schedule: Name

    example: ClassVar[dict[str, Any]] = _NIGHTLY


class SlotsDue(Event, wire="SlotsDue", stream="schedule/{schedule}"):
    """The clock looked, and slots had fallen due. No replay reads a clock or a zone again."""

    schedule: Name
    revision: str
    """The event that defined or resumed the schedule."""
    since: Moment
    """Up to here the schedule's slots were seen before."""
    slots: tuple[Moment, ...] = Field(max_length=10_000)
    """The newest of the slots in (since, at], in order."""
    count: int = Field(ge=1)
    """How many there were altogether."""
    at: Moment
    awake_since: Moment
    """When the clock that looked began to look."""

    example: ClassVar[dict[str, Any]] = {
        **_NIGHTLY,
        "revision": "01990000-0000-7000-8000-000000000000",
        "since": "2026-11-20T12:00:00Z",
        "slots": ["2026-11-21T02:00:00Z"],
        "count": 1,
        "at": "2026-11-21T02:00:00.01Z",
        "awake_since": "2026-11-20T12:00:00Z",
    }


class ScheduleTicked(Event, wire="ScheduleTicked", stream="schedule/{schedule}"):
    """A slot fired. Of each slot there is one such event at most."""

    schedule: Name
    scheduled_for: Moment
    fired_at: Moment
    late: bool
    """It was made up for under the misfire policy."""

    example: ClassVar[dict[str, Any]] = {
        **_NIGHTLY,
        "scheduled_for": "2026-11-21T02:00:00Z",
        "fired_at": "2026-11-21T02:00:00.01Z",
        "late": False,
    }


class SlotsSkipped(Event, wire="SlotsSkipped", stream="schedule/{schedule}"):
    """Slots were missed, and by the misfire policy they stay so."""

    schedule: Name
    count: int = Field(ge=1)
    after: Moment
    until: Moment
    misfire: Misfire

    example: ClassVar[dict[str, Any]] = {
        **_NIGHTLY,
        "count": 3,
        "after": "2026-11-20T12:00:00Z",
        "until": "2026-11-21T02:00:00Z",
        "misfire": "latest",
    }


class PublicationRefused(
    Event, wire="PublicationRefused", stream="schedule/{schedule}", refusal=True
):
    """A schedule ticked, but its event no longer has the shape that it needs today."""

    schedule: Name
    reason: Annotated[str, StringConstraints(max_length=2000)]

    example: ClassVar[dict[str, Any]] = {**_NIGHTLY, "reason": "no event is named 'Trained'"}
