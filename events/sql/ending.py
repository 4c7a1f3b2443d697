"""Where the embedded log ends, and the tree over it: looked at before anything is added."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from events.chain import GENESIS, Head, Signer, holds, signed
from events.errors import LogDamaged
from events.merkle import SEGMENT, Frontier, leaves, standing
from events.sql import reader


def ending(db: sqlite3.Connection, path: Path, signer: Signer) -> tuple[int, str, str]:
    """Position, hash and time of the newest event, once that is found to be the signed one."""
    return fitting(reader.newest(db), reader.signed_head(db), str(path), signer)


def fitting(
    newest: tuple[int, str, str], head: Head, where: str, signer: Signer
) -> tuple[int, str, str]:
    """The same of any store, from what it holds."""
    position, digest, recorded_at = newest
    if (position, digest) == (0, "") and head.position == 0:
        return 0, GENESIS, ""
    if head.position != position:
        raise damaged(
            f"the log ends at position {position}, but its signed head says {head.position}", where
        )
    if head.hash != digest or not signed(head, signer.public):
        raise damaged(f"the signed head does not fit the event at position {position}", where)
    return position, digest, recorded_at


def tree(db: sqlite3.Connection, path: Path, signer: Signer, known: Frontier) -> Frontier:
    """The tree over the whole log, its root the signed one: grown on from what is known of it,
    or from the kept roots of its segments, or, where those do not lead there, from every hash."""
    head = reader.signed_head(db)
    if not head.position:
        return Frontier()
    if 0 < known.size <= head.position <= known.size + SEGMENT:
        found = known.grown(leaves(reader.hashes(db, known.size, head.position))).frontier
        if found.root().hex() == head.root:
            return found
    if head.root:
        found = _from_segments(db, head)
        if found.root().hex() == head.root:
            return found
    return _built_anew(db, path, head, signer)


def keep(db: sqlite3.Connection, head: Head, segments: Mapping[int, bytes]) -> None:
    """The new end of the log, and what it completed."""
    db.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)", head)
    for number, root in segments.items():
        db.execute("INSERT OR REPLACE INTO segments VALUES (?, ?)", (number, root.hex()))


def _from_segments(db: sqlite3.Connection, head: Head) -> Frontier:
    whole = head.position // SEGMENT
    return kept_tree(reader.segments(db)[:whole], reader.hashes(db, whole * SEGMENT, head.position))


def kept_tree(roots: Sequence[str], tail: Sequence[str]) -> Frontier:
    """The tree over whole segments and what lies behind them; roots are only a cache."""
    try:
        kept = leaves(roots)
    except LogDamaged:
        return Frontier()
    return standing(kept, leaves(tail))


def _built_anew(db: sqlite3.Connection, path: Path, head: Head, signer: Signer) -> Frontier:
    """A segment at a time. A head of version 1 is followed by one with the root, and that is
    signed only over events that are what their hashes say."""
    found = Frontier()
    db.execute("DELETE FROM segments")
    for hashes in _hashes(db, head) if head.root else _checked(db, path):
        found, segments = found.grown(leaves(hashes))
        keep(db, head, segments)
    root = found.root().hex()
    if not head.root:
        keep(db, signer.sign(head.position, head.hash, root), {})
    elif root != head.root:
        raise damaged("the events are not those over which the head was signed", str(path))
    return found


def _hashes(db: sqlite3.Connection, head: Head) -> Iterator[list[str]]:
    for after in range(0, head.position, SEGMENT):
        yield reader.hashes(db, after, head.position)


def _checked(db: sqlite3.Connection, path: Path) -> Iterator[list[str]]:
    position, previous = 0, GENESIS
    while envelopes := reader.between(db, position, None, SEGMENT, None):
        for envelope in envelopes:
            if envelope.position != position + 1 or not holds(envelope, previous):
                raise damaged(
                    f"the event at position {position + 1} is not what was written", str(path)
                )
            position, previous = envelope.position, envelope.hash
        yield [envelope.hash for envelope in envelopes]


def damaged(what: str, where: str) -> LogDamaged:
    right = "run `ratchet audit`; bring the log back from a backup"
    return LogDamaged(what, where=where, right=right)
