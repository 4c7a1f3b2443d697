"""Reading the embedded log: short queries by position, stream, cause and time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from events.chain import EMPTY, Head
from events.envelope import COLUMNS, Envelope
from events.keeper import KeyRow
from events.merkle import SEGMENT
from events.store import Lease, Snapshot, Walk

SELECT = f"SELECT {', '.join(COLUMNS)} FROM events"
_MANY, _STEP = 500, 50
"""Placeholders in one statement, and in what steps their number grows: plans are cached by text."""


def between(
    db: sqlite3.Connection, after: int, until: int | None, limit: int, types: Iterable[str] | None
) -> list[Envelope]:
    where, values = "position > ?", [after]
    if until is not None:
        where, values = where + " AND position <= ?", [*values, until]
    if types is None:
        rows = db.execute(f"{SELECT} WHERE {where} ORDER BY position LIMIT ?", (*values, limit))
    else:
        names = sorted(types)
        marks = ", ".join("?" * len(names))
        sql = f"{SELECT} WHERE type IN ({marks}) AND {where} ORDER BY position LIMIT ?"
        rows = db.execute(sql, (*names, *values, limit))
    return list(map(Envelope._make, rows))


def in_stream(db: sqlite3.Connection, name: str, after: int, limit: int) -> list[Envelope]:
    sql = f"{SELECT} WHERE stream = ? AND version > ? ORDER BY version LIMIT ?"
    return list(map(Envelope._make, db.execute(sql, (name, after, limit))))


def last_in(db: sqlite3.Connection, stream: str) -> Envelope | None:
    sql = f"{SELECT} WHERE stream = ? ORDER BY version DESC LIMIT 1"
    row = db.execute(sql, (stream,)).fetchone()
    return None if row is None else Envelope._make(row)


def by_ids(db: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Envelope]:
    return {e.event_id: e for e in _where_in(db, "event_id", ids)}


def caused_by(db: sqlite3.Connection, ids: Iterable[str], after: int = 0) -> list[Envelope]:
    found = _where_in(db, "cause_id", ids, after)
    return sorted(found, key=lambda envelope: envelope.position)


def _where_in(
    db: sqlite3.Connection, column: str, values: Iterable[str], after: int = 0
) -> list[Envelope]:
    found: list[Envelope] = []
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        if len(some) > _STEP:
            some += some[-1:] * (-len(some) % _STEP)
        marks = ", ".join("?" * len(some))
        sql = f"{SELECT} WHERE {column} IN ({marks}) AND position > ?"
        found += map(Envelope._make, db.execute(sql, (*some, after)))
    return found


def newest_versions(db: sqlite3.Connection, streams: Iterable[str]) -> dict[str, int]:
    sql = "SELECT max(version) FROM events WHERE stream = ?"
    return {name: db.execute(sql, (name,)).fetchone()[0] or 0 for name in streams}


def position_at(db: sqlite3.Connection, moment: str) -> int:
    """By halving: times never decrease along positions."""
    low, high = 0, newest(db)[0]
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute("SELECT recorded_at FROM events WHERE position = ?", (middle,)).fetchone()
        if row is not None and row[0] <= moment:
            low = middle
        else:
            high = middle - 1
    return low


def newest(db: sqlite3.Connection) -> tuple[int, str, str]:
    """Position, hash and time of the newest event; (0, "", "") in an empty log."""
    sql = "SELECT position, hash, recorded_at FROM events ORDER BY position DESC LIMIT 1"
    row = db.execute(sql).fetchone()
    return (0, "", "") if row is None else (row[0], row[1], row[2])


def signed_head(db: sqlite3.Connection) -> Head:
    row = db.execute("SELECT * FROM head WHERE id = 1").fetchone()
    return EMPTY if row is None else Head(*row[1:])  # where no root is kept yet, there is none


def hashes(db: sqlite3.Connection, after: int, until: int) -> list[str]:
    sql = "SELECT hash FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
    return [row[0] for row in db.execute(sql, (after, until, SEGMENT))]


def segments(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT root FROM segments ORDER BY number")]


def checkpoints(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    sql = "SELECT position FROM checkpoints WHERE name = ?"
    found = {name: db.execute(sql, (name,)).fetchone() for name in names}
    return {name: row[0] for name, row in found.items() if row is not None}


def all_leases(db: sqlite3.Connection) -> list[Lease]:
    rows = db.execute("SELECT * FROM leases ORDER BY position, name")
    return [Lease._make((*row[:6], bool(row[6]))) for row in rows]


def leases_named(db: sqlite3.Connection, names: Iterable[str]) -> list[Lease]:
    found = [db.execute("SELECT * FROM leases WHERE name = ?", (n,)).fetchone() for n in names]
    return [Lease._make((*row[:6], bool(row[6]))) for row in found if row is not None]


def free_requests(
    db: sqlite3.Connection, kinds: Sequence[str], now: float, limit: int
) -> list[Lease]:
    marks = ", ".join("?" * len(kinds))
    rows = db.execute(
        f"SELECT * FROM leases WHERE kind IN ({marks}) AND (holder = '' OR until <= ?) "
        "ORDER BY position LIMIT ?",
        (*kinds, now, limit),
    )
    return [Lease._make((*row[:6], bool(row[6]))) for row in rows]


def snapshot(db: sqlite3.Connection, name: str) -> Snapshot | None:
    row = db.execute("SELECT * FROM snapshots WHERE name = ?", (name,)).fetchone()
    return None if row is None else Snapshot._make(row)


def sealed_under(db: sqlite3.Connection, key_id: str, after: int, limit: int) -> list[Envelope]:
    sql = f"{SELECT} WHERE key_id = ? AND position > ? ORDER BY position LIMIT ?"
    return list(map(Envelope._make, db.execute(sql, (key_id, after, limit))))


def some_subjects(db: sqlite3.Connection) -> list[KeyRow]:
    """A few of the keys, to see whose they are."""
    rows = db.execute("SELECT token, key_id, wrapped FROM subjects LIMIT 5")
    return list(map(KeyRow._make, rows))


def subjects(db: sqlite3.Connection, tokens: Iterable[str], key_ids: Iterable[str]) -> list[KeyRow]:
    """The keys of those whom these tokens stand for, and the keys that bear these ids."""
    found: dict[str, KeyRow] = {}
    for column, values in (("token", tokens), ("key_id", key_ids)):
        sql = f"SELECT token, key_id, wrapped FROM subjects WHERE {column} = ?"
        for value in values:
            row = db.execute(sql, (value,)).fetchone()
            if row is not None:
                found[row[0]] = KeyRow._make(row)
    return list(found.values())


def walk(db: sqlite3.Connection, after: int, limit: int) -> Walk:
    """As `between`, but where the database itself is damaged it says so and ends there."""
    try:
        return Walk(between(db, after, None, limit, None))
    except sqlite3.Error:
        return _step_by_step(db, after, limit)


def _step_by_step(db: sqlite3.Connection, after: int, limit: int) -> Walk:
    found: list[Envelope] = []
    while len(found) < limit:
        try:
            some = between(db, after, None, 1, None)
        except sqlite3.Error as error:
            return Walk(found, str(error))
        if not some:
            break
        found += some
        after = some[-1].position
    return Walk(found)
