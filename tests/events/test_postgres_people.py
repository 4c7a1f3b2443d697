"""Of a forgotten key nothing stays in the files of the database, whoever is in the way or dies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.chain import Signer
from events.keeper import Keeper
from events.sql.postgres import store as postgres_store
from events.sql.postgres import wiping
from events.sql.postgres.store import PostgresStore
from events.store import append
from tests.events.children import child
from tests.events.server import PostgresServer
from tests.lying import contents

pytestmark = pytest.mark.real

SAYS = "Nida, behind the lighthouse"


def feedback(subject: str) -> FeedbackReceived:
    return FeedbackReceived(subject=subject, role="r", rating=1, comment=SAYS)


class Files:
    """Those of one database, and a look past the store at its rows."""

    def __init__(self, server: PostgresServer) -> None:
        self._server, self.url = server, server.database()

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Any]:
        db = await asyncpg.connect(self.url)
        try:
            yield db
        finally:
            await db.close()

    async def kept(self) -> dict[str, str]:
        """The rows of the subjects: token and wrapped key."""
        async with self.raw() as db:
            return dict(await db.fetch("SELECT token, wrapped FROM subjects"))

    async def holding(self, *texts: str) -> set[str]:
        """Those that stand in any file of the database, also where nothing points to them."""
        async with self.raw() as db:
            await db.execute("CHECKPOINT")
            name = await db.fetchval(
                "SELECT oid::text FROM pg_database WHERE datname = current_database()"
            )
        folder = self._server.data / "base" / name
        raw = b"".join(content for _, content in contents(folder))
        return {text for text in texts if text.encode() in raw}


@pytest.fixture
def files(postgres: PostgresServer) -> Files:
    return Files(postgres)


async def test_no_key_stays_in_a_file_though_somebody_sees_the_table_as_it_was(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, keeper = random.Random(7), Keeper.fresh()
    store = PostgresStore(files.url, Signer.fresh(), keeper=keeper)
    names = [f"subject-{number}" for number in range(100)]
    await asyncio.gather(*(append(store, feedback(name)) for name in names))
    rows = await files.kept()
    gone = chance.sample(names, 40)
    tokens = {keeper.token(name) for name in gone}
    deleted = tokens | {rows[token] for token in tokens}
    async with files.raw() as old:
        await old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await old.fetchval("SELECT count(*) FROM events")
        with monkeypatch.context() as patch:
            patch.setattr(wiping, "wiped", _never)
            await asyncio.gather(*(append(store, SubjectForgotten(subject=n)) for n in gone))
            assert await files.holding(*deleted) == deleted
        await store.close()
        assert await files.holding(*deleted, SAYS, *names[:5]) == set()
    left = await files.kept()
    assert len(left) == 60
    assert await files.holding(*left.values()) == set(left.values())


async def _never(_place: object) -> bool:
    return False


async def test_a_reader_in_the_way_delays_the_wiping_and_nobody_else(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "_PAUSE", 0.05)
    store = PostgresStore(files.url, Signer.fresh(), keeper=Keeper.fresh())
    [one] = await append(store, feedback("ann"))
    (wrapped,) = (await files.kept()).values()
    async with files.raw() as reader:
        await reader.execute("BEGIN")
        await reader.fetchval("SELECT count(*) FROM subjects")
        await asyncio.wait_for(append(store, SubjectForgotten(subject="ann")), 10)
        assert await store.reveal([one]) == [one]
        for number in range(20):  # while it is tried again and again
            await asyncio.wait_for(append(store, feedback(f"bob-{number}")), 10)
        assert await files.holding(wrapped) == {wrapped}
        await reader.execute("ROLLBACK")
    ends = asyncio.get_running_loop().time() + 30
    while await files.holding(wrapped):
        assert asyncio.get_running_loop().time() < ends
        await asyncio.sleep(0.05)
    assert len(await files.kept()) == 20
    await store.close()


KILLED = """
from events.catalog.people import FeedbackReceived, SubjectForgotten
from events.keeper import Keeper
from events.sql.postgres import wiping, writing
from events.sql.postgres.store import PostgresStore

async def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

async def main() -> None:
    url, folder, moment = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    store = PostgresStore(url, Signer.of(folder), keeper=Keeper.of(folder))
    await append(store, FeedbackReceived(subject="ann", role="r", rating=1, comment="Nida"))
    setattr(*{"keys": (writing, "keys", die), "wiped": (wiping, "wiped", die)}[moment])
    await append(store, SubjectForgotten(subject="ann"))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(("moment", "forgotten"), [("keys", False), ("wiped", True)])
async def test_after_a_kill_somebody_is_forgotten_whole_or_not_at_all(
    tmp_path: Path, files: Files, moment: str, forgotten: bool
) -> None:
    assert child(KILLED, files.url, tmp_path, moment).returncode == -9
    left, keeper = await files.kept(), Keeper.of(tmp_path)
    token = keeper.token("ann")
    assert await files.holding(token) == {token}
    store = PostgresStore(files.url, Signer.of(tmp_path), keeper=keeper)
    log = await store.read()
    assert [one.type for one in log] == ["FeedbackReceived", "SubjectForgotten"][: 1 + forgotten]
    assert len(left) == (0 if forgotten else 1)
    shown = await store.reveal(log[:1])
    assert ("Nida" in shown[0].data) is not forgotten
    await store.close()
    assert await files.holding(token) == (set() if forgotten else {token})
