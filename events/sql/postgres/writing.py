"""What a plan does to the database: rows in, one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from events.admission import Plan
from events.chain import Signer
from events.envelope import Envelope
from events.keeper import KeyRow
from events.merkle import leaves
from events.needs import Needs
from events.sql.postgres import reader
from events.sql.postgres.ending import Known

_LINES = "(string_to_array(${}, E'\\n'))[2:]"
"""A column as one text, a line break before each value, which none of them holds (`events.chain`):
the driver asks of every element of an array what it is, and that costs 3 us an event."""
_OR_NULL = "(string_to_array(${}, E'\\n', ''))[2:]"
_PLAIN = "${}"
_ARGUMENTS = (
    _PLAIN, _PLAIN, _PLAIN, _LINES, _LINES, _PLAIN, _LINES, _PLAIN, _LINES, _LINES, _OR_NULL,
    _LINES, _OR_NULL, _LINES, _PLAIN, _PLAIN, _PLAIN, _PLAIN, _PLAIN,
)  # fmt: skip
_ADD = f"SELECT add_events({', '.join(a.format(n) for n, a in enumerate(_ARGUMENTS, 1))})"
_LEASE = """
INSERT INTO leases (name, kind, position, holder, epoch, until, local)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET kind = $2, position = $3,
holder = $4, epoch = $5, until = $6, local = $7
"""
_CHECKPOINT = """
INSERT INTO checkpoints (name, position) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET position = $2
"""
_KEY = "INSERT INTO subjects (token, key_id, wrapped) VALUES ($1, $2, $3)"
_SNAPSHOT = """
INSERT INTO snapshots (name, fold, position, state) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET fold = $2, position = $3, state = $4
"""


def looks(wanted: Needs) -> bool:
    """Whether more must be looked up under the lock than where the log and its streams end."""
    return bool(
        wanted.leases or wanted.claims or wanted.checkpoints or wanted.subjects or wanted.all_leases
    )


def only_rows(plan: Plan) -> bool:
    """Whether the plan adds events and does nothing else."""
    beside = plan.leases or plan.checkpoints or plan.snapshots or plan.keys
    return bool(plan.rows) and not beside


async def add(db: Any, known: Known, rows: Sequence[Envelope], signer: Signer) -> Known | None:
    """Add the events behind the known end and sign the new one, with whatever lock it takes; None
    where the log has another end by now, and then nothing is written."""
    (_, ids, types, schemas, streams, versions, _, actors, correlations, causes, data, key_ids, _,
     hashes) = zip(*rows, strict=True)  # fmt: skip
    newest = rows[-1]
    tree, segments = known.tree.grown(leaves(hashes))
    head = signer.sign(newest.position, newest.hash, tree.root().hex())
    added = await db.fetchval(
        _ADD, known.position, known.hash, newest.recorded_at, _lines(ids), _lines(types), schemas,
        _lines(streams), versions, _lines(actors), _lines(correlations), _lines(causes),
        _lines(data), _lines(key_ids), _lines(hashes), head.signature, head.key, head.root,
        list(segments), [root.hex() for root in segments.values()],
    )  # fmt: skip
    return Known(newest.position, newest.hash, newest.recorded_at, tree) if added else None


def _lines(column: Iterable[str | None]) -> str:
    return "\n".join(["", *[text or "" for text in column]])


async def beside(db: Any, plan: Plan) -> None:
    """Checkpoints, leases and snapshots."""
    if plan.checkpoints:
        await db.executemany(_CHECKPOINT, plan.checkpoints.items())
    if given := [lease for lease in plan.leases.values() if lease is not None]:
        await db.executemany(_LEASE, given)
    if gone := [name for name, lease in plan.leases.items() if lease is None]:
        await db.execute("DELETE FROM leases WHERE name = ANY($1)", gone)
    if kept := [snapshot for snapshot in plan.snapshots.values() if snapshot.state]:
        await db.executemany(_SNAPSHOT, kept)
    if dropped := [name for name, snapshot in plan.snapshots.items() if not snapshot.state]:
        await db.execute("DELETE FROM snapshots WHERE name = ANY($1)", dropped)


async def keys(db: Any, changes: Iterable[tuple[str, KeyRow | None]]) -> None:
    """The keys that these tokens have from now on, and no others."""
    rows = dict(changes)
    await db.execute("DELETE FROM subjects WHERE token = ANY($1)", list(rows))
    await db.executemany(_KEY, [row for row in rows.values() if row is not None])


async def stands(db: Any, plan: Plan) -> bool:
    """Whether the plan was committed: its hash is in the chain, or what it leaves is there."""
    if plan.rows:
        newest = plan.rows[-1]
        return await reader.hashes(db, newest.position - 1, newest.position) == [newest.hash]
    leases = {one.name: one for one in await reader.leases_named(db, plan.leases)}
    moved = await reader.checkpoints(db, plan.checkpoints)
    return (
        bool(plan.leases or plan.checkpoints)
        and leases == {name: one for name, one in plan.leases.items() if one is not None}
        and moved == plan.checkpoints
    )
