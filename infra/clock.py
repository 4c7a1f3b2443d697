"""The clock: it wakes when something falls due, and appends what the scheduler's own rules say.

APScheduler does the waking; nothing is decided here. Ids are derived from what was seen before, so
that with any number of clocks each slot and each deadline enters history once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from pydantic import TypeAdapter, ValidationError

from agents.scheduler import SCHEDULER
from agents.scheduler.due import due, wakes
from agents.scheduler.state import HEARS, INITIAL, State, evolve
from events.bus import Bus
from events.catalog.deadlines import DeadlinePassed
from events.envelope import Envelope, draft
from events.errors import Conflict, LogUnavailable
from events.fact import fact
from events.memory import utc_now
from events.message import Event
from events.store import EventStore, append, every

log = logging.getLogger(__name__)

LOOK = 30.0
"""Seconds between looks when nobody rings: a machine that slept is noticed so."""


class Clock:
    """Says what time it is, in events."""

    def __init__(self, store: EventStore, bus: Bus, now: Callable[[], datetime] = utc_now) -> None:
        self._store, self._bus, self._now = store, bus, now
        self.name = "clock"
        self._state, self._position = INITIAL, 0
        self._latest = self._awake_since = now()
        self.failure = ""

    async def run(self) -> None:
        """Look, say what is due, sleep until the next; until cancelled."""
        ear = self._bus.ear(HEARS)
        waker = AsyncIOScheduler(timezone="UTC")
        waker.start()
        try:
            while True:
                try:
                    await self.look()
                    self.failure = ""
                except LogUnavailable as away:
                    self.failure = str(away)
                    log.warning("the clock waits: %s", away)
                    await ear.wait(1.0)
                    continue
                next_one = wakes(self._state)
                if next_one is not None:
                    at = max(next_one, self._now() + timedelta(milliseconds=1))
                    waker.add_job(
                        ear.ring, DateTrigger(at), id="next", replace_existing=True,
                        misfire_grace_time=None,
                    )  # fmt: skip
                await ear.wait(LOOK)
        finally:
            waker.shutdown(wait=False)
            ear.close()

    async def look(self) -> None:
        """Take in what is new, and append what has fallen due since."""
        await self._catch_up()
        now = self._now()
        if now < self._latest - timedelta(seconds=1):
            back = self._latest - now
            log.warning(
                "the system clock was set back by %s; slots wait until it has caught up", back
            )
            self._awake_since = min(self._awake_since, now)
        self._latest = now
        said = list(due(self._state, now, self._awake_since))
        for event, event_id in said:
            try:
                cause = await self._set_by(event)
                await append(self._store, draft(event, event_id), actor="clock", cause=cause)
            except Conflict:  # another clock said it first
                continue
        if said:
            await self._catch_up()

    async def _set_by(self, event: Event) -> Envelope | None:
        """What set the deadline that has passed: so what follows belongs to the same story."""
        if not isinstance(event, DeadlinePassed) or event.key not in self._state.deadlines:
            return None
        name = self._state.deadlines[event.key].set_by
        return (await self._store.find([name])).get(name)

    async def _catch_up(self) -> None:
        if not self._position:
            await self._restore()
        end = (await self._store.head()).position
        async for batch in every(self._store, self._position, end, HEARS):
            for envelope in batch:
                self._state = evolve(self._state, fact(envelope))
        self._position = end

    async def _restore(self) -> None:
        """Begin where the scheduler once kept its state: the clock folds the same one."""
        kept = await self._store.snapshot(SCHEDULER.checkpoint)
        if kept is None or kept.fold != SCHEDULER.version:
            return
        with suppress(ValidationError):
            self._state = TypeAdapter(State).validate_json(kept.state)
            self._position = kept.position
