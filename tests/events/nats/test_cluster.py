"""A cluster of three, every message kept thrice: its leader is killed while the log is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nats.errors import Error as NatsError

from events.chain import Signer
from events.nats import streams
from events.nats.consumer import Reader, Reading
from events.nats.link import Link
from events.nats.relay import Relay
from events.sql.sqlite import SqliteStore
from events.store import EventStore, append
from tests.events.messages import Noted
from tests.events.nats.cluster import Cluster, clustered
from tests.events.nats.ledger import Ledger
from tests.events.nats.serving import running, until

KEY = "ab" * 32


async def leader(link: Link) -> str:
    """The node that leads the stream."""
    ends = asyncio.get_running_loop().time() + 60
    while asyncio.get_running_loop().time() < ends:
        with suppress(NatsError, OSError, TimeoutError):  # between two leaders nobody answers
            info = await link.js.stream_info(streams.LOG)
            if info.cluster and info.cluster.leader:
                return str(info.cluster.leader)
        await asyncio.sleep(0.2)
    raise AssertionError("the stream has no leader")


async def kept(link: Link) -> list[dict[str, Any]]:
    state = (await link.js.stream_info(streams.LOG)).state
    found = []
    for sequence in range(1, state.last_seq + 1):
        message = await link.js.get_msg(streams.LOG, seq=sequence, direct=True)
        found.append({"sequence": sequence, **json.loads(message.data)})
    return found


async def shaken(folder: Path, kills: int, seed: int, seconds: float) -> None:
    """Tell a growing log while leaders are killed; nothing is lost, nothing told or done twice."""
    async with clustered(folder) as cluster:
        links = [Link(cluster.url, user="system", password="secret", name=n) for n in ("a", "b")]
        for link in links:
            await link.open()
        store, ledger = SqliteStore(folder / "log.db", Signer.fresh()), Ledger(folder / "ledger.db")
        try:
            acknowledged = await told_through(cluster, links, store, ledger, kills, seed, seconds)
            log = await store.read(limit=1_000_000)
            found = await kept(links[1])
            assert [one["sequence"] for one in found] == [one.position for one in log]
            assert [one["event_id"] for one in found] == [one.event_id for one in log]
            assert [one.event_id for one in log] == acknowledged
            assert ledger.faults(log) == []
        finally:
            for link in links:
                await link.close()
            await store.close()
            ledger.close()


async def told_through(
    cluster: Cluster,
    links: list[Link],
    store: EventStore,
    ledger: Ledger,
    kills: int,
    seed: int,
    seconds: float,
) -> list[str]:
    """Kill one leader after the other; what the log has acknowledged meanwhile, all of it read."""
    chance, acknowledged, stop = Random(seed), list[str](), asyncio.Event()
    relay = Relay(store, links[0], KEY, ours=False)
    reader = Reader(links[1], Reading("all", ack_wait=5), ledger)

    async def write() -> None:
        while not stop.is_set():
            said = await append(store, *[Noted(about=f"w{n}") for n in range(5)])
            acknowledged.extend(one.event_id for one in said)
            await asyncio.sleep(0.01)

    async with running(relay.run, reader.run):
        await until(relay.ready.is_set, 40)
        info = await links[1].js.stream_info(streams.LOG)
        assert info.config.num_replicas == 3
        writing = asyncio.create_task(write())
        for _ in range(kills):
            told, part = relay.position, chance.random()
            await asyncio.sleep(part * seconds)
            await until(lambda: relay.position > told, 40)  # noqa: B023
            node = cluster.named(await leader(links[1]))
            node.kill()
            await asyncio.sleep((1 - part) * seconds)
            node.start()
        stop.set()
        await writing
        head = (await store.head()).position
        await until(lambda: relay.position == head, 60)
        await until(lambda: ledger.done == head, 60)
        await until(lambda: relay.failure == reader.failure == "", 20)
    return acknowledged


@pytest.mark.real
async def test_two_leaders_are_killed_and_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    await shaken(tmp_path, kills=2, seed=5, seconds=1)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_ten_leaders_are_killed_and_nothing_is_lost_or_done_twice(
    tmp_path: Path, seed: int
) -> None:
    await shaken(tmp_path, kills=10, seed=seed, seconds=4)
