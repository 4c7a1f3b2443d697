"""The embedded log: one SQLite file, one fsync for all who wait.

Operations submitted in one turn of the event loop become one batch: admitted together (see
`events.admission`), written in one transaction that holds the newly signed head too, and answered
after the commit. The commit runs in the loop's own thread: handing it to another costs 230 us a
commit on two cores, as much as the fsync itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from events.chain import Head, Signer
from events.envelope import Envelope
from events.errors import LogUnavailable, NotBegun, RatchetError
from events.keeper import Keeper, key_ids, no_keeper
from events.memory import utc_now
from events.sql import connect, reader
from events.sql.trouble import explained
from events.sql.writer import Writer
from events.store import Answer, Heard, Lease, Operation, Snapshot, Walk

_BATCH = 512
_AGAIN = 1.0
"""Seconds after which what was forgotten is wiped from the journal again, where a reader was in
the way."""

R = TypeVar("R")


class _Waiting(NamedTuple):
    operation: Operation
    future: asyncio.Future[Answer]


def begun(path: Path) -> bool:
    """Whether a log stands in this file; a damaged one is told as such."""
    try:
        connect.reading(path).close()
    except NotBegun:
        return False
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return True


class SqliteStore:
    """The log in one file. Read-only unless a signer is given."""

    shared: ClassVar[bool] = False

    def __init__(
        self,
        path: Path,
        signer: Signer | None = None,
        clock: Callable[[], datetime] = utc_now,
        keeper: Keeper | None = None,
    ) -> None:
        self._path, self._keeper = path, keeper
        self._listeners: list[Heard] = []
        self._waiting: list[_Waiting] = []
        self._writer: Writer | None = None
        self._wiping: asyncio.TimerHandle | None = None
        try:
            if signer is not None:
                self._writer = Writer(path, signer, clock, keeper)
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
        if self._writer.unwiped and self._wiping is None:
            self._wipe()

    def _wipe(self) -> None:
        """See to it that no key of somebody forgotten stays in the journal."""
        self._wiping = None
        if self._writer is not None and not self._writer.wiped():
            self._wiping = asyncio.get_running_loop().call_later(_AGAIN, self._wipe)

    def listen(self, heard: Heard) -> Callable[[], None]:
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def close(self) -> None:
        while self._waiting:
            self._flush()
        self._listeners.clear()
        if self._wiping is not None:
            self._wiping.cancel()
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

    async def sealed_under(self, key_id: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        return self._read(reader.sealed_under, key_id, after, limit)

    async def reveal(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        ids = key_ids(envelopes)
        if not ids:
            return list(envelopes)
        if self._keeper is None:
            raise no_keeper(str(self._path))
        return self._keeper.revealed(envelopes, self._read(reader.subjects, [], ids))

    async def hashes(self, after: int, until: int) -> list[str]:
        return self._read(reader.hashes, after, until)

    async def segments(self) -> list[str]:
        return self._read(reader.segments)

    async def verify(self, after: int = 0, limit: int = 1000) -> Walk:
        return reader.walk(self._reading, after, limit)

    def _read(self, query: Callable[..., R], *values: object) -> R:
        try:
            return query(self._reading, *values)
        except sqlite3.Error as error:
            raise explained(error, self._path) from error
