"""The relay: tells the log to JetStream, in order, so that the sequence there is the position.

Each message says which sequence it expects before it. So nothing is told twice, nothing is left
out, a second relay is fenced off, and the only cursor is the stream's own end. Whatever goes wrong,
the relay asks for that end again and goes on from there. What lies on the server can always be made
anew from the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from nats.errors import Error as NatsError
from nats.js.errors import APIError

from events.envelope import Envelope
from events.errors import Conflict, LeaseLost, RatchetError
from events.nats import streams, subjects
from events.nats.flight import HEAVY, WINDOW, Flight
from events.nats.link import Link, still_wanted
from events.nats.message import message_id
from events.store import EventStore, Held, Lease, ReleaseLease, TakeLease

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between looks at the log when nothing rings: another process may have written."""
LEASE = 15.0
"""Seconds for which one of several relays leads; it asks for more when a third is over."""
BACKOFF = (0.05, 0.25, 1.0, 2.0)
STORM = 3
"""Failures after which it is no passing one."""


class Cursor(NamedTuple):
    """Where the stream ends, and where it began."""

    first: int
    last: int


class Relay:
    """Tells one log to one server."""

    name = "relay"

    def __init__(
        self,
        store: EventStore,
        link: Link,
        public_key: str,
        ours: bool,
        replicas: int = 0,
        holder: str = "",
        suspect: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._link = store, link
        self._key = public_key
        self._ours = ours
        """The server belongs to this log: what does not fit on it may be made anew."""
        self._replicas = replicas
        self._holder = holder
        """Where several tell one log to one server: by this name it asks whether it may lead."""
        self._held: Held | None = None
        self._leads_until = 0.0
        self._suspect = suspect
        """Told when a server that answers goes on refusing."""
        self._woken = asyncio.Event()
        self._failed = 0
        self._why = ""
        self.position = 0
        """What has been told and acknowledged."""
        self.rebuilt = 0
        """How often the stream had to be made anew."""
        self.ready = asyncio.Event()
        """It has found where the stream ends."""

    @property
    def failure(self) -> str:
        """What hinders it, or ''. A single failure that passes is none."""
        return f"events wait to be told on NATS: {self._why}" if self._failed >= STORM else ""

    async def run(self) -> None:
        """Tell the log until cancelled."""
        stop = self._store.listen(lambda _position, _types: self._woken.set())
        forget = self._link.listen(self._woken.set)
        try:
            while True:
                await self._link.wait()
                try:
                    await self._tell()
                except LeaseLost as leader:
                    log.info("another relay leads: %s", leader.what)
                    self._failed, self._why = 0, ""
                    await asyncio.sleep(LEASE / 3)
                except (NatsError, TimeoutError, OSError, RatchetError) as error:
                    await self._back_off(error)
        finally:
            stop()
            forget()
            await self._yield()

    async def _back_off(self, error: Exception) -> None:
        why = _reason(error, self._link)
        if why != self._why or self._failed == 0:
            log.warning("the relay stopped at position %d: %s", self.position, why)
        self._why = why
        await asyncio.sleep(BACKOFF[min(self._failed, len(BACKOFF) - 1)])
        self._failed += 1
        if self._failed > 2 * STORM and self._link.connected:
            self._suspect()

    def _well(self) -> None:
        if self._failed:
            log.info("the relay goes on at position %d", self.position)
        self._failed, self._why = 0, ""

    async def _lead(self) -> None:
        """Go on leading, where there may be others; who leads twice is fenced off by the server."""
        now = time.monotonic()
        if self._holder and now > self._leads_until - LEASE * 2 / 3:
            lease = await self._store.submit(TakeLease(self.name, self._holder, LEASE, local=False))
            assert isinstance(lease, Lease)
            self._held, self._leads_until = Held(lease.name, lease.epoch), now + LEASE

    async def _yield(self) -> None:
        """Whoever stops leaves the lead to others, now and not when the lease has run out."""
        if self._held is not None:
            with suppress(RatchetError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._store.submit(ReleaseLease(self._held))

    async def _tell(self) -> None:
        """From where the stream ends, on and on; ends with an error."""
        await self._lead()
        self.position = (await self._link.ask(self._prepared())).last
        flight = Flight(self._link, self.position)
        await flight.open()
        self.ready.set()
        limit = 64
        try:
            while True:
                still_wanted()
                await self._lead()
                self._woken.clear()
                batch = await self._store.read(flight.sent, None, limit)
                if batch:
                    weight = await flight.tell(batch)
                    limit = min(WINDOW, limit * 2) if weight < HEAVY else max(1, limit // 4)
                    await self._ring(batch)
                    self.position = flight.acknowledged
                    self._well_when(flight)
                    continue
                await flight.land()
                self.position = flight.acknowledged
                self._well()
                await self._pause()
        finally:
            self.ready.clear()
            await flight.close()

    def _well_when(self, flight: Flight) -> None:
        if self._failed and flight.acknowledged > flight.began:
            self._well()

    async def _pause(self) -> None:
        """Until something is written; meanwhile, look whether the stream is still what it was."""
        try:
            async with asyncio.timeout(LOOK):
                await self._woken.wait()
        except TimeoutError:
            asked = self._link.ask(self._link.js.stream_info(streams.LOG))
            state = (await asked).state
            if state.last_seq != self.position:
                raise NatsError(f"the stream ends at {state.last_seq} by now") from None

    async def _ring(self, batch: list[Envelope]) -> None:
        """Tell the buses of other processes: one small message for many events."""
        types = sorted({one.type for one in batch})
        bell = json.dumps({"position": batch[-1].position, "types": types}).encode()
        await self._link.nc.publish(subjects.BELL, bell, headers=self._link.signature)

    async def _prepared(self) -> Cursor:
        """The stream, there and of this log; where it ends."""
        js, head = self._link.js, (await self._store.head()).position
        replicas = streams.replicas_for(self._link.server, self._replicas)
        info = await streams.found(js, streams.LOG)
        if info is not None:
            head = (await self._store.head()).position  # it only grows: read after the stream
            strange = await self._strange(info, head)
            if strange and not self._ours:
                raise Conflict(
                    f"the stream {streams.LOG} {strange}",
                    where=self._link.shown,
                    right="use another server or account, or remove that stream if it is not used",
                )
            if strange:
                log.warning("the stream %s %s: it is made anew", streams.LOG, strange)
                await js.delete_stream(streams.LOG)
                info = None
        first = max(1, head - streams.KEPT + 1)
        if info is None:
            log.info("making the stream %s from position %d", streams.LOG, first)
        await streams.reconciled(js, streams.again_stream(self._key, replicas))
        await streams.reconciled(js, streams.given_up_stream(self._key, replicas))
        made = await streams.reconciled(js, streams.log_stream(self._key, replicas, first))
        self.rebuilt += info is None
        return Cursor(made.state.first_seq, made.state.last_seq)

    async def _strange(self, info: Any, head: int) -> str:
        """In what the stream is not a part of this log, or ''."""
        if (info.config.metadata or {}).get("log") != self._key:
            return "belongs to another log"
        state = info.state
        if state.last_seq > head:
            return f"ends at {state.last_seq}, behind the end of the log at {head}"
        if state.num_deleted or state.lost:
            return "has holes"
        if not state.messages:
            return "was emptied" if state.last_seq and state.first_seq > state.last_seq + 1 else ""
        last = await self._link.js.get_msg(streams.LOG, seq=state.last_seq)
        said = await self._store.read(state.last_seq - 1, state.last_seq, 1)
        if (last.headers or {}).get("Nats-Msg-Id") != message_id(said[0].event_id):
            return f"tells another history at position {state.last_seq}"
        return ""


def _reason(error: Exception, link: Link) -> str:
    """In words for people."""
    if link.failure:
        return link.failure
    if isinstance(error, TimeoutError):
        return f"{link.shown} does not answer"
    if isinstance(error, APIError):
        return f"{link.shown} says: {error.description or error}"
    return str(error)
