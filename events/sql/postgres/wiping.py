"""Nothing of a deleted key stays in the files of its table.

Whoever deletes one leaves a mark in the same transaction; whoever finds the mark, now or after a
crash, writes the table anew, from the rows that are there, and takes the mark away. Postgres keeps
deleted rows for as long as anybody may have to see them, which a VACUUM respects and this does not:
all who read the keys look at what is there now.
"""

from __future__ import annotations

from typing import Any

from events.sql.postgres import link
from events.sql.postgres.address import Address

_MARK = "forgetting/wipe"
_SET = f"INSERT INTO checkpoints VALUES ('{_MARK}', 0) ON CONFLICT DO NOTHING"
_SEEN = f"SELECT EXISTS (SELECT FROM checkpoints WHERE name = '{_MARK}')"
_TAKEN = f"DELETE FROM checkpoints WHERE name = '{_MARK}' RETURNING name"
_ANEW = "ALTER TABLE subjects ALTER wrapped TYPE text COLLATE \"C\" USING wrapped || ''"
"""A type that is computed makes Postgres write the whole table and its indexes to new files; the
old ones are cut to nothing with the commit."""
_BRIEFLY = link.WRITING | {"lock_timeout": "300ms"}
"""Who waits for a table holds up all who come behind him."""


async def mark(db: Any) -> None:
    """A key is deleted in this transaction."""
    await db.execute(_SET)


async def marked(db: Any) -> bool:
    """Whether there is something left to be wiped."""
    found: bool = await db.fetchval(_SEEN)
    return found


async def wiped(place: Address) -> bool:
    """Whether nothing is left; False where somebody was in the way, and it must be tried again."""
    db: Any = None
    try:
        db = await link.connected(place, _BRIEFLY)
        if not await marked(db):
            return True
        async with db.transaction():
            await db.execute("LOCK TABLE subjects IN ACCESS EXCLUSIVE MODE")
            if await db.fetchval(_TAKEN):
                await db.execute(_ANEW)
        return True
    except link.ERRORS:
        return False
    finally:
        if db is not None:
            db.terminate()
