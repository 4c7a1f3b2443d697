"""Hybrid search in the knowledge base: our index beside the bare engine, and the door of a home.

Both sides of the first measure hold the same points in the same shape: ours through the process
that owns them, the engine in this one, merging the rankings itself. The local mode of qdrant-client
is shown beside them. The second asks a warm `ratchet up` over HTTP for what a history tells.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID
from warnings import catch_warnings, simplefilter

from events.catalog.knowledge import KnowledgeAdded
from events.store import append
from infra.home import Home
from memory.edge import EdgeIndex
from memory.embedding import unit
from memory.fusion import K, depth
from memory.index import Point, Sparse, VectorIndex, Weights
from memory.knowledge import FIELDS
from memory.library import SETTLE_AT
from memory.qdrant import MEMORY, QdrantIndex
from tests.bench.http import Caller
from tests.bench.latency import running
from tests.bench.results import Goal, PeerMissing, Result, percentile, ratio
from tests.bench.rounds import disk

try:
    import qdrant_edge as edge

    from memory.engine import SEARCHERS
except ImportError as missing:
    raise PeerMissing("qdrant-edge is not installed") from missing

DIM, TOPICS, WORDS = 384, 400, 30_000
MANY, SHORT = 100_000, 20_000
ROUNDS, ASKED = 5, 200
SOME = 10
"""Queries of the local mode, which takes seconds for each."""
RATIO, RECALL, SERVED_MS = 1.3, 0.98, 50
WEIGHTS = Weights(3, 1)


class Drawn:
    """Points in clusters, and questions near some of them."""

    def __init__(self, many: int) -> None:
        self._drawn = random.Random(7)
        gauss = self._drawn.gauss
        self._topics = [[gauss(0, 1) for _ in range(DIM)] for _ in range(TOPICS)]
        self.many = many

    def points(self, first: int, many: int) -> list[Point]:
        return [self._point(number) for number in range(first, first + many)]

    def question(self) -> tuple[Any, Sparse]:
        topic = self._drawn.choice(self._topics)
        words = sorted({self._word() for _ in range(8)})
        return self._near(topic), Sparse(words, [1.0] * len(words))

    def _point(self, number: int) -> Point:
        words = sorted({self._word() for _ in range(25)})
        weights = [self._drawn.uniform(0.5, 2) for _ in words]
        payload = {"text": f"text {number} " * 15, "kind": "fact", "tags": [f"t{number % 50}"]}
        topic = self._topics[number % TOPICS]
        return Point(str(UUID(int=number + 1)), self._near(topic), Sparse(words, weights), payload)

    def _near(self, topic: list[float]) -> Any:
        return unit([one + self._drawn.gauss(0, 0.8) for one in topic])

    def _word(self) -> int:
        return int(self._drawn.paretovariate(0.6)) % WORDS


class Bare:
    """The engine in this process, on a copy of the same folder."""

    def __init__(self, folder: Path, threads: int) -> None:
        shape = edge.EdgeConfig(
            vectors={"dense": edge.EdgeVectorParams(size=DIM, distance=edge.Distance.Dot)},
            sparse_vectors={"sparse": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
            max_search_threads=threads,
        )
        self._shard = edge.EdgeShard.load(str(folder), shape)

    async def in_a_thread(self, dense: Any, sparse: Sparse) -> list[str]:
        """As a server has to ask, whose loop must not wait."""
        return await asyncio.to_thread(self._asked, dense, sparse)

    async def query(self, dense: Any, sparse: Sparse) -> list[str]:
        return self._asked(dense, sparse)

    def _asked(self, dense: Any, sparse: Sparse) -> list[str]:
        vector = edge.SparseVector(list(sparse.indices), list(sparse.values))
        many, merged = depth(10), cast(Any, edge.Fusion.Rrf(k=K, weights=[*WEIGHTS]))
        asked = edge.QueryRequest(
            limit=10,
            prefetches=[
                edge.Prefetch(limit=many, query=edge.Query.Nearest(list(dense), using="dense")),
                edge.Prefetch(limit=many, query=edge.Query.Nearest(vector, using="sparse")),
            ],
            query=merged,
            with_payload=True,
        )
        return [str(one.id) for one in self._shard.query(asked)]

    def close(self) -> None:
        self._shard.close()


async def filled(index: VectorIndex, drawn: Drawn, step: int = 500) -> float:
    """Points a second that were taken in."""
    spent = 0.0
    for first in range(0, drawn.many, step):
        points = drawn.points(first, step)
        began = time.perf_counter()
        await index.upsert(points)
        spent += time.perf_counter() - began
    return drawn.many / spent


async def timed(ask: Callable[[Any, Sparse], Awaitable[Any]], drawn: Drawn, many: int) -> float:
    """The 95th percentile of so many questions, in milliseconds."""
    taken = []
    for _ in range(many):
        asked = drawn.question()
        began = time.perf_counter()
        await ask(*asked)
        taken.append((time.perf_counter() - began) * 1000)
    return percentile(taken, 0.95)


async def indexes(folder: Path, many: int) -> tuple[dict[str, list[float]], float, dict[str, Any]]:
    """Figures of both sides, the recall of ours, and notes."""
    drawn, notes = Drawn(many), dict[str, Any]()
    index = await EdgeIndex.opened(folder / "ours", DIM, FIELDS)
    notes["points a second taken in"] = round(await filled(index, drawn))
    began = time.perf_counter()
    await index.settle()
    notes["seconds to settle"] = round(time.perf_counter() - began, 1)
    for copy in ("bare", "same"):
        shutil.copytree(folder / "ours", folder / copy)
    bare = Bare(folder / "bare", os.cpu_count() or 1)
    same = Bare(folder / "same", SEARCHERS)

    async def ours(dense: Any, sparse: Sparse) -> None:
        await index.query(dense, sparse, None, WEIGHTS)

    sides = {
        "ours": ours,
        "qdrant-edge": bare.query,
        "edge, our settings": same.query,
        "edge, in a thread": bare.in_a_thread,
    }
    figures: dict[str, list[float]] = {side: [] for side in sides}
    try:
        for turn in range(ROUNDS + 1):
            for side, ask in sides.items():
                figure = await timed(ask, drawn, ASKED)
                if turn:  # the first round warms all up
                    figures[side].append(figure)
        recalls = []
        for _ in range(ASKED):
            asked = drawn.question()
            near = {one.id for one in await index.query(*asked, None, WEIGHTS)}
            best = {one.id for one in await index.query(*asked, None, WEIGHTS, exact=True)}
            recalls.append(len(near & best) / len(best))
    finally:
        bare.close()
        same.close()
        await index.drop()
    local = await QdrantIndex.opened(MEMORY, "local", DIM)
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # it is not recommended for so many points: we know
        await filled(local, Drawn(many), 2000)
    figures["local mode"] = [await timed(local.query, drawn, SOME)]
    await local.drop()
    return figures, sum(recalls) / len(recalls), notes


def _texts(many: int) -> list[str]:
    drawn = random.Random(11)
    words = [f"{drawn.choice('bcdfgklmnprst')}{number:x}a" for number in range(5000)]
    weights = [1 / (rank + 10) for rank in range(5000)]
    return [" ".join(drawn.choices(words, weights, k=25)) + f" {number}" for number in range(many)]


async def served(folder: Path, many: int) -> tuple[list[float], dict[str, Any]]:
    """Milliseconds of searches at the door of a warm home, and notes."""
    home, texts = Home(folder / "home"), _texts(many)
    store = home.writer()
    for first in range(0, many, 500):
        some = [KnowledgeAdded(text=text) for text in texts[first : first + 500]]
        await append(store, *some, actor="bench")
    await store.close()
    drawn, taken = random.Random(13), list[float]()
    async with running(home) as owner:
        caller, began = await Caller.to(owner), time.perf_counter()
        while True:
            stats = await caller.get("/knowledge")
            assert not stats["failure"], stats
            if stats["points"] == many and not stats["building"]:
                break
            await asyncio.sleep(0.5)
        notes = {"seconds to make the index": round(time.perf_counter() - began, 1)}
        while many >= SETTLE_AT and not (await caller.get("/knowledge"))["settled"]:
            await asyncio.sleep(0.5)
        notes["seconds until it is settled"] = round(time.perf_counter() - began, 1)
        for number in range(ASKED * 3):
            words = " ".join(drawn.sample(drawn.choice(texts).split(), 6))
            asked = time.perf_counter()
            found = await caller.get(f"/knowledge/search?text={quote(words)}")
            if number >= 50:  # the first ones warm it up
                taken.append((time.perf_counter() - asked) * 1000)
            assert found["hits"]
        await caller.close()
    return taken, notes


def measure(short: bool) -> Result:
    many = SHORT if short else MANY
    with disk() as folder:
        figures, recall, notes = asyncio.run(indexes(folder, many))
        taken, more = asyncio.run(served(folder, many))
    ours, theirs = figures["ours"], figures["qdrant-edge"]
    p95 = percentile(taken, 0.95)
    goals = [
        ratio(ours, theirs, "p95, ours / qdrant-edge", RATIO),
        Goal("recall@10 of exact", recall, RECALL),
        Goal("p95 ms over HTTP, warm", p95, SERVED_MS, at_least=False),
    ]
    goals[0] = Goal(goals[0].what, goals[0].value, RATIO, at_least=False, spread=goals[0].spread)
    sides = {
        "ours": "EdgeIndex: its own process, both rankings merged there, payload of 10 hits",
        "qdrant-edge": "0.9 in this process, a copy of the folder, fusion RRF with the same weights"
        " and candidates, as many search threads as cores, which is its default",
        "edge, our settings": f"the same with {SEARCHERS} search thread(s), as in ours",
        "edge, in a thread": "the first of them asked as a server must, whose loop may not wait",
        "local mode": f"qdrant-client {MEMORY}, in this process; {SOME} questions",
    }
    notes |= more | {
        "points": many,
        "http p50 p95 p99 ms": [round(percentile(taken, one), 2) for one in (0.5, 0.95, 0.99)],
        "http": "GET /knowledge/search, kept loopback connection, lexical embedder, 10 hits",
        "figures": f"95th percentiles of {ASKED} questions",
    }
    return Result("hybrid search", "ms", sides, figures, goals, json.loads(json.dumps(notes)))
