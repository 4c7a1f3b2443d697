"""The one way to read over NATS: a FastStream subscriber with every option said.

Left to itself FastStream ends a message for good at the first error, handles a fetched batch all at
once, and logs every message. Here a message that cannot be handled is tried again, later each time,
and given up with a reason that the server keeps; the others of its batch do not suffer with it.
A batch comes in order, and so do batches, as long as nothing fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from nats.errors import Error as NatsError

import events.catalog  # noqa: F401  (it makes the wire names known)
from events.envelope import Envelope
from events.message import Event
from events.nats import streams, subjects
from events.nats.link import Link
from events.nats.message import envelope
from events.nats.watchdog import Watchdog, explicit

log = logging.getLogger(__name__)

WAIT = 2.0
"""Seconds for which one request for messages waits at the server."""
LATER = (1.0, 5.0, 15.0, 60.0)
"""Seconds after which a message that failed is tried again, by how often it was tried."""
REASON = 500
"""Characters of a reason that are kept."""


class Told(NamedTuple):
    """An event as it came."""

    envelope: Envelope
    event: Event


Handler = Callable[[list[Told]], Awaitable[None]]
"""Handles some events, in order. May be told one twice: the position says which."""


@dataclass(frozen=True)
class Reading:
    """What is read, and with how much patience."""

    name: str
    """The durable name. Readers of one name share the work."""
    types: tuple[str, ...] = ()
    """Of these types; of all where none is named."""
    batch: int = 100
    """At most so many at once; 1 is one after the other, in order even when one fails."""
    ack_wait: float = 30.0
    """Seconds within which a batch has to be handled."""
    tries: int = 5
    later: tuple[float, ...] = LATER
    inactive: float = 0.0
    """Seconds without a reader after which it is forgotten; 0 is never."""

    def filters(self) -> list[str]:
        if not self.types:
            return [f"{subjects.EVENTS}.>"]
        return [subjects.of_type(kind) for kind in self.types]


class Reader:
    """Runs one reading: its consumer, its subscriber, and what was given up and is tried again."""

    def __init__(
        self,
        link: Link,
        reading: Reading,
        handle: Handler,
        after: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self.name = f"reader {reading.name}"
        self._link, self._reading, self._handle = link, reading, handle
        self.watchdog = Watchdog(link, streams.LOG, _consumer(reading, reading.filters()), after)
        self._again = Watchdog(
            link, streams.AGAIN, _consumer(reading, [subjects.again(reading.name)])
        )

    @property
    def failure(self) -> str:
        return self.watchdog.failure or self._again.failure

    async def run(self) -> None:
        """Read until cancelled."""
        await self._link.wait()
        broker = await self._link.load()
        await broker.connect()
        name, batch = self._reading.name, self._reading.batch
        subscribers = [
            broker.reads(stream, name, batch, WAIT, self._take)
            for stream in (streams.LOG, streams.AGAIN)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.watchdog.run())
                group.create_task(self._again.run())
                for one in subscribers:
                    await one.start()
        finally:
            for one in subscribers:
                await _stopped(one)
            await _told(self._link)

    async def _take(self, messages: list[Any]) -> None:
        """Handle what came; what fails is tried again or given up, each by itself."""
        told, failed = [], list[str]()
        for message in messages:
            try:
                said = envelope(message.data)
                told.append((message, Told(said, said.event())))
            except Exception as error:  # goes to the server as the reason
                failed.append(await self._failed(message, error))
        try:
            if told:
                await self._handle([one for _, one in told])
        except Exception as error:  # goes to the server as the reason
            if len(told) == 1:
                failed.append(await self._failed(told[0][0], error))
            else:
                for message, one in told:
                    failed += await self._alone(message, one)
        again = [one for one in failed if one]
        if again:  # one line, however large the batch
            many = f"{len(again)} of {len(messages)}"
            log.warning("%s tries %s again %s", self.name, many, again[0])

    async def _alone(self, message: Any, told: Told) -> list[str]:
        try:
            await self._handle([told])
        except Exception as error:  # goes to the server as the reason
            return [await self._failed(message, error)]
        await message.ack()
        return []

    async def _failed(self, message: Any, error: Exception) -> str:
        """Have it tried again later, or give it up; when it is tried again, and why."""
        known, reading = message.metadata, self._reading
        said = " ".join(f"{type(error).__name__}: {error}".split())[:REASON]
        if known.num_delivered >= reading.tries:
            sequence = known.sequence.stream if known.stream == streams.LOG else 0
            position = (message.headers or {}).get("Ratchet-Position", sequence)
            log.error("%s gives up position %s: %s", self.name, position, said)
            reason = f"position {position}: {said}"
            await message._client.publish(message.reply, f"+TERM {reason}".encode())
            message._ackd = True
            return ""
        later = reading.later[min(known.num_delivered, len(reading.later)) - 1]
        await message.nak(delay=later)
        return f"in {later:g} s: {said}"


def _consumer(reading: Reading, filters: list[str]) -> Any:
    return explicit(
        reading.name,
        filters,
        batch=reading.batch,
        ack_wait=reading.ack_wait,
        tries=reading.tries,
        inactive=reading.inactive,
    )


async def _told(link: Link) -> None:
    """See that the server knows: what it sends to who is gone comes again only after ack_wait."""
    with suppress(NatsError, OSError, TimeoutError):
        if link.connected:
            await link.nc.flush(1)


async def _stopped(one: Any) -> None:
    try:
        await one.stop()
    except (NatsError, OSError) as error:  # without a connection there is nothing to give back
        log.debug("%s", error)
