"""The log of one home, copied into a Postgres: as it is, with its chain, in one transaction.

Under the home's lock nobody writes to the source; every event is checked while it is copied, and
once more as it then lies in the target. A copy that is interrupted leaves nothing behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from events.chain import GENESIS, Head, Signer, holds
from events.envelope import COLUMNS, Envelope
from events.errors import Conflict, LogDamaged, NotFound
from events.keeper import Keeper
from events.merkle import Frontier, leaves
from events.sql import connect
from events.sql import reader as source
from events.sql.ending import damaged, fitting
from events.sql.postgres import link, reader
from events.sql.postgres.address import Address
from events.sql.sqlite import SqliteStore
from events.sql.trouble import explained

_STEP = 5_000
"""Events in memory at a time."""
_PATIENT = link.WRITING | {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
_BESIDE = {
    "checkpoints": ("name", "position"),
    "leases": ("name", "kind", "position", "holder", "epoch", "until", "local"),
    "segments": ("number", "root"),
    "snapshots": ("name", "fold", "position", "state"),
    "subjects": ("token", "key_id", "wrapped"),
}

Told = Callable[[str, int, int], None]
"""What is done just now, how far it has come, and how much it is in all."""


class Moved(NamedTuple):
    """What became of it."""

    head: Head
    """Where the log of the home ends."""
    copied: bool
    """False where it was there already."""


async def move(path: Path, place: Address, signer: Signer, keeper: Keeper, told: Told) -> Moved:
    """Copy the log in the file to the database, unless it is there already."""
    if not path.exists() or not path.stat().st_size:
        raise NotFound("this home has no log that could be moved", where=str(path))
    try:
        await SqliteStore(path, signer, keeper=keeper).close()  # the schema and the root of today
        with closing(connect.reading(path)) as old:
            head = source.signed_head(old)
            fitting(source.newest(old), head, str(path), signer)
            return await _moved(old, path, place, signer, head, told)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except link.ERRORS as error:
        raise link.explained(error, place) from error


async def _moved(
    old: sqlite3.Connection, path: Path, place: Address, signer: Signer, head: Head, told: Told
) -> Moved:
    db = await link.connected(place, _PATIENT, patience=None)
    try:
        async with db.transaction():
            await link.prepare(db, place)
            there = await reader.held_head(db)
            if there.position:
                await _same(db, place, signer, head, there)
                return Moved(head, copied=False)
            for table in ("events", *_BESIDE):
                if await db.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                    raise _taken(place)
            await _copied(old, path, db, head, told)
            await db.execute("ANALYZE")  # else the first queries are planned for an empty log
            await _verified(db, place, head, told)
        return Moved(head, copied=True)
    finally:
        db.terminate()


async def _same(db: Any, place: Address, signer: Signer, head: Head, there: Head) -> None:
    """Refuse a target with another log; one that begins as ours is where ours went."""
    if there.key != signer.public or head.position > there.position or not head.position:
        raise _taken(place)
    if await reader.hashes(db, head.position - 1, head.position) != [head.hash]:
        raise _taken(place)


def _taken(place: Address) -> Conflict:
    return Conflict(
        "there is another log in this database already; nothing was changed",
        where=str(place),
        right="an empty database: two histories cannot become one",
    )


async def _copied(old: sqlite3.Connection, path: Path, db: Any, head: Head, told: Told) -> None:
    tree = Frontier()
    for batch in _checked(old, path):
        await db.copy_records_to_table("events", records=batch, columns=COLUMNS)
        tree = tree.grown(leaves(one.hash for one in batch)).frontier
        told("copied", batch[-1].position, head.position)
    if head.position and (tree.size, tree.root().hex()) != (head.position, head.root):
        raise damaged("the events are not those over which the head was signed", str(path))
    for table, columns in _BESIDE.items():
        rows = old.execute(f"SELECT {', '.join(columns)} FROM {table}")
        while some := rows.fetchmany(_STEP):
            if table == "leases":  # the owner with whom they lived is gone
                some = [(*row[:3], *_free(row[3:]), bool(row[6])) for row in some]
            await db.copy_records_to_table(table, records=some, columns=columns)
    if head.position:
        columns = ("id", *Head._fields)
        await db.copy_records_to_table("head", records=[(1, *head)], columns=columns)


def _free(row: tuple[Any, ...]) -> tuple[str, int, float]:
    holder, epoch, until, local = row
    return ("", epoch, 0.0) if local else (holder, epoch, until)


def _checked(old: sqlite3.Connection, path: Path) -> Iterator[list[Envelope]]:
    """The log in bounded batches, its chain unbroken."""
    position, previous = 0, GENESIS
    while batch := source.between(old, position, None, _STEP, None):
        position, previous = _linked(batch, position, previous, str(path))
        yield batch


def _linked(batch: list[Envelope], position: int, previous: str, where: str) -> tuple[int, str]:
    for one in batch:
        position += 1
        if one.position != position or not holds(one, previous):
            raise damaged(f"the event at position {position} is not what was written", where)
        previous = one.hash
    return position, previous


async def _verified(db: Any, place: Address, head: Head, told: Told) -> None:
    """Walk over the copy as everybody will read it."""
    position, previous, tree = 0, GENESIS, Frontier()
    while batch := await reader.between(db, position, None, _STEP, None):
        position, previous = _linked(batch, position, previous, str(place))
        tree = tree.grown(leaves(one.hash for one in batch)).frontier
        told("verified", position, head.position)
    whole = (position, previous, tree.root().hex()) == (head.position, head.hash, head.root)
    if (head.position and not whole) or await reader.signed_head(db) != head:
        raise LogDamaged(
            "the copy is not what the original is; it was taken back",
            where=str(place),
            right="look at the database's own log, and try again",
        )
