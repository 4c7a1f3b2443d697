"""The store in a file keeps the contract, lasts, shares its file, and lets nobody rewrite it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from events.chain import Signer
from events.errors import LogUnavailable, VersionConflict
from events.sql import writer
from events.sql.sqlite import SqliteStore
from events.store import Move, append
from tests.events.children import child
from tests.events.messages import Clock, Noted, claim, held, positions, take
from tests.events.store_contract import DurableContract, StoreContract


class TestSqliteStore(StoreContract, DurableContract):
    """The contract, and what only a file can do."""

    async def make(self, place: Path, clock: Clock, signer: Signer) -> SqliteStore:
        return SqliteStore(place / "log.db", signer, clock, self.keeper)

    async def test_two_who_write_by_turns_leave_no_gap(self) -> None:
        async with self.open() as one, self.open() as two:
            for i in range(20):
                await append(one, Noted(text=f"one {i}"), expected={"note/a": 2 * i})
                with pytest.raises(VersionConflict):
                    await append(two, Noted(), expected={"note/a": 2 * i})
                await append(two, Noted(text=f"two {i}"), expected={"note/a": 2 * i + 1})
            assert len(await self.intact(one)) == 40
            assert await two.read() == await one.read()

    async def test_two_who_write_at_once_share_leases_and_checkpoints(self) -> None:
        async with self.open() as one, self.open() as two:
            lease = await take(one, "agent/a")
            await asyncio.gather(*(append(s, Noted()) for s in (one, two) for _ in range(50)))
            await append(two, Noted(), move=Move("reader", 0, 100, held(lease)))
            assert await one.checkpoint("reader") == 100
            assert len(await self.intact(one)) == 101
            assert await claim(two) is None

    async def test_a_reader_sees_what_is_committed_and_writes_nothing(self) -> None:
        async with self.open() as store:
            reader = SqliteStore(self.place / "log.db")
            [one] = await append(store, Noted())
            assert await reader.read() == [one]
            with pytest.raises(LogUnavailable, match="for reading only"):
                await append(reader, Noted())
            await reader.close()

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
            assert [type(answer) for answer in answers] == [OverflowError, OverflowError]
            await append(store, Noted())
            assert len(await self.intact(store)) == 1

    async def test_a_database_that_is_locked_refuses_and_recovers(self) -> None:
        async with self.open() as store:
            await append(store, Noted())
            with closing(sqlite3.connect(self.place / "log.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                store._writer._db.execute("PRAGMA busy_timeout=10")  # type: ignore[attr-defined]
                with pytest.raises(LogUnavailable, match="locked"):
                    await append(store, Noted())
                other.execute("ROLLBACK")
            await append(store, Noted())
            assert positions(await self.intact(store)) == [1, 2]

    @pytest.mark.parametrize(
        ("sql", "refused"),
        [
            ("UPDATE events SET data = '{}' WHERE position = 2", "never changed"),
            ("UPDATE events SET position = 9 WHERE position = 2", "never changed"),
            ("DELETE FROM events WHERE position = 2", "never removed"),
            ("DELETE FROM events", "never removed"),
            ("REPLACE INTO events SELECT * FROM events WHERE position = 2", "append-only"),
            (
                "INSERT OR REPLACE INTO events SELECT 3, event_id, type, schema, stream, 3, "
                "recorded_at, actor, correlation_id, cause_id, data, key_id, previous_hash, hash "
                "FROM events WHERE position = 2",
                "each event once",
            ),
            (
                "INSERT OR REPLACE INTO events SELECT 3, 'new', type, schema, stream, version, "
                "recorded_at, actor, correlation_id, cause_id, data, key_id, previous_hash, hash "
                "FROM events WHERE position = 2",
                "each event once",
            ),
            (
                "INSERT INTO events SELECT 4, 'new', type, schema, stream, 3, "
                "recorded_at, actor, correlation_id, cause_id, data, key_id, previous_hash, hash "
                "FROM events WHERE position = 2",
                "no gap",
            ),
        ],
    )
    async def test_the_database_itself_refuses_to_rewrite_an_event(
        self, sql: str, refused: str
    ) -> None:
        async with self.open() as store:
            await append(store, Noted())
            await append(store, Noted())
        with closing(sqlite3.connect(self.place / "log.db")) as raw:
            with pytest.raises(sqlite3.IntegrityError, match=refused):
                raw.execute(sql)
            raw.rollback()
        async with self.open() as store:
            assert len(await self.intact(store)) == 2


KILLED = """
async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]), Signer.of(Path(sys.argv[2])))
    for i in range(31):
        await asyncio.gather(*(append(store, Noted(text=str(i))) for _ in range(3)))
        os.write(1, b"x")
    asyncio.ensure_future(append(store, Noted(text="perhaps")))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    path, keys = tmp_path / "log.db", tmp_path / "keys"
    assert child(KILLED, path, keys).stdout == "x" * 31
    store = SqliteStore(path, Signer.of(keys))
    assert len(await store.read()) in (93, 94)
    await append(store, Noted())
    await store.close()


def test_to_open_a_log_loads_no_migrations(tmp_path: Path) -> None:
    script = """
SqliteStore(Path(sys.argv[1]), Signer.fresh())
print([name for name in ("alembic", "sqlalchemy", "sqlmodel") if name in sys.modules])
"""
    assert child(script, tmp_path / "log.db").stdout == "[]\n"
