"""The schema of the log, told three times: as SQL, as migrations, and as table classes."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from events.chain import Head, Signer
from events.envelope import COLUMNS
from events.errors import LogUnavailable, RatchetError, UnknownHistory
from events.sql import connect, migrate
from events.sql.sqlite import SqliteStore
from events.sql.tables import METADATA, CheckpointRow, EventRow, HeadRow, LeaseRow, SnapshotRow
from events.store import Lease, Move, PutSnapshot, Snapshot, append
from tests.events.messages import Noted, take

MIGRATIONS = Path(migrate.__file__).with_name("migrations")


@pytest.fixture
def by_sql(tmp_path: Path) -> Path:
    path = tmp_path / "by_sql.db"
    asyncio.run(SqliteStore(path, Signer.fresh()).close())
    return path


@pytest.fixture
def by_alembic(tmp_path: Path) -> Path:
    path = tmp_path / "by alembic, 100%.db"
    migrate.upgrade(path)
    return path


def schema(path: Path) -> dict[str, Any]:
    """Whatever distinguishes two databases, and not how their SQL is laid out."""
    with closing(sqlite3.connect(path)) as db:

        def rows(sql: str, *values: str) -> list[tuple[Any, ...]]:
            return db.execute(sql, values).fetchall()

        masters = rows("SELECT type, name, sql FROM sqlite_master")
        tables = sorted(name for kind, name, _ in masters if kind == "table")
        laid_out = {name: " ".join(sql.split()) for kind, name, sql in masters if sql}
        indexes = {
            table: sorted(
                (name, unique, origin, partial, rows("SELECT * FROM pragma_index_xinfo(?)", name))
                for _, name, unique, origin, partial in rows(
                    "SELECT * FROM pragma_index_list(?)", table
                )
            )
            for table in tables
        }
        return {
            "columns": {t: rows("SELECT * FROM pragma_table_xinfo(?)", t) for t in tables},
            "keys": {t: rows("SELECT * FROM pragma_foreign_key_list(?)", t) for t in tables},
            "indexes": indexes,
            "written": {
                name: laid_out[name]
                for kind, name, sql in masters
                if kind in ("index", "trigger") and sql
            },
            "revision": rows("SELECT * FROM alembic_version"),
        }


def test_a_new_log_is_what_the_migrations_make_of_an_empty_one(
    by_sql: Path, by_alembic: Path
) -> None:
    made, migrated = schema(by_sql), schema(by_alembic)
    assert made == migrated
    assert made["revision"] == [(connect.REVISION,)]
    tables = {"events", "head", "segments", "subjects", "checkpoints", "leases", "snapshots"}
    assert tables < set(made["columns"])
    triggers = re.findall(r"CREATE TRIGGER (\w+)", " ".join(made["written"].values()))
    assert sorted(triggers) == [
        "events_are_never_changed",
        "events_are_never_removed",
        "events_are_only_added",
    ]


def test_the_columns_are_the_fields_of_an_envelope(by_sql: Path) -> None:
    assert tuple(column[1] for column in schema(by_sql)["columns"]["events"]) == COLUMNS
    assert tuple(column.name for column in METADATA.tables["events"].columns) == COLUMNS
    assert tuple(c.name for c in METADATA.tables["head"].columns) == ("id", *Head._fields)
    assert tuple(c.name for c in METADATA.tables["leases"].columns) == Lease._fields
    assert tuple(c.name for c in METADATA.tables["snapshots"].columns) == Snapshot._fields


@pytest.mark.parametrize("way", ["by_sql", "by_alembic"])
def test_the_table_classes_differ_in_nothing_from_the_database(
    way: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(way)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_that_new_logs_bear() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [connect.REVISION]
    assert [script.revision for script in scripts.walk_revisions()][-1] == "0001"


def test_migrations_run_once(by_sql: Path, tmp_path: Path) -> None:
    before = schema(by_sql)
    migrate.upgrade(by_sql)
    assert schema(by_sql) == before
    assert migrate.current(by_sql) == connect.REVISION
    assert migrate.current(tmp_path / "fresh.db") is None


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE snapshots (mine TEXT)")  # the last one that 0001 makes
    with pytest.raises(LogUnavailable, match="already exists"):
        migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("snapshots",)]


def test_what_the_store_wrote_is_read_through_the_classes(by_sql: Path) -> None:
    async def write() -> None:
        store = SqliteStore(by_sql, Signer.fresh())
        await append(store, Noted(text="x"), move=Move("reader", 0, 1))
        await take(store, "agent/a")
        await store.submit(PutSnapshot(Snapshot("runs", "1", 1, "{}")))
        await store.close()

    asyncio.run(write())
    engine = create_engine(f"sqlite:///{by_sql}", poolclass=NullPool)
    with Session(engine) as session:
        event, head = session.get_one(EventRow, 1), session.get_one(HeadRow, 1)
        assert (event.type, event.schema_, event.stream) == (Noted.wire, 1, "note/a")
        assert (head.position, head.hash) == (1, event.hash)
        assert session.get_one(CheckpointRow, "reader").position == 1
        assert session.get_one(LeaseRow, "agent/a").local is True
        assert session.get_one(SnapshotRow, "runs").state == "{}"
    engine.dispose()


@pytest.mark.parametrize("revision", ["0003", "9999", "later"])
def test_a_log_of_a_later_version_is_left_alone(by_sql: Path, revision: str) -> None:
    stamped(by_sql, revision)
    before = schema(by_sql)
    for signer in (Signer.fresh(), None):
        with pytest.raises(UnknownHistory, match="written by a later version") as caught:
            SqliteStore(by_sql, signer)
        assert revision in str(caught.value)
    assert schema(by_sql) == before


def test_a_log_of_a_version_that_never_was_is_left_alone(by_sql: Path) -> None:
    stamped(by_sql, "0000")
    with pytest.raises(RatchetError, match="no migration leads from") as caught:
        SqliteStore(by_sql, Signer.fresh())
    assert caught.value.where == str(by_sql)


def stamped(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_the_next_migration_is_begun_by_the_program(tmp_path: Path) -> None:
    place = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, place, ignore=shutil.ignore_patterns("__pycache__"))
    migrate.revise("add nothing", str(place))
    following = f"{int(connect.REVISION) + 1:04}"
    text = (place / "versions" / f"{following}_add_nothing.py").read_text()
    assert f"down_revision = '{connect.REVISION}'" in text.replace('"', "'")
    assert "def upgrade() -> None:\n    # ###" in text
    assert "op." not in text
