"""A nats-server for measures, and the streams that both sides write to and read from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats

from events.nats import streams
from events.nats.link import Link
from infra.binary import embedded
from infra.servers import NatsServer
from tests.bench.results import PeerMissing

SETTINGS = "nats-server 2.15.0 on loopback, file store, one replica, default sync"
USERS = "accounts { R { jetstream: enabled, users: [ { user: system, password: secret } ] } }"


class Bench:
    """One server, our link to it, and a raw connection of nats-py."""

    def __init__(self, link: Link, raw: Any) -> None:
        self.link, self.raw = link, raw
        self.js = raw.jetstream(timeout=30)

    async def fresh(self, name: str = streams.LOG) -> None:
        """Without this stream."""
        if await streams.found(self.js, name) is not None:
            await self.js.delete_stream(name)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    binary = embedded()
    if binary is None:
        raise PeerMissing("there is no nats-server here")
    server = NatsServer(folder, binary, lambda: USERS)
    server.start()
    await server.ready()
    link = Link(server.url, user="system", password="secret")
    await link.open()
    raw = await nats.connect(server.url, user="system", password="secret")
    try:
        yield Bench(link, raw)
    finally:
        await raw.close()
        await link.close()
        await server.stop()


async def published(js: Any, messages: list[tuple[str, bytes, str]], window: int) -> None:
    """The peer: so many awaited publishes at once, each with its id."""
    waiting = iter(messages)

    async def publish() -> None:
        for subject, payload, identity in waiting:
            await js.publish(subject, payload, headers={"Nats-Msg-Id": identity})

    await asyncio.gather(*(publish() for _ in range(window)))
