"""The log in Postgres: the promises of the embedded one, for many processes on many machines.

Operations that wait while a commit is under way are the next batch: admitted together (see
`events.admission`), written under the one lock of the log, answered each by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

from events.chain import Head, Signer
from events.envelope import Envelope
from events.errors import LogUnavailable, NotBegun
from events.keeper import Keeper, key_ids, no_keeper
from events.sql.postgres import link, reader, wiping
from events.sql.postgres.address import address
from events.sql.postgres.ears import Ears
from events.sql.postgres.writer import Writer
from events.store import Answer, Heard, Lease, Operation, Snapshot, Walk

_BATCH, _READERS = 512, 4
_PAUSE = 60.0
"""Seconds between two times that the table of keys is wiped of who was forgotten."""

R = TypeVar("R")


class _Waiting(NamedTuple):
    operation: Operation
    future: asyncio.Future[Answer]


class PostgresStore:
    """The log in one database. Read-only unless a signer is given. It connects when it is first
    asked for something, and again whenever the connection was lost."""

    shared: ClassVar[bool] = True
    """Other owners write to the same log, and go on when this one ends."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        clock: Callable[[], datetime] | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.place, self._keeper = address(url), keeper
        self._writer = Writer(self.place, signer, clock, keeper) if signer is not None else None
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._wiping: asyncio.Task[None] | None = None
        self._pool: Any = None
        self._begun, self._closed = False, False
        self._making = asyncio.Lock()
        self._ears = Ears(self.place)

    async def ready(self) -> None:
        """Nothing, or why the log cannot be used."""
        if self._writer is not None:
            await self._explaining(self._writer.ready())
        else:
            await self.head()

    async def submit(self, operation: Operation) -> Answer:
        if self._writer is None or self._closed:
            raise LogUnavailable(
                "this log was opened for reading only, or is closed", where=str(self.place)
            )
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, future))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="appender")
        return await future

    async def _commit_all(self) -> None:
        """One batch after the other, as long as somebody waits."""
        try:
            while True:
                await asyncio.sleep(0)  # who was just answered may have more to say
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                if not batch:
                    return
                await self._commit(batch)
        finally:
            self._committing = None

    async def _commit(self, batch: list[_Waiting]) -> None:
        assert self._writer is not None
        answers, plan = await self._writer.commit([waiting.operation for waiting in batch])
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.future.done():  # its caller was cancelled; what was committed stays
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)
        if plan is not None and plan.rows:
            self._ears.written(plan.rows)
        if self._writer.unwiped and self._wiping is None:
            self._wiping = asyncio.create_task(self._wipe(), name="wiper")

    async def _wipe(self) -> None:
        """At once, and then again after a while only; a connection of its own holds nobody up."""
        try:
            while await self._wiped():
                await asyncio.sleep(_PAUSE)
        finally:
            self._wiping = None

    async def _wiped(self) -> bool:
        """Whether there was something to be wiped."""
        assert self._writer is not None
        if not self._writer.unwiped:
            return False
        self._writer.unwiped, done = False, False
        try:
            done = await wiping.wiped(self.place)
        finally:
            self._writer.unwiped |= not done
        return True

    def listen(self, heard: Heard) -> Callable[[], None]:
        return self._ears.listen(heard)

    async def close(self) -> None:
        self._closed = True
        if self._committing is not None:
            await asyncio.wait([self._committing])
        if self._wiping is not None:
            self._wiping.cancel()
            await asyncio.wait([self._wiping])
        await self._ears.close()
        if self._writer is not None:
            await self._wiped()
            await self._writer.close()
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def head(self) -> Head:
        return await self._read(reader.signed_head)

    async def read(
        self,
        after: int = 0,
        until: int | None = None,
        limit: int = 500,
        types: Iterable[str] | None = None,
    ) -> list[Envelope]:
        return await self._read(reader.between, after, until, limit, types)

    async def stream(self, name: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        return await self._read(reader.in_stream, name, after, limit)

    async def last(self, stream: str) -> Envelope | None:
        return await self._read(reader.last_in, stream)

    async def find(self, event_ids: Sequence[str]) -> dict[str, Envelope]:
        return await self._read(reader.by_ids, event_ids)

    async def effects(self, cause_ids: Sequence[str], after: int = 0) -> list[Envelope]:
        return await self._read(reader.caused_by, cause_ids, after)

    async def position_at(self, moment: str) -> int:
        return await self._read(reader.position_at, moment)

    async def checkpoint(self, name: str) -> int:
        return (await self._read(reader.checkpoints, [name])).get(name, 0)

    async def leases(self) -> list[Lease]:
        return await self._read(reader.all_leases)

    async def snapshot(self, name: str) -> Snapshot | None:
        return await self._read(reader.snapshot, name)

    async def sealed_under(self, key_id: str, after: int = 0, limit: int = 500) -> list[Envelope]:
        return await self._read(reader.sealed_under, key_id, after, limit)

    async def reveal(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        ids = key_ids(envelopes)
        if not ids:
            return list(envelopes)
        if self._keeper is None:
            raise no_keeper(str(self.place))
        return self._keeper.revealed(envelopes, await self._read(reader.subjects, [], ids))

    async def hashes(self, after: int, until: int) -> list[str]:
        return await self._read(reader.hashes, after, until)

    async def segments(self) -> list[str]:
        return await self._read(reader.segments)

    async def verify(self, after: int = 0, limit: int = 1000) -> Walk:
        return await self._read(reader.walk, after, limit)

    async def _read(self, query: Callable[..., Awaitable[R]], *values: object) -> R:
        return await self._explaining(self._asked(query, *values))

    async def _asked(self, query: Callable[..., Awaitable[R]], *values: object) -> R:
        if self._pool is None or not self._begun:
            try:
                async with self._making:
                    await self._open()
            except NotBegun:
                return await query(_Nothing(), *values)
        async with self._pool.acquire(timeout=link.READ) as db:
            return await query(db, *values)

    async def _open(self) -> None:
        """The connections of readers, once it is known that there is a log."""
        if self._closed:
            raise LogUnavailable("the log is closed", where=str(self.place))
        if self._pool is None:
            self._pool = await link.pool(self.place, _READERS)
        if not self._begun:
            if self._writer is not None:
                await self._writer.ready()
            else:
                async with self._pool.acquire(timeout=link.READ) as db:
                    await link.begun(db, self.place)
            self._begun = True

    async def _explaining(self, asked: Awaitable[R]) -> R:
        try:
            return await asked
        except link.ERRORS as error:
            raise link.explained(error, self.place) from error


class _Nothing:
    """A database in which no log has begun answers everything with nothing."""

    async def fetch(self, *_: object) -> list[Any]:
        return []

    async def fetchrow(self, *_: object) -> None:
        return None

    async def fetchval(self, *_: object) -> None:
        return None
