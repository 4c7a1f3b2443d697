"""A caller of the HTTP door that costs next to nothing: one kept connection, no library."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self
from urllib.parse import urlsplit


class Caller:
    """One connection to the owner of a home."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str
    ) -> None:
        self._reader, self._writer, self._token = reader, writer, token

    @classmethod
    async def to(cls, owner: dict[str, Any]) -> Self:
        place = urlsplit(str(owner["http"]))
        return cls(*await asyncio.open_connection(place.hostname, place.port), owner["token"])

    async def publish(self, kind: str, data: dict[str, Any], event_id: str = "") -> None:
        """Publish an event, and wait for the receipt."""
        message = {"type": kind, "data": data} | ({"id": event_id} if event_id else {})
        body = json.dumps(message).encode()
        self._writer.write(
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
            % (self._token.encode(), len(body), body)
        )
        head, answer = await self._answer()
        assert head.startswith(b"HTTP/1.1 201"), answer

    async def get(self, path: str) -> Any:
        """Ask for something, and return its JSON."""
        self._writer.write(
            b"GET %b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\n\r\n"
            % (path.encode(), self._token.encode())
        )
        head, answer = await self._answer()
        assert head.startswith(b"HTTP/1.1 200"), answer
        return json.loads(answer)

    async def _answer(self) -> tuple[bytes, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        (length,) = (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        return head, await self._reader.readexactly(length)

    async def close(self) -> None:
        self._writer.close()
