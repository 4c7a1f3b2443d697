"""The bus over NATS keeps the contract of all buses, near and far."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from events.bus import Bus, Progress
from events.memory import MemoryStore
from events.nats.bus import NatsBus
from events.nats.link import Link
from events.nats.relay import Relay
from events.store import EventStore, append
from tests.agents.counting import TestPinged
from tests.events.bus_contract import BusContract
from tests.events.nats.serving import killed, linked, running, serving, until

pytestmark = pytest.mark.real

Story = Callable[[EventStore, Bus], Awaitable[None]]


class Served(BusContract):
    """With a server of its own for each story."""

    far = False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._home = tmp_path

    def play(self, story: Story) -> None:
        async def played() -> None:
            async with AsyncExitStack() as stack:
                server = await stack.enter_async_context(serving(self._home))
                link = await stack.enter_async_context(linked(server))
                store, here = MemoryStore(), MemoryStore()
                bus = NatsBus(here if self.far else store, link)
                parts = [bus.run]
                if self.far:
                    other = await stack.enter_async_context(linked(server))
                    relay = Relay(store, other, "ab" * 32, ours=True)
                    parts.append(relay.run)
                await stack.enter_async_context(running(*parts))
                await bus.listening.wait()
                if self.far:
                    await relay.ready.wait()
                await story(store, bus)
                await bus.close()

        asyncio.run(played())


class TestNatsBus(Served):
    """The committing store is this process's own."""


class TestNatsBusFromAfar(Served):
    """Only NATS rings: the commits are those of another process."""

    far = True


async def test_progress_reaches_other_processes_and_is_heard_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as one, linked(server) as two:
        here, there = NatsBus(MemoryStore(), one), NatsBus(MemoryStore(), two)
        async with running(here.run, there.run):
            await here.listening.wait()
            await there.listening.wait()
            near, far = here.follow(), there.follow()
            for step in range(3):
                here.say(Progress("work", {"step": step}))
            here.say(Progress("work", {"no": object()}))
            here.say(Progress("work", {"step": 3}))
            heard = [await far.next(5) for _ in range(4)]
            assert [said.says["step"] for said in heard if said] == [0, 1, 2, 3]
            await near.next(1)
            assert len(near._said) == 4
            assert await far.next(0.05) is None
            await one.nc.publish("ratchet.progress", b"no json")
            await one.nc.publish("ratchet.bell", b'{"position": "x", "types": 3}')
            here.say(Progress("work", {"step": 4}))
            assert await far.next(5) == Progress("work", {"step": 4})


async def test_without_a_server_ears_hear_their_own_process_and_end_their_waits() -> None:
    link, store = Link("nats://127.0.0.1:1"), MemoryStore()
    bus = NatsBus(store, link)
    async with running(bus.run, link.open):
        ear = bus.ear(["TestPinged"])
        assert not await ear.wait(0.05)
        await append(store, TestPinged(who="me"))
        assert await ear.wait(30)
        for step in range(1000):
            bus.say(Progress("work", {"step": step}))
    await bus.close()
    await link.close()


async def test_the_bell_rings_again_after_the_server_was_killed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, linked(server) as one, linked(server) as two:
        store = MemoryStore()
        relay, bus = Relay(store, one, "ab" * 32, ours=True), NatsBus(MemoryStore(), two)
        async with running(relay.run, bus.run):
            await bus.listening.wait()
            ear = bus.ear(["TestPinged"])
            await append(store, TestPinged(who="me"))
            assert await ear.wait(30)
            await killed(server)
            await until(lambda: two.connected and one.connected)
            await append(store, TestPinged(who="me"))
            assert await ear.wait(30)
