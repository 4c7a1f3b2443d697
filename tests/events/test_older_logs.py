"""A log of the first schema is read as it is, and gets its tree when it is first written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from agents.audit import audit
from events.chain import Head, Signer, signed
from events.envelope import COLUMNS, Envelope
from events.errors import LogDamaged, NotFound
from events.memory import MemoryStore
from events.merkle import SEGMENT, Frontier
from events.proof import flaw, prove
from events.sql import connect, ending, migrate
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.messages import Noted

SIGNER = Signer.fresh()
OLD = 2500


async def notes(count: int) -> list[Envelope]:
    store = MemoryStore(signer=SIGNER)
    await append(store, *[Noted(text=str(i)) for i in range(count)])
    return await store.read(limit=count)


def older(path: Path, log: Sequence[Envelope]) -> Head:
    """What the first version would have left there."""
    with migrate._opened(path) as connection:
        command.upgrade(migrate._config(connection), "0001")
    head = SIGNER.sign(len(log), log[-1].hash, "")
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})", log)
        db.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", head[:4])
    return head


def changed(path: Path, *statements: str) -> None:
    """Behind the back of the triggers."""
    with closing(sqlite3.connect(path)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert db.execute(statement).rowcount


async def test_an_older_log_is_read_and_audited_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = await notes(30)
    head = older(path, log)
    before = path.read_bytes()
    store = SqliteStore(path)
    assert await store.head() == head
    assert signed(head, SIGNER.public)
    assert await store.read() == log
    assert (await audit(store, [], key=SIGNER.public, kept=head)).good
    with pytest.raises(NotFound, match="has no root") as caught:
        await prove(store, log[3])
    assert "any command that writes" in caught.value.right
    await store.close()
    assert path.read_bytes() == before


async def test_its_tree_is_built_when_it_is_opened_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = await notes(OLD)
    kept = older(path, log)
    store = SqliteStore(path, SIGNER)
    head = await store.head()
    tree, segments = Frontier().grown(bytes.fromhex(one.hash) for one in log)
    assert head[:2] == kept[:2]
    assert head.root == tree.root().hex()
    assert signed(head, SIGNER.public)
    assert await store.segments() == [root.hex() for root in segments.values()]
    for position in (1, SEGMENT, SEGMENT + 1, OLD):
        assert flaw(await prove(store, log[position - 1]), SIGNER.public) == ""
    await append(store, Noted(text="new"))
    report = await audit(store, [], key=SIGNER.public, kept=kept)
    assert (report.good, report.events) == (True, OLD + 1)
    await store.close()
    assert migrate.current(path) == connect.REVISION


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = '{}' WHERE position = 1500",
        "UPDATE events SET hash = replace(hash, '0', '1') WHERE position = 1500",
        "UPDATE events SET hash = 'no hex' WHERE position = 1500",
        "DELETE FROM events WHERE position = 1500",
    ],
)
async def test_no_root_is_signed_over_events_that_were_tampered_with(
    tmp_path: Path, statement: str
) -> None:
    path = tmp_path / "log.db"
    older(path, await notes(OLD))
    changed(path, statement)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="position 1500"):
            SqliteStore(path, SIGNER)
    reader = SqliteStore(path)
    assert (await reader.head()).root == ""
    assert (await audit(reader, [])).broken_at == 1500
    await reader.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segments SET root = replace(root, 'a', 'b') WHERE number = 1",
        "UPDATE segments SET root = 'no hex'",
        "UPDATE segments SET root = x'00' WHERE number = 0",
        "DELETE FROM segments",
        "DELETE FROM segments WHERE number = 0",
    ],
)
async def test_kept_roots_that_are_not_true_are_made_anew(tmp_path: Path, statement: str) -> None:
    """They are a cache; a proof does not rely on them, and the audit tells of them."""
    path = tmp_path / "log.db"
    older(path, await notes(OLD))
    store = SqliteStore(path, SIGNER)
    true = await store.segments()
    await store.close()
    changed(path, statement)
    reader = SqliteStore(path)
    [event] = await reader.read(1700, limit=1)
    assert flaw(await prove(reader, event), SIGNER.public) == ""
    report = await audit(reader, [], key=SIGNER.public)
    assert (report.broken_at or 0) % SEGMENT == 1
    assert report.broken == "the kept root of the 1024 events from here is not true"
    await reader.close()
    store = SqliteStore(path, SIGNER)
    assert await store.segments() == true
    assert (await audit(store, [], key=SIGNER.public)).good
    await store.close()


async def test_a_root_that_is_not_that_of_the_events_is_damage(tmp_path: Path) -> None:
    """Signed by the right key: only somebody who has it, or a fault of ours, can do that."""
    path = tmp_path / "log.db"
    log = await notes(OLD)
    older(path, log)
    await SqliteStore(path, SIGNER).close()
    head = SIGNER.sign(OLD, log[-1].hash, "ab" * 32)
    changed(path, f"UPDATE head SET root = '{head.root}', signature = '{head.signature}'")
    with pytest.raises(LogDamaged, match="not those over which the head was signed"):
        SqliteStore(path, SIGNER)
    reader = SqliteStore(path)
    report = await audit(reader, [], key=SIGNER.public)
    assert (report.broken_at, report.broken) == (OLD, "the signed root is not that of the events")
    with pytest.raises(LogDamaged, match="does not bear out its own head"):
        await prove(reader, log[0])
    await reader.close()


async def test_a_hash_changed_in_an_old_segment_does_not_stop_the_log_but_the_audit(
    tmp_path: Path,
) -> None:
    """To read all hashes at each opening would cost seconds in a large log."""
    path = tmp_path / "log.db"
    older(path, await notes(OLD))
    await SqliteStore(path, SIGNER).close()
    changed(path, "UPDATE events SET hash = replace(hash, '0', '1') WHERE position = 7")
    store = SqliteStore(path, SIGNER)
    await append(store, Noted())
    assert (await audit(store, [], key=SIGNER.public)).broken_at == 7
    [event] = await store.read(8, limit=1)
    with pytest.raises(LogDamaged, match="does not bear out"):
        await prove(store, event)
    await store.close()


async def test_a_hash_changed_behind_the_last_segment_stops_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    older(path, await notes(OLD))
    await SqliteStore(path, SIGNER).close()
    changed(path, f"UPDATE events SET hash = replace(hash, '0', '1') WHERE position = {OLD - 5}")
    with pytest.raises(LogDamaged, match="not those over which"):
        SqliteStore(path, SIGNER)


async def test_another_writer_is_followed_without_reading_the_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.db"
    one, two = SqliteStore(path, SIGNER), SqliteStore(path, SIGNER)
    await append(one, Noted())
    await append(two, Noted())
    with monkeypatch.context() as patched:
        patched.setattr(ending, "standing", None)
        for store in (one, two, one):
            await append(store, *[Noted(text=str(i)) for i in range(400)])
    await append(one, *[Noted(text=str(i)) for i in range(SEGMENT + 1)])
    await append(two, Noted())
    assert (await audit(two, [], key=SIGNER.public)).good
    await one.close()
    await two.close()
