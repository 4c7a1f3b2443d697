"""Durable appends to Postgres from 64 callers at once, beside asyncpg alone and beside the peer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from events.chain import Signer
from events.sql.postgres.store import PostgresStore
from events.store import append
from tests.bench import postgres_raw
from tests.bench.append_many import APPENDERS
from tests.bench.notes import note
from tests.bench.peer import POSTGRES, Peer
from tests.bench.results import Result, ratio
from tests.bench.rounds import disk, fsync_us, interleaved
from tests.events.server import PostgresServer

SERVER = "Postgres 18 on loopback, its defaults (fsync, synchronous_commit) but max_connections"
OURS = (
    "PostgresStore: SHA-256 chain, head signed with Ed25519 in every commit, append-only triggers; "
    "64 asyncio tasks, each appends one event of its own stream at its expected version and waits "
    f"for the commit; plain asyncio loop; {SERVER}"
)


async def appended(url: str, events: int, appenders: int) -> float:
    """Events a second, from an empty log on."""
    store = PostgresStore(url, Signer.fresh())
    await store.ready()

    async def appender(number: int) -> None:
        for version in range(events // appenders):
            said = note(number)
            await append(store, said, actor="bench", expected={f"note/{said.about}": version})

    began = time.perf_counter()
    await asyncio.gather(*(appender(number) for number in range(appenders)))
    taken = time.perf_counter() - began
    await store.close()
    return events // appenders * appenders / taken


def measured(server: PostgresServer, many: int, few: int, rounds: int) -> dict[str, list[float]]:
    def ours() -> float:
        return asyncio.run(appended(server.database(), many, APPENDERS))

    def theirs() -> float:
        peer = Peer(server.database())
        figure = peer.append(few)
        peer.close()
        return figure

    def limit() -> float:
        return asyncio.run(postgres_raw.appended(server.database(), many, 100))

    sides = {"ratchet": ours, "eventsourcing": theirs, "raw asyncpg": limit}
    return interleaved(sides, rounds)


def measure(short: bool) -> Result:
    many, few = (6_400, 500) if short else (32_000, 1_500)
    with disk() as folder:
        server = PostgresServer(durable=True, near=_for_all(folder))
        try:
            server.start()
            figures = measured(server, many, few, 3 if short else 9)
        finally:
            server.remove()
        notes = {"fsync_us": fsync_us(folder)}
    return Result(
        "durable appends to Postgres, 64 callers at once",
        "events/s",
        {
            "ratchet": OURS,
            "eventsourcing": f"{POSTGRES}; {SERVER}",
            "raw asyncpg": f"batches of 100; {postgres_raw.SETTINGS}; {SERVER}",
        },
        figures,
        [
            ratio(figures["ratchet"], figures["raw asyncpg"], "of raw asyncpg", 0.5),
            ratio(figures["ratchet"], figures["eventsourcing"], "of eventsourcing", 10),
        ],
        notes,
    )


def _for_all(folder: Path) -> Path:
    """A server never runs as root: another user has to reach its folder."""
    folder.chmod(0o755)
    return folder
