"""Hearing of commits: one's own at once, those of other processes by a hint or by looking.

A hint is a NOTIFY behind a commit, a few of them a second at most: it may be lost, and whoever
listens looks once a second anyway. Nothing listens or looks where nobody asked to hear.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from events.envelope import Envelope
from events.sql.postgres import link, reader
from events.sql.postgres.address import Address
from events.store import Heard

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds after which a listener looks without a hint."""
_APART = 0.02
"""Seconds between two hints of one process, and between two looks."""
_FAR = 20_000
"""Events that are looked through for their types at a time."""


class Ears:
    """Of one process, on one log."""

    def __init__(self, place: Address) -> None:
        self._place = place
        self._listeners: list[Heard] = []
        self._known = -1
        """Up to here everything has been told; -1 before the first look."""
        self._own = 0
        """Where the newest commit of this process ends."""
        self._hint, self._said = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None
        self._spoken: Any = None

    def listen(self, heard: Heard) -> Callable[[], None]:
        self._listeners.append(heard)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._hear(), name="ears")]
        return lambda: self._listeners.remove(heard)

    def written(self, rows: Sequence[Envelope]) -> None:
        """This process has committed: tell its listeners now, and all others soon."""
        self._tell(rows[-1].position, frozenset(row.type for row in rows))
        if self._known == rows[0].position - 1:
            self._known = rows[-1].position
        self._own = rows[-1].position
        self._said.set()
        if self._telling is None:
            self._telling = asyncio.create_task(self._speak(), name="hints")

    def _tell(self, position: int, types: frozenset[str]) -> None:
        for heard in tuple(self._listeners):
            heard(position, types)

    async def _speak(self) -> None:
        db: Any = None
        try:
            while True:
                await self._said.wait()
                self._said.clear()
                try:
                    if db is None or db.is_closed():
                        db = await link.connected(self._place, link.WRITING)
                    await db.execute("SELECT pg_notify('ratchet', $1)", str(self._own))
                    await asyncio.sleep(_APART)
                except link.ERRORS:  # only a hint
                    await asyncio.sleep(LOOK)
        finally:
            if db is not None:
                db.terminate()

    async def _hear(self) -> None:
        db: Any = None
        try:
            while True:
                try:
                    if db is None or db.is_closed():
                        db = await link.connected(self._place, link.READING)
                        await db.add_listener("ratchet", self._ring)
                    await self._look(db)
                    pause = _APART
                except link.ERRORS as error:  # the readers say so too, and loudly
                    log.debug("not heard: %s", link.explained(error, self._place))
                    pause = LOOK
                await asyncio.sleep(pause)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._hint.wait()
                self._hint.clear()
        finally:
            if db is not None:
                db.terminate()

    def _ring(self, _db: object, _pid: int, _channel: str, payload: object) -> None:
        if str(payload) != str(self._known):
            self._hint.set()

    async def _look(self, db: Any) -> None:
        end = await reader.end(db)
        if self._known < 0:
            self._known = end
        while self._known < end:
            until = min(end, self._known + _FAR)
            types = await reader.types_between(db, self._known, until)
            if self._known < until:  # else this process has written up to there meanwhile
                self._known = until
                self._tell(until, types)

    async def close(self) -> None:
        self._listeners.clear()
        tasks = [*self._tasks, *([self._telling] if self._telling else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._tasks, self._telling = [], None
