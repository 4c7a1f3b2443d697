"""A Qdrant server as the index, by URL; and the client's own memory, for tests.

The client is asked in threads of ours: its asynchronous one does not wait in memory, it blocks. Its
store in files is never used: it is slow, and opening a stranger's folder would run their code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from events.errors import LogUnavailable
from memory.filters import AllOf, AnyOf, Between, Condition, Exists, Not
from memory.fusion import depth, fused
from memory.generations import Shelf
from memory.index import Found, Ids, Kept, Point, Rank, Sparse, Stats, VectorIndex, Weights
from memory.knowledge import FIELDS

T = TypeVar("T")
MEMORY = ":memory:"
CALLS = 8
"""Calls to a server at the same time."""
TIMEOUT = 60
NOTHING = ["\0"]
"""What no field holds."""


class ServerRefused(LogUnavailable):
    """The Qdrant server does not answer, or does not do it."""


class QdrantIndex:
    """One collection of a server."""

    def __init__(self, client: QdrantClient, name: str, calls: int) -> None:
        self._client, self._name = client, name
        self._pool = ThreadPoolExecutor(calls, thread_name_prefix="qdrant")

    @classmethod
    async def opened(
        cls, url: str, name: str, dim: int, fields: Sequence[str] = (), key: str = ""
    ) -> Self:
        """The collection, made where there is none. `fields` are those that are often asked for."""
        in_memory = url == MEMORY
        place: dict[str, Any] = {"location": MEMORY} if in_memory else {"url": url}
        client = QdrantClient(
            **place, api_key=key or None, timeout=TIMEOUT, check_compatibility=False
        )
        index = cls(client, name, 1 if in_memory else CALLS)
        try:
            await index._do(index._made, dim, () if in_memory else fields)
        except BaseException:
            await index.close()
            raise
        return index

    def _made(self, dim: int, fields: Sequence[str]) -> None:
        if self._client.collection_exists(self._name):
            return
        dense = models.VectorParams(size=dim, distance=models.Distance.DOT)
        sparse = models.SparseVectorParams(modifier=models.Modifier.IDF)
        self._client.create_collection(
            self._name, vectors_config={"dense": dense}, sparse_vectors_config={"sparse": sparse}
        )
        for name in fields:
            self._client.create_payload_index(self._name, name, models.PayloadSchemaType.KEYWORD)

    async def upsert(self, points: Sequence[Point]) -> None:
        made = [
            models.PointStruct(
                id=one.id,
                vector={"dense": list(one.dense), "sparse": _sparse(one.sparse)},
                payload=dict(one.payload),
            )
            for one in points
        ]
        if made:
            await self._do(lambda: self._client.upsert(self._name, made, wait=True))

    async def amend(self, ids: Ids, payload: Mapping[str, Any]) -> None:
        there: list[Any] = [one.id for one in await self.get(ids)]
        if there:
            fields = dict(payload)
            await self._do(
                lambda: self._client.set_payload(self._name, fields, points=there, wait=True)
            )

    async def delete(self, ids: Ids) -> None:
        chosen = models.PointIdsList(points=list(ids))
        if ids:
            await self._do(lambda: self._client.delete(self._name, chosen, wait=True))

    async def query(
        self,
        dense: Sequence[float] | None,
        sparse: Sparse | None,
        condition: Condition | None = None,
        weights: Weights = Weights(),  # noqa: B008  (a frozen value)
        limit: int = 10,
        exact: bool = False,
    ) -> list[Found]:
        asked: dict[str, Any] = {}
        if dense:
            asked["dense"] = list(dense)
        if sparse is not None and sparse.indices:
            asked["sparse"] = _sparse(sparse)
        requests = [
            models.QueryRequest(
                query=vector,
                using=using,
                filter=_filter(condition),
                params=models.SearchParams(exact=exact),
                limit=depth(limit),
                with_payload=False,
            )
            for using, vector in asked.items()
        ]
        answers = await self._do(
            lambda: self._client.query_batch_points(self._name, requests) if requests else []
        )
        rankings = {
            using: [(str(one.id), one.score) for one in answer.points]
            for using, answer in zip(asked, answers, strict=True)
        }
        best = fused(rankings.get("dense", []), rankings.get("sparse", []), weights, limit)
        payloads = {one.id: one.payload for one in await self.get([found.id for found in best])}
        return [
            Found(name, score, payloads[name], meant and Rank(*meant), said and Rank(*said))
            for name, score, meant, said in best
            if name in payloads
        ]

    async def get(self, ids: Ids) -> list[Kept]:
        chosen: list[Any] = list(ids)
        if not chosen:
            return []
        found = await self._do(lambda: self._client.retrieve(self._name, chosen, with_payload=True))
        return [Kept(str(one.id), one.payload or {}) for one in found]

    async def scroll(
        self, condition: Condition | None = None, after: str | None = None, limit: int = 256
    ) -> tuple[list[Kept], str | None]:
        found, following = await self._do(
            lambda: self._client.scroll(
                self._name,
                scroll_filter=_filter(condition),
                limit=limit,
                offset=after,
                with_payload=True,
            )
        )
        kept = [Kept(str(one.id), one.payload or {}) for one in found]
        return kept, None if following is None else str(following)

    async def count(self, condition: Condition | None = None) -> int:
        answer = await self._do(
            lambda: self._client.count(self._name, count_filter=_filter(condition), exact=True)
        )
        found: int = answer.count
        return found

    async def stats(self) -> Stats:
        info = await self._do(lambda: self._client.get_collection(self._name))
        return Stats(info.points_count or 0, info.indexed_vectors_count or 0)

    async def settle(self) -> None:
        """The server does so by itself."""

    async def flush(self) -> None:
        """The server has it when it says so."""

    async def drop(self) -> None:
        await self._do(lambda: self._client.delete_collection(self._name))
        await self.close()

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._client.close)

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            running = asyncio.get_running_loop()
            return await running.run_in_executor(self._pool, work, *arguments)
        except (ApiException, OSError, ValueError, RecursionError) as error:
            # the client lets through what JSON is none: a page of whoever stands before the server
            raise ServerRefused(
                f"the Qdrant server did not do it: {' '.join(str(error).split())[:300]}",
                where=self._name,
                right="see that it runs, and that knowledge.url and knowledge.key are its own",
            ) from None


@dataclass(frozen=True)
class QdrantEngine:
    """A collection for each generation; `home` keeps ours apart from those of others."""

    url: str
    home: str
    key: str = field(default="", repr=False)
    settles: bool = False

    async def open(self, shelf: Shelf, name: str, dim: int) -> VectorIndex:  # noqa: ARG002
        named = f"{name}_{self.home}"
        return await QdrantIndex.opened(self.url, named, dim, FIELDS, self.key)

    async def remove(self, shelf: Shelf, name: str) -> None:
        index = await self.open(shelf, name, 1)
        await index.drop()


def _sparse(sparse: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=list(sparse.indices), values=list(sparse.values))


def _filter(condition: Condition | None) -> models.Filter | None:
    if condition is None or condition == AllOf(()):
        return None
    match condition:
        case AllOf(conditions):
            return models.Filter(must=[_condition(one) for one in conditions])
        case Not(inner):
            return models.Filter(must_not=[_condition(inner)])
    return models.Filter(must=[_condition(condition)])


def _condition(condition: Condition) -> Any:
    match condition:
        case AllOf() | Not():
            return _filter(condition) or models.Filter()
        case Exists(field):
            empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
            return models.Filter(must_not=[empty])
        case Between(field, low, high):
            return models.FieldCondition(key=field, range=models.Range(gte=low, lt=high))
        case AnyOf(field, values):
            texts: Any = [value for value in values if isinstance(value, str)]
            if len(texts) == len(values):
                match = models.MatchAny(any=texts or NOTHING)
                return models.FieldCondition(key=field, match=match)
            each: list[Any] = [
                models.FieldCondition(key=field, match=models.MatchValue(value=value))
                for value in values
            ]
            return models.Filter(should=each)
