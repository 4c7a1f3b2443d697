"""A server of an OpenAI-compatible kind: what all of ours have in common, whatever they answer.

Whoever asks is outside of this process: the key is compared in constant time, a body is bounded,
and every error has the form that clients of this kind read.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from typing import Any

from events.errors import Malformed, NotFound, NotYours, RatchetError, TooLarge

log = logging.getLogger(__name__)

LARGEST = 8 << 20
"""Bytes of one request."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Failed(RatchetError):
    """What answers here is itself at fault."""


class EndpointApp(ABC):
    """An ASGI application; without a key it answers everybody."""

    paths = "GET /v1/models"
    """What there is, for who asks for something else."""

    def __init__(self, key: str) -> None:
        self._key = key

    @abstractmethod
    async def answer(self, method: str, path: str, receive: Receive) -> dict[str, Any] | None:
        """What is answered; None where nothing is at this path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, answer = 200, await self._answered(scope, receive)
        except RatchetError as error:
            status, answer = _status(error), _error(error)
        except Exception as error:  # of a type of somebody's own, or of a model
            log.warning("an answer failed: %r", error)
            failed = Failed(f"the answer failed with {type(error).__name__}")
            status, answer = _status(failed), _error(failed)
        body = json.dumps(answer, ensure_ascii=False).encode(errors="backslashreplace")
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answered(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        if self._key:
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not compare_digest(given, f"Bearer {self._key}".encode()):
                raise NotYours("this key is not known here", where="authorization")
        found = await self.answer(scope["method"], scope["path"].rstrip("/"), receive)
        if found is None:
            what = "there is nothing at this path"
            raise NotFound(what, where=scope["path"][:100], right=self.paths)
        return found


async def body_of(receive: Receive) -> bytes:
    """All of it, if it is not too much."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the request broke off", where="body")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            right = f"at most {LARGEST:,} bytes"
            raise TooLarge("the request is too large", where="body", right=right)
        if not message.get("more_body"):
            return b"".join(parts)


def _status(error: RatchetError) -> int:
    match error:
        case NotYours():
            return 401
        case NotFound():
            return 404
        case TooLarge():
            return 413
        case Malformed():
            return 400
    return 500


def _error(error: RatchetError) -> dict[str, Any]:
    kind = "invalid_request_error" if _status(error) < 500 else "server_error"
    said = {"message": str(error), "type": kind, "param": error.where or None, "code": None}
    return {"error": said}
