"""The door on a real socket: what is no HTTP, callers who dawdle, and a closing that waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from events.memory import MemoryStore
from infra.api.server import Server
from infra.assemble import built, door
from infra.home import Home
from infra.settings import Settings
from infra.sockets import listening_socket

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Server]:
    house = await built(MemoryStore(), Settings())
    with listening_socket("127.0.0.1", 0, insist=True) as listening:
        server = door(house, Home(folder), listening, "secret")
        await server.open()
        try:
            yield server
        finally:
            await server.close()


async def spoken(server: Server, *parts: bytes) -> bytes:
    """What comes back, until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(5):
        heard = await reader.read()
    writer.close()
    return heard


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/nine\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /" + b"a" * 100_000,
    ],
)
async def test_what_is_no_http_is_told_in_the_one_shape(tmp_path: Path, words: bytes) -> None:
    async with served(tmp_path) as server:
        head, _, body = (await spoken(server, words)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert set(json.loads(body)["error"]) == {"what", "where", "right"}
        assert b"200 OK" in await spoken(
            server, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )


@pytest.mark.parametrize(
    "words", [b"", b"G", b"GET / HTTP/1.1\r\nHost: local", HEALTH, HEALTH + b"GET / HT"]
)
async def test_one_who_asks_nothing_more_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    async with served(tmp_path) as server:
        monkeypatch.setattr("infra.api.server.PATIENCE", 0.2)
        heard = await spoken(server, words)
        assert heard.count(b"200 OK") == words.count(b"healthz")


async def test_a_connection_serves_one_request_after_another(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(3):
            writer.write(HEALTH)
            assert b"200 OK" in await reader.readuntil(b'{"ok":true}')
        writer.write(HEALTH * 3)
        for _ in range(3):
            assert b"200 OK" in await reader.readuntil(b'{"ok":true}')
        writer.close()


async def test_an_unread_message_does_not_spoil_the_next_request(tmp_path: Path) -> None:
    refused = (
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000
    )
    async with served(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(3):
            writer.write(refused)
            assert b" 415 " in await reader.readuntil(b'"}}')
        writer.write(HEALTH)
        assert b"200 OK" in await reader.readuntil(b'{"ok":true}')
        writer.close()


async def test_a_message_that_is_too_large_is_told_so_to_one_who_sends_it_all_first(
    tmp_path: Path,
) -> None:
    head = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with served(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head + b"Content-Length: 3000000\r\n\r\n" + b" " * 3_000_000)
        await writer.drain()
        assert b" 413 " in await reader.readuntil(b'"}}')
        writer.write(HEALTH)
        assert b"200 OK" in await reader.readuntil(b'{"ok":true}')
        writer.close()


async def test_closing_waits_for_the_answer_that_is_under_way(tmp_path: Path) -> None:
    message = json.dumps({"type": "PauseRequested", "data": {"run": "a"}}).encode()
    head = (
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(message)
    )
    async with served(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head + message[:5])
        await asyncio.sleep(0.1)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0.3)
        assert not closing.done()
        writer.write(message[5:])
        assert b" 201 " in await reader.read()
        await closing
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
