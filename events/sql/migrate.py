"""Migrations of the log's database, run by the program itself: there is no alembic.ini.

`python -m events.sql.migrate "what it does"` writes the next one from what `tables` has and the
migrations so far have not. Triggers are written by hand.
"""

from __future__ import annotations

import io
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from events.errors import UnknownHistory
from events.sql.trouble import explained

HERE = "events.sql:migrations"


def upgrade(path: Path) -> None:
    """Bring the database to the newest migration, or, where one of them fails, change nothing."""
    with _opened(path) as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise UnknownHistory(
                f"no migration leads from this log's schema to the newest ({error})",
                where=str(path),
                right="run the version that wrote the log, or bring it back from a backup",
            ) from error


def script(dialect: str, found: str | None) -> str:
    """The SQL that leads from the migration `found`, or from nothing, to the newest: for a database
    to which another driver speaks."""
    written = io.StringIO()
    config = Config(output_buffer=written, attributes={"dialect": dialect})
    config.set_main_option("script_location", HERE)
    try:
        command.upgrade(config, f"{found or 'base'}:head", sql=True)
    except CommandError as error:
        raise UnknownHistory(
            f"no migration leads from this log's schema to the newest ({error})",
            where="alembic_version",
            right="run the version that wrote the log",
        ) from error
    return written.getvalue()


def current(path: Path) -> str | None:
    """The migration that the database is at; None where it has none of them."""
    with _opened(path) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def revise(message: str, place: str = HERE) -> None:
    """Write the migration after the newest one, to be read and mended by a person. `schema.sql`
    and `connect.REVISION` follow by hand; a test says when they have not."""
    with TemporaryDirectory() as folder, _opened(Path(folder) / "log.db") as connection:
        config = _config(connection, place)
        newest = ScriptDirectory.from_config(config).get_current_head() or "0"
        following = f"{int(newest) + 1:04}"
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=following)


def _config(connection: Connection, place: str = HERE) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", place)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


@contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise explained(error.orig, path) from error
        raise
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: Any) -> None:
    """The driver begins none before a CREATE TABLE, and half a schema would be left by a crash."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


if __name__ == "__main__":
    revise(" ".join(sys.argv[1:]))
