"""Several states from one reading of the history."""

from __future__ import annotations

import asyncio

import pytest

from events.errors import NotFound
from events.memory import MemoryStore
from events.projection import replayed, replayed_at
from tests.events.test_projection import PINGS, filled


def test_each_state_is_what_a_replay_to_its_position_gives() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store)
        places = [50, 0, 7, 8, 7, 33]
        found = await replayed_at([PINGS], store, places)
        assert found == [await replayed([PINGS], store, place) for place in places]

    asyncio.run(story())


def test_the_states_are_strangers_to_each_other() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store)
        first, last = await replayed_at([PINGS], store, [10, 50])
        last["pings"].clear()
        assert first["pings"] == {"w0": 2, "w1": 2, "w2": 1}

    asyncio.run(story())


def test_a_place_beyond_the_end_is_not_found() -> None:
    async def story() -> None:
        with pytest.raises(NotFound, match="ends at position 0, before 3"):
            await replayed_at([PINGS], MemoryStore(), [0, 3])

    asyncio.run(story())
