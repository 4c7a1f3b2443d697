"""The shell: every fact answered once, whoever reads, however often it begins again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from agents.shell import Shell, introduce
from events.bus import LogTailBus
from events.catalog.agents import AgentPaused, AgentResumed
from events.chain import Signer
from events.memory import MemoryStore
from events.sql.sqlite import SqliteStore
from events.store import EndLocalLeases, EventStore, append
from tests.agents.counting import TestPinged, counter


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.01)


async def pongs(store: EventStore) -> list[str]:
    found = await store.read(limit=10_000, types=["TestPonged"])
    return [envelope.data for envelope in found]


async def ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def led(store: EventStore, count: int, readers: int = 1) -> None:
    """Ping while so many shells read at once, until all is answered."""
    bus = LogTailBus(store)
    await introduce(store, [counter()])
    shells = [Shell(counter(), store, bus, f"reader-{number}") for number in range(readers)]
    tasks = [asyncio.create_task(shell.run()) for shell in shells]
    before = len(await pongs(store))
    for number in range(count):
        await append(store, TestPinged(who=f"w{number}"), actor="test")

    async def answered() -> bool:
        return len(await pongs(store)) >= before + count

    await until(answered)
    await ended(*tasks)
    await bus.close()


def test_every_ping_has_one_pong_whatever_number_of_readers_compete() -> None:
    async def story() -> None:
        store = MemoryStore()
        await led(store, 50, readers=4)
        said = await pongs(store)
        assert len(said) == 50
        assert len(set(said)) == 50

    asyncio.run(story())


def test_an_agent_goes_on_where_it_stopped_with_the_same_state(tmp_path: Path) -> None:
    async def story() -> None:
        signer = Signer.fresh()
        for _ in range(3):
            store = SqliteStore(tmp_path / "log.db", signer)
            await store.submit(EndLocalLeases())
            await led(store, 10)
            counts = [line.rsplit(":", 1)[1] for line in await pongs(store)]
            assert counts == [f"{2 * number + 1}}}" for number in range(len(counts))]
            await store.close()

    asyncio.run(story())


def test_a_lost_snapshot_and_a_lost_checkpoint_change_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        signer, path = Signer.fresh(), tmp_path / "log.db"
        store = SqliteStore(path, signer)
        await led(store, 10)
        await store.close()
        import sqlite3

        with sqlite3.connect(path) as raw:
            raw.execute("DELETE FROM snapshots")
            raw.execute("DELETE FROM checkpoints")
            raw.execute("DELETE FROM leases")
        raw.close()
        store = SqliteStore(path, signer)
        await led(store, 5)
        assert len(await pongs(store)) == 15
        await store.close()

    asyncio.run(story())


def test_a_paused_agent_stands_still_and_nothing_is_lost() -> None:
    async def story() -> None:
        store = MemoryStore()
        bus = LogTailBus(store)
        await introduce(store, [counter()])
        task = asyncio.create_task(Shell(counter(), store, bus, "reader").run())
        await append(store, AgentPaused(agent="counter"), actor="test")
        await asyncio.sleep(0.05)
        await append(store, TestPinged(who="a"), TestPinged(who="b"), actor="test")
        await asyncio.sleep(0.1)
        assert not await pongs(store)
        await append(store, AgentResumed(agent="counter"), actor="test")

        async def answered() -> bool:
            return len(await pongs(store)) == 2

        await until(answered)
        await ended(task)

    asyncio.run(story())


def test_a_new_version_goes_on_where_the_old_one_stopped() -> None:
    async def story() -> None:
        store = MemoryStore()
        await led(store, 3)
        await introduce(store, [counter("2")])
        await introduce(store, [counter("2")])
        started = [e.event() for e in await store.read(types=["AgentStarted"])]
        assert [getattr(one, "version", "") for one in started] == ["1", "2"]
        assert getattr(started[1], "from_position", 0) > 3

    asyncio.run(story())


def test_an_agent_that_is_new_to_an_old_log_leaves_the_past_alone() -> None:
    async def story() -> None:
        from agents.trainer import TRAINER

        store = MemoryStore()
        await introduce(store, [TRAINER])
        await append(store, TestPinged(who="early"), actor="test")
        bus = LogTailBus(store)
        await introduce(store, [counter()])
        await append(store, TestPinged(who="late"), actor="test")
        await Shell(counter(), store, bus, "reader").settle()
        assert await pongs(store) == ['{"who":"late","count":2}']

    asyncio.run(story())
