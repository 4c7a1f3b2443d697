"""What goes wrong with a database is told in one sentence, without its password, and passes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from events.chain import Signer
from events.envelope import draft
from events.errors import LogDamaged, LogUnavailable, Malformed, RatchetError, ReadOnly
from events.ids import new_id
from events.sql.postgres import link, writer, writing
from events.sql.postgres.address import address
from events.sql.postgres.store import PostgresStore
from events.store import Move, RenewLease, append
from tests.events.messages import Noted, held, take
from tests.events.server import PostgresServer

SECRET = "s3cr3t-Word"


@pytest.fixture(scope="module")
def frail() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    server = PostgresServer(durable=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def frail_url(frail: PostgresServer) -> str:
    return frail.database()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("mysql://u:{}@h/d", "does not begin with postgres://"),
        ("postgres://u:{}@h", "names no database"),
        ("postgres://u:{}@h/", "names no database"),
        ("postgres://u:{}@/d", "names no server"),
        ("postgres://u:{}@h:port/d", "cannot be taken apart"),
        ("postgres://u@h/d?password={}", "'password' is no option"),
        ("postgres://{}", "names no database"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(given: str, what: str) -> None:
    with pytest.raises(Malformed, match=what) as caught:
        address(given.format(SECRET))
    assert SECRET not in str(caught.value)


def test_an_address_is_shown_without_its_password() -> None:
    found = address(f"postgresql://me:{SECRET}@db.example:6543/log")
    assert str(found) == f"{found}" == repr(found) == "db.example:6543/log"
    assert address("postgres://h/d").place == "h:5432/d"


async def test_where_nobody_answers_it_says_so_and_nothing_of_the_password() -> None:
    store = PostgresStore(f"postgres://me:{SECRET}@127.0.0.1:9/log", Signer.fresh())
    for asking in (store.head(), append(store, Noted()), store.ready()):
        with pytest.raises(LogUnavailable, match=r"cannot be reached.*\(127.0.0.1:9/log\)") as no:
            await asking
        assert SECRET not in str(no.value)
    await store.close()


@pytest.mark.real
async def test_what_no_waiting_mends_is_not_waited_for(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.url("nowhere", password=SECRET), Signer.fresh())
    with pytest.raises(ReadOnly, match="no such database"):
        await store.head()
    await store.close()
    stranger = PostgresStore(postgres.url("postgres", "stranger", SECRET), Signer.fresh())
    with pytest.raises(ReadOnly, match="does not let us in") as caught:
        await stranger.head()
    assert SECRET not in str(caught.value)
    await stranger.close()


@pytest.mark.real
async def test_a_writer_that_hangs_loses_the_lock(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(link.WRITING, "lock_timeout", "200ms")
    store = PostgresStore(url, Signer.fresh())
    await append(store, Noted())
    other = await asyncpg.connect(url)
    await other.execute("SET idle_in_transaction_session_timeout = '700ms'; BEGIN")
    await other.execute("SELECT hold_log()")
    with pytest.raises(LogUnavailable, match="another process has been writing"):
        await append(store, Noted())
    await asyncio.sleep(0.8)
    [one] = await append(store, Noted())
    assert one.position == 2
    await store.close()
    assert other.is_closed()


@pytest.mark.real
@pytest.mark.parametrize("when", ["before", "behind"])
async def test_an_append_whose_answer_is_lost_is_answered_truthfully(
    url: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real, cuts = writing.add, [when]

    async def cut(*said: Any) -> Any:
        if cuts == ["before"]:
            cuts.clear()
            raise ConnectionResetError
        done = await real(*said)
        if cuts:
            cuts.clear()
            raise ConnectionResetError
        return done

    store = PostgresStore(url, Signer.fresh())
    await append(store, Noted())
    monkeypatch.setattr(writing, "add", cut)
    [one] = await append(store, Noted(text="once"), expected={"note/a": 1})
    assert (one.position, one.version) == (2, 2)
    assert [e.event_id for e in await store.read(after=1)] == [one.event_id]
    [three] = await append(store, Noted())
    assert three.previous_hash == one.hash
    await store.close()


@pytest.mark.real
@pytest.mark.parametrize("when", ["before", "behind"])
async def test_a_commit_whose_answer_is_lost_is_answered_truthfully(
    url: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    execute, cuts = asyncpg.Connection.execute, [when]

    async def cut(db: Any, sql: str, *values: Any, **more: Any) -> Any:
        if sql != "COMMIT;" or not cuts:
            return await execute(db, sql, *values, **more)
        if cuts.pop() == "behind":
            await execute(db, sql)
        db.terminate()
        raise ConnectionResetError

    store = PostgresStore(url, Signer.fresh())
    await append(store, Noted())
    lease = await take(store, "agent/a")
    monkeypatch.setattr(asyncpg.Connection, "execute", cut)
    renewed = await store.submit(RenewLease(held(lease), 1000.0))
    assert cuts == []
    assert await store.leases() == [renewed]
    cuts.append(when)
    [one] = await append(store, Noted(), move=Move("reader", 0, 1, held(lease)))
    assert cuts == []
    assert await store.checkpoint("reader") == 1
    assert [e.event_id for e in await store.read(after=1)] == [one.event_id]
    await store.close()


@pytest.mark.real
async def test_where_nobody_can_say_what_came_of_it_that_is_said(
    frail: PostgresServer, frail_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_SETTLE", 0.3)
    store = PostgresStore(frail_url, Signer.fresh())
    await append(store, Noted())
    real = writing.add

    async def cut(*said: Any) -> None:
        await real(*said)
        await asyncio.to_thread(frail.stop)
        raise ConnectionResetError

    monkeypatch.setattr(writing, "add", cut)
    one = draft(Noted(), new_id())
    with pytest.raises(LogUnavailable, match="does not say what came of it"):
        await append(store, one)
    monkeypatch.setattr(writing, "add", real)
    with pytest.raises(LogUnavailable, match="cannot be reached"):
        await append(store, one)
    await asyncio.to_thread(frail.start)
    [again] = await append(store, one)
    assert again.position == 2
    assert len(await store.read()) == 2
    await store.close()


@pytest.mark.real
async def test_a_server_that_dies_in_the_middle_loses_and_doubles_nothing(
    frail: PostgresServer, frail_url: str
) -> None:
    store = PostgresStore(frail_url, Signer.fresh())
    said: set[str] = set()
    troubles: list[RatchetError] = []
    ends = time.monotonic() + 3.0

    async def appender(number: int) -> None:
        while time.monotonic() < ends:
            one = draft(Noted(about=str(number)), new_id())
            while one.event_id not in said:
                try:
                    [answer] = await append(store, one)
                except LogUnavailable as away:
                    troubles.append(away)
                    await asyncio.sleep(0.05)
                else:
                    assert answer.event_id == one.event_id
                    said.add(one.event_id)

    async def trouble() -> None:
        for _ in range(2):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(frail.restart)

    async def reader() -> list[int]:
        seen = [0]
        while time.monotonic() < ends:
            try:
                seen += [e.position for e in await store.read(after=seen[-1])]
            except LogUnavailable as away:
                troubles.append(away)
            await asyncio.sleep(0.01)
        return seen

    reading = asyncio.create_task(reader())
    await asyncio.gather(trouble(), *map(appender, range(8)))
    seen = await reading
    assert seen == list(range(len(seen)))
    log = await store.read(limit=100_000)
    assert [envelope.position for envelope in log] == list(range(1, len(log) + 1))
    assert {envelope.event_id for envelope in log} == said
    assert len(said) > 100
    assert troubles
    assert all("cannot be reached" in str(one) for one in troubles), troubles[:3]
    await store.close()


@pytest.mark.real
async def test_a_missing_table_is_damage(url: str) -> None:
    store = PostgresStore(url, Signer.fresh())
    await append(store, Noted())
    db = await asyncpg.connect(url)
    await db.execute("DROP TABLE head CASCADE")
    await db.close()
    with pytest.raises(LogDamaged, match="damaged"):
        await store.head()
    await store.close()


@pytest.mark.real
@pytest.mark.parametrize("cut", [False, True])
async def test_a_database_that_was_set_back_is_told_and_not_written_to(url: str, cut: bool) -> None:
    store = PostgresStore(url, signer := Signer.fresh())
    await append(store, Noted())
    db = await asyncpg.connect(url)
    await db.execute("CREATE TABLE kept AS SELECT * FROM head")
    await append(store, Noted())
    await db.execute("""
        ALTER TABLE events DISABLE TRIGGER USER;
        DELETE FROM events WHERE position = 2;
        ALTER TABLE events ENABLE TRIGGER USER;
        DELETE FROM head;
        INSERT INTO head SELECT * FROM kept;
    """)
    while cut and await db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ):
        await asyncio.sleep(0.02)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="was at position 2 and is no longer what it was"):
            await append(store, Noted(about="b"))
    await store.close()
    anew = PostgresStore(url, signer)
    [two] = await append(anew, Noted(about="b"))
    assert two.position == 2
    await anew.close()
    await db.close()
