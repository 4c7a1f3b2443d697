"""What is forgotten is gone from the file and its journal, whatever happens in between."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.chain import Signer
from events.keeper import Keeper
from events.sql import sqlite
from events.sql.sqlite import SqliteStore
from events.store import append
from tests.events.children import child, killed_after

SAYS = "Nida, behind the lighthouse"


def feedback(subject: str) -> FeedbackReceived:
    return FeedbackReceived(subject=subject, role="r", rating=1, comment=SAYS)


def found(folder: Path, *texts: str) -> set[str]:
    """Those that stand in any file of the folder, also in parts of it that are not in use."""
    raw = b"".join(file.read_bytes() for file in folder.glob("log.db*"))
    return {text for text in texts if text.encode() in raw}


def kept(folder: Path) -> dict[str, str]:
    """The rows of the subjects: token and wrapped key."""
    with closing(sqlite3.connect(folder / "log.db")) as raw:
        return dict(raw.execute("SELECT token, wrapped FROM subjects"))


async def test_no_key_stays_in_a_page_that_was_split_or_freed(tmp_path: Path) -> None:
    chance, keeper = random.Random(7), Keeper.fresh()
    store = SqliteStore(tmp_path / "log.db", Signer.fresh(), keeper=keeper)
    alive: list[str] = []
    deleted: set[str] = set()
    for number in range(400):
        alive.append(f"subject-{number}")
        await append(store, feedback(alive[-1]))
        if chance.random() < 0.4:
            victim = alive.pop(chance.randrange(len(alive)))
            token = keeper.token(victim)
            deleted |= {token, kept(tmp_path)[token]}
            await append(store, SubjectForgotten(subject=victim))
    assert len(deleted) > 200
    assert found(tmp_path, *deleted, SAYS, *alive[:5], "subject-1") == set()
    rows = kept(tmp_path)
    assert found(tmp_path, *rows.values()) == set(rows.values())
    await store.close()
    assert found(tmp_path, *deleted) == set()
    assert len(rows) == len(alive)


async def test_a_reader_in_the_way_delays_the_wiping_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_AGAIN", 0.05)
    store = SqliteStore(tmp_path / "log.db", Signer.fresh(), keeper=Keeper.fresh())
    [one] = await append(store, feedback("ann"))
    (wrapped,) = kept(tmp_path).values()
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subjects").fetchone()
        await asyncio.wait_for(append(store, SubjectForgotten(subject="ann")), 10)
        assert await store.reveal([one]) == [one]
        assert found(tmp_path, wrapped) == {wrapped}
        await asyncio.wait_for(append(store, feedback("bob")), 10)
        reader.execute("ROLLBACK")
    ends = asyncio.get_running_loop().time() + 30
    while found(tmp_path, wrapped):
        assert asyncio.get_running_loop().time() < ends
        await asyncio.sleep(0.02)
    await store.close()


KILLED = """
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.keeper import Keeper
from events.sql.writer import Writer

def die(*_: object) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True

async def main() -> None:
    folder, moment = Path(sys.argv[1]), sys.argv[2]
    store = SqliteStore(folder / "log.db", Signer.of(folder), keeper=Keeper.of(folder))
    await append(store, FeedbackReceived(subject="ann", role="r", rating=1, comment="Nida"))
    setattr(Writer, moment, die)
    await append(store, SubjectForgotten(subject="ann"))

asyncio.run(main())
"""


@pytest.mark.parametrize(("moment", "forgotten"), [("_write_keys", False), ("wiped", True)])
async def test_after_a_kill_somebody_is_forgotten_whole_or_not_at_all(
    tmp_path: Path, moment: str, forgotten: bool
) -> None:
    assert child(KILLED, tmp_path, moment).returncode == -9
    left = kept(tmp_path)
    store = SqliteStore(tmp_path / "log.db", Signer.of(tmp_path), keeper=Keeper.of(tmp_path))
    log = await store.read()
    assert [one.type for one in log] == ["FeedbackReceived", "SubjectForgotten"][: 1 + forgotten]
    assert len(left) == (0 if forgotten else 1)
    shown = await store.reveal(log[:1])
    assert ("Nida" in shown[0].data) is not forgotten
    assert (tmp_path / "log.db-wal").stat().st_size == 0
    await store.close()


async def test_what_a_killed_owner_forgot_is_wiped_by_the_next_one(tmp_path: Path) -> None:
    assert child(KILLED, tmp_path, "wiped").returncode == -9
    journal = (tmp_path / "log.db-wal").read_bytes()
    keeper = Keeper.of(tmp_path)
    token = keeper.token("ann")
    assert token.encode() in journal
    store = SqliteStore(tmp_path / "log.db", Signer.of(tmp_path), keeper=keeper)
    assert found(tmp_path, token) == set()
    await store.close()


FORGETTING = """
import sqlite3
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.keeper import Keeper

async def main() -> None:
    folder = Path(sys.argv[1])
    keeper = Keeper.of(folder)
    store = SqliteStore(folder / "log.db", Signer.of(folder), keeper=keeper)
    raw = sqlite3.connect(folder / "log.db")
    for number in range(100_000):
        name = f"{os.getpid()}-{number}"
        await append(store, FeedbackReceived(subject=name, role="r", rating=1))
        row = raw.execute("SELECT key_id, wrapped FROM subjects WHERE token = ?",
                          (keeper.token(name),)).fetchone()
        os.write(1, f"key {row[0]} {row[1]}\\n".encode())
        if number % 3:
            await append(store, SubjectForgotten(subject=name))
            os.write(1, f"gone {row[0]} -\\n".encode())

asyncio.run(main())
"""


async def test_killed_at_any_moment_it_forgets_whom_it_said_it_forgot(tmp_path: Path) -> None:
    chance, keys, acknowledged = random.Random(3), dict[str, str](), set[str]()
    for _ in range(6):
        said = killed_after(0.3 + 0.3 * chance.random(), FORGETTING, tmp_path)
        for kind, key_id, wrapped in (line.split() for line in said):
            if kind == "key":
                keys[key_id] = wrapped
            else:
                acknowledged.add(key_id)
        store = SqliteStore(tmp_path / "log.db", Signer.of(tmp_path), keeper=Keeper.of(tmp_path))
        log = await store.read(limit=100_000)
        gone = {one.key_id or "" for one in log if one.type == "SubjectForgotten"}
        assert acknowledged <= gone
        with closing(sqlite3.connect(tmp_path / "log.db")) as raw:
            left = {row[0] for row in raw.execute("SELECT key_id FROM subjects")}
        assert left == {one.key_id for one in log} - gone
        assert found(tmp_path, *(keys[one] for one in gone & keys.keys())) == set()
        assert len(await store.reveal(log)) == len(log)
        await store.close()
    assert len(acknowledged) > 20
