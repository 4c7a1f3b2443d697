"""Reading the log in Postgres: short queries by position, stream, cause and time.

Positions and versions have no gaps, so a page has an end as well as a beginning. Behind a LIMIT
alone Postgres may read and sort the whole rest of the log for each page: before its first ANALYZE
it takes half a percent of it for all that there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from events.chain import EMPTY, Head
from events.envelope import COLUMNS, Envelope
from events.keeper import KeyRow
from events.merkle import SEGMENT
from events.store import Lease, Snapshot, Walk

SELECT = f"SELECT {', '.join(COLUMNS)} FROM events"
_LEASE = f"SELECT {', '.join(Lease._fields)} FROM leases"
_LAST = 2**63 - 1


async def between(
    db: Any, after: int, until: int | None, limit: int, types: Iterable[str] | None
) -> list[Envelope]:
    last = _LAST if until is None else until
    if types is None:
        sql = f"{SELECT} WHERE position > $1 AND position <= $2 ORDER BY position"
        page = min(last, max(after, 0) + limit)
        return list(map(Envelope._make, await db.fetch(sql, after, page)))
    sql = (
        f"{SELECT} WHERE type = ANY($4) AND position > $1 AND position <= $2 "
        "ORDER BY position LIMIT $3"
    )
    rows = await db.fetch(sql, after, last, limit, sorted(types))
    return list(map(Envelope._make, rows))


async def in_stream(db: Any, name: str, after: int, limit: int) -> list[Envelope]:
    sql = f"{SELECT} WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version"
    return list(map(Envelope._make, await db.fetch(sql, name, after, max(after, 0) + limit)))


async def last_in(db: Any, stream: str) -> Envelope | None:
    row = await db.fetchrow(f"{SELECT} WHERE stream = $1 ORDER BY version DESC LIMIT 1", stream)
    return None if row is None else Envelope._make(row)


async def by_ids(db: Any, ids: Iterable[str]) -> dict[str, Envelope]:
    rows = await db.fetch(f"{SELECT} WHERE event_id = ANY($1)", list(ids))
    return {envelope.event_id: envelope for envelope in map(Envelope._make, rows)}


async def caused_by(db: Any, ids: Iterable[str], after: int = 0) -> list[Envelope]:
    sql = f"{SELECT} WHERE cause_id = ANY($1) AND position > $2 ORDER BY position"
    return list(map(Envelope._make, await db.fetch(sql, list(ids), after)))


async def newest_versions(db: Any, streams: Iterable[str]) -> dict[str, int]:
    sql = (
        "SELECT name, (SELECT max(version) FROM events WHERE stream = name) "
        "FROM unnest($1::text[]) AS asked (name)"
    )
    return {name: version or 0 for name, version in await db.fetch(sql, list(streams))}


async def position_at(db: Any, moment: str) -> int:
    """By halving: times never decrease along positions."""
    sql = "SELECT recorded_at FROM events WHERE position = $1"
    low, high = 0, (await newest(db))[0]
    while low < high:
        middle = (low + high + 1) // 2
        found = await db.fetchval(sql, middle)
        if found is not None and found <= moment:
            low = middle
        else:
            high = middle - 1
    return low


async def newest(db: Any) -> tuple[int, str, str]:
    """Position, hash and time of the newest event; (0, "", "") in an empty log."""
    sql = "SELECT position, hash, recorded_at FROM events ORDER BY position DESC LIMIT 1"
    row = await db.fetchrow(sql)
    return (0, "", "") if row is None else (row[0], row[1], row[2])


async def signed_head(db: Any) -> Head:
    row = await db.fetchrow(f"SELECT {', '.join(Head._fields)} FROM head WHERE id = 1")
    return EMPTY if row is None else Head._make(row)


async def held_head(db: Any) -> Head:
    """The same, and from now on to the end of the transaction nobody else writes."""
    row = await db.fetchrow(f"SELECT {', '.join(Head._fields)} FROM hold_log()")
    return EMPTY if row is None else Head._make(row)


async def end(db: Any) -> int:
    return await db.fetchval("SELECT position FROM head WHERE id = 1") or 0


async def types_between(db: Any, after: int, until: int) -> frozenset[str]:
    sql = "SELECT DISTINCT type FROM events WHERE position > $1 AND position <= $2"
    return frozenset(row[0] for row in await db.fetch(sql, after, until))


async def hashes(db: Any, after: int, until: int) -> list[str]:
    """A segment of them at most."""
    sql = "SELECT hash FROM events WHERE position > $1 AND position <= $2 ORDER BY position"
    return [row[0] for row in await db.fetch(sql, after, min(until, after + SEGMENT))]


async def segments(db: Any) -> list[str]:
    return [row[0] for row in await db.fetch("SELECT root FROM segments ORDER BY number")]


async def checkpoints(db: Any, names: Iterable[str]) -> dict[str, int]:
    sql = "SELECT name, position FROM checkpoints WHERE name = ANY($1)"
    return dict(await db.fetch(sql, list(names)))


async def all_leases(db: Any) -> list[Lease]:
    return list(map(Lease._make, await db.fetch(f"{_LEASE} ORDER BY position, name")))


async def leases_named(db: Any, names: Iterable[str]) -> list[Lease]:
    rows = await db.fetch(f"{_LEASE} WHERE name = ANY($1)", list(names))
    return list(map(Lease._make, rows))


async def free_requests(db: Any, kinds: Sequence[str], now: float, limit: int) -> list[Lease]:
    sql = (
        f"{_LEASE} WHERE kind = ANY($1) AND (holder = '' OR until <= $2) ORDER BY position LIMIT $3"
    )
    return list(map(Lease._make, await db.fetch(sql, list(kinds), now, limit)))


async def snapshot(db: Any, name: str) -> Snapshot | None:
    sql = f"SELECT {', '.join(Snapshot._fields)} FROM snapshots WHERE name = $1"
    row = await db.fetchrow(sql, name)
    return None if row is None else Snapshot._make(row)


async def sealed_under(db: Any, key_id: str, after: int, limit: int) -> list[Envelope]:
    sql = f"{SELECT} WHERE key_id = $1 AND position > $2 ORDER BY position LIMIT $3"
    return list(map(Envelope._make, await db.fetch(sql, key_id, after, limit)))


async def some_subjects(db: Any) -> list[KeyRow]:
    """A few of the keys, to see whose they are."""
    rows = await db.fetch("SELECT token, key_id, wrapped FROM subjects LIMIT 5")
    return list(map(KeyRow._make, rows))


async def subjects(db: Any, tokens: Iterable[str], key_ids: Iterable[str]) -> list[KeyRow]:
    """The keys of those whom these tokens stand for, and the keys that bear these ids."""
    sql = "SELECT token, key_id, wrapped FROM subjects WHERE token = ANY($1) OR key_id = ANY($2)"
    return list(map(KeyRow._make, await db.fetch(sql, list(tokens), list(key_ids))))


async def walk(db: Any, after: int, limit: int) -> Walk:
    """As `between`, and of a damaged log also what lies behind a gap."""
    found = await between(db, after, None, limit, None)
    if len(found) < limit:
        sql = "SELECT min(position) FROM events WHERE position > $1"
        beyond = await db.fetchval(sql, found[-1].position if found else after)
        if beyond is not None:
            found += await between(db, beyond - 1, None, limit - len(found), None)
    return Walk(found)
