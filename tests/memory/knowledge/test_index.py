"""Every index keeps the one contract: embedded, in the client's memory, and a server by URL."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from memory.edge import EdgeIndex, IndexGone, IndexRefused
from memory.embedding import unit
from memory.index import Found, VectorIndex
from memory.qdrant import MEMORY, QdrantIndex, ServerRefused
from tests.memory.knowledge.index_contract import (
    DIM,
    FIELDS,
    MANY,
    IndexContract,
    name,
    order,
    points,
)

SERVER = "RATCHET_TEST_QDRANT"
"""The URL of a Qdrant server for these tests; they make collections of their own there."""


class TestEdge(IndexContract):
    """The embedded engine, in a child."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def opened(self) -> AbstractAsyncContextManager[VectorIndex]:
        return edge(self.folder / "index")


class TestInMemory(IndexContract):
    """The memory of qdrant-client, which is for tests."""

    def opened(self) -> AbstractAsyncContextManager[VectorIndex]:
        return qdrant(MEMORY)


@pytest.mark.real
@pytest.mark.skipif(
    SERVER not in os.environ,
    reason=f"no Qdrant server is named; set {SERVER}=http://HOST:6333 to hold it to the contract",
)
class TestServer(IndexContract):
    """A server that somebody runs."""

    def opened(self) -> AbstractAsyncContextManager[VectorIndex]:
        return qdrant(os.environ[SERVER])


@asynccontextmanager
async def edge(folder: Path) -> AsyncIterator[EdgeIndex]:
    index = await EdgeIndex.opened(folder, DIM, FIELDS)
    try:
        yield index
    finally:
        await index.close()


@asynccontextmanager
async def qdrant(url: str) -> AsyncIterator[QdrantIndex]:
    index = await QdrantIndex.opened(url, f"kb_test_{uuid4().hex[:12]}", DIM, FIELDS)
    try:
        yield index
    finally:
        await index.drop()


async def test_both_engines_give_the_same_answers(tmp_path: Path) -> None:
    async with edge(tmp_path / "index") as one, qdrant(MEMORY) as other:
        await one.upsert(points())
        await other.upsert(points())
        for asked in points(seed=2)[:30]:
            mine = await one.query(asked.dense, asked.sparse)
            yours = await other.query(asked.dense, asked.sparse)
            assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in yours])
            assert _told_apart(mine) == _told_apart(yours)


def _told_apart(found: list[Found]) -> dict[str, tuple[int | None, int | None]]:
    """The places of those that do not share the last score, of which some may be cut off."""
    last = found[-1].score + 1e-9
    return {
        one.id: (one.dense and one.dense.place, one.sparse and one.sparse.place)
        for one in found
        if one.score > last
    }


async def test_what_was_acknowledged_survives_the_death_of_the_engine(tmp_path: Path) -> None:
    async with edge(tmp_path / "index") as index:
        await index.upsert(points())
        await index.delete([name(0)])
        os.kill(index._child.pid, signal.SIGKILL)
        index._child.wait()
        with pytest.raises(IndexGone, match="has ended"):
            await index.count()
    async with edge(tmp_path / "index") as index:
        assert await index.count() == MANY - 1
        assert await order(index, points()[5].dense, None)


async def test_a_folder_that_is_none_is_told_and_not_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    async with edge(folder) as index:
        await index.upsert(points())
    for file in folder.rglob("*"):
        if file.is_file() and "segments" in file.parts:
            file.write_bytes(b"rubbish")
    with pytest.raises(IndexRefused, match="rebuild"):
        await EdgeIndex.opened(folder, DIM)


async def test_vectors_of_another_size_are_refused_and_the_index_lives_on(tmp_path: Path) -> None:
    async with edge(tmp_path / "index") as index:
        await index.upsert(points())
        with pytest.raises(IndexRefused):
            await index.upsert([points()[0]._replace(dense=unit([1.0] * (DIM + 1)))])
        assert await index.count() == MANY


async def test_a_dropped_index_is_gone(tmp_path: Path) -> None:
    index = await EdgeIndex.opened(tmp_path / "index", DIM)
    await index.drop()
    assert not (tmp_path / "index").exists()


async def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ServerRefused, match="did not do it"):
        await QdrantIndex.opened("http://127.0.0.1:9", "kb", DIM)


class Page(BaseHTTPRequestHandler):
    """Answers as whoever stands before a server does, with a page."""

    def do_GET(self) -> None:
        body: bytes = self.server.page  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"", b"\xff\xfe\x00", b"[" * 100_000])
async def test_a_server_that_is_another_one_is_told(page: bytes) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.page = page  # type: ignore[attr-defined]
    serving = Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        with pytest.raises(ServerRefused, match="did not do it"):
            await QdrantIndex.opened(f"http://127.0.0.1:{server.server_port}", "kb", DIM)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


async def test_an_index_that_is_busy_is_dropped_at_once(tmp_path: Path) -> None:
    index = await EdgeIndex.opened(tmp_path / "index", DIM)
    os.kill(index._child.pid, signal.SIGSTOP)
    asking = asyncio.ensure_future(index.count())
    async with asyncio.timeout(2):
        await index.drop()
    with pytest.raises(IndexGone):
        await asking
    assert not (tmp_path / "index").exists()
