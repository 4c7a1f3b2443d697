"""Workers: they grant requests with real effects, under a lease that others respect.

A worker may be asked twice. It claims a request, reports progress, renews its lease, and answers
with the request's id and the lease's epoch; if the lease is lost meanwhile, its work is for nothing
and it stops. What fails in a worker is data: an outcome that says so, not a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from events.bus import Progress
from events.desk import Desk, Granted
from events.errors import Conflict, LeaseLost, LogUnavailable, Malformed, TooLarge
from events.fact import Fact, fact
from events.message import Outcome, Request
from events.store import Held

log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds for which a request is granted; renewed at a third of it."""
LOOK = 5.0
"""Seconds between looks for requests whose lease has ended."""
AGAIN = 1.0
"""Seconds between attempts while the log is away."""
GIVE_BACK = 1.0
"""Seconds that a request remains with a worker that stops; no lease is shorter."""

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

    def __init__(self, workers: Mapping[str, Worker], desk: Desk, slots: int = 1) -> None:
        self._workers, self._desk, self._slots = workers, desk, slots
        self.name = "workers"
        self.answered = 0
        self.failure = ""

    async def run(self) -> None:
        """Grant requests until cancelled. What is under way goes on where the log is lost."""
        free = asyncio.Semaphore(self._slots)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await free.acquire()
                    granted = await self._next()
                    task = group.create_task(self._grant(granted))
                    task.add_done_callback(lambda _: free.release())
        finally:
            self._desk.close()

    async def _next(self) -> Granted:
        """The next request to carry out, whenever it comes."""
        while True:
            try:
                granted = await self._claim()
                if granted is not None:
                    return granted
                await self._desk.news(LOOK)
            except LeaseLost as lost:  # granted, and lost again on its way
                log.info("not begun: %s", lost)
                await asyncio.sleep(AGAIN)
            except LogUnavailable as away:
                self._away(str(away))
                await asyncio.sleep(AGAIN)

    async def settle(self) -> None:
        """Grant what is asked for now, and stop."""
        while (granted := await self._claim()) is not None:
            await self._grant(granted)
        self._desk.close()

    async def _claim(self) -> Granted | None:
        granted = await self._desk.claim(self._workers, LEASE)
        self._there()
        return granted

    async def _grant(self, granted: Granted) -> None:
        told = fact(granted.request)
        log.info("%s %s begins", told.event.wire, told.id)
        work = asyncio.ensure_future(self._outcome(told))
        renewing = asyncio.ensure_future(self._renew(granted.held))
        try:
            await asyncio.wait({work, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():  # the lease is lost: somebody else carries it out, or nobody
                log.info("%s %s stops: %s", told.event.wire, told.id, renewing.exception())
                return
            await self._say(granted, told, work.result())
        except asyncio.CancelledError:
            await self._give_back(granted.held)
            raise
        finally:
            for task in (work, renewing):
                task.cancel()
            await asyncio.gather(work, renewing, return_exceptions=True)

    async def _give_back(self, held: Held) -> None:
        """Whoever stops leaves the request to others, now and not when its lease has run out."""
        with suppress(Conflict, LogUnavailable, TimeoutError):
            async with asyncio.timeout(GIVE_BACK):
                await self._desk.renew(held, GIVE_BACK)

    async def _say(self, granted: Granted, told: Fact, outcome: Outcome) -> None:
        """Answer under the lease. While the log cannot be written, the answer waits. What cannot be
        taken in, as one that is too large, has failed; only who may not answer at all stops."""
        refused = False
        while True:
            try:
                await self._desk.answer(granted, outcome)
            except (Malformed, TooLarge) as wrong:
                if refused:
                    raise
                log.warning("%s is refused: %s", outcome.wire, wrong)
                refused, outcome = True, self._workers[told.event.wire].failed(told, wrong)
                continue
            except Conflict as lost:
                log.info("%s came too late: %s", outcome.wire, lost)
            except LogUnavailable as away:
                self._away(str(away))
                await asyncio.sleep(AGAIN)
                continue
            else:
                self.answered += 1
                log.info("%s answers %s", outcome.wire, granted.request.event_id)
            self._there()
            return

    async def _outcome(self, told: Fact) -> Outcome:
        worker = self._workers[told.event.wire]

        def tell(says: dict[str, Any]) -> None:
            self._desk.tell(Progress(told.id, says))

        try:
            return await worker.grant(told, tell)
        except Exception as error:  # whatever a worker's work runs into is its outcome
            kind = type(error).__name__
            log.warning("%s failed: %s (%s)", told.event.wire, str(error) or "no word", kind)
            return worker.failed(told, error)

    async def _renew(self, held: Held) -> None:
        pause = LEASE / 3
        while True:
            await asyncio.sleep(pause)
            pause = LEASE / 3
            try:
                await self._desk.renew(held, LEASE)
                self._there()
            except LogUnavailable as away:
                self._away(str(away))
                pause = AGAIN

    def _away(self, why: str) -> None:
        if not self.failure:  # said once for each time that it goes away
            log.warning("the workers wait: %s", why)
        self.failure = why

    def _there(self) -> None:
        if self.failure:
            log.info("the workers go on")
        self.failure = ""
