"""FastStream's broker over a link's own client. Loading FastStream takes 0.3 s, hence apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.js.api import ConsumerConfig

Take = Callable[[list[Any]], Awaitable[None]]
"""Takes some raw messages of nats-py."""


class Broker(NatsBroker):  # type: ignore[misc]  # the library's types are Any here
    """A broker over a client that somebody else opens and closes."""

    def __init__(self, client: Any) -> None:
        super().__init__(logger=None, apply_types=False, graceful_timeout=2.0)
        self._client = client

    async def _connect(self) -> Any:
        self.config.connect(self._client)
        return self._client

    async def stop(self, *_: object) -> None:
        """Stop the subscribers. To drain the client here fails when the server is away."""
        self._connection = None
        await super().stop()

    def reads(self, stream: str, consumer: str, batch: int, wait: float, take: Take) -> Any:
        """A subscriber, not yet started, of a consumer that somebody else makes and watches.

        What `take` neither acknowledges nor refuses is acknowledged when it returns, and refused
        when it fails: left to itself FastStream would end a message for good at the first error.
        """
        made = self.subscriber(
            config=ConsumerConfig(filter_subjects=[]),
            durable=consumer,
            stream=JStream(stream, declare=False),
            pull_sub=PullSub(batch_size=batch, timeout=wait, batch=True),
            ack_policy=AckPolicy.NACK_ON_ERROR,
            decoder=_raw,
            no_reply=True,
            persistent=False,
            include_in_schema=False,
        )
        made(take)
        return made


async def _raw(message: Any) -> list[Any]:
    found: list[Any] = message.raw_message
    return found
