"""Giving a message to one consumer once more, after it was given up there."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from events.envelope import Envelope
from events.errors import Conflict, LogUnavailable
from events.nats import streams, subjects
from events.nats.given_up import GivenUp
from events.nats.link import Link
from events.nats.message import headers, payload


async def give_again(link: Link, consumer: str, said: Envelope, mark: str) -> bool:
    """Give it the event; whether somebody waits there just now.

    The server knows `mark` for two minutes: to ask twice is to give once.
    """
    told = {**headers(said), "Nats-Msg-Id": mark}
    del told["Nats-Expected-Last-Sequence"]  # the position is no sequence of that stream
    try:
        info = await link.ask(_listener(link, consumer))
        subject = subjects.again(consumer)
        await link.ask(link.js.publish(subject, payload(said), headers=told, stream=streams.AGAIN))
    except (NatsError, TimeoutError, OSError) as error:
        why = link.failure or f"NATS did not take it ({error or type(error).__name__})"
        raise LogUnavailable(why, where="NATS", right="try again in a while") from None
    return bool(info.num_waiting)


async def _listener(link: Link, consumer: str) -> Any:
    try:
        return await link.js.consumer_info(streams.AGAIN, consumer)
    except NotFoundError:
        raise Conflict(
            f"nobody reads what {consumer!r} is given again",
            where=f"consumer {consumer}",
            right="start its reader, one made by Ratchet's factory; it need not run all the time",
        ) from None


async def position_of(link: Link, given: GivenUp) -> int:
    """The position in the log of what was given up; 0 where nothing tells it.

    A message that was given again and then only ran out of time still lies in that stream.
    """
    if given.position or given.stream != streams.AGAIN:
        return given.position
    try:
        message = await link.ask(link.js.get_msg(streams.AGAIN, seq=given.sequence))
    except NotFoundError:
        return 0
    except (NatsError, TimeoutError, OSError) as error:
        raise LogUnavailable(f"NATS does not answer ({error})", where="NATS") from None
    found = (message.headers or {}).get("Ratchet-Position", "")
    return int(found) if found.isdecimal() else 0


async def cleared(link: Link, given: GivenUp) -> None:
    """Take away what lies in that stream and will be given to nobody; what stays ends in time."""
    if given.stream == streams.AGAIN:
        with suppress(NatsError, TimeoutError, OSError):
            await link.ask(link.js.delete_msg(streams.AGAIN, given.sequence))
