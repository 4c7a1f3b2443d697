"""The relay on a real server: in order, without holes, whatever dies or vanishes."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events.envelope import draft
from events.memory import MemoryStore
from events.nats import flight, streams
from events.nats import relay as relays
from events.nats.link import Link
from events.nats.relay import Relay
from events.store import EventStore, append
from infra import servers
from infra.servers import NatsServer
from tests.events.messages import Noted
from tests.events.nats.serving import killed, linked, running, serving, until

pytestmark = pytest.mark.real

KEY = "ab" * 32


async def grown(store: EventStore, events: int) -> None:
    await append(store, *[Noted(about=f"w{number % 7}", text="ü") for number in range(events)])


async def told(link: Link) -> list[dict[str, Any]]:
    """Everything that lies in the stream, in order, with its sequence."""
    state = (await link.js.stream_info(streams.LOG)).state
    found = []
    for sequence in range(state.first_seq, state.last_seq + 1):
        message = await link.js.get_msg(streams.LOG, seq=sequence, direct=True)
        found.append({"sequence": sequence, "headers": message.headers, **json.loads(message.data)})
    return found


async def same(link: Link, store: EventStore) -> None:
    """The stream holds exactly the log, each event at its position."""
    found, log = await told(link), await store.read(limit=100_000)
    assert [one["sequence"] for one in found] == [one.position for one in log]
    assert [one["event_id"] for one in found] == [one.event_id for one in log]


@asynccontextmanager
async def around(folder: Path) -> AsyncIterator[tuple[NatsServer, Link, MemoryStore, Relay]]:
    async with serving(folder) as server, linked(server) as link:
        store = MemoryStore()
        yield server, link, store, Relay(store, link, KEY, ours=True)
        await store.close()


async def test_what_the_log_holds_is_told_in_order_and_the_sequence_is_the_position(
    tmp_path: Path,
) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 700)
        async with running(relay.run):
            await until(lambda: relay.position == 700)
            await grown(store, 1)
            await until(lambda: relay.position == 701)
        found = await told(link)
        assert [one["sequence"] for one in found] == list(range(1, 702))
        for one, envelope in zip(found, await store.read(limit=1000), strict=True):
            shown = envelope.to_json()
            assert {name: one[name] for name in shown} == shown
            assert one["headers"]["Ratchet-Position"] == str(one["sequence"])
        assert relay.failure == ""


async def test_a_server_that_is_killed_again_and_again_gets_all_of_it_once(tmp_path: Path) -> None:
    async with around(tmp_path) as (server, link, store, relay):

        async def write() -> None:
            for _ in range(150):
                await grown(store, 40)
                await asyncio.sleep(0.005)

        async with running(relay.run):
            writing = asyncio.create_task(write())
            for _ in range(3):
                await asyncio.sleep(0.1)
                await killed(server)
            await writing
            await until(lambda: relay.position == 6000)
        assert server.starts == 4
        await same(link, store)


@pytest.mark.parametrize("window", [0.1, 120.0])
async def test_a_relay_that_is_cut_off_and_begun_again_tells_nothing_twice(
    tmp_path: Path, window: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "DUPLICATES", window)
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 5000)
        for part in (0.3, 0.05, 0.05):
            async with running(relay.run):
                await asyncio.sleep(part)
            await asyncio.sleep(0.15)
        async with running(relay.run):
            await until(lambda: relay.position == 5000)
        await same(link, store)


async def test_two_relays_fence_each_other_off(tmp_path: Path) -> None:
    async with around(tmp_path) as (server, link, store, relay), linked(server) as other:
        second = Relay(store, other, KEY, ours=True)
        async with running(relay.run, second.run):
            for _ in range(40):
                await grown(store, 50)
                await asyncio.sleep(0.01)
            await until(lambda: relay.position == second.position == 2000)
        await same(link, store)
        assert relay.rebuilt + second.rebuilt <= 2


async def test_where_several_may_tell_one_leads_and_another_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "LEASE", 1.5)
    monkeypatch.setattr(relays, "LOOK", 0.1)
    async with around(tmp_path) as (server, link, store, _), linked(server) as other:
        first = Relay(store, link, KEY, ours=False, holder="one")
        second = Relay(store, other, KEY, ours=False, holder="two")
        async with running(second.run):
            async with running(first.run):
                await grown(store, 100)
                await until(lambda: first.position == 100 or second.position == 100)
                await asyncio.sleep(1)
                leader = first if first.ready.is_set() else second
                assert first.ready.is_set() != second.ready.is_set()
                await grown(store, 100)
                await until(lambda: leader.position == 200)
                assert first.failure == second.failure == ""
            await grown(store, 100)
            await until(lambda: second.position == 300)
        await same(link, store)


async def test_one_that_stops_gives_up_the_lead_at_once(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, _):
        relay = Relay(store, link, KEY, ours=False, holder="one")
        async with running(relay.run):
            await until(relay.ready.is_set)
            assert [lease.holder for lease in await store.leases()] == ["one"]
        assert [lease.holder for lease in await store.leases()] == [""]


async def test_a_stream_that_is_deleted_is_made_anew(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 300)
        async with running(relay.run):
            await until(lambda: relay.position == 300)
            await link.js.delete_stream(streams.LOG)
            await grown(store, 1)
            await until(lambda: relay.rebuilt == 2 and relay.position == 301)
        await same(link, store)


async def test_a_stream_that_vanishes_while_nothing_is_said_is_made_anew(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 300)
        async with running(relay.run):
            await until(lambda: relay.position == 300)
            await link.js.delete_stream(streams.LOG)
            await until(lambda: relay.rebuilt == 2 and relay.position == 300)
        await same(link, store)


async def test_a_server_whose_store_was_emptied_is_told_everything_again(tmp_path: Path) -> None:
    async with around(tmp_path) as (server, link, store, relay):
        await grown(store, 300)
        async with running(relay.run):
            await until(lambda: relay.position == 300)
            shutil.rmtree(tmp_path / "nats" / "store")
            await killed(server)
            await until(lambda: relay.rebuilt == 2 and relay.position == 300)
        await same(link, store)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can bound another process")
async def test_a_server_that_could_not_write_is_started_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STEADY", 0.5)
    monkeypatch.setattr(relays, "BACKOFF", (0.05,))
    monkeypatch.setattr(flight, "PATIENCE", 0.5)
    async with serving(tmp_path) as server, linked(server) as link:
        store = MemoryStore()
        relay = Relay(store, link, KEY, ours=True, suspect=server.suspect)
        assert server.process is not None
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (600_000, 600_000))
        for _ in range(10):
            await append(store, *[Noted(text="x" * 20_000) for _ in range(10)])
        async with running(relay.run):
            await until(lambda: server.starts == 2, 20)
            await until(lambda: relay.position == 100)
            assert relay.failure == server.failure == ""
        await same(link, store)


async def test_a_long_log_is_told_from_its_newest_part_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "KEPT", 100)
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 300)
        async with running(relay.run):
            await until(lambda: relay.position == 300)
        found = await told(link)
        assert [one["sequence"] for one in found] == list(range(201, 301))
        assert [one["position"] for one in found] == list(range(201, 301))
        async with running(relay.run):
            await grown(store, 1)
            await until(lambda: relay.position == 301)
        assert relay.rebuilt == 1


async def test_an_embedded_server_with_another_history_is_made_anew(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 30)
        async with running(relay.run):
            await until(lambda: relay.position == 30)
        for size in (20, 30, 40):  # shorter, as long but other, longer: a home from a backup
            other = MemoryStore()
            await grown(other, size)
            again = Relay(other, link, KEY, ours=True)
            async with running(again.run):
                await until(lambda: again.position == size)  # noqa: B023
            await same(link, other)
            assert again.rebuilt == 1


async def test_the_stream_of_another_log_on_a_configured_server_is_left_alone(
    tmp_path: Path,
) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        await grown(store, 30)
        async with running(relay.run):
            await until(lambda: relay.position == 30)
        other = MemoryStore()
        await grown(other, 5)
        for key in ("cd" * 32, KEY):
            stranger = Relay(other, link, key, ours=False)
            async with running(stranger.run):
                await until(lambda: stranger.failure != "")  # noqa: B023
            assert "RATCHET" in stranger.failure
        await same(link, store)


async def test_any_id_that_the_log_takes_can_be_told(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        for one in ("a", " a", "a ", "ä", "x" * 5000, 'q"\\', "a:b", "日本"):
            await append(store, draft(Noted(about="a", text='"hash":",\\'), one))
        async with running(relay.run):
            await until(lambda: relay.position == 8)
        await same(link, store)


async def test_events_as_large_as_they_may_be_are_told(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, link, store, relay):
        for _ in range(20):
            await append(store, Noted(text="x" * ((1 << 20) - 40)))
        async with running(relay.run):
            await until(lambda: relay.position == 20)
        assert len(await told(link)) == 20


async def test_without_a_server_it_waits_and_says_so(tmp_path: Path) -> None:
    link, store = Link("nats://127.0.0.1:1"), MemoryStore()
    relay = Relay(store, link, KEY, ours=True)
    async with running(relay.run, link.open):
        await until(lambda: "nobody listens there" in link.failure)
        assert not relay.ready.is_set()
    await link.close()
    assert not (tmp_path / "nats").exists()
