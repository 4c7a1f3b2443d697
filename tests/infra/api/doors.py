"""A door on a log in memory, and two ways to stand before it: as a client, and as a bare caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from events.memory import MemoryStore
from events.store import EventStore
from infra.api.app import api
from infra.api.auth import Guard
from infra.api.door import Door
from infra.assemble import built
from infra.home import Home
from infra.house import House
from infra.settings import Settings
from infra.tokens import Tokens

OWNER = "the owner's own"
TRAINING = {"role": "support", "pipeline": "rehearsal", "base": "tiny"}
JSON = {"content-type": "application/json"}


@dataclass
class Front:
    """What a test sees of a door."""

    app: FastAPI
    house: House
    tokens: Tokens
    client: httpx.AsyncClient
    home: Home

    @property
    def store(self) -> EventStore:
        return self.house.store

    @property
    def door(self) -> Door:
        found = self.app.state.door
        assert isinstance(found, Door)
        return found

    async def publish(self, kind: str, data: Any, **more: Any) -> httpx.Response:
        return await self.client.post("/events", json={"type": kind, "data": data, **more})

    async def head(self) -> int:
        return (await self.store.head()).position


@asynccontextmanager
async def front(
    folder: Path, loopback: bool = True, store: EventStore | None = None
) -> AsyncIterator[Front]:
    house = await built(store or MemoryStore(), Settings())
    tokens = Tokens(folder / "tokens.json")
    app = api(house, Home(folder), Guard(tokens, loopback, OWNER))
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8750") as client:
        yield Front(app, house, tokens, client, Home(folder))


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def is_refusal(answer: httpx.Response) -> bool:
    """Whether an answer has the one shape that all errors have."""
    said = answer.json()
    return (
        400 <= answer.status_code < 600
        and answer.headers["content-type"] == "application/json"
        and list(said) == ["error"]
        and list(said["error"]) == ["what", "where", "right"]
        and all(isinstance(part, str) for part in said["error"].values())
        and bool(said["error"]["what"])
    )


class Caller:
    """Speaks ASGI by hand, for what a client library would not do: listen, dawdle, hang up."""

    def __init__(
        self,
        app: FastAPI,
        method: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        hears: bool = True,
    ) -> None:
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        all_headers = [("host", "localhost"), *headers]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in all_headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8750),
        }
        sink = self._heard.put if hears else _deaf
        self.call = asyncio.ensure_future(app(scope, self._said.get, sink))

    def say(self, body: bytes, more: bool = False) -> None:
        self._said.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self._said.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        started = await self.next()
        return int(started["status"])

    async def next(self) -> MutableMapping[str, Any]:
        async with asyncio.timeout(30):
            return await self._heard.get()

    async def text(self, containing: str) -> str:
        """All that is heard until these words are among it."""
        heard = ""
        while containing not in heard:
            heard += (await self.next()).get("body", b"").decode()
        return heard

    async def end(self) -> None:
        async with asyncio.timeout(30):
            await self.call


async def _deaf(_message: MutableMapping[str, Any]) -> None:
    await asyncio.sleep(3600)
