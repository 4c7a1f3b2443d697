"""The writing half of the embedded log: one batch, one transaction, one fsync.

What a batch needs to know is looked up once; versions of streams are remembered between batches,
until another process is found to have written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from events.admission import Ledger, Plan, admit
from events.chain import GENESIS, Signer
from events.envelope import COLUMNS, Envelope, format_time
from events.errors import RatchetError
from events.keeper import Keeper, key_ids, no_keeper
from events.keyring import Keyring
from events.merkle import Frontier, leaves
from events.needs import Needs, needs
from events.sql import connect, reader
from events.sql.ending import ending, keep, tree
from events.sql.trouble import explained
from events.store import Answer, Operation

_INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_REMEMBERED = 50_000


class Writer:
    """The one connection that writes."""

    def __init__(
        self, path: Path, signer: Signer, clock: Callable[[], datetime], keeper: Keeper | None
    ) -> None:
        self._path, self._signer, self._clock, self._keeper = path, signer, clock, keeper
        self._versions: dict[str, int] = {}
        self._end = (0, GENESIS, "")
        self._tree = Frontier()
        self._seen = -1
        self.unwiped = connect.journal(path) > 0
        """A predecessor may have forgotten somebody and died before it wiped the journal."""
        self._db = connect.writing(path)
        try:
            connect.prepare(self._db, path)
            self._db.execute("BEGIN IMMEDIATE")
            self._look()
            if keeper is not None:
                keeper.check(reader.some_subjects(self._db))
            self._db.execute("COMMIT")
            self.wiped()
        except (sqlite3.Error, RatchetError):
            self._db.close()
            raise

    def _look(self) -> None:
        """Learn where the log ends, and refuse to go on from an end that is not the signed one."""
        self._versions.clear()
        self._seen = self._db.execute("PRAGMA data_version").fetchone()[0]
        self._end = ending(self._db, self._path, self._signer)
        self._tree = tree(self._db, self._path, self._signer, self._tree)

    def commit(
        self, operations: list[Operation]
    ) -> tuple[Sequence[Answer | Exception], Plan | None]:
        """The batch in one transaction; where that fails as a whole, one error for all."""
        try:
            try:
                plan = self._transaction(operations)
            except sqlite3.IntegrityError:  # a draft whose id nobody chose was sent again
                self._recover()
                plan = self._transaction(operations, every_id=True)
        except Exception as error:  # goes up to every caller
            self._recover()
            if isinstance(error, sqlite3.Error):
                error = explained(error, self._path)
            return [error] * len(operations), None
        return plan.answers, plan

    def _transaction(self, operations: list[Operation], every_id: bool = False) -> Plan:
        self._db.execute("BEGIN IMMEDIATE")
        if self._db.execute("PRAGMA data_version").fetchone()[0] != self._seen:
            self._look()
        now = self._clock()
        ledger = self._ledger(needs(operations, every_id), now.timestamp())
        plan = admit(operations, ledger, format_time(now), now.timestamp())
        if plan.refused and not every_id:  # perhaps said before, with an id that nobody chose
            self._db.execute("ROLLBACK")
            return self._transaction(operations, every_id=True)
        if not plan.writes():
            self._db.execute("ROLLBACK")
            return plan
        grown = self._write(plan)
        self._db.execute("COMMIT")
        if plan.rows:
            self._end = (ledger.position, ledger.hash, ledger.recorded_at)
            self._tree = grown
            if len(self._versions) > _REMEMBERED:
                self._versions.clear()
            self._versions |= ledger.versions
        return plan

    def _recover(self) -> None:
        """After a failed commit nothing that was remembered is trusted."""
        self._seen = -1
        self._versions.clear()
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self._db.close()
            with suppress(sqlite3.Error):  # the next commit says so, and tries again
                self._db = connect.writing(self._path)

    def _ledger(self, wanted: Needs, now: float) -> Ledger:
        known = self._versions
        versions = {name: known[name] for name in wanted.streams if name in known}
        if len(versions) < len(wanted.streams):
            versions |= reader.newest_versions(self._db, wanted.streams - versions.keys())
        leases = (
            reader.all_leases(self._db)
            if wanted.all_leases
            else reader.leases_named(self._db, wanted.leases)
        )
        for kinds in set(wanted.claims):
            leases += reader.free_requests(self._db, kinds, now, wanted.depth())
        existing = reader.by_ids(self._db, wanted.ids) if wanted.ids else {}
        position, digest, recorded_at = self._end
        return Ledger(
            position=position,
            hash=digest,
            recorded_at=recorded_at,
            versions=versions,
            existing=existing,
            checkpoints=reader.checkpoints(self._db, wanted.checkpoints),
            leases={lease.name: lease for lease in leases},
            keys=self._keys(wanted.subjects, existing.values()) if wanted.subjects else None,
        )

    def _keys(self, subjects: Iterable[str], existing: Iterable[Envelope]) -> Keyring:
        if self._keeper is None:
            raise no_keeper(str(self._path))
        tokens = self._keeper.tokens(subjects)
        rows = reader.subjects(self._db, tokens, key_ids(existing))
        return self._keeper.keyring(subjects, rows)

    def _write(self, plan: Plan) -> Frontier:
        """What is planned, into the transaction; the tree as it is once that is committed."""
        db, grown = self._db, self._tree
        if plan.rows:
            db.executemany(_INSERT, map(tuple, plan.rows))  # bound faster than named tuples
            newest = plan.rows[-1]
            grown, segments = grown.grown(leaves(row.hash for row in plan.rows))
            head = self._signer.sign(newest.position, newest.hash, grown.root().hex())
            keep(db, head, segments)
        if plan.checkpoints:
            db.executemany(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", plan.checkpoints.items()
            )
        for name, lease in plan.leases.items():
            if lease is None:
                db.execute("DELETE FROM leases WHERE name = ?", (name,))
            else:
                db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?)", lease)
        if plan.keys is not None:
            self._write_keys(plan.keys)
        for name, kept in plan.snapshots.items():
            if kept.state:
                db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)", kept)
            else:
                db.execute("DELETE FROM snapshots WHERE name = ?", (name,))
        return grown

    def _write_keys(self, keys: Keyring) -> None:
        assert self._keeper is not None
        if keys.forgets:
            self.unwiped = True
            self._db.execute("PRAGMA secure_delete=ON")
        for token, row in self._keeper.changes(keys.changed):
            self._db.execute("DELETE FROM subjects WHERE token = ?", (token,))
            if row is not None:
                self._db.execute("INSERT INTO subjects VALUES (?, ?, ?)", row)

    def wiped(self) -> bool:
        """Whether the journal holds no key that was deleted; a reader may be in the way."""
        if self.unwiped:
            with suppress(sqlite3.Error):  # whoever writes next is told what is the matter
                self._db.execute("PRAGMA secure_delete=FAST")
                self._db.execute("PRAGMA busy_timeout=20")
                busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self.unwiped = bool(busy)
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA busy_timeout=2000")
        return not self.unwiped

    def close(self) -> None:
        self.wiped()
        self._db.close()
