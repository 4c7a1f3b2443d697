"""Opening the embedded database, in the schema of this version."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from events.errors import NotBegun, RatchetError, UnknownHistory

REVISION = "0002"
"""The newest migration: what a database of this version bears."""


def writing(path: Path) -> sqlite3.Connection:
    """A connection that writes: WAL, and every commit on the disk before it is acknowledged."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=2)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA recursive_triggers=ON")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute("PRAGMA secure_delete=FAST")  # subjects' keys leave nothing in a page
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def journal(path: Path) -> int:
    """Bytes of what was written and does not stand in the file itself yet."""
    with suppress(FileNotFoundError):
        return path.with_name(f"{path.name}-wal").stat().st_size
    return 0


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, also where the folder may not be written."""
    writable = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    mode = "rw" if writable else "ro"
    if not writable and not path.with_name(path.name + "-wal").exists():
        mode = "ro&immutable=1"
    place = path.absolute().as_uri()
    connection = sqlite3.connect(f"{place}?mode={mode}", uri=True, isolation_level=None, timeout=2)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-16000")
        if revision(connection, path) is None and not _tables(connection):
            raise NotBegun("the log has not begun yet", where=str(path))
    except (sqlite3.Error, RatchetError):
        connection.close()
        raise
    return connection


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def revision(connection: sqlite3.Connection, path: Path) -> str | None:
    """The migration that the database is at, None for an empty one; one that is unknown here is
    refused before anything is read."""
    named = connection.execute("SELECT name FROM sqlite_master WHERE name='alembic_version'")
    if named.fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is not None and row[0] > REVISION:
        raise UnknownHistory(
            f"the log was written by a later version (its schema is {row[0]}, this version knows "
            f"those up to {REVISION})",
            where=str(path),
            right="run that version or one after it; nothing was changed",
        )
    return str(row[0]) if row else None


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema to this version. Alembic is loaded only where an old one is found."""
    found = revision(connection, path)
    if found == REVISION:
        return
    if found is None:
        script = Path(__file__).with_name("schema.sql").read_text()
        stamp = (
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));"
            f"INSERT INTO alembic_version VALUES ('{REVISION}');"
        )
        try:
            connection.executescript(f"BEGIN IMMEDIATE;{script}{stamp}COMMIT;")
        except sqlite3.OperationalError:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if revision(connection, path) != REVISION:  # else another process was first
                raise
        return
    from events.sql.migrate import upgrade  # heavy, and rarely needed

    upgrade(path)
