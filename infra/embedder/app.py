"""`POST /v1/embeddings`, answered by a model that runs here, for whoever has the key.

What is asked comes from outside this process: bounded in bytes, in texts, and in letters that are
read. A long request is made in parts, and others have their turn in between: a question waits for
one part of what is being embedded, never for all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, Field, ValidationError

from events.errors import NotFound
from events.suggest import malformed
from infra.endpoint import EndpointApp, Receive, body_of

MOST = 512
"""Texts of one request."""
PART = 8
"""Texts that are embedded before others have their turn."""


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


class App(EndpointApp):
    """Answers with vectors."""

    paths = "GET /v1/models, or POST /v1/embeddings"

    def __init__(self, model: Vectors, name: str, key: str) -> None:
        super().__init__(key)
        self._model, self._name = model, name
        self._turn = asyncio.Lock()

    async def answer(self, method: str, path: str, receive: Receive) -> dict[str, Any] | None:
        match method, path:
            case "GET", "/v1/models":
                return {"object": "list", "data": [{"id": self._name, "object": "model"}]}
            case "POST", "/v1/embeddings":
                return await self._embedded(_read(await body_of(receive)))
        return None

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


def _read(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        raise malformed(Asked, error) from None
