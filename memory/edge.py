"""The embedded index: a Qdrant engine in a child process, its points in one folder.

One process owns a folder at a time; a child whose owner was killed lingers for moments only, and is
waited for. When the child dies, whoever asks is told `IndexGone`, and opens the folder anew: the
engine writes ahead, so what was acknowledged is there.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from events.errors import LogUnavailable
from memory.filters import Condition
from memory.frames import LENGTH, packed, unpacked
from memory.generations import Shelf
from memory.index import Found, Ids, Kept, Point, Rank, Sparse, Stats, VectorIndex, Weights
from memory.knowledge import FIELDS

ROOT = Path(__file__).resolve().parents[1]
"""Where the child finds its own code."""
READY = 30.0
"""Seconds that opening a folder may take, with waiting for a predecessor to let go of it."""
AGAIN = 0.1
LEAVE = 3.0
"""Seconds that the child has to end politely."""
HELD = "WouldBlock"
"""What the engine says of a folder that another process has."""


class IndexGone(LogUnavailable):
    """The engine that held the index has ended; what it kept is on the disk."""


class IndexRefused(LogUnavailable):
    """The engine could not do it, or cannot read the folder."""


class Line(asyncio.Protocol):
    """Our end of the socket: what is asked goes out, answers come in as the child has them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heard = bytearray()
        self._waiting: dict[int, asyncio.Future[tuple[bool, Any]]] = {}
        self._flowing, self._over = asyncio.Event(), loop.create_future()
        self._flowing.set()
        self._transport: asyncio.Transport | None = None
        self.gone = False

    def expected(self, number: int) -> asyncio.Future[tuple[bool, Any]]:
        """The answer to this question, when it comes."""
        waiting: asyncio.Future[tuple[bool, Any]] = self._loop.create_future()
        self._waiting[number] = waiting
        return waiting

    async def say(self, message: bytes) -> None:
        """Send it, when what was sent before has left."""
        if not self._flowing.is_set():
            await self._flowing.wait()
        if self._transport is not None and not self.gone:
            self._transport.write(message)

    async def close(self, seconds: float) -> None:
        """Hang up, when those who wait have their answers or the time is over."""
        waiting = [one for one in self._waiting.values() if not one.done()]
        if waiting and not self.gone:
            await asyncio.wait(waiting, timeout=seconds)
        if self._transport is not None:
            self._transport.close()
        await self._over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while len(self._heard) >= LENGTH.size:
            ends = LENGTH.size + LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < ends:
                return
            number, well, said = unpacked(bytes(self._heard[LENGTH.size : ends]))
            del self._heard[:ends]
            waiting = self._waiting.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result((well, said))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.gone = True
        self._flowing.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError())
        self._waiting.clear()
        if not self._over.done():
            self._over.set_result(None)

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()


class EdgeIndex:
    """A folder of points, asked through the child that owns it."""

    def __init__(self, folder: Path, child: subprocess.Popen[bytes], line: Line) -> None:
        self.folder, self._child, self._line = folder, child, line
        self._asked = 0
        self._closing = False

    @classmethod
    async def opened(cls, folder: Path, dim: int, fields: Sequence[str] = ()) -> Self:
        """The folder, made where there is none. `fields` are those that are often asked for."""
        ends = asyncio.get_running_loop().time() + READY
        while True:
            try:
                return await cls._begun(folder, dim, fields)
            except IndexRefused as refused:
                if HELD not in refused.what or asyncio.get_running_loop().time() > ends:
                    raise
            await asyncio.sleep(AGAIN)

    @classmethod
    async def _begun(cls, folder: Path, dim: int, fields: Sequence[str]) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "memory.engine", str(folder.absolute()), str(dim)]
            command += fields
            child = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd=ROOT
            )
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(loop), sock=ours)
        index = cls(folder, child, line)
        try:
            async with asyncio.timeout(READY):
                await index._answer(line.expected(0))
        except BaseException:
            await index.close()
            raise
        return index

    async def upsert(self, points: Sequence[Point]) -> None:
        if points:
            await self._ask("upsert", points)

    async def amend(self, ids: Ids, payload: Mapping[str, Any]) -> None:
        if ids:
            await self._ask("amend", ids, payload)

    async def delete(self, ids: Ids) -> None:
        if ids:
            await self._ask("delete", ids)

    async def query(
        self,
        dense: Sequence[float] | None,
        sparse: Sparse | None,
        condition: Condition | None = None,
        weights: Weights = Weights(),  # noqa: B008  (a frozen value)
        limit: int = 10,
        exact: bool = False,
    ) -> list[Found]:
        asked = dense, sparse, condition, weights, limit, exact
        return [
            Found(name, score, payload, meant and Rank(*meant), said and Rank(*said))
            for name, payload, score, meant, said in await self._ask("query", *asked)
        ]

    async def get(self, ids: Ids) -> list[Kept]:
        found: list[Kept] = await self._ask("get", ids)
        return found

    async def scroll(
        self, condition: Condition | None = None, after: str | None = None, limit: int = 256
    ) -> tuple[list[Kept], str | None]:
        found: tuple[list[Kept], str | None] = await self._ask("scroll", condition, after, limit)
        return found

    async def count(self, condition: Condition | None = None) -> int:
        found: int = await self._ask("count", condition)
        return found

    async def stats(self) -> Stats:
        found: Stats = await self._ask("stats")
        return found

    async def settle(self) -> None:
        await self._ask("settle")

    async def flush(self) -> None:
        await self._ask("flush")

    async def drop(self) -> None:
        self._child.kill()  # nothing of it is needed any more, whatever it is at
        await self.close()
        await asyncio.to_thread(shutil.rmtree, self.folder, True)

    async def close(self) -> None:
        self._closing = True
        await self._line.close(LEAVE)
        await asyncio.to_thread(self._ended)

    def _ended(self) -> None:
        try:
            self._child.wait(LEAVE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    async def _ask(self, name: str, *arguments: Any) -> Any:
        if self._closing or self._line.gone:
            raise self._away()
        self._asked += 1
        answer = self._line.expected(self._asked)
        await self._line.say(packed((self._asked, name, arguments)))
        return await self._answer(answer)

    async def _answer(self, answer: asyncio.Future[tuple[bool, Any]]) -> Any:
        try:
            well, said = await answer
        except ConnectionError:
            raise self._away() from None
        if not well:
            raise self._refused(said)
        return said

    def _refused(self, said: str) -> IndexRefused:
        what = f"the engine of the knowledge base refused: {' '.join(said.split())[:300]}"
        right = "`ratchet knowledge rebuild` makes it anew from the log"
        return IndexRefused(what, where=str(self.folder), right=right)

    def _away(self) -> IndexGone:
        what, right = "the engine of the knowledge base has ended", "try again in a moment"
        return IndexGone(what, where=str(self.folder), right=right)


@dataclass(frozen=True)
class EdgeEngine:
    """A folder for each generation."""

    settles: bool = True

    async def open(self, shelf: Shelf, name: str, dim: int) -> VectorIndex:
        return await EdgeIndex.opened(shelf.points(name), dim, FIELDS)

    async def remove(self, shelf: Shelf, name: str) -> None:
        await asyncio.to_thread(shutil.rmtree, shelf.points(name), True)
