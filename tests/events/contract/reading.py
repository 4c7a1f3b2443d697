"""What every store promises about reading, snapshots, and who is told of a commit."""

from __future__ import annotations

import asyncio

import pytest

from events.chain import GENESIS, signed
from events.envelope import Envelope, draft, format_time
from events.errors import VersionConflict
from events.store import EventStore, Move, PutSnapshot, Snapshot, append, every
from tests.events.contract.case import StoreCase
from tests.events.messages import Clock, Counted, Noted, positions, take

NOTED, COUNTED = Noted.wire, Counted.wire


async def filled(store: EventStore) -> list[Envelope]:
    """Ten events: notes and counts by turns, in streams a, b and c."""
    log: list[Envelope] = []
    for i in range(5):
        log += await append(store, Noted(about="abc"[i % 3], text=str(i)))
        log += await append(store, Counted(about="abc"[i % 3], count=i))
    return log


class ReadContract(StoreCase):
    """Asking the log."""

    async def test_reading_is_by_position_in_order(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            assert await store.read() == log
            assert await store.read(after=3) == log[3:]
            assert await store.read(until=7) == log[:7]
            assert await store.read(3, 7) == log[3:7]
            assert await store.read(3, 7, limit=2) == log[3:5]
            assert await store.read(-5, 2) == log[:2]
            for nothing in ((10, None), (99, None), (7, 3), (0, 0), (0, -1)):
                assert await store.read(*nothing) == []

    async def test_reading_some_types_is_by_position_too(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            assert await store.read(types=[NOTED]) == log[::2]
            assert await store.read(2, 8, types={COUNTED}) == log[3:8:2]
            assert await store.read(1, limit=3, types=(COUNTED, NOTED)) == log[1:4]
            assert await store.read(types=["Test.Unheard"]) == []
            assert await store.read(types=[]) == []

    async def test_the_whole_log_is_read_in_bounded_batches(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            sizes = [len(batch) async for batch in every(store, batch=4)]
            assert sizes == [4, 4, 2]
            some = [batch async for batch in every(store, 1, 9, [NOTED], batch=3)]
            assert some == [log[2:8:2], log[8:9]]
            assert [batch async for batch in every(store, until=0)] == []

    async def test_a_stream_is_read_by_version(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            own = [envelope for envelope in log if envelope.stream == "note/a"]
            assert await store.stream("note/a") == own
            assert [envelope.version for envelope in own] == [1, 2, 3, 4]
            assert await store.stream("note/a", after=1, limit=2) == own[1:3]
            assert await store.stream("note/a", after=-1, limit=2) == own[:2]
            assert await store.stream("note/unheard") == []
            assert await store.last("note/a") == own[-1]
            assert await store.last("note/unheard") is None

    async def test_events_are_found_by_their_ids(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            ids = [log[7].event_id, "unheard", log[0].event_id, log[7].event_id]
            found = await store.find(ids)
            assert found == {log[7].event_id: log[7], log[0].event_id: log[0]}
            assert await store.find([]) == {}

    async def test_effects_are_found_by_their_causes_in_order(self) -> None:
        async with self.open() as store:
            [one], [two] = [await append(store, Noted(text=text)) for text in "12"]
            [a] = await append(store, Noted(), cause=two)
            [b] = await append(store, Noted(), cause=one)
            [c] = await append(store, Noted(), cause=a)
            assert await store.effects([one.event_id]) == [b]
            assert await store.effects([one.event_id, two.event_id]) == [a, b]
            assert await store.effects([one.event_id, two.event_id], a.position) == [b]
            assert await store.effects([a.event_id, a.event_id, c.event_id, "unheard"]) == [c]
            assert await store.effects([one.event_id] * 1200) == [b]
            assert await store.effects([]) == []

    async def test_a_time_has_a_position(self) -> None:
        async with self.open() as store:
            assert await store.position_at(format_time(self.clock.now)) == 0
            for _ in range(3):
                await append(store, Noted(), Noted())
                self.clock.go(60)
            began = Clock()

            def at(seconds: float) -> str:
                clock = Clock()
                clock.go(seconds)
                return format_time(clock.now)

            wanted = {-1: 0, 0: 2, 59.999999: 2, 60: 4, 120: 6, 9999: 6}
            assert {s: await store.position_at(at(s)) for s in wanted} == wanted
            assert format_time(began.now) == (await store.read())[0].recorded_at

    async def test_the_walk_of_the_audit_sees_the_same(self) -> None:
        async with self.open() as store:
            log = await filled(store)
            assert await store.verify() == (log, "")
            assert await store.verify(4, 3) == (log[4:7], "")
            assert await store.verify(10) == ([], "")

    async def test_the_head_is_signed_anew_with_each_commit(self) -> None:
        async with self.open() as store:
            heads = []
            for _ in range(3):
                [newest] = await append(store, Noted())
                heads.append(await store.head())
                assert heads[-1].hash == newest.hash
                assert signed(heads[-1], self.signer.public)
            assert [head.position for head in heads] == [1, 2, 3]
            forged = heads[-1]._replace(position=2)
            assert not signed(forged, self.signer.public)
            first = (await store.read())[0]
            assert first.previous_hash == GENESIS

    async def test_a_snapshot_is_kept_replaced_and_dropped(self) -> None:
        async with self.open() as store:
            assert await store.snapshot("runs") is None
            for snapshot in (Snapshot("runs", "1", 5, "{}"), Snapshot("runs", "2", 9, "[1]")):
                assert await store.submit(PutSnapshot(snapshot)) is None
                assert await store.snapshot("runs") == snapshot
            await store.submit(PutSnapshot(Snapshot("models", "1", 3, "{}")))
            await store.submit(PutSnapshot(Snapshot("runs", "", 0, "")))
            await store.submit(PutSnapshot(Snapshot("unheard", "", 0, "")))
            assert await store.snapshot("runs") is None
            assert await store.snapshot("models") == Snapshot("models", "1", 3, "{}")

    async def test_who_listens_is_told_after_the_commit(self) -> None:
        async with self.open() as store:
            told: list[tuple[int, frozenset[str]]] = []
            looks: list[asyncio.Task[list[Envelope]]] = []

            def heard(position: int, types: frozenset[str]) -> None:
                told.append((position, types))
                looks.append(asyncio.ensure_future(store.read(position - 1)))

            stop = store.listen(heard)
            await append(store, Noted(), Counted())
            await append(store, Noted())
            assert told == [(2, frozenset({NOTED, COUNTED})), (3, frozenset({NOTED}))]
            assert [positions(await look)[0] for look in looks] == [2, 3]
            await append(store, move=Move("reader", 0, 1))
            await take(store, "agent/a")
            with pytest.raises(VersionConflict):
                await append(store, Noted(), expected={"note/a": 0})
            await append(store, draft(Noted(), "once"))
            await append(store, draft(Noted(), "once"))
            assert len(told) == 3
            stop()
            await append(store, Noted())
            assert len(told) == 3
