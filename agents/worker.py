"""Workers: they grant requests with real effects, under a lease that others respect.

A worker may be asked twice. It claims a request, reports progress, renews its lease, and answers
with the request's id and the lease's epoch; if the lease is lost meanwhile, its work is for nothing
and it stops. What fails in a worker is data: an outcome that says so, not a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from events.bus import Bus, Progress
from events.envelope import Envelope, draft
from events.errors import Conflict, LogUnavailable
from events.fact import Fact, fact
from events.ids import derived_id
from events.message import Outcome, Request
from events.store import ClaimRequest, EventStore, Held, Lease, RenewLease, append

log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds for which a request is granted; renewed at a third of it."""
LOOK = 5.0
"""Seconds between looks for requests whose lease has ended."""

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Worker:
    """Grants one kind of request."""

    kind: type[Request]
    grant: Callable[[Fact, Tell], Awaitable[Outcome]]
    """Carry the request out, telling progress on the way."""
    failed: Callable[[Fact, Exception], Outcome]
    """What is answered when `grant` fails."""


class Runner:
    """Lets workers grant requests, `slots` at a time, until cancelled."""

    def __init__(
        self,
        workers: Mapping[str, Worker],
        store: EventStore,
        bus: Bus,
        holder: str,
        slots: int = 1,
        local: bool = True,
    ) -> None:
        self._workers, self._store, self._bus = workers, store, bus
        self._holder, self._slots, self._local = holder, slots, local
        self.name = "workers"
        self.answered = 0
        self.failure = ""

    async def run(self) -> None:
        """Grant requests until cancelled; wait and come back where the log is lost."""
        while True:
            try:
                await self._work()
            except* LogUnavailable as away:
                self.failure = str(away.exceptions[0])
                log.warning("the workers wait: %s", self.failure)
                await asyncio.sleep(1)

    async def _work(self) -> None:
        ear = self._bus.ear(self._workers)
        free = asyncio.Semaphore(self._slots)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await free.acquire()
                    lease = await self._claim()
                    if lease is None:
                        free.release()
                        await ear.wait(LOOK)
                        continue
                    task = group.create_task(self._grant(lease))
                    task.add_done_callback(lambda _: free.release())
        finally:
            ear.close()

    async def settle(self) -> None:
        """Grant what is asked for now, and stop."""
        while (lease := await self._claim()) is not None:
            await self._grant(lease)

    async def _claim(self) -> Lease | None:
        claim = ClaimRequest(tuple(sorted(self._workers)), self._holder, LEASE, self._local)
        lease = await self._store.submit(claim)
        self.failure = ""
        assert lease is None or isinstance(lease, Lease)
        return lease

    async def _grant(self, lease: Lease) -> None:
        held = Held(lease.name, lease.epoch)
        request = (await self._store.read(lease.position - 1, lease.position, 1))[0]
        told = fact(request)
        work = asyncio.ensure_future(self._outcome(told))
        renewing = asyncio.ensure_future(self._renew(held))
        try:
            await asyncio.wait({work, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():  # the lease is lost: somebody else carries it out, or nobody
                log.info("worker %s stops: %s", self._holder, renewing.exception())
                return
            await self._say(work.result(), request, held)
        finally:
            for task in (work, renewing):
                task.cancel()
            await asyncio.gather(work, renewing, return_exceptions=True)

    async def _say(self, outcome: Outcome, request: Envelope, held: Held) -> None:
        """Answer under the lease. While the log cannot be written, the answer waits."""
        said = draft(outcome, derived_id("outcome", request.event_id, held.epoch))
        while True:
            try:
                await append(
                    self._store, said, actor=f"worker:{self._holder}", cause=request, answers=held
                )
            except Conflict as lost:
                log.info("worker %s was too late: %s", self._holder, lost)
            except LogUnavailable as away:
                self.failure = str(away)
                await asyncio.sleep(1)
                continue
            else:
                self.answered += 1
            self.failure = ""
            return

    async def _outcome(self, told: Fact) -> Outcome:
        worker = self._workers[told.event.wire]

        def tell(says: dict[str, Any]) -> None:
            self._bus.say(Progress(told.id, says))

        try:
            return await worker.grant(told, tell)
        except Exception as error:  # whatever a worker's work runs into is its outcome
            log.warning("%s failed: %r", told.event.wire, error)
            return worker.failed(told, error)

    async def _renew(self, held: Held) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            try:
                await self._store.submit(RenewLease(held, LEASE))
            except LogUnavailable as away:
                self.failure = str(away)
