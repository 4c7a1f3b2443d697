"""A pull subscription as FastStream should find it: bound to a consumer that is there already.

Neither FastStream nor nats-py hand on what they have until a batch is full or its time is over: one
message waits for company, and two readers who share what may be unacknowledged wait for each
other. They ask anew without a pause when the consumer is gone. Here a batch is what there is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext

PAUSE = 0.25
"""Seconds to wait after a request that the server could not take."""
OVER = ("404", "408")
"""What the server says when a request has ended as requests do."""


Listen = Callable[[Callable[[], None]], Callable[[], None]]
"""As `Link.listen`."""


class Prompt(JetStreamContext):  # type: ignore[misc]  # the library's types are Any here
    """JetStream whose pull subscriptions make no consumers and do not wait for a full batch."""

    listen: Listen

    async def pull_subscribe(self, subject: str = "", **options: Any) -> Pull:  # noqa: ARG002
        """Bind to the consumer named in the options, under the connection's own inbox."""
        pull = Pull(self._nc, options["stream"], options["durable"])
        await pull.open(self.listen)
        return pull


class Pull:
    """One pull subscription, with one request under way at most."""

    def __init__(self, nc: Any, stream: str, consumer: str) -> None:
        self._nc = nc
        self._ask = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = nc.new_inbox()
        self._subscription: Any = None
        self._came: deque[Any] = deque()
        self._news = asyncio.Event()
        self._due = 0
        """Messages that the server may still send on our request."""
        self._until = 0.0
        self._short = self._refused = False

    async def open(self, listen: Listen) -> None:
        self._subscription = await self._nc.subscribe(self._inbox, cb=self._hear)
        self._forget = listen(self._interrupted)

    async def fetch(self, batch: int, timeout: float | None = None) -> list[Any]:
        """What there is, at most `batch`; an error where nothing comes in time."""
        if self._short:  # it asks for the rest of a batch: there is none
            self._short = False
            raise NothingCame
        seconds = timeout or 1.0
        if not self._came:
            await self._request(batch, seconds)
            await self._wait(seconds)
        found = [self._came.popleft() for _ in range(min(batch, len(self._came)))]
        if not found:
            raise NothingCame
        self._short = len(found) < batch
        return found

    async def unsubscribe(self) -> None:
        """Hear nothing more; what came and was not handed on goes to another reader at once."""
        self._forget()
        with suppress(NatsError, OSError):
            await self._subscription.unsubscribe()
            while self._came:
                await self._came.popleft().nak()

    async def _request(self, batch: int, seconds: float) -> None:
        now = time.monotonic()
        if not self._nc.is_connected:  # it would be sent with all the others when that is back
            self._over(refused=False)
            return
        if self._due > 0 and now < self._until:
            return
        if self._refused:
            await asyncio.sleep(PAUSE)
        self._refused = False
        self._due, self._until = batch, now + seconds + PAUSE
        wanted = {"batch": batch, "expires": int(seconds * 1e9)}
        try:
            await self._nc.publish(self._ask, json.dumps(wanted).encode(), reply=self._inbox)
        except (NatsError, OSError):
            self._over(refused=True)

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        await asyncio.sleep(0)  # what was read from the socket with it comes along

    async def _hear(self, message: Any) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            self._came.append(message)
            self._due -= 1
        elif status != "100":
            self._over(refused=status not in OVER)
        self._news.set()

    def _over(self, refused: bool) -> None:
        self._due, self._refused = 0, refused

    def _interrupted(self) -> None:
        """The connection was lost and is there again: the request was lost with it."""
        self._over(refused=False)
        self._news.set()
