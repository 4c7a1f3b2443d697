"""Experts on a socket, until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn

LAST_ANSWERS = 4
"""Seconds that requests under way have when the server stops."""
CONNECTIONS = 1000


class _Uvicorn(uvicorn.Server):
    """Leaves the process's signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Callable[..., Awaitable[None]], listening: socket.socket, until: Awaitable[object]
) -> None:
    """Answer on this socket until then."""
    server = _Uvicorn(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=LAST_ANSWERS,
            limit_concurrency=CONNECTIONS,
        )
    )
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.ensure_future(until)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
