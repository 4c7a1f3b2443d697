"""The house: warm projections for many at once, and parts that fail alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agents.roster import ROSTER
from agents.shell import Shell, introduce
from events.bus import LogTailBus
from events.catalog.agents import AgentPaused
from events.memory import MemoryStore
from events.projection import restored
from events.store import append
from infra.house import House
from tests.agents.counting import counter


def test_many_who_ask_at_once_see_one_history_folded_once() -> None:
    async def story() -> None:
        store = MemoryStore()
        await introduce(store, [counter()])
        for _ in range(3000):
            await append(store, AgentPaused(agent="counter"))
        house = House(store, LogTailBus(store), [], [], {"agents": ROSTER})
        folds = await asyncio.gather(*(house.fold("agents") for _ in range(10)))
        assert {id(fold) for fold in folds} == {id(folds[0])}
        assert len(folds[0].state["counter"]["versions"]) == 1
        assert folds[0].position == 3001
        await house.close()
        assert (await restored(ROSTER, store)).position == 3001

    asyncio.run(story())


class Broken:
    """A part with a defect."""

    name, failure = "broken", ""

    async def run(self) -> None:
        raise ValueError("a defect")


def test_a_part_that_fails_stands_still_alone_and_is_named() -> None:
    async def story() -> None:
        store = MemoryStore()
        await introduce(store, [counter()])
        bus = LogTailBus(store)
        shell = Shell(counter(), store, bus, "test")
        house = House(store, bus, [shell], [Broken(), shell], {})
        running = asyncio.create_task(house.run())
        await asyncio.sleep(0.05)
        assert house.troubles() == {"broken": "ValueError: a defect"}
        assert not running.done()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await house.close()

    asyncio.run(story())
