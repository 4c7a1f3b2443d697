"""A cluster of three, every message kept thrice: its leader is killed while the log is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError

from events.memory import MemoryStore
from events.nats import streams
from events.nats.consumer import Reader, Reading, Told
from events.nats.link import Link
from events.nats.relay import Relay
from events.store import append
from tests.events.messages import Noted
from tests.events.nats.cluster import Cluster, clustered
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


async def shaken(cluster: Cluster, kills: int, seconds: float) -> None:
    """Tell a growing log while leaders are killed; nothing is lost, nothing told twice."""
    links = [Link(cluster.url, user="system", password="secret", name=n) for n in ("a", "b")]
    for link in links:
        await link.open()
    store, seen = MemoryStore(), list[int]()
    relay = Relay(store, links[0], KEY, ours=False)

    async def handle(told: list[Told]) -> None:
        seen.extend(one.envelope.position for one in told)

    reader = Reader(links[1], Reading("all", ack_wait=5), handle)
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await append(store, *[Noted(about=f"w{n}") for n in range(5)])
            await asyncio.sleep(0.01)

    try:
        async with running(relay.run, reader.run):
            await until(relay.ready.is_set, 40)
            info = await links[1].js.stream_info(streams.LOG)
            assert info.config.num_replicas == 3
            writing = asyncio.create_task(write())
            for _ in range(kills):
                await asyncio.sleep(seconds / 2)
                node = cluster.named(await leader(links[1]))
                node.kill()
                await asyncio.sleep(seconds / 2)
                node.start()
            stop.set()
            await writing
            head = (await store.head()).position
            await until(lambda: relay.position == head, 60)
            await until(lambda: len(set(seen)) == head, 60)
            assert relay.failure == ""
        found, log = await kept(links[1]), await store.read(limit=1_000_000)
        assert [one["sequence"] for one in found] == [one["position"] for one in found]
        assert [one["event_id"] for one in found] == [one.event_id for one in log]
        assert set(seen) == set(range(1, head + 1))
    finally:
        for link in links:
            await link.close()
        await store.close()


@pytest.mark.real
async def test_two_leaders_are_killed_and_nothing_is_lost_or_told_twice(tmp_path: Path) -> None:
    async with clustered(tmp_path) as cluster:
        await shaken(cluster, kills=2, seconds=3)


@pytest.mark.proof
async def test_ten_leaders_are_killed_and_nothing_is_lost_or_told_twice(tmp_path: Path) -> None:
    async with clustered(tmp_path) as cluster:
        await shaken(cluster, kills=10, seconds=5)
