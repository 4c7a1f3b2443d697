"""The desk of a worker on another machine: the same promises, over NATS, without the database.

Every question bears the token of the worker. What is not answered in time is asked again by the
worker; that harms nothing, because a claim that was lost ends with its lease, and an answer bears
the same id however often it is sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from asyncio import FIRST_COMPLETED
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from events.bus import Progress
from events.desk import Granted
from events.envelope import Envelope
from events.errors import LogUnavailable, NotYours
from events.message import Outcome
from events.nats import subjects
from events.nats.link import Link
from events.nats.replies import understood
from events.needs import request_lease
from events.store import Held

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds within which a question has to be answered."""
UNSURE = 5.0
"""Seconds for which a request is granted at first: if the grant is lost on its way, nobody else
may have the request for so long."""
AGAIN = 0.5
TELLING = 64
"""Pieces of progress that may be on their way at once."""


class NatsDesk:
    """Asks the desk behind a link. `holder` is the name of this worker."""

    def __init__(self, link: Link, token: str, holder: str) -> None:
        self._link, self._holder = link, holder
        self._only: dict[str, Any] = {}
        self._headers = {"Authorization": f"Bearer {token}"}
        self._news = asyncio.Event()
        self._ears: list[Any] = []
        self._denied = asyncio.Event()
        link.denies(self._hear)
        self._telling: set[asyncio.Task[None]] = set()

    async def open(self, kinds: Iterable[str]) -> None:
        """Hear of new requests of these kinds from now on, through every reconnection."""
        self._link.listen(self._news.set)
        for kind in kinds:
            subject = subjects.of_type(kind)
            self._ears.append(await self._link.nc.subscribe(subject, cb=self._rung))

    def takes(self, pipelines: Iterable[str], tasks: Iterable[str] | None = None) -> None:
        """From now on: of stages those of these pipelines alone, of examinations those that ask no
        other benchmarks than these."""
        self._only = {"pipelines": sorted(pipelines)}
        if tasks is not None:
            self._only["tasks"] = sorted(tasks)

    async def mark(self, stages: str) -> str | None:
        """What lies in the owner's place of artifacts; None where the owner does not say. Asked
        with a claim of stages that no pipeline has."""
        asked = {"kinds": [stages], "holder": self._holder, "seconds": 1.0, "pipelines": ["none"]}
        found = (await self._ask("claim", asked)).get("artifacts")
        return found if isinstance(found, str) else None

    def _hear(self, denial: str) -> None:
        if subjects.WORK in denial:
            self._denied.set()

    async def _rung(self, _message: Any) -> None:
        self._news.set()

    async def claim(self, kinds: Iterable[str], seconds: float) -> Granted | None:
        first = min(seconds, UNSURE)
        asked = {"kinds": sorted(kinds), "holder": self._holder, "seconds": first, **self._only}
        found = await self._ask("claim", asked)
        if found.get("request") is None:
            return None
        try:
            request = Envelope.from_json(found["request"])
            held = Held(request_lease(request.event_id), int(found["epoch"]))
        except (KeyError, TypeError, ValueError):
            raise LogUnavailable("what was granted cannot be read", where="NATS") from None
        if seconds > first:
            await self._hold(held, seconds)
        return Granted(request, held)

    async def _hold(self, held: Held, seconds: float) -> None:
        """Make sure of what was granted; whether it is still ours, only an answer can tell."""
        told = False
        while True:
            try:
                return await self.renew(held, seconds)
            except LogUnavailable as away:
                if not told:
                    log.warning("granted, and perhaps not for long enough: %s", away)
                told = True
                await asyncio.sleep(AGAIN)

    async def renew(self, held: Held, seconds: float) -> None:
        request_id = held.name.removeprefix(request_lease(""))
        await self._ask(
            "renew", {"request_id": request_id, "epoch": held.epoch, "seconds": seconds}
        )

    async def answer(self, granted: Granted, outcome: Outcome) -> None:
        answer = {
            "request_id": granted.request.event_id,
            "epoch": granted.held.epoch,
            "type": outcome.wire,
            "data": json.loads(outcome.written()),
        }
        await self._ask("answer", answer)

    def tell(self, progress: Progress) -> None:
        if len(self._telling) < TELLING and self._link.connected:
            task = asyncio.ensure_future(self._told(progress))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _told(self, progress: Progress) -> None:
        with suppress(NatsError, OSError, TypeError, ValueError):
            body = json.dumps({"request_id": progress.about, "says": progress.says}).encode()
            subject = f"{subjects.WORK}.progress"
            await self._link.nc.publish(subject, body, headers=self._headers)

    async def news(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    def close(self) -> None:
        for task in self._telling:
            task.cancel()

    async def _ask(self, operation: str, document: dict[str, Any]) -> dict[str, Any]:
        body, subject = json.dumps(document).encode(), f"{subjects.WORK}.{operation}"
        asked = self._link.nc.request(subject, body, timeout=PATIENCE, headers=self._headers)
        asking = self._link.ask(asked)
        denied = asyncio.ensure_future(self._denied.wait())
        try:
            reply = await _first(asyncio.ensure_future(asking), denied)
        except NoRespondersError:
            raise LogUnavailable("nobody grants work there just now", where=subject) from None
        except (NatsError, TimeoutError, OSError) as error:
            late = isinstance(error, TimeoutError)
            why = self._link.failure or (f"no answer within {PATIENCE:g} s" if late else str(error))
            raise LogUnavailable(why, where=self._link.shown) from None
        finally:
            denied.cancel()
        return understood(reply.data)


async def _first(asking: asyncio.Future[Any], denied: asyncio.Future[Any]) -> Any:
    """The reply; an error at once where the server does not let this user ask."""
    try:
        await asyncio.wait((asking, denied), timeout=PATIENCE, return_when=FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if denied.done():
            what, right = "this token is not for 'worker'", "one made with --scope worker"
            raise NotYours(what, where="token", right=right)
        raise TimeoutError
    finally:
        asking.cancel()
        await asyncio.wait((asking,))
        if not asking.cancelled():
            asking.exception()
