"""The embedded log: one SQLite file, one fsync for all who wait.

Operations submitted in one turn of the event loop become one batch: admitted together (see
`events.admission`), written in one transaction that holds the newly signed head too, and answered
after the commit. The commit runs in the loop's own thread: handing it to another costs 230 us a
commit on two cores, as much as the fsync itself. What a batch needs to know is looked up once;
versions of streams are remembered between batches, until another process is found to have written.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from events.admission import Ledger, Plan, admit
from events.chain import GENESIS, Head, Signer, signed
from events.envelope import COLUMNS, Envelope, format_time
from events.errors import LogDamaged, LogUnavailable, RatchetError
from events.memory import utc_now
from events.needs import Needs, needs
from events.sql import connect, reader
from events.sql.trouble import explained
from events.store import Answer, Heard, Lease, Operation, Snapshot, Walk

_INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_BATCH = 512
_REMEMBERED = 50_000

R = TypeVar("R")


class _Waiting(NamedTuple):
    operation: Operation
    future: asyncio.Future[Answer]


class SqliteStore:
    """The log in one file. Read-only unless a signer is given."""

    def __init__(
        self,
        path: Path,
        signer: Signer | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._path = path
        self._listeners: list[Heard] = []
        self._waiting: list[_Waiting] = []
        self._writer: _Writer | None = None
        try:
            if signer is not None:
                self._writer = _Writer(path, signer, clock)
            self._reading = connect.reading(path)
        except (sqlite3.Error, RatchetError) as error:
            if self._writer is not None:
                self._writer.close()
            if isinstance(error, RatchetError):
                raise
            raise explained(error, path) from error

    async def submit(self, operation: Operation) -> Answer:
        if self._writer is None:
            raise LogUnavailable(
                "this log was opened for reading only, or is closed", where=str(self._path)
            )
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append(_Waiting(operation, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        """Commit what is waiting, and answer. A batch is bounded; the rest is the next one."""
        batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        if self._writer is None or not batch:
            return
        answers, plan = self._writer.commit([waiting.operation for waiting in batch])
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.future.done():  # its caller was cancelled; what was committed stays
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)
        if plan is not None and plan.rows:
            types = frozenset(row.type for row in plan.rows)
            for heard in tuple(self._listeners):
                heard(plan.rows[-1].position, types)

    def listen(self, heard: Heard) -> Callable[[], None]:
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def close(self) -> None:
        while self._waiting:
            self._flush()
        self._listeners.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._reading.close()

    async def head(self) -> Head:
        return self._read(reader.signed_head)

    async def read(
        self,
        after: int = 0,
        until: int | None = None,
        limit: int = 500,
        types: Iterable[str] | None = None,
    ) -> list[Envelope]:
        return self._read(reader.between, after, until, limit, types)

    async def stream(self, name: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        return self._read(reader.in_stream, name, after, limit)

    async def last(self, stream: str) -> Envelope | None:
        return self._read(reader.last_in, stream)

    async def find(self, event_ids: Sequence[str]) -> dict[str, Envelope]:
        return self._read(reader.by_ids, event_ids)

    async def effects(self, cause_ids: Sequence[str], after: int = 0) -> list[Envelope]:
        return self._read(reader.caused_by, cause_ids, after)

    async def position_at(self, moment: str) -> int:
        return self._read(reader.position_at, moment)

    async def checkpoint(self, name: str) -> int:
        return self._read(reader.checkpoints, [name]).get(name, 0)

    async def leases(self) -> list[Lease]:
        return self._read(reader.all_leases)

    async def snapshot(self, name: str) -> Snapshot | None:
        return self._read(reader.snapshot, name)

    async def verify(self, after: int = 0, limit: int = 1000) -> Walk:
        return reader.walk(self._reading, after, limit)

    def _read(self, query: Callable[..., R], *values: object) -> R:
        try:
            return query(self._reading, *values)
        except sqlite3.Error as error:
            raise explained(error, self._path) from error


class _Writer:
    """The one connection that writes."""

    def __init__(self, path: Path, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._path, self._signer, self._clock = path, signer, clock
        self._versions: dict[str, int] = {}
        self._end = (0, GENESIS, "")
        self._seen = -1
        self._db = connect.writing(path)
        try:
            connect.prepare(self._db, path)
            self._db.execute("BEGIN")
            self._look()
            self._db.execute("ROLLBACK")
        except (sqlite3.Error, RatchetError):
            self._db.close()
            raise

    def _look(self) -> None:
        """Learn where the log ends, and refuse to go on from an end that is not the signed one."""
        self._versions.clear()
        self._seen = self._db.execute("PRAGMA data_version").fetchone()[0]
        position, digest, recorded_at = reader.newest(self._db)
        head = reader.signed_head(self._db)
        self._end = (position, digest or GENESIS, recorded_at)
        if (position, digest) == (0, "") and head.position == 0:
            return
        if (head.position, head.hash) != (position, digest) or not signed(
            head, self._signer.public
        ):
            raise LogDamaged(
                f"the log ends at position {position}, but its signed head says {head.position}"
                if head.position != position
                else f"the signed head does not fit the event at position {position}",
                where=str(self._path),
                right="run `ratchet audit`; bring the log back from a backup",
            )

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
        self._write(plan)
        self._db.execute("COMMIT")
        if plan.rows:
            self._end = (ledger.position, ledger.hash, ledger.recorded_at)
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
        position, digest, recorded_at = self._end
        return Ledger(
            position=position,
            hash=digest,
            recorded_at=recorded_at,
            versions=versions,
            existing=reader.by_ids(self._db, wanted.ids) if wanted.ids else {},
            checkpoints=reader.checkpoints(self._db, wanted.checkpoints),
            leases={lease.name: lease for lease in leases},
        )

    def _write(self, plan: Plan) -> None:
        db = self._db
        if plan.rows:
            db.executemany(_INSERT, map(tuple, plan.rows))  # bound faster than named tuples
            newest = plan.rows[-1]
            head = self._signer.sign(newest.position, newest.hash)
            db.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?)", head)
        if plan.checkpoints:
            db.executemany(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", plan.checkpoints.items()
            )
        for name, lease in plan.leases.items():
            if lease is None:
                db.execute("DELETE FROM leases WHERE name = ?", (name,))
            else:
                db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?)", lease)
        for name, kept in plan.snapshots.items():
            if kept.state:
                db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)", kept)
            else:
                db.execute("DELETE FROM snapshots WHERE name = ?", (name,))

    def close(self) -> None:
        self._db.close()
