"""Where the log in Postgres ends, and the tree over it: looked at under the lock of the writers."""

from __future__ import annotations

from typing import Any, NamedTuple

from events.chain import GENESIS, Head, Signer
from events.errors import LogDamaged
from events.merkle import SEGMENT, Frontier, leaves
from events.sql.ending import damaged, fitting, kept_tree
from events.sql.postgres import reader
from events.sql.postgres.address import Address

_NEWS = (
    "SELECT position, hash, recorded_at, stream, version FROM events "
    "WHERE position > $1 AND position <= $2 ORDER BY position"
)


class Known(NamedTuple):
    """What a writer remembers of the log."""

    position: int = 0
    hash: str = GENESIS
    recorded_at: str = ""
    tree: Frontier = Frontier()

    def fits(self, head: Head) -> bool:
        """Whether nobody has written since."""
        return (self.position, self.hash) == (head.position, head.hash)


async def followed(
    db: Any, place: Address, signer: Signer, known: Known, seen: Known, head: Head
) -> tuple[Known, dict[str, int] | None]:
    """What is known once what others wrote is added, and the versions of streams to which they
    wrote; None for these where it had to be learned from the beginning. A log that ends before
    what was `seen` of it, or goes another way, is no longer the one that was acknowledged."""
    if head.position and head.key != signer.public:
        raise LogDamaged(
            "this log is signed by the key of another home",
            where=str(place),
            right="all homes of one log have the same folder keys/: copy it from the first of them",
        )
    if 0 < known.position < head.position <= known.position + SEGMENT:
        news = await db.fetch(_NEWS, known.position, head.position)
        tree = known.tree.grown(leaves(row["hash"] for row in news)).frontier
        if news and tree.root().hex() == head.root:
            position, digest, recorded_at, _, _ = news[-1]
            fitting((position, digest, recorded_at), head, str(place), signer)
            versions = {row["stream"]: row["version"] for row in news}
            return Known(position, digest, recorded_at, tree), versions
    there = await reader.hashes(db, seen.position - 1, seen.position)
    if seen.position and there != [seen.hash]:
        raise LogDamaged(
            f"the log was at position {seen.position} and is no longer what it was: the database "
            "was set back, or is a replica that had not heard of everything",
            where=str(place),
            right="find the database that has it; one who begins anew goes on from what is here",
        )
    end = fitting(await reader.newest(db), head, str(place), signer)
    return Known(*end, await _tree(db, place, head)), None


async def _tree(db: Any, place: Address, head: Head) -> Frontier:
    """The tree over the whole log, its root the signed one: from the kept roots of its segments,
    or, where those do not lead there, from every hash."""
    if not head.position:
        return Frontier()
    whole = head.position // SEGMENT
    roots = (await reader.segments(db))[:whole]
    tail = await reader.hashes(db, whole * SEGMENT, head.position)
    found = kept_tree(roots, tail)
    if found.root().hex() == head.root:
        return found
    found = Frontier()
    for after in range(0, head.position, SEGMENT):
        found, made = found.grown(leaves(await reader.hashes(db, after, head.position)))
        await db.executemany(
            "INSERT INTO segments VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET root = $2",
            [(number, root.hex()) for number, root in made.items()],
        )
    if found.root().hex() != head.root:
        raise damaged("the events are not those over which the head was signed", str(place))
    return found
