"""What readers gave up: told by the server, kept there until whoever records it has done so."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NothingCame

from events.errors import RatchetError
from events.nats import streams
from events.nats.link import Link, still_wanted
from events.nats.watchdog import Watchdog, explicit

log = logging.getLogger(__name__)

NAME = "given_up"
WAIT = 5.0
PAUSE = 1.0


class GivenUp(NamedTuple):
    """A message that one consumer will not be given again by itself."""

    stream: str
    consumer: str
    sequence: int
    """In that stream; of the stream RATCHET it is the position."""
    position: int
    """In the log; 0 where the message told none."""
    deliveries: int
    reason: str


Record = Callable[[GivenUp], Awaitable[None]]


class GivenUps:
    """Hands on what was given up, each until it was recorded."""

    name = "given up"

    def __init__(self, link: Link, record: Record) -> None:
        self._link, self._record = link, record
        self._trouble = ""
        wanted = explicit(NAME, [], batch=100, ack_wait=30, tries=-1, inactive=0)
        self._watchdog = Watchdog(link, streams.GIVEN_UP, wanted)

    @property
    def failure(self) -> str:
        return self._trouble or self._watchdog.failure

    async def run(self) -> None:
        """Hand on until cancelled."""
        await self._link.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watchdog.run())
            group.create_task(self._read())

    async def _read(self) -> None:
        bound = await self._link.js.pull_subscribe_bind(durable=NAME, stream=streams.GIVEN_UP)
        while True:
            still_wanted()
            try:
                for message in await bound.fetch(100, timeout=WAIT):
                    await self._take(message)
            except NothingCame:
                continue
            except (NatsError, OSError) as error:
                log.debug("%s", error)
                await asyncio.sleep(PAUSE)

    async def _take(self, message: Any) -> None:
        try:
            await self._record(given_up(message.data))
        except (RatchetError, OSError) as error:
            self._trouble = f"what was given up cannot be recorded: {error}"
            await message.nak(delay=PAUSE)
        except (ValueError, KeyError) as error:
            log.error("an advisory of the server is not understood: %s", error)
            await message.term()
        else:
            self._trouble = ""
            await message.ack()


def given_up(advisory: bytes) -> GivenUp:
    """What an advisory of the server says."""
    told = json.loads(advisory)
    reason = told.get("reason") or f"not handled in time, {told['deliveries']} times"
    found = re.match(r"position (\d+): ", reason)
    position = told["stream_seq"] if told["stream"] == streams.LOG else 0
    return GivenUp(
        told["stream"],
        told["consumer"],
        told["stream_seq"],
        int(found.group(1)) if found else position,
        told["deliveries"],
        reason[found.end() :] if found else reason,
    )
