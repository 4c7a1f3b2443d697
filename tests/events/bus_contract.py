"""What every bus must show: rings reach whom they concern, and none that matters is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from events.bus import Bus, Progress
from events.memory import MemoryStore
from events.store import EventStore, append
from tests.agents.counting import TestPinged, TestPonged

PING, PONG = TestPinged(who="me"), TestPonged(who="me", count=1)


class BusContract:
    """Combined with a way to make the bus of a store, it is that bus's test."""

    async def make(self, store: EventStore) -> Bus:
        raise NotImplementedError

    def play(self, story: Callable[[EventStore, Bus], Awaitable[None]]) -> None:
        async def played() -> None:
            store = MemoryStore()
            bus = await self.make(store)
            try:
                await story(store, bus)
            finally:
                await bus.close()
                await store.close()

        asyncio.run(played())

    def test_a_committed_event_rings(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ear = bus.ear(["TestPinged"])
            waiting = asyncio.create_task(ear.wait(30))
            await asyncio.sleep(0)
            await append(store, PING)
            assert await waiting

        self.play(story)

    def test_other_types_do_not_ring(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ear = bus.ear(["TestPinged"])
            await append(store, PONG)
            assert not await ear.wait(0.05)

        self.play(story)

    def test_a_ring_before_the_wait_is_remembered(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ear = bus.ear(["TestPinged"])
            await append(store, PING)
            await asyncio.sleep(0.05)
            assert await ear.wait(30)
            assert not await ear.wait(0.02)

        self.play(story)

    def test_every_ear_hears(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ears = [bus.ear(["TestPinged", "TestPonged"]) for _ in range(10)]
            await append(store, PING)
            assert all([await ear.wait(30) for ear in ears])

        self.play(story)

    def test_a_closed_ear_is_deaf(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ear = bus.ear(["TestPinged"])
            ear.close()
            await append(store, PING)
            assert not await ear.wait(0.05)

        self.play(story)

    def test_one_may_ring_for_oneself(self) -> None:
        async def story(_store: EventStore, bus: Bus) -> None:
            ear = bus.ear([])
            ear.ring()
            assert await ear.wait(30)

        self.play(story)

    def test_a_reader_that_waits_and_reads_misses_nothing(self) -> None:
        async def story(store: EventStore, bus: Bus) -> None:
            ear, position, seen = bus.ear(["TestPinged"]), 0, 0

            async def write() -> None:
                for number in range(200):
                    await append(store, PING)
                    if number % 7 == 0:
                        await asyncio.sleep(0)

            writing = asyncio.create_task(write())
            async with asyncio.timeout(60):
                while seen < 200:
                    found = await store.read(position, None, 50, ["TestPinged"])
                    seen += len(found)
                    if found:
                        position = found[-1].position
                    else:
                        await ear.wait(1)
            await writing

        self.play(story)

    def test_progress_reaches_its_followers_in_order(self) -> None:
        async def story(_store: EventStore, bus: Bus) -> None:
            follower = bus.follow()
            for step in range(3):
                bus.say(Progress("work", {"step": step}))
            heard = [await follower.next(5) for _ in range(3)]
            assert [one.says["step"] for one in heard if one] == [0, 1, 2]
            assert await follower.next(0.02) is None

        self.play(story)

    def test_a_slow_follower_loses_the_oldest_and_slows_nobody(self) -> None:
        async def story(_store: EventStore, bus: Bus) -> None:
            follower = bus.follow()
            for step in range(10_000):
                bus.say(Progress("work", {"step": step}))
            await asyncio.sleep(0.05)
            first = await follower.next(1)
            assert first is not None
            assert first.says["step"] > 0

        self.play(story)
