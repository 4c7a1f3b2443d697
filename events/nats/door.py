"""What is said to us over NATS: taken in by FastStream, many at once, each with its own reply.

A reply goes into an inbox and nowhere else, because it is said with our own rights. What floods in
faster than it can be taken waits in a bounded queue; what does not fit there is answered with that.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from nats.errors import Error as NatsError

from events.errors import LogUnavailable, RatchetError
from events.nats.link import Link, still_wanted
from events.nats.replies import refusal
from events.nats.users import is_inbox

log = logging.getLogger(__name__)

AT_ONCE = 128
"""Messages in work at the same time, so that many share one commit."""
WAITING = 32_768
"""Messages that may wait to be taken in."""
BYTES = 64 << 20
"""Bytes that these may have."""
LEAVE = 2.0
"""Seconds for what is in work when the door closes."""
QUEUE = "ratchet"
"""Owners that share a server and a log share the work."""

BUSY = refusal(
    LogUnavailable(
        "more is said at once than can be taken in; nothing was done",
        where="NATS",
        right="say it again in a while, with the same id",
    )
)


class Said(NamedTuple):
    """One message."""

    subject: str
    """What stands behind the last dot: a type, an operation."""
    body: bytes
    headers: Mapping[str, str]
    reply: str = ""
    """Where the answer is to go; it goes nowhere unless that is an inbox."""


Serve = Callable[[Said], Awaitable[dict[str, Any]]]
"""The reply, or an error that says what is wrong."""


class Door:
    """Listens on some subjects, and replies."""

    name = "door on NATS"
    failure = ""
    """What hinders it hinders the link, which says so."""

    def __init__(self, link: Link, serves: Mapping[str, Serve]) -> None:
        self._link, self._serves = link, serves
        self.ready = asyncio.Event()
        self.turned_away = 0
        """Messages that found the queue full."""
        self._under_way: set[asyncio.Task[None]] = set()
        link.overflows(self._full)

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._link.wait()
        await self._link.load()
        await self._link.broker.connect()
        subscribers = [self._subscriber(subject, serve) for subject, serve in self._serves.items()]
        try:
            for one in subscribers:
                await one.start()
            with suppress(NatsError, OSError, TimeoutError):
                await self._link.nc.flush(2)  # only then does the server know them
            still_wanted()
            self.ready.set()
            await asyncio.Event().wait()
        finally:
            for one in subscribers:
                await _stopped(one)
            if self._under_way:
                await asyncio.wait(tuple(self._under_way), timeout=LEAVE)
            for task in self._under_way:
                task.cancel()

    def _subscriber(self, subject: str, serve: Serve) -> Any:
        made = self._link.broker.subscriber(
            f"{subject}.*",
            queue=QUEUE,
            pending_msgs_limit=WAITING,
            pending_bytes_limit=BYTES,
            decoder=_raw,
            no_reply=True,
            include_in_schema=False,
        )

        room = asyncio.Semaphore(AT_ONCE)

        async def take(message: Any) -> None:
            """Begin it, without waiting: FastStream's own workers begin one in each turn of the
            loop, and so each message had a commit of its own."""
            await room.acquire()
            task = asyncio.create_task(self._serve(message, serve))
            self._under_way.add(task)
            task.add_done_callback(done)

        def done(task: asyncio.Task[None]) -> None:
            self._under_way.discard(task)
            room.release()

        made(take)
        return made

    async def _serve(self, message: Any, serve: Serve) -> None:
        await self._reply(message.reply, await _answer(message, serve))

    async def _full(self, subject: str, reply: str) -> None:
        """Another message found the queue full: nothing of it was taken in."""
        if subject.rpartition(".")[0] in self._serves:
            self.turned_away += 1
            if self.turned_away % WAITING == 1:
                log.warning("more is said than can be taken in: %d turned away", self.turned_away)
            await self._reply(reply, BUSY)

    async def _reply(self, inbox: str | None, answer: dict[str, Any]) -> None:
        if not is_inbox(inbox or ""):
            return
        text = json.dumps(answer, separators=(",", ":")).encode()
        try:
            await self._link.nc.publish(inbox, text)
        except (NatsError, OSError) as error:  # it will ask again: the same id, the same answer
            log.debug("a reply was lost: %s", error)


async def _answer(message: Any, serve: Serve) -> dict[str, Any]:
    try:
        tail = message.subject.rpartition(".")[2]
        return await serve(Said(tail, message.data, message.headers or {}, message.reply or ""))
    except RatchetError as error:
        return refusal(error)
    except Exception as error:  # a defect of ours: the sender is told, and so are we
        log.exception("a message on %s could not be taken in", message.subject[:200])
        return refusal(RatchetError(f"this could not be taken in ({type(error).__name__})"))


async def _raw(message: Any) -> Any:
    return message.raw_message


async def _stopped(one: Any) -> None:
    try:
        await one.stop()
    except (NatsError, OSError) as error:  # without a connection there is nothing to give back
        log.debug("%s", error)
