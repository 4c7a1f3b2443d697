"""Reading through the factory: in order, again after errors, mended when a consumer is gone."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from events.errors import Conflict
from events.memory import MemoryStore
from events.nats import consumer, streams, subjects, watchdog
from events.nats.consumer import Reader, Reading, Told
from events.nats.given_up import GivenUp, GivenUps
from events.nats.link import Link
from events.nats.pull import Pull
from events.nats.relay import Relay
from events.store import append
from infra import servers
from infra.servers import NatsServer
from tests.events.messages import Counted, Noted
from tests.events.nats.serving import killed, linked, running, serving, until

pytestmark = pytest.mark.real

KEY = "ab" * 32


class Heard:
    """What a reader was told."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.poison: set[int] = set()
        self.failures: Counter[int] = Counter()

    async def __call__(self, told: list[Told]) -> None:
        for one in told:
            position = one.envelope.position
            if position in self.poison:
                self.failures[position] += 1
                raise ValueError(f"cannot bear {position}")
        self.positions += [one.envelope.position for one in told]


@asynccontextmanager
async def told(folder: Path, events: int) -> AsyncIterator[tuple[NatsServer, Link, MemoryStore]]:
    """A log of so many events, which is told."""
    async with serving(folder) as server, linked(server, "relay") as link:
        store = MemoryStore()
        relay = Relay(store, link, KEY, ours=True)
        if events:
            await append(store, *[Noted(about=f"w{n % 5}") for n in range(events)])
        async with running(relay.run):
            await until(lambda: relay.ready.is_set() and relay.position == events)
            yield server, link, store
        await store.close()


@pytest.mark.parametrize("batch", [1, 50])
async def test_all_is_read_once_and_in_order_and_a_new_one_does_not_wait_for_company(
    tmp_path: Path, batch: int
) -> None:
    async with told(tmp_path, 300) as (server, _, store), linked(server) as link:
        heard = Heard()
        reader = Reader(link, Reading("all", batch=batch), heard)
        async with running(reader.run):
            await until(lambda: len(heard.positions) == 300)
            began = time.monotonic()
            for last in range(301, 306):
                await append(store, Noted(about="last"))
                await until(lambda last=last: len(heard.positions) == last)  # type: ignore[misc]
            assert time.monotonic() - began < 4  # each would wait a second for company
        assert heard.positions == list(range(1, 306))
        again = Reader(link, Reading("all", batch=batch), heard)
        async with running(again.run):
            await append(store, Noted(about="last"))
            await until(lambda: 306 in heard.positions)
        assert heard.positions == list(range(1, 307))


async def test_only_the_types_asked_for_are_read(tmp_path: Path) -> None:
    async with told(tmp_path, 10) as (server, _, store), linked(server) as link:
        heard = Heard()
        reader = Reader(link, Reading("counts", ("Test.Counted",)), heard)
        async with running(reader.run):
            await append(store, Counted(about="a", count=1), Noted(about="b"))
            await until(lambda: heard.positions == [11])


async def test_what_fails_is_tried_again_and_the_others_do_not_suffer(tmp_path: Path) -> None:
    async with told(tmp_path, 60) as (server, _, _store), linked(server) as link:
        heard = Heard()
        heard.poison = {7, 30}
        reader = Reader(link, Reading("some", batch=20, later=(0.2,), tries=50), heard)
        async with running(reader.run):
            await until(lambda: len(set(heard.positions)) == 58)
            heard.poison = set()
            await until(lambda: set(heard.positions) == set(range(1, 61)))
        assert len(heard.positions) == 60


async def test_one_at_a_time_keeps_its_order_when_one_fails(tmp_path: Path) -> None:
    async with told(tmp_path, 20) as (server, _, _store), linked(server) as link:
        heard = Heard()
        heard.poison = {7}
        reader = Reader(link, Reading("one", batch=1, later=(0.1,), tries=50), heard)
        async with running(reader.run):
            await until(lambda: heard.failures[7] >= 3)
            assert heard.positions == [1, 2, 3, 4, 5, 6]
            heard.poison = set()
            await until(lambda: len(heard.positions) == 20)
        assert heard.positions == list(range(1, 21))


async def test_what_is_given_up_is_told_with_its_reason_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    async with told(tmp_path, 10) as (server, relay_link, _store), linked(server) as link:
        heard, recorded = Heard(), list[GivenUp]()
        heard.poison = {3}
        reader = Reader(link, Reading("some", later=(0.05,), tries=3), heard)
        async with running(reader.run):
            await until(lambda: heard.failures[3] == 4)  # in its batch, and alone thrice
            await until(lambda: len(heard.positions) == 9)
        # nobody records yet: the server keeps it

        async def record(one: GivenUp) -> None:
            recorded.append(one)
            if len(recorded) == 1:
                raise OSError("no room")

        async with running(reader.run, GivenUps(link, record).run):
            await until(lambda: len(recorded) == 2)
            wanted = GivenUp("RATCHET", "some", 3, 3, 3, "ValueError: cannot bear 3")
            assert recorded == [wanted, wanted]
            heard.poison = set()
            message = await link.js.get_msg(streams.LOG, seq=3)
            await relay_link.js.publish(
                subjects.again("some"), message.data, headers={"Ratchet-Position": "3"}
            )
            await until(lambda: heard.positions.count(3) == 1)
            state = (await link.js.stream_info(streams.AGAIN)).state
            await until(lambda: state.messages <= 1)


