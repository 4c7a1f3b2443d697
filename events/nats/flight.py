"""Messages under way to the server: sent in order, each counted when it is acknowledged."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError

from events.envelope import Envelope
from events.nats import subjects
from events.nats.link import Link
from events.nats.message import headers, payload

WINDOW = 512
"""Messages that may be under way at once."""
HEAVY = 8 << 20
"""Bytes that may be under way at once."""
PATIENCE = 3.0
"""Seconds without any acknowledgement after which the server is asked where it stands."""


class Flight:
    """What was sent behind one position, and how much of it has arrived."""

    def __init__(self, link: Link, position: int) -> None:
        self._link = link
        self.began = self.sent = self.acknowledged = position
        self._inbox = link.nc.new_inbox()
        self._subscription: Any = None
        self._news = asyncio.Event()
        self._wrong: Exception | None = None
        self._forget: Callable[[], None] = lambda: None
        self._weights: deque[int] = deque()
        self._weight = 0
        self._early: set[int] = set()
        """Acknowledged before one that was sent before them: a new leader may answer so."""

    async def open(self) -> None:
        self._subscription = await self._link.nc.subscribe(f"{self._inbox}.*", cb=self._hear)
        self._forget = self._link.listen(self._interrupted)

    async def close(self) -> None:
        self._forget()
        if self._subscription is not None:
            with suppress(NatsError, OSError):
                await self._subscription.unsubscribe()

    async def tell(self, batch: list[Envelope]) -> int:
        """Send them, waiting where too many are under way; their weight in bytes."""
        publish, total = self._link.nc.publish, 0
        for said in batch:
            while self.sent - self.acknowledged >= WINDOW or self._weight > HEAVY:
                await self._acknowledgement()
            if self._wrong is not None:
                raise self._wrong
            text = payload(said)
            self._weights.append(len(text))
            self._weight += len(text)
            total += len(text)
            self.sent = said.position
            await publish(
                subjects.of_event(said.type, said.stream),
                text,
                reply=f"{self._inbox}.{said.position}",
                headers=headers(said),
            )
        return total

    async def land(self) -> None:
        """Return when everything has been acknowledged."""
        while self.acknowledged < self.sent:
            await self._acknowledgement()

    async def _acknowledgement(self) -> None:
        """Wait for the next one; a server that says nothing is asked where it stands."""
        if self._wrong is not None:
            raise self._wrong
        self._news.clear()
        async with asyncio.timeout(PATIENCE):
            await self._news.wait()
        if self._wrong is not None:
            raise self._wrong

    def _interrupted(self) -> None:
        """The connection was lost and is there again: answers may have been lost with it."""
        self._wrong = NatsError("the connection was lost")
        self._news.set()

    async def _hear(self, message: Any) -> None:
        position = int(message.subject.rpartition(".")[2])
        self._news.set()
        if position <= self.acknowledged or self._wrong is not None:
            return
        why = _refusal(message, position)
        if why:
            self._wrong = NatsError(why)
            return
        self._early.add(position)
        while self.acknowledged + 1 in self._early:
            self.acknowledged += 1
            self._early.remove(self.acknowledged)
            self._weight -= self._weights.popleft()


def _refusal(message: Any, position: int) -> str:
    """Why the server did not take it as the event of this position, or ''."""
    if not message.data:
        return "there is no stream that takes it"
    told = json.loads(message.data)
    if "error" in told:
        return str(told["error"].get("description"))
    if told.get("seq") != position:
        return f"position {position} was taken for sequence {told.get('seq')}"
    return ""
