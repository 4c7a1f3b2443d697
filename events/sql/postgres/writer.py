"""The writing half of the log in Postgres: one batch, one transaction, one turn at a time.

Whoever writes holds the lock of the log from the first statement of his transaction on, so
positions have no gap and readers need no guard. A batch that depends on nothing but the end of the
log is one round trip: it is admitted beforehand, and the database takes it if nobody else has
written meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from asyncpg import IntegrityConstraintViolationError

from events.admission import Ledger, Plan, admit
from events.chain import Signer
from events.envelope import Envelope, format_time
from events.errors import LogUnavailable
from events.keeper import Keeper, key_ids, no_keeper
from events.keyring import Keyring
from events.memory import utc_now
from events.needs import Needs, needs
from events.sql.postgres import link, reader, wiping, writing
from events.sql.postgres.address import Address
from events.sql.postgres.ending import Known, followed
from events.store import Answer, Operation

_REMEMBERED = 50_000
_SETTLE = 20.0
"""Seconds to ask for the outcome of a commit during which the connection broke."""
_MINUTE = 60.0

Outcome = tuple[Sequence[Answer | Exception], Plan | None]


class Writer:
    """The one connection of this process that writes."""

    def __init__(
        self,
        place: Address,
        signer: Signer,
        clock: Callable[[], datetime] | None,
        keeper: Keeper | None,
    ) -> None:
        self._place, self._signer, self._clock, self._keeper = place, signer, clock, keeper
        self._db: Any = None
        self._opening = asyncio.Lock()
        self._known, self._seen = Known(), Known()
        """Where the log ends; and where it ended before the connection broke."""
        self._versions: dict[str, int] = {}
        self._alone = True
        """Nobody else has written since this process did."""
        self._pending: Plan | None = None
        """On its way to the disk: should the connection break now, its outcome is uncertain."""
        self._ahead, self._compared = timedelta(), 0.0
        self.unwiped = False

    async def ready(self) -> None:
        """See to it that there is a connection, to a log that is ours and of this version."""
        async with self._opening:
            if self._db is not None and not self._db.is_closed():
                return
            db = await link.connected(self._place, link.WRITING)
            try:
                await link.prepare(db, self._place)
                async with db.transaction():
                    await self._look(db)
                    if self._keeper is not None:
                        self._keeper.check(await reader.some_subjects(db))
                        self.unwiped |= await wiping.marked(db)
                await self._compare(db)
            except BaseException:
                db.terminate()
                raise
            self._db = db

    async def commit(self, operations: list[Operation]) -> Outcome:
        """The batch in one transaction; where that fails as a whole, one error for all."""
        self._pending = None
        try:
            await self.ready()
            await self._compare(self._db)
            try:
                plan = await self._quickly(operations) or await self._turn(operations)
            except IntegrityConstraintViolationError:  # an id that was sent before
                self._pending = None
                plan = await self._turn(operations, every_id=True)
        except Exception as error:  # goes up to every caller
            pending = self._pending
            await self._recover()
            if pending is not None and isinstance(error, (*link.BROKEN, TimeoutError)):
                return await self._settled(operations, pending)
            if isinstance(error, link.ERRORS):
                error = link.explained(error, self._place)
            return [error] * len(operations), None
        return plan.answers, plan

    async def _quickly(self, operations: list[Operation]) -> Plan | None:
        """In one round trip, without a look at what is there; None where that does not suffice."""
        wanted = needs(operations)
        if not self._alone or not wanted.streams or writing.looks(wanted):
            return None
        now = self._now()
        ledger = await self._ledger(Needs(streams=wanted.streams), now.timestamp())
        plan = admit(operations, ledger, format_time(now), now.timestamp())
        if plan.refused or not writing.only_rows(plan):
            return None
        self._pending = plan
        grown = await writing.add(self._db, self._known, plan.rows, self._signer)
        self._alone = grown is not None
        if grown is None:
            self._pending = None
            return None
        self._remember(ledger, grown)
        return plan

    async def _turn(self, operations: list[Operation], every_id: bool = False) -> Plan:
        """Under the lock, with a look at all that the batch depends on."""
        async with self._db.transaction():
            await self._look(self._db)
            now = self._now()
            for wanted in (needs(operations, every_id), needs(operations, True)):
                ledger = await self._ledger(wanted, now.timestamp())
                plan = admit(operations, ledger, format_time(now), now.timestamp())
                if not plan.refused:  # else perhaps said before, with an id that nobody chose
                    break
            if not plan.writes():
                return plan
            grown = self._known
            if plan.rows:
                added = await writing.add(self._db, self._known, plan.rows, self._signer)
                assert added is not None, "the end of the log was looked at under the lock"
                grown = added
            await writing.beside(self._db, plan)
            if plan.keys is not None and self._keeper is not None:
                await writing.keys(self._db, self._keeper.changes(plan.keys.changed))
                if plan.keys.forgets:
                    await wiping.mark(self._db)
            self._pending = plan
        if plan.keys is not None and plan.keys.forgets:
            self.unwiped = True
        self._remember(ledger, grown)
        return plan

    async def _look(self, db: Any) -> None:
        """Take the lock, and learn what others have written meanwhile."""
        head = await reader.held_head(db)
        self._alone = self._known.fits(head)
        if not self._alone:
            seen = self._known if self._known.position else self._seen
            found = await followed(db, self._place, self._signer, self._known, seen, head)
            self._known, versions = found
            if versions is None:
                self._versions.clear()
            else:
                self._versions.update(versions)

    async def _ledger(self, wanted: Needs, now: float) -> Ledger:
        db, known = self._db, self._versions
        versions = {name: known[name] for name in wanted.streams if name in known}
        if len(versions) < len(wanted.streams):
            versions |= await reader.newest_versions(db, wanted.streams - versions.keys())
        leases = await reader.all_leases(db) if wanted.all_leases else []
        if wanted.leases and not wanted.all_leases:
            leases = await reader.leases_named(db, wanted.leases)
        for kinds in set(wanted.claims):
            leases += await reader.free_requests(db, kinds, now, wanted.depth())
        existing = await reader.by_ids(db, wanted.ids) if wanted.ids else {}
        checkpoints = wanted.checkpoints
        return Ledger(
            position=self._known.position,
            hash=self._known.hash,
            recorded_at=self._known.recorded_at,
            versions=versions,
            existing=existing,
            checkpoints=await reader.checkpoints(db, checkpoints) if checkpoints else {},
            leases={lease.name: lease for lease in leases},
            keys=await self._keys(wanted.subjects, existing.values()) if wanted.subjects else None,
        )

    async def _keys(self, subjects: Iterable[str], existing: Iterable[Envelope]) -> Keyring:
        if self._keeper is None:
            raise no_keeper(str(self._place))
        tokens = self._keeper.tokens(subjects)
        rows = await reader.subjects(self._db, tokens, key_ids(existing))
        return self._keeper.keyring(subjects, rows)

    def _remember(self, ledger: Ledger, known: Known) -> None:
        self._known = known
        if len(self._versions) > _REMEMBERED:
            self._versions.clear()
        self._versions |= ledger.versions

    async def _settled(self, operations: list[Operation], plan: Plan) -> Outcome:
        """Ask whether the batch was committed when the connection broke; where it was not, try
        again. What holds the lock now holds it after whatever was under way."""
        ends, pause = time.monotonic() + _SETTLE, 0.05
        while True:
            try:
                await self.ready()
                async with self._db.transaction():
                    await self._look(self._db)
                    there = await writing.stands(self._db, plan)
                if not there:
                    plan = await self._turn(operations, every_id=True)
                return plan.answers, plan
            except Exception as error:
                plan = self._pending or plan
                await self._recover()
                if not isinstance(error, link.ERRORS) and not isinstance(error, LogUnavailable):
                    return [error] * len(operations), None
                if time.monotonic() + pause > ends:
                    return [_uncertain(self._place)] * len(operations), None
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    async def _recover(self) -> None:
        """After a failed commit neither the connection nor what was remembered is trusted; but
        what was once seen must still be there."""
        if self._known.position:
            self._seen = self._known
        self._known, self._versions, self._pending = Known(), {}, None
        if self._db is not None:
            self._db.terminate()
            self._db = None

    def _now(self) -> datetime:
        return utc_now() + self._ahead if self._clock is None else self._clock()

    async def _compare(self, db: Any) -> None:
        """Machines differ in what time it is, and leases are measured in it: the server knows."""
        if self._clock is not None or time.monotonic() - self._compared < _MINUTE:
            return
        before = utc_now()
        theirs = await db.fetchval("SELECT clock_timestamp()")
        self._ahead = theirs - (before + (utc_now() - before) / 2)
        self._compared = time.monotonic()

    async def close(self) -> None:
        if self._db is not None:
            with suppress(*link.ERRORS):
                await self._db.close(timeout=2)
            self._db = None


def _uncertain(place: Address) -> LogUnavailable:
    return LogUnavailable(
        "the connection broke while this was written, and Postgres does not say what came of it",
        where=str(place),
        right="say it again with the same id: what stands in the log is not written twice",
    )
