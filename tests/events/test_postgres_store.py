"""The store in Postgres keeps the contract, is shared by many, and lets nobody rewrite it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from events.chain import EMPTY, Signer
from events.envelope import draft
from events.errors import LeaseLost, LogDamaged, LogUnavailable, VersionConflict
from events.ids import new_id
from events.memory import utc_now
from events.merkle import SEGMENT
from events.sql.postgres import ears, reader, writer
from events.sql.postgres.store import PostgresStore
from events.store import EventStore, Move, append
from tests.events.messages import Clock, Noted, WorkRequested, held, take
from tests.events.server import PostgresServer
from tests.events.store_contract import DurableContract, StoreContract

pytestmark = pytest.mark.real

ADD = (
    "INSERT INTO events (position, event_id, version, type, schema, stream, recorded_at, actor, "
    "correlation_id, data, previous_hash, hash) SELECT {}, type, schema, stream, recorded_at, "
    "actor, correlation_id, data, previous_hash, hash FROM events WHERE position = 2"
)


class TestPostgresStore(StoreContract, DurableContract):
    """The contract, and what only a shared database can do."""

    @pytest.fixture(autouse=True)
    def database(self, postgres: PostgresServer) -> None:
        self.url = postgres.database()

    async def make(self, _: Path, clock: Clock, signer: Signer) -> PostgresStore:
        store = PostgresStore(self.url, signer, clock, self.keeper)
        try:
            await store.ready()
        except BaseException:
            await store.close()
            raise
        return store

    @asynccontextmanager
    async def two(self) -> AsyncIterator[tuple[EventStore, EventStore]]:
        async with self.open() as one, self.open() as other:
            yield one, other

    async def test_two_who_write_by_turns_leave_no_gap(self) -> None:
        async with self.two() as (one, two):
            for i in range(20):
                await append(one, Noted(text=f"one {i}"), expected={"note/a": 2 * i})
                with pytest.raises(VersionConflict):
                    await append(two, Noted(), expected={"note/a": 2 * i})
                await append(two, Noted(text=f"two {i}"), expected={"note/a": 2 * i + 1})
            assert len(await self.intact(one)) == 40
            assert await two.read() == await one.read()

    async def test_two_who_write_at_once_share_leases_and_checkpoints(self) -> None:
        async with self.two() as (one, two):
            lease = await take(one, "agent/a")
            await asyncio.gather(*(append(s, Noted()) for s in (one, two) for _ in range(50)))
            await append(two, Noted(), move=Move("reader", 0, 100, held(lease)))
            assert await one.checkpoint("reader") == 100
            assert len(await self.intact(one)) == 101
            with pytest.raises(LeaseLost):
                await take(two, "agent/a", "other")

    async def test_one_far_behind_learns_what_others_wrote(self) -> None:
        async with self.two() as (one, two):
            await append(one, Noted())
            for _ in range(3):
                await append(two, *[Noted(text=str(i)) for i in range(900)])
            await append(one, Noted(), expected={"note/a": 2701})
            await append(two, *[Noted(about="b") for i in range(1000)])
            await append(one, Noted(about="b"), expected={"note/b": 1000})
            assert len(await self.intact(two)) == 3703

    async def test_a_reader_sees_what_is_committed_and_writes_nothing(self) -> None:
        beside = PostgresStore(self.url)
        assert await beside.read() == []
        assert await beside.head() == EMPTY
        async with self.open() as store:
            [one] = await append(store, Noted())
            assert await beside.read() == [one]
            with pytest.raises(LogUnavailable, match="for reading only"):
                await append(beside, Noted())
        await beside.close()

    async def test_a_closed_store_says_so(self) -> None:
        async with self.open() as store:
            pass
        for asking in (store.read(), store.head(), append(store, Noted())):
            with pytest.raises(LogUnavailable, match="closed"):
                await asking

    async def test_more_streams_than_are_remembered_lose_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer, "_REMEMBERED", 3)
        async with self.open() as store:
            for turn in range(4):
                notes = [Noted(about=f"s{(i * turn) % 9}") for i in range(9)]
                answers = asyncio.gather(*(append(store, note) for note in notes))
                await asyncio.wait_for(answers, 30)
            assert len(await self.intact(store)) == 36

    async def test_nobody_waits_for_ever_on_what_cannot_be_written(self) -> None:
        async with self.open() as store:
            calls = [append(store, move=Move("reader", 0, 2**70)), append(store, Noted())]
            answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)
            assert all(isinstance(answer, Exception) for answer in answers)
            await append(store, Noted())
            assert len(await self.intact(store)) == 1

    async def test_an_id_that_is_sent_again_costs_no_connection(self) -> None:
        async with self.open() as store:
            one = draft(Noted(), new_id())
            first, others = await append(store, one), [Noted(about=str(n)) for n in range(3)]
            before = await self.backends()
            assert before
            for other in others:
                again, _ = await asyncio.gather(append(store, one), append(store, other))
                assert again == first
            assert before <= await self.backends()
            assert len(await self.intact(store)) == 4

    async def backends(self) -> set[int]:
        db = await asyncpg.connect(self.url)
        sql = (
            "SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'ratchet'"
        )
        try:
            rows = await db.fetch(sql)
        finally:
            await db.close()
        return {row[0] for row in rows}

    async def test_commits_of_others_are_heard_of(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ears, "LOOK", 60.0)  # a hint, and not the next look
        async with self.two() as (one, two):
            heard: list[tuple[int, frozenset[str]]] = []
            news = asyncio.Event()

            def hear(position: int, types: frozenset[str]) -> None:
                heard.append((position, types))
                news.set()

            stop = one.listen(hear)
            await append(one, Noted())
            assert heard == [(1, frozenset({Noted.wire}))]
            await asyncio.sleep(0.1)
            news.clear()
            await append(two, WorkRequested())
            await asyncio.wait_for(news.wait(), 30)
            assert heard[-1] == (2, frozenset({WorkRequested.wire}))
            stop()
            await append(one, Noted())
            assert heard[-1][0] == 2

    async def test_the_time_is_that_of_the_server_unless_a_clock_is_given(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer, "utc_now", lambda: utc_now() - timedelta(hours=3))
        store = PostgresStore(self.url, self.signer)
        [one] = await append(store, Noted())
        assert abs((one.time() - utc_now()).total_seconds()) < 60
        await store.close()

    async def test_the_key_of_another_home_is_told_at_once(self) -> None:
        async with self.open() as store:
            await append(store, Noted())
        other = PostgresStore(self.url, Signer.fresh())
        for asking in (other.head(), append(other, Noted())):
            with pytest.raises(LogDamaged, match="signed by the key of another home"):
                await asking
        await other.close()

    @pytest.mark.parametrize(
        ("sql", "refused"),
        [
            ("UPDATE events SET data = '{}' WHERE position = 2", "never changed"),
            ("DELETE FROM events WHERE position = 2", "never removed"),
            ("TRUNCATE events", "never removed"),
            (ADD.format("4, 'new', 7"), "no gap"),
            (ADD.format("2, 'new', 7"), "events_pk"),
            (ADD.format("3, event_id, 7"), "events_event_id"),
            (ADD.format("3, 'new', version"), "events_stream_version"),
        ],
    )
    async def test_the_database_itself_refuses_to_rewrite_an_event(
        self, sql: str, refused: str
    ) -> None:
        async with self.open() as store:
            await append(store, Noted())
            await append(store, Noted())
            db = await asyncpg.connect(self.url)
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=refused):
                await db.execute(sql)
            await db.close()
            assert len(await self.intact(store)) == 2

    async def test_texts_that_are_empty_or_odd_come_back_as_they_were(self) -> None:
        odd = "\n\r\t\\N {} , NULL '\" \u2028 \u0000 \U0001f40d"
        async with self.open() as store:
            [one] = await append(store, Noted(text=odd), actor="")
            two = await append(store, Noted(text=""), Noted(text=odd), cause=one, actor="NULL")
            assert await store.read() == [one, *two]
            assert [e.actor for e in await self.intact(store)] == ["", "NULL", "NULL"]
            assert [getattr(e.event(), "text", None) for e in two] == ["", odd]

    async def test_what_lies_behind_a_gap_is_walked_over_too(self) -> None:
        async with self.open() as store:
            log = [(await append(store, Noted()))[0] for _ in range(8)]
            db = await asyncpg.connect(self.url)
            await db.execute("""
                ALTER TABLE events DISABLE TRIGGER USER;
                DELETE FROM events WHERE position BETWEEN 3 AND 6
            """)
            await db.close()
            assert (await store.verify(0, 3)).envelopes == [*log[:2], log[6]]
            assert (await store.verify(2, 2)).envelopes == log[6:]
            assert (await store.verify(4, 1)).envelopes == [log[6]]
            assert (await store.verify(8, 1)).envelopes == []

    async def test_no_page_costs_more_than_it_holds_also_before_the_first_analyze(self) -> None:
        async with self.open() as store:
            await append(store, *[Noted(text="x" * 200) for _ in range(8000)])
        db = await asyncpg.connect(self.url)
        assert await db.fetchval("SELECT reltuples FROM pg_class WHERE relname = 'events'") < 0
        async with db.transaction():
            for after in range(0, 8000, 2000):
                assert len(await reader.between(db, after, None, 2000, None)) == 2000
                assert len(await reader.in_stream(db, "note/a", after, 2000)) == 2000
                assert len(await reader.hashes(db, after, 8000)) == SEGMENT
            looked_at = await db.fetchval(
                "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables "
                "WHERE relname = 'events'"
            )
        await db.close()
        assert looked_at <= 2 * 8000 + 4 * SEGMENT

    async def test_an_owner_who_is_no_superuser_may_not_even_try(self) -> None:
        db = await asyncpg.connect(self.url)
        await db.execute("CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA public TO plain")
        try:
            plain = self.url.replace("postgres:secret@", "plain:secret@")
            store = PostgresStore(plain, self.signer)
            await append(store, Noted())
            await append(store, WorkRequested())
            await store.close()
            own = await asyncpg.connect(plain)
            for sql in ("UPDATE events SET data = ''", "DELETE FROM events", "TRUNCATE events"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await own.execute(sql)
            await own.close()
        finally:
            await db.execute("DROP OWNED BY plain; DROP ROLE plain")
            await db.close()
