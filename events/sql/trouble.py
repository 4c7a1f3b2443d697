"""What a database's errors mean: each one a state of the world, with what would mend it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from events.errors import LogDamaged, LogUnavailable, NoRoom, RatchetError, ReadOnly

_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_MISMATCH"}
_UNREADABLE = {"SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS"}
_READ_ONLY = {"SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"}


def explained(error: sqlite3.Error, path: Path) -> RatchetError:
    """A database's error as a state of the world."""
    name = getattr(error, "sqlite_errorname", "") or ""
    base = "_".join(name.split("_")[:2])
    place = str(path)
    if base == "SQLITE_FULL":
        return NoRoom("the disk is full", where=place, right="free some space; nothing was lost")
    if base in _READ_ONLY:
        return ReadOnly(
            f"the log cannot be opened for writing ({error})",
            where=place,
            right="make the folder writable for this user, or name another with --home",
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return LogUnavailable(f"the log is closed ({error})", where=place)
    gone = name == "SQLITE_ERROR" and str(error).startswith("no such ")  # a table, a column
    if base in _DAMAGED or name in _UNREADABLE or gone or not name:
        return LogDamaged(
            f"the log's database is damaged ({error})",
            where=place,
            right="bring the folder back from a backup; `ratchet audit` says how far it holds",
        )
    if base == "SQLITE_IOERR":
        return NoRoom(
            f"the disk does not take the log ({error})",
            where=place,
            right="look at free space, quotas and the disk's health; nothing acknowledged is lost",
        )
    return LogUnavailable(f"the log cannot be used just now ({error})", where=place)
