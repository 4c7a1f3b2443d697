"""Projections and replay: any state comes back identical, at any position, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agents.agent import hears
from events.chain import Signer
from events.errors import NotFound
from events.fact import Fact
from events.memory import MemoryStore
from events.projection import Fold, Projection, State, drop, replayed, restored
from events.replay import BrokenChain
from events.sql.sqlite import SqliteStore
from events.store import EventStore, PutSnapshot, Snapshot, append
from events.why import event_at, why
from tests.agents.counting import TestPinged, TestPonged


def _apply(state: State, told: Fact) -> None:
    who = getattr(told.event, "who", "")
    state[who] = state.get(who, 0) + 1


PINGS = Projection("pings", "1", hears(TestPinged), _apply)


async def filled(store: EventStore, count: int = 25) -> None:
    for number in range(count):
        await append(store, TestPinged(who=f"w{number % 3}"), TestPonged(who="x", count=1))


def test_a_fold_catches_up_and_hears_only_its_own() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store)
        fold = Fold(PINGS)
        assert await fold.catch_up(store) == {"w0": 9, "w1": 8, "w2": 8}
        assert fold.position == 50
        await filled(store, 1)
        assert (await fold.catch_up(store))["w0"] == 10

    asyncio.run(story())


def test_a_dropped_projection_comes_back_identical() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store)
        fold = await restored(PINGS, store)
        before = dict(await fold.catch_up(store))
        await fold.keep(store)
        kept = await restored(PINGS, store)
        assert (kept.state, kept.position) == (before, 50)
        await drop(PINGS, store)
        fresh = await restored(PINGS, store)
        assert fresh.position == 0
        assert await fresh.catch_up(store) == before

    asyncio.run(story())


@pytest.mark.parametrize(
    "kept",
    [
        Snapshot("projection/pings", "0", 10, "{}"),
        Snapshot("projection/pings", "1", 10, "rubbish"),
        Snapshot("projection/pings", "1", 9999, "{}"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_not_read(kept: Snapshot) -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store)
        await store.submit(PutSnapshot(kept))
        fold = await restored(PINGS, store)
        assert fold.position == 0
        assert sum((await fold.catch_up(store)).values()) == 25

    asyncio.run(story())


def test_replay_gives_the_state_at_every_position() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store, 10)
        for until in range(21):
            state = (await replayed([PINGS], store, until))["pings"]
            assert sum(state.values()) == (until + 1) // 2
        with pytest.raises(NotFound, match="ends at position 20"):
            await replayed([PINGS], store, 21)

    asyncio.run(story())


def test_replay_stops_where_history_is_broken(tmp_path: Path) -> None:
    async def story() -> None:
        path, signer = tmp_path / "log.db", Signer.fresh()
        store = SqliteStore(path, signer)
        await filled(store)
        await store.close()
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("DROP TRIGGER events_are_never_changed")
        raw.execute("UPDATE events SET data = replace(data, 'w', 'v') WHERE position = 31")
        raw.close()
        store = SqliteStore(path)
        assert await replayed([PINGS], store, 30)
        with pytest.raises(BrokenChain) as broken:
            await replayed([PINGS], store, 50)
        assert broken.value.position == 31
        await store.close()

    asyncio.run(story())


def test_long_replays_tell_how_far_they_are() -> None:
    async def story() -> None:
        store = MemoryStore()
        await filled(store, 1500)
        told: list[tuple[int, int]] = []
        await replayed([PINGS], store, 3000, lambda done, whole: told.append((done, whole)))
        assert told[-1] == (3000, 3000)
        assert told == sorted(told)
        assert len(told) >= 3

    asyncio.run(story())


def test_why_tells_causes_and_effects() -> None:
    async def story() -> None:
        store = MemoryStore()
        (first,) = await append(store, TestPinged(who="a"))
        (second,) = await append(store, TestPonged(who="a", count=1), cause=first)
        (third,) = await append(store, TestPinged(who="a"), cause=second)
        (fourth,) = await append(store, TestPonged(who="a", count=2), cause=third)
        await append(store, TestPinged(who="other"))
        told = await why(store, await event_at(store, "3"))
        assert told.event == third
        assert told.causes == [first, second]
        assert told.effects == [fourth]
        assert {one.correlation_id for one in (first, second, third, fourth)} == {first.event_id}
        assert await event_at(store, third.event_id.upper()) == third

    asyncio.run(story())


@pytest.mark.parametrize("name", ["0", "99", "-1", "x", "", "9" * 40, "0" * 8])
def test_what_is_no_event_is_not_found(name: str) -> None:
    async def story() -> None:
        store = MemoryStore()
        await append(store, TestPinged(who="a"))
        with pytest.raises(NotFound):
            await event_at(store, name)

    asyncio.run(story())