async def test_a_payload_that_is_no_event_is_given_up_with_its_reason(tmp_path: Path) -> None:
    async with told(tmp_path, 1) as (server, _, _store), linked(server) as link:
        heard, recorded = Heard(), list[GivenUp]()

        async def record(one: GivenUp) -> None:
            recorded.append(one)

        reader = Reader(link, Reading("some", later=(0.05,), tries=2), heard)
        async with running(reader.run, GivenUps(link, record).run):
            await link.js.publish(subjects.again("some"), b"{}")
            await until(lambda: len(recorded) == 1)
        assert recorded[0].stream == streams.AGAIN
        assert "no event as the log tells it" in recorded[0].reason


async def test_a_consumer_that_is_deleted_is_noticed_and_mended_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK", 0.3)
    async with told(tmp_path, 100) as (server, relay_link, store), linked(server) as link:
        heard = Heard()
        reader = Reader(link, Reading("all", batch=10), heard)
        async with running(reader.run):
            await until(lambda: len(heard.positions) == 100)
            await until(lambda: reader.watchdog.floor == 100)
            await relay_link.js.delete_consumer(streams.LOG, "all")
            await append(store, *[Noted(about="late") for _ in range(50)])
            await until(lambda: reader.watchdog.mended == 1)
            await until(lambda: len(heard.positions) >= 150)
            assert reader.failure == ""
        assert heard.positions == list(range(1, 151))


async def test_nats_deleted_and_started_empty_is_told_again_and_readers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK", 0.3)
    async with told(tmp_path, 100) as (server, _, store), linked(server) as link:
        heard = Heard()
        reader = Reader(link, Reading("all", batch=10), heard)
        async with running(reader.run):
            await until(lambda: reader.watchdog.floor == 100)
            shutil.rmtree(tmp_path / "nats" / "store")
            await killed(server)
            await append(store, *[Noted(about="late") for _ in range(50)])
            await until(lambda: len(set(heard.positions)) == 150)
        assert heard.positions == list(range(1, 151))


async def test_its_own_checkpoint_says_where_a_reader_begins(tmp_path: Path) -> None:
    async with told(tmp_path, 100) as (server, _, _store), linked(server) as link:
        heard = Heard()

        async def after() -> int:
            return 90

        async with running(Reader(link, Reading("late"), heard, after).run):
            await until(lambda: len(heard.positions) == 10)
        assert heard.positions == list(range(91, 101))


async def test_a_reader_farther_behind_than_the_stream_is_told_so_and_skips_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "KEPT", 10)
    async with told(tmp_path, 100) as (server, _, _store), linked(server) as link:
        heard = Heard()

        async def after() -> int:
            return 50

        reader = Reader(link, Reading("late"), heard, after)
        async with running(reader.run):
            await until(lambda: "begins at 91" in reader.failure)
        assert heard.positions == []


async def test_options_that_have_changed_are_brought_in_step_and_others_are_said(
    tmp_path: Path,
) -> None:
    async with told(tmp_path, 10) as (server, _, _store), linked(server) as link:
        heard = Heard()
        for reading in (Reading("all", ack_wait=20), Reading("all", ("Test.Noted",), tries=7)):
            watch = Reader(link, reading, heard).watchdog
            await watch.look()
            await watch.look()
            info = await link.js.consumer_info(streams.LOG, "all")
            assert info.config.ack_wait == reading.ack_wait
            assert info.config.max_deliver == reading.tries
        wanted = watchdog.explicit("all", ["x"], batch=1, ack_wait=1, tries=1, inactive=0)
        other = watchdog.Watchdog(link, streams.LOG, wanted.evolve(mem_storage=True))
        with pytest.raises(Conflict, match=r"cannot be changed"):
            await other.look()


async def test_two_readers_of_one_name_share_the_work(tmp_path: Path) -> None:
    async with (
        told(tmp_path, 0) as (server, _, store),
        linked(server) as one,
        linked(server) as two,
    ):
        left, right = Heard(), Heard()
        readings = Reading("all", batch=5)
        async with running(Reader(one, readings, left).run, Reader(two, readings, right).run):
            await asyncio.sleep(0.2)
            for _ in range(40):
                await append(store, *[Noted(about="a") for _ in range(5)])
                await asyncio.sleep(0.002)
            await until(lambda: len(left.positions) + len(right.positions) == 200)
        assert sorted(left.positions + right.positions) == list(range(1, 201))


async def test_while_its_server_is_away_nothing_of_a_reader_piles_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "WAIT", 0.02)
    monkeypatch.setattr(servers, "BACKOFF", (60.0,))
    async with told(tmp_path, 5) as (server, _, _), linked(server) as link:
        heard = Heard()
        reader = Reader(link, Reading("all"), heard)
        async with running(reader.run):
            await until(lambda: len(heard.positions) == 5)
            assert server.process is not None
            server.process.kill()
            await until(lambda: not link.connected)
            waits = link.nc.pending_data_size
            fetched = 0
            fetch = Pull.fetch

            async def counted(self: Pull, batch: int, timeout: float | None = None) -> list[Any]:
                nonlocal fetched
                fetched += 1
                return await fetch(self, batch, timeout)

            monkeypatch.setattr(Pull, "fetch", counted)
            await until(lambda: fetched > 10)
            assert link.nc.pending_data_size == waits


async def test_a_reader_goes_on_after_its_server_was_killed(tmp_path: Path) -> None:
    async with told(tmp_path, 50) as (server, _, store), linked(server) as link:
        heard = Heard()
        async with running(Reader(link, Reading("all", ack_wait=2), heard).run):
            await until(lambda: len(heard.positions) == 50)
            await killed(server)
            await append(store, Noted(about="late"))
            await until(lambda: 51 in heard.positions)
