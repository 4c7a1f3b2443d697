"""Taking a message in: its kind, its size and its patience are bounded before it is looked at."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from events.errors import TooLarge
from events.ingress import LIMIT
from infra.api.problems import TurnedAway

PATIENCE = 10.0
"""Seconds within which a message has to be here."""
SWALLOWED = 8 * LIMIT
"""A message that is too large is read on so far, because many clients listen only when they have
said everything; beyond it the connection is cut."""


async def body_of(request: Request) -> bytes:
    """The whole message, JSON by its own account."""
    check_kind(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > SWALLOWED:
        raise too_large(f"{int(declared[:20]):,}")
    parts, size = [], 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                size += len(part)
                if size <= LIMIT:
                    parts.append(part)
                elif size > SWALLOWED:
                    break
    except TimeoutError:
        raise TurnedAway(
            408,
            f"the message was not here within {PATIENCE:g} s",
            where="body",
            right="send it faster",
            headers={"Connection": "close"},
        ) from None
    if size > LIMIT:
        raise too_large(f"{'more than ' if size > SWALLOWED else ''}{size:,}")
    return b"".join(parts)


def too_large(size: str) -> TooLarge:
    return TooLarge(
        f"the message has {size} bytes",
        where="body",
        right=f"at most {LIMIT:,} bytes; put large things into an artifact and refer to it",
    )


def check_kind(request: Request) -> None:
    """JSON only. A web page cannot say so without asking first, and we do not answer it."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    if kind.strip() != "application/json" or charset not in ("", "charset=utf-8"):
        said = request.headers.get("content-type", "")[:60]
        raise TurnedAway(
            415,
            f"the message says that it is {said!r}" if said else "the message says no type",
            where="Content-Type",
            right="Content-Type: application/json",
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        what = f"the message is packed ({encoding[:60]!r})"
        raise TurnedAway(415, what, where="Content-Encoding", right="send it as it is")
