"""The bus over NATS: it hears this process's own commits at once, and those of others by a bell.

Nothing depends on the server: while it is away, ears hear what is committed here, and the waits of
their readers end in time. Progress goes to whoever listens anywhere, and is kept by nobody.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError

from events.bus import LogTailBus, Progress
from events.nats import subjects
from events.nats.link import Link, still_wanted
from events.store import EventStore

UNSENT = 256
"""Pieces of progress that may wait to be sent; after that the oldest are lost."""


class NatsBus(LogTailBus):
    """Wakes the readers of one log in every process."""

    name = "bus"
    failure = ""
    """Nothing hinders it: at worst it is as deaf as a bus of one process."""

    def __init__(self, store: EventStore, link: Link) -> None:
        super().__init__(store)
        self._link = link
        self._alone = not getattr(store, "shared", False)
        """Nobody else commits to this log, so a bell of this process tells nothing new."""
        self._unsent: deque[Progress] = deque(maxlen=UNSENT)
        self._said = asyncio.Event()
        self.listening = asyncio.Event()
        """Set once others are heard."""

    async def run(self) -> None:
        """Hear the others, and be heard, until cancelled."""
        await self._link.wait()
        nc = self._link.nc
        heard = [
            await nc.subscribe(subjects.BELL, cb=self._bell),
            await nc.subscribe(subjects.PROGRESS, cb=self._progress),
        ]
        try:
            with suppress(NatsError, TimeoutError):
                await nc.flush(2)
            still_wanted()
            self.listening.set()
            await self._send()
        finally:
            for one in heard:
                with suppress(NatsError):
                    await one.unsubscribe()

    def say(self, progress: Progress) -> None:
        super().say(progress)
        self._unsent.append(progress)
        self._said.set()

    async def _send(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            while self._unsent:
                about, says = self._unsent.popleft()
                if not self._link.connected:
                    continue  # told late, progress is none
                with suppress(NatsError, OSError, TypeError, ValueError):
                    text = json.dumps({"about": about, "says": says}).encode()
                    await self._link.nc.publish(
                        subjects.PROGRESS, text, headers=self._link.signature
                    )

    async def _bell(self, message: Any) -> None:
        if self._alone and self._link.said(message):
            return
        told = _document(message.data)
        position, types = told.get("position"), told.get("types")
        if isinstance(position, int) and isinstance(types, list):
            self._ring(position, frozenset(one for one in types if isinstance(one, str)))

    async def _progress(self, message: Any) -> None:
        if self._link.said(message):
            return
        told = _document(message.data)
        about, says = told.get("about"), told.get("says")
        if isinstance(about, str) and isinstance(says, dict):
            super().say(Progress(about, says))


def _document(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
