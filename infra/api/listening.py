"""Listening: events and progress as they come, as Server-Sent Events.

What is behind a listener is bounded: events are read from the log when the listener has taken in
those before, progress that nobody takes in is dropped, and one who takes in nothing is cut off.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from events.errors import Malformed, RatchetError
from events.message import event_classes
from infra.api.auth import needs
from infra.api.door import Door

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
"""Seconds of silence after which a comment shows that the line still stands."""
SLICE = 1.0
"""Seconds within which a listener notices that the door closes."""
BATCH = 100


class Stream(StreamingResponse):
    """Gives its place back however it ends."""

    def __init__(self, door: Door, told: AsyncIterator[str]) -> None:
        super().__init__(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._door.streams.one():
            await super().__call__(scope, receive, send)


def listening(door: Door) -> APIRouter:
    routes = APIRouter(dependencies=[needs("read")])

    @routes.get("/events/tail")
    async def tail(
        request: Request, after: Annotated[int | None, Query(ge=0, lt=2**63)] = None
    ) -> Stream:
        """From `after` on, else from the last event that the listener has had, else from now."""
        door.streams.check()
        begin = await _begin(door, request) if after is None else after
        return Stream(door, _events(door, request, begin))

    @routes.get("/progress")
    async def progress(request: Request) -> Stream:
        door.streams.check()
        return Stream(door, _progress(door, request))

    return routes


async def _begin(door: Door, request: Request) -> int:
    seen = request.headers.get("last-event-id")
    if seen is None:
        return (await door.house.store.head()).position
    if not (seen.isdecimal() and len(seen) < 19):
        right = "the id of an event of this stream, a position"
        raise Malformed(f"{seen[:60]!r} is no position", where="Last-Event-ID", right=right)
    return int(seen)


async def _events(door: Door, request: Request, after: int) -> AsyncIterator[str]:
    ear = door.house.bus.ear(event_classes())
    beat = Heartbeat()
    try:
        yield beat.now()
        while not door.stopping and beat.welcome(door, request):
            envelopes = await door.house.store.read(after, limit=BATCH)
            for one in envelopes:
                after = one.position
                data = json.dumps(one.to_json(), separators=(",", ":"))
                yield f"id: {after}\nevent: {one.type}\ndata: {data}\n\n"
            if len(envelopes) < BATCH and not await ear.wait(SLICE) and beat.due():
                yield beat.now()
    except RatchetError as error:  # the listener comes back where it was, and is told properly
        log.info("a listener is let go: %s", error)
    finally:
        ear.close()


async def _progress(door: Door, request: Request) -> AsyncIterator[str]:
    follower = door.house.bus.follow()
    beat = Heartbeat()
    try:
        yield beat.now()
        while not door.stopping and beat.welcome(door, request):
            said = await follower.next(SLICE)
            if said is not None:
                data = json.dumps({"about": said.about, "says": said.says}, default=str)
                yield f"event: progress\ndata: {data}\n\n"
            elif beat.due():
                yield beat.now()
    finally:
        follower.close()


class Heartbeat:
    """When to show that the line still stands, and whether the listener is still welcome."""

    def __init__(self) -> None:
        self._last = self._asked = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self._last >= HEARTBEAT

    def now(self) -> str:
        self._last = time.monotonic()
        return ": here\n\n"

    def welcome(self, door: Door, request: Request) -> bool:
        """A token that has been removed ends what it began."""
        if time.monotonic() - self._asked < HEARTBEAT:
            return True
        self._asked = time.monotonic()
        try:
            return door.guard.caller(request.headers).may("read")
        except RatchetError:
            return False
