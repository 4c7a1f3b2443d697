"""The clock: each slot once, with any number of clocks, and through crashes and set-backs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from agents.scheduler import SCHEDULER
from agents.shell import Shell, introduce
from events.bus import LogTailBus
from events.catalog.deadlines import DeadlineSet
from events.catalog.schedules import ScheduleDefined
from events.memory import MemoryStore
from events.store import append
from infra.clock import Clock
from tests.agents.spec import Time


async def ticks(store: MemoryStore) -> list[str]:
    await Shell(SCHEDULER, store, LogTailBus(store), "test").settle()
    found = await store.read(limit=10_000, types=["ScheduleTicked"])
    return [str(getattr(envelope.event(), "scheduled_for", "")) for envelope in found]


def test_four_clocks_say_each_slot_once() -> None:
    async def story() -> None:
        time = Time()
        store = MemoryStore(time)
        await introduce(store, [SCHEDULER])
        await append(store, ScheduleDefined(schedule="often", every="1s", misfire="all"))
        clocks = [Clock(store, LogTailBus(store), time) for _ in range(4)]
        for _ in range(30):
            time.pass_by(0.7)
            await asyncio.gather(*(clock.look() for clock in clocks))
        said = await ticks(store)
        assert len(said) == 21
        assert len(set(said)) == 21

    asyncio.run(story())


@pytest.mark.parametrize(("misfire", "made_up"), [("skip", 0), ("latest", 1), ("all", 60)])
def test_a_clock_that_begins_late_treats_the_missed_as_the_policy_says(
    misfire: str, made_up: int
) -> None:
    async def story() -> None:
        time = Time()
        store = MemoryStore(time)
        await introduce(store, [SCHEDULER])
        defined = {"schedule": "often", "every": "1s", "misfire": misfire}
        await append(store, ScheduleDefined.model_validate(defined))
        time.pass_by(60.5)
        await Clock(store, LogTailBus(store), time).look()
        assert len(await ticks(store)) == made_up

    asyncio.run(story())


def test_a_clock_that_is_set_back_waits_and_says_nothing_twice() -> None:
    async def story() -> None:
        time = Time()
        store = MemoryStore(time)
        await introduce(store, [SCHEDULER])
        await append(store, ScheduleDefined(schedule="often", every="1s", misfire="all"))
        clock = Clock(store, LogTailBus(store), time)
        for seconds in (5, -3600, 1, 1, 3600, 1):
            time.pass_by(seconds)
            await clock.look()
        said = await ticks(store)
        assert len(said) == len(set(said)) == 8
        times = [envelope.recorded_at for envelope in await store.read(limit=1000)]
        assert times == sorted(times)

    asyncio.run(story())


def test_a_running_clock_wakes_by_itself() -> None:
    async def story() -> None:
        store = MemoryStore()
        await introduce(store, [SCHEDULER])
        bus = LogTailBus(store)
        running = asyncio.create_task(Clock(store, bus).run())
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        await append(store, DeadlineSet(key="run/a", due=soon))
        ear = bus.ear(["DeadlinePassed"])
        assert await ear.wait(30)
        (passed,) = await store.read(types=["DeadlinePassed"])
        assert passed.time() - soon < timedelta(seconds=1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
