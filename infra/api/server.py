"""The door as a server: its socket, its patience with slow callers, its opening and closing."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from events.errors import LogUnavailable
from infra.api.app import api
from infra.api.auth import Guard
from infra.home import Home
from infra.house import House
from infra.sockets import is_loopback
from infra.tokens import Tokens

PATIENCE = 10.0
"""Seconds within which a connection has to ask for something."""
IDLE = 5
"""Seconds for which a connection is kept for the next request."""
CONNECTIONS = 1000
LAST_ANSWERS = 4
"""Seconds that requests under way have when the door closes."""


class Patient(H11Protocol):
    """A connection on which nothing is asked for too long is closed; no request, no place."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before and self._waiting is not None:
            self._waiting.cancel()

    def on_response_complete(self) -> None:
        before = self.cycle
        super().on_response_complete()
        if self.cycle is before:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._waiting is not None:
            self._waiting.cancel()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered in the shape of all other errors."""
        said = {"what": msg.rstrip("."), "where": "request", "right": "HTTP/1.1"}
        body = json.dumps({"error": said}).encode()
        kind = (b"content-type", b"application/json")
        headers = [kind, (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        events = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Uvicorn(uvicorn.Server):
    """Leaves the process's signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """The door of one house, open or closed."""

    def __init__(self, house: House, home: Home, listening: socket.socket, owner: str) -> None:
        host, self.port = listening.getsockname()[:2]
        self.loopback = is_loopback(host)
        self.url = f"http://{_written(host)}:{self.port}"
        near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self.near_url = f"http://{_written(near)}:{self.port}"
        """How this machine reaches it."""
        self._near, self._listening = near, listening
        guard = Guard(Tokens(home.folder / "tokens.json"), self.loopback, owner)
        self._app = api(house, home, guard)
        self._uvicorn = Uvicorn(
            uvicorn.Config(
                self._app,
                http=Patient,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=LAST_ANSWERS,
                limit_concurrency=CONNECTIONS,
                h11_max_incomplete_event_size=65536,
            )
        )
        self.serving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Serve; return when a caller has been answered."""
        self.serving = asyncio.create_task(self._uvicorn.serve([self._listening]), name="door")
        while not self._uvicorn.started:
            if self.serving.done():
                await self.serving
                raise LogUnavailable("the door did not open", where=self.url)
            await asyncio.sleep(0.005)
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(self._near, self.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise LogUnavailable("the door opened, but does not answer", where=self.url)

    async def close(self) -> None:
        """Take no more requests, answer those that are here, let listeners go."""
        self._door().stopping = True
        self._uvicorn.should_exit = True
        if self.serving is not None:
            await asyncio.gather(self.serving, return_exceptions=True)
        self._listening.close()

    def _door(self) -> Any:
        return self._app.state.door


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
