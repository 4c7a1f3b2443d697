"""Connections to a Postgres that holds a log: how they are made, and what their errors mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from events.errors import (
    LogDamaged,
    LogUnavailable,
    NoRoom,
    NotBegun,
    RatchetError,
    ReadOnly,
    UnknownHistory,
)
from events.sql.connect import REVISION
from events.sql.postgres.address import Address

LOCK = 8241924308127970164
"""The advisory lock of whoever writes, in the database of the log."""
CONNECT, READ, TURN = 5.0, 30.0, 15.0
"""Seconds for a connection to be made, for one query of a reader, and for one turn of a writer."""
BROKEN: tuple[type[BaseException], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
)
"""With these the connection is gone, and whatever was under way on it is uncertain."""
ERRORS: tuple[type[BaseException], ...] = (
    *BROKEN,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    TimeoutError,
)
"""What the driver raises when something is wrong with the database or the way to it."""

_COMMON = {
    "application_name": "ratchet",
    "jit": "off",
    "client_min_messages": "error",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
READING = _COMMON | {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{READ:.0f}s",
}
WRITING = _COMMON | {
    "lock_timeout": f"{TURN:.0f}s",
    "statement_timeout": f"{2 * TURN:.0f}s",
    "idle_in_transaction_session_timeout": f"{TURN:.0f}s",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
}
"""A writer that hangs loses the lock; one whose commit is acknowledged has it on the disk."""


_BEGUN = """
SELECT EXISTS (SELECT FROM pg_class
               WHERE relname = 'alembic_version' AND relkind = 'r' AND pg_table_is_visible(oid))
"""
"""Read from the table: within one transaction `to_regclass` may know less than that."""


async def connected(
    place: Address, settings: dict[str, str], patience: float | None = 3 * TURN
) -> Any:
    """One connection, and how long it waits for an answer."""
    return await asyncpg.connect(
        dsn=place.url, timeout=CONNECT, command_timeout=patience, server_settings=settings
    )


async def pool(place: Address, size: int) -> Any:
    """Connections of readers, made when they are needed, a few at most."""
    return await asyncpg.create_pool(
        dsn=place.url,
        min_size=0,
        max_size=size,
        timeout=CONNECT,
        command_timeout=READ + CONNECT,
        server_settings=READING,
        reset=_as_it_is,
    )


async def _as_it_is(_connection: Any) -> None:
    """Readers leave nothing behind that would have to be reset, at a round trip each."""


async def revision(db: Any, place: Address) -> str | None:
    """The migration that the database is at, None for an empty one."""
    if not await db.fetchval(_BEGUN):
        return None
    found: str | None = await db.fetchval("SELECT version_num FROM alembic_version")
    if found is not None and found > REVISION:
        raise UnknownHistory(
            f"the log was written by a later version (its schema is {found}, this version knows "
            f"those up to {REVISION})",
            where=str(place),
            right="run that version or one after it; nothing was changed",
        )
    return found


async def prepare(db: Any, place: Address) -> None:
    """Bring the schema to this version, in one transaction under the lock of the writers."""
    if await revision(db, place) == REVISION:
        return
    encoding = await db.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise LogUnavailable(
            f"the database keeps its texts in {encoding}, where not every text has a place",
            where=str(place),
            right="a database that was made with ENCODING 'UTF8'",
        )
    async with db.transaction():
        await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        found = await revision(db, place)
        if found != REVISION:
            from events.sql.migrate import script  # heavy, and rarely needed

            await db.execute(script("postgresql", found))


async def begun(db: Any, place: Address) -> None:
    """For who only reads: there is a log, and this version can read it."""
    found = await revision(db, place)
    if found is None:
        raise NotBegun("the log has not begun yet", where=str(place))
    if found != REVISION:
        raise LogUnavailable(
            f"the log's schema is {found}, and this version reads {REVISION}",
            where=str(place),
            right="`ratchet up` of this version brings it up to date",
        )


def explained(error: BaseException, place: Address) -> RatchetError:
    """A database's error as a state of the world."""
    where, said = str(place), " ".join(str(error).split()) or type(error).__name__
    for kinds, kind, what, right in _MEANINGS:
        if isinstance(error, kinds):
            return kind(what.format(said=said), where=where, right=right)
    return LogUnavailable(f"the log cannot be used just now ({said})", where=where)


_Meaning = tuple[tuple[type[BaseException], ...], type[RatchetError], str, str]
_MEANINGS: Sequence[_Meaning] = (
    (
        (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError),
        ReadOnly,
        "Postgres does not let us in ({said})",
        "look at the user and the password in store.url",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        ReadOnly,
        "Postgres has no such database ({said})",
        "make it: CREATE DATABASE ... ENCODING 'UTF8', owned by the user in store.url",
    ),
    (
        (asyncpg.LockNotAvailableError,),
        LogUnavailable,
        f"another process has been writing to the log for {TURN:.0f} s",
        "it loses its turn by itself; pg_stat_activity says who it is",
    ),
    (
        (asyncpg.QueryCanceledError,),
        LogUnavailable,
        "the log took too long to answer ({said})",
        "look at the load of the database",
    ),
    (
        (asyncpg.DiskFullError, asyncpg.OutOfMemoryError),
        NoRoom,
        "Postgres has no room left ({said})",
        "free some space; nothing acknowledged is lost",
    ),
    (
        (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError),
        ReadOnly,
        "the log cannot be written here ({said})",
        "the user in store.url owns the log's tables, on a server that is no replica",
    ),
    (
        (
            asyncpg.DataCorruptedError,
            asyncpg.IndexCorruptedError,
            asyncpg.UndefinedTableError,
            asyncpg.UndefinedColumnError,
            asyncpg.UndefinedFunctionError,
        ),
        LogDamaged,
        "the log's database is damaged ({said})",
        "bring it back from a backup; `ratchet audit` says how far it holds",
    ),
    (
        (ValueError,),  # the driver's own, of a value that no column holds
        LogUnavailable,
        "Postgres has no place for one of the values ({said})",
        "",
    ),
    (
        (*BROKEN, asyncpg.InterfaceError, TimeoutError),
        LogUnavailable,
        "Postgres cannot be reached ({said})",
        "what was acknowledged is there; we go on when it answers again",
    ),
)
