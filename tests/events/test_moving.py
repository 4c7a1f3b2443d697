"""A home's log is copied to Postgres with chain, keys and checkpoints, once, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from events.chain import Signer
from events.envelope import Envelope
from events.errors import Conflict, LogDamaged, NotFound
from events.keeper import Keeper
from events.proof import flaw, prove
from events.sql.postgres.address import address
from events.sql.postgres.moving import Moved, move
from events.sql.postgres.store import PostgresStore
from events.sql.sqlite import SqliteStore
from events.store import Move, PutSnapshot, Snapshot, append
from tests.events.contract.forgetting import PLAIN, comment, feedback, forgetting
from tests.events.messages import Noted, WorkRequested, claim, take
from tests.events.server import PostgresServer

pytestmark = pytest.mark.real


class Removal:
    """A home's keys, its file, and an empty database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.path, self.url = folder / "log.db", url
        self.signer, self.keeper = Signer.fresh(), Keeper.fresh()
        self.told: list[tuple[str, int, int]] = []

    def source(self) -> SqliteStore:
        return SqliteStore(self.path, self.signer, keeper=self.keeper)

    def target(self) -> PostgresStore:
        return PostgresStore(self.url, self.signer, keeper=self.keeper)

    async def filled(self, events: int = 2100) -> list[Envelope]:
        store = self.source()
        try:
            [one, _] = await append(store, feedback("ann"), feedback("bob"))
            await append(store, forgetting("bob"))
            await append(store, WorkRequested(), cause=one, move=Move("reader", 0, 1))
            await append(store, *[Noted(text=f"é☃ {i}") for i in range(events)])
            await take(store, "agent/a")
            await claim(store, local=False)
            await store.submit(PutSnapshot(Snapshot("runs", "1", 1, "{}")))
            return await store.read(limit=10_000)
        finally:
            await store.close()

    async def go(self) -> Moved:
        note = lambda *said: self.told.append(said)  # noqa: E731  (a name for three values)
        return await move(self.path, address(self.url), self.signer, self.keeper, note)


@pytest.fixture
def removal(tmp_path: Path, postgres: PostgresServer) -> Removal:
    return Removal(tmp_path, postgres.database())


async def test_all_of_it_is_there_and_goes_on(removal: Removal) -> None:
    log = await removal.filled()
    moved = await removal.go()
    assert moved.copied
    assert removal.told[0][0] == "copied"
    assert removal.told[-1] == ("verified", len(log), len(log))
    old, new = removal.source(), removal.target()
    try:
        assert await new.read(limit=10_000) == log
        assert await new.head() == await old.head() == moved.head
        assert await new.segments() == await old.segments()
        assert await new.checkpoint("reader") == 1
        assert await new.snapshot("runs") == await old.snapshot("runs")
        free, worker = await new.leases()
        assert (free.name, free.holder, worker.holder) == ("agent/a", "", "worker")
        assert await comment(new, log[0]) == PLAIN
        assert await new.reveal([log[1]]) == [log[1]]
        [more] = await append(new, Noted(), expected={"note/a": 2100})
        assert more.previous_hash == moved.head.hash
        assert flaw(await prove(new, log[7]), removal.signer.public) == ""
    finally:
        await new.close()
        await old.close()


async def test_the_second_time_it_is_there_already_also_when_the_log_has_gone_on(
    removal: Removal,
) -> None:
    await removal.filled(3)
    head, _ = await removal.go()
    assert await removal.go() == Moved(head, copied=False)
    store = removal.target()
    await append(store, Noted())
    await store.close()
    assert await removal.go() == Moved(head, copied=False)


async def test_a_database_with_another_log_is_left_alone(removal: Removal) -> None:
    await removal.filled(3)
    other = PostgresStore(removal.url, Signer.fresh(), keeper=removal.keeper)
    try:
        await append(other, Noted())
        with pytest.raises(Conflict, match="another log"):
            await removal.go()
        assert len(await other.read()) == 1
    finally:
        await other.close()


async def test_a_damaged_log_is_not_copied_and_leaves_nothing(removal: Removal) -> None:
    await removal.filled(30)
    with closing(sqlite3.connect(removal.path, isolation_level=None)) as db:
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("UPDATE events SET data = '{}' WHERE position = 7")
    with pytest.raises(LogDamaged, match="position 7"):
        await removal.go()
    db = await asyncpg.connect(removal.url)
    assert await db.fetchval("SELECT to_regclass('events')") is None
    await db.close()


async def test_a_home_without_a_log_has_nothing_to_move(removal: Removal) -> None:
    with pytest.raises(NotFound, match="no log"):
        await removal.go()


async def test_two_who_move_at_once_copy_it_once(removal: Removal) -> None:
    await removal.filled(50)
    results = await asyncio.gather(removal.go(), removal.go())
    assert sorted(one.copied for one in results) == [False, True]
