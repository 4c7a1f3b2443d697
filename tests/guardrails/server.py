"""A server on loopback that speaks as OpenAI's does, or as badly as one can."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from guardrails.endpoint import Endpoint

KEY = "sk-test-0f9e8d7c6b5a4938/2716"


@dataclass
class Asked:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    number: int
    """Counted from 1."""


@dataclass
class Said:
    """What goes back."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    """So many bytes go back, then the connection is gone."""
    drip: float = 0.0
    """Seconds between two bytes."""


Behaviour = Callable[[Asked], Said]


def completion(
    content: Any, *, finish: str = "stop", usage: Any = (7, 5), **message: Any
) -> dict[str, Any]:
    """A chat completion with this content."""
    said: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    if isinstance(usage, tuple):
        usage = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return said if usage is None else {**said, "usage": usage}


def says(content: Any, **how: Any) -> Said:
    """A good answer with this content."""
    return Said(json.dumps(completion(content, **how)).encode())


def fails(
    status: int, message: str = "no", headers: Mapping[str, str] | None = None, **error: Any
) -> Said:
    """An error as servers tell it."""
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return Said(body, status, headers or {})


def calls_tool(asked: Asked, arguments: Any) -> Said:
    """The answer as arguments of the tool that was offered."""
    name = asked.body["tools"][0]["function"]["name"]
    call = {"id": "t1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return says(None, finish="tool_calls", tool_calls=[call])


def in_order(*said: Said | Behaviour) -> Behaviour:
    """One after the other, and the last one for ever."""

    def behave(asked: Asked) -> Said:
        one = said[min(asked.number, len(said)) - 1]
        return one if isinstance(one, Said) else one(asked)

    return behave


def rung_of(asked: Asked) -> str:
    """The rung of the ladder on which this was asked."""
    if "tools" in asked.body:
        return "tool"
    form: str = asked.body.get("response_format", {}).get("type", "text")
    return form


class Server:
    """Serves while it is entered: `async with Server(behaviour) as server`."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave, self._tls = behave, tls
        self.asked: list[Asked] = []
        self.in_flight = self.most_in_flight = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def endpoint(self, **fields: Any) -> Endpoint:
        """This server as an endpoint."""
        url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"
        told = {"name": "teacher", "url": url, "model": "m", "key": KEY, **fields}
        return Endpoint(**told)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._served(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(head[0].split()[1], headers, json.loads(body), len(self.asked) + 1)
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            said = self.behave(asked)
            await asyncio.sleep(said.delay)
            return await _answered(said, writer)
        finally:
            self.in_flight -= 1


async def _answered(said: Said, writer: asyncio.StreamWriter) -> bool:
    if said.cut == 0:
        return False
    headers = {"content-type": "application/json", "content-length": str(len(said.body))}
    lines = [f"{name}: {value}" for name, value in (headers | dict(said.headers)).items()]
    head = "\r\n".join([f"HTTP/1.1 {said.status} Said", *lines, "", ""])
    writer.write(head.encode())
    if said.drip:
        for byte in said.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(said.drip)
    else:
        writer.write(said.body[: said.cut])
    await writer.drain()
    return said.cut is None
