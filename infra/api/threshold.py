"""What every call passes, whatever it wants: who it is, how it went, what shape a failure has."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.errors import RatchetError
from infra.api.auth import CALLER
from infra.api.door import Door
from infra.api.problems import TurnedAway, defect, refusal

log = logging.getLogger(__name__)

OPEN = frozenset({"/healthz"})
"""Whoever watches whether the process lives need not say who they are."""
PATIENCE = 30.0
"""Seconds within which a caller has to take in a part of an answer."""
ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Threshold:
    """Outermost layer of the application."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *ALWAYS]
                seconds = time.perf_counter() - began
                self._door.counts.answered(scope["method"], template(scope), status, seconds)
            async with asyncio.timeout(PATIENCE):
                await send(message)

        try:
            await self._passed(scope, receive, sending)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not self._door.stopping:
                raise
            if not status:
                await closing()(scope, receive, sending)
        except TimeoutError:
            log.info("%s did not take its answer in", (scope.get("client") or ("a caller",))[0])
        except Exception as error:  # the last resort: it is told in the log, and in our shape
            if status:
                raise
            await defect(error, Request(scope))(scope, receive, sending)

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if scope["path"] not in OPEN:
            try:
                scope[CALLER] = self._door.guard.caller(request.headers)
            except RatchetError as error:
                await refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def closing() -> Response:
    """For one whose request was still under way when the time for it was over."""
    right = "send it again; under the same id it is said once"
    headers = {"Connection": "close", "Retry-After": "1"}
    return refusal(TurnedAway(503, "ratchet stops", where="server", right=right, headers=headers))


def template(scope: Scope) -> str:
    """The route as it was declared, so that no caller can make names of it."""
    return getattr(scope.get("route"), "path", "unmatched")
