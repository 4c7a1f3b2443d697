"""Consumers on the server: made and compared explicitly, and mended when they vanish.

A library that finds its consumer gone waits for ever and says nothing. So each is looked at every
few seconds. How far its readers have come is remembered here: one that vanished is made anew behind
the last message that was handled, and nothing is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy
from nats.js.errors import APIError, NotFoundError

from events.errors import Conflict, RatchetError
from events.nats import streams
from events.nats.link import Link, still_wanted

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between looks."""


def explicit(
    name: str, filters: list[str], *, batch: int, ack_wait: float, tries: int, inactive: float
) -> ConsumerConfig:
    """A durable consumer with every option said; where it begins is said when it is made.

    The backoff is one of equal steps: with rising ones the server holds back what was refused with
    a delay, from the second time on for as long as the step.
    """
    return ConsumerConfig(
        name=name,
        durable_name=name,
        description="made by Ratchet",
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait,
        max_deliver=tries,
        backoff=None if tries == 1 else [ack_wait],
        filter_subjects=filters,
        replay_policy=ReplayPolicy.INSTANT,
        max_waiting=64,
        max_ack_pending=batch,
        headers_only=False,
        inactive_threshold=inactive,
        num_replicas=0,
        mem_storage=False,
    )


class Watchdog:
    """Keeps one consumer there."""

    def __init__(
        self,
        link: Link,
        stream: str,
        wanted: ConsumerConfig,
        after: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._link, self._stream, self._wanted = link, stream, wanted
        self._after = after
        """Behind which sequence reading goes on, as its reader knows it; else all is read."""
        self.floor = 0
        """Everything up to here was handled, as the server knew it when it was last looked at."""
        self.mended = 0
        self.failure = ""
        self._seen = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            still_wanted()
            await self._link.wait()
            try:
                await self.look()
            except (NatsError, TimeoutError, OSError, RatchetError) as error:
                self._trouble(error)
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Look at it once, and make or mend it where that has to be done."""
        await self._link.ask(self._looked())
        if self.failure:
            log.info("consumer %s is in order again", self._wanted.name)
        self.failure = ""

    async def _looked(self) -> None:
        try:
            info = await self._link.js.consumer_info(self._stream, self._wanted.name)
        except NotFoundError:
            info = await self._make()
        differing = self._differing(info.config)
        if differing:
            info = await self._change(info.config, differing)
        self._seen = True
        self.floor = max(self.floor, info.ack_floor.stream_seq)

    async def _make(self) -> Any:
        known = self.floor if self._after is None else max(self.floor, await self._after())
        info = await streams.found(self._link.js, self._stream)
        if info is None:
            raise Conflict(f"the stream {self._stream} is not there", where=self._link.shown)
        first, began = info.state.first_seq, known + 1
        if known and began < first:
            raise Conflict(
                f"the stream {self._stream} begins at {first}, and what follows {known} is wanted",
                where=f"consumer {self._wanted.name}",
                right="let its reader catch up from the log itself",
            )
        if self._seen:
            self.mended += 1
            log.warning("consumer %s had vanished: made anew from %d on", self._wanted.name, began)
        policy = DeliverPolicy.BY_START_SEQUENCE if known else DeliverPolicy.ALL
        return await self._link.js.add_consumer(
            self._stream,
            config=self._wanted.evolve(
                deliver_policy=policy, opt_start_seq=began if known else None
            ),
        )

    async def _change(self, there: Any, differing: list[str]) -> Any:
        """Bring it in step; where it begins cannot be changed, and need not."""
        try:
            return await self._link.js.add_consumer(
                self._stream,
                config=self._wanted.evolve(
                    deliver_policy=there.deliver_policy, opt_start_seq=there.opt_start_seq
                ),
            )
        except APIError as error:
            raise Conflict(
                f"it differs in {', '.join(differing)} and cannot be changed ({error.description})",
                where=f"consumer {self._wanted.name}",
                right="remove the consumer: it is made anew where its reader is",
            ) from None

    def _differing(self, there: Any) -> list[str]:
        same = {"deliver_policy", "opt_start_seq"}
        if len(self._wanted.filter_subjects) == 1 and there.filter_subject:
            there = there.evolve(filter_subjects=[there.filter_subject])
        if not self._wanted.inactive_threshold and not there.inactive_threshold:
            same.add("inactive_threshold")
        return [name for name in streams.differences(there, self._wanted) if name not in same]

    def _trouble(self, error: Exception) -> None:
        late = isinstance(error, TimeoutError)
        said = f"consumer {self._wanted.name}: {'the server does not answer' if late else error}"
        if said != self.failure:
            log.warning("%s", said)
        self.failure = said
