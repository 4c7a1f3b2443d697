"""Owning a home for as long as a command waits: everything runs in it, and others may call.

It is what `ratchet up` does, without NATS and without an end of its own: whoever publishes or asks
meanwhile finds a door, and when the wait is over the home is left as it was found.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable

from events.store import EventStore
from infra.assemble import built, door
from infra.forgetting import from_artifacts
from infra.home import Home, Lock
from infra.settings import configuration
from infra.sockets import listening_socket

LOOK = 0.05
"""Seconds between looks."""


async def worked(home: Home, ends: float, done: Callable[[EventStore], Awaitable[bool]]) -> None:
    """Run agents and workers here until something is done or the time is up. Where somebody else
    owns the home, come back soon: it is his work.
    """
    with Lock(home) as lock:
        if not lock.take():
            await asyncio.sleep(LOOK)
            return
        with listening_socket("127.0.0.1", 0, insist=True) as listening:
            store = home.writer()
            try:
                purges = [from_artifacts(home.artifacts)]
                house = await built(store, configuration().settings, purges=purges, home=home)
            except BaseException:
                await store.close()
                raise
            token = secrets.token_urlsafe(32)
            server = door(house, home, listening, token)
            running = asyncio.create_task(house.run())
            try:
                await server.open()
                home.announce(
                    {
                        "pid": os.getpid(),
                        "http": server.near_url,
                        "nats": None,
                        "token": token,
                        "started_at": house.started_at.isoformat(),
                    }
                )
                while time.monotonic() < ends and not running.done() and not await done(store):
                    await asyncio.sleep(LOOK)
            finally:
                home.retire()
                await server.close()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await house.close()
