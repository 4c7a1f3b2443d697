"""`POST /v1/embeddings`, answered by a model that runs here, for whoever has the key.

What is asked comes from outside this process: bounded in bytes, in texts, and in letters that are
read. A long request is made in parts, and others have their turn in between: a question waits for
one part of what is being embedded, never for all of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from hmac import compare_digest
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, Field, ValidationError

from events.errors import Malformed, NotFound, NotYours, RatchetError, TooLarge
from events.suggest import malformed

log = logging.getLogger(__name__)

LARGEST = 8 << 20
"""Bytes of one request."""
MOST = 512
"""Texts of one request."""
PART = 8
"""Texts that are embedded before others have their turn."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Vectors(Protocol):
    """A model that makes vectors. Used by one thread at a time."""

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text."""

    def embed(self, read: Sequence[Sequence[int]]) -> list[list[float]]:
        """A vector for each."""


class Asked(BaseModel):
    """What is understood of a request; other fields of the interface change nothing here."""

    model: Annotated[str, Field(max_length=200)] = ""
    input: str | Annotated[list[str], Field(min_length=1, max_length=MOST)]


class App:
    """An ASGI application."""

    def __init__(self, model: Vectors, name: str, key: str) -> None:
        self._model, self._name, self._key = model, name, key
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, answer = 200, await self._answer(scope, receive)
        except RatchetError as error:
            status, answer = _status(error), _error(error)
        body = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not compare_digest(given, f"Bearer {self._key}".encode()):
            raise NotYours("this key is not known here", where="authorization")
        match scope["method"], scope["path"].rstrip("/"):
            case "GET", "/v1/models":
                return {"object": "list", "data": [{"id": self._name, "object": "model"}]}
            case "POST", "/v1/embeddings":
                return await self._embedded(_read(await _body(receive)))
        right = "GET /v1/models, or POST /v1/embeddings"
        raise NotFound("there is nothing at this path", where=scope["path"][:100], right=right)

    async def _embedded(self, asked: Asked) -> dict[str, Any]:
        if asked.model not in ("", self._name):
            what = f"there is no model {asked.model[:100]!r}"
            raise NotFound(what, where="model", right=self._name)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        vectors: list[list[float]] = []
        tokens = 0
        for first in range(0, len(texts), PART):
            async with self._turn:
                read, made = await asyncio.to_thread(self._made, texts[first : first + PART])
            tokens += read
            vectors += made
        data = [
            {"object": "embedding", "index": number, "embedding": vector}
            for number, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": self._name, "usage": usage}

    def _made(self, texts: Sequence[str]) -> tuple[int, list[list[float]]]:
        read = self._model.read(texts)
        return sum(map(len, read)), self._model.embed(read)


async def _body(receive: Receive) -> bytes:
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


def _read(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        raise malformed(Asked, error) from None


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
    return {"error": {"message": str(error), "type": kind, "param": error.where or None}}
