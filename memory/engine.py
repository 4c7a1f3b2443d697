"""The embedded engine in a process of its own: `python -m memory.engine FOLDER DIM FIELD...`.

Of qdrant-edge only a search lets other threads run: writing, flushing, opening, and above all its
`optimize` hold the interpreter, tens of seconds at a hundred thousand points. Here they hold
nobody else up, and an engine that aborts takes nobody with it. It is asked over the socket on its
standard input, and ends with whoever holds the other end.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2s
from pathlib import Path
from select import select
from threading import Lock
from typing import Any

import qdrant_edge as edge

from memory.filters import AllOf, AnyOf, Between, Condition, Exists, Not
from memory.frames import received, sent
from memory.fusion import depth, fused
from memory.index import Kept, Point, Sparse, Stats, Weights

NOTHING = ["\0"]
"""What no field holds."""
ID = "_id"
"""Where a payload holds the id of its point. The engine's own is a number made of it: making uuids
of all candidates would take longer than finding them."""
EXACT = edge.SearchParams(exact=True)
SEARCHERS = max(1, (os.cpu_count() or 1) - 1)
"""Threads of the engine. On two cores one is a fifth quicker than two, which wake each other."""
THREADS = 4
PDEATHSIG = 1


Answer = tuple[str, Mapping[str, Any], float, tuple[int, float] | None, tuple[int, float] | None]


class Shard:
    """One folder of the engine."""

    def __init__(self, folder: Path, dim: int, fields: Sequence[str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (folder / "edge_config.json").exists():
            self._shard = edge.EdgeShard.load(str(folder), _shape(dim))
        else:
            self._shard = edge.EdgeShard.create(str(folder), _shape(dim))
        known = self._shard.info().payload_schema
        for field in fields:
            if field not in known:
                kind = edge.PayloadSchemaType.Keyword
                self._shard.update(edge.UpdateOperation.create_field_index(field, kind))

    def upsert(self, points: Sequence[Point]) -> None:
        made = [
            edge.Point(
                _number(one.id),
                {"dense": list(one.dense), "sparse": _sparse(one.sparse)},
                {**one.payload, ID: one.id},
            )
            for one in points
        ]
        self._shard.update(edge.UpdateOperation.upsert_points(made))

    def amend(self, ids: Sequence[str], payload: Mapping[str, Any]) -> None:
        numbers: list[Any] = list(map(_number, ids))
        there: list[Any] = [one.id for one in self._shard.retrieve(numbers, False, False)]
        if there:
            self._shard.update(edge.UpdateOperation.set_payload(there, dict(payload)))

    def delete(self, ids: Sequence[str]) -> None:
        numbers: list[Any] = list(map(_number, ids))
        self._shard.update(edge.UpdateOperation.delete_points(numbers))

    def query(
        self,
        dense: Sequence[float] | None,
        sparse: Sparse | None,
        condition: Condition | None,
        weights: Weights,
        limit: int,
        exact: bool,
    ) -> list[Answer]:
        """What is found, as plain values: classes would cost more on the way than all the rest."""
        meant = self._nearest("dense", list(dense), condition, limit, exact) if dense else []
        said = (
            self._nearest("sparse", _sparse(sparse), condition, limit, exact)
            if sparse is not None and sparse.indices
            else []
        )
        best = fused(meant, said, weights, limit)
        kept = self._shard.retrieve([found.id for found in best], True, False) if best else []
        known = {one.id: _kept(one) for one in kept}
        return [
            (*known[number], score, by_meaning, by_words)
            for number, score, by_meaning, by_words in best
            if number in known
        ]

    def _nearest(
        self, using: str, vector: Any, condition: Condition | None, limit: int, exact: bool
    ) -> list[tuple[Any, float]]:
        asked = edge.QueryRequest(
            limit=depth(limit),
            query=edge.Query.Nearest(vector, using=using),
            filter=_filter(condition),
            params=EXACT if exact else None,
            with_payload=False,
        )
        return [(one.id, one.score) for one in self._shard.query(asked)]

    def get(self, ids: Sequence[str]) -> list[Kept]:
        numbers: list[Any] = list(map(_number, ids))
        return list(map(_kept, self._shard.retrieve(numbers, True, False) if ids else []))

    def scroll(
        self, condition: Condition | None, after: str | None, limit: int
    ) -> tuple[list[Kept], str | None]:
        offset = None if after is None else int(after)
        asked = edge.ScrollRequest(
            offset=offset, limit=limit, filter=_filter(condition), with_payload=True
        )
        found, following = self._shard.scroll(asked)
        return list(map(_kept, found)), None if following is None else str(following)

    def count(self, condition: Condition | None) -> int:
        found: int = self._shard.count(edge.CountRequest(exact=True, filter=_filter(condition)))
        return found

    def stats(self) -> Stats:
        info = self._shard.info()
        return Stats(info.points_count, info.indexed_vectors_count)

    def settle(self) -> None:
        self._shard.optimize()
        self._shard.flush()

    def flush(self) -> None:
        self._shard.flush()

    def close(self) -> None:
        self._shard.close()


ASKED = ("query", "get", "scroll", "count", "stats")
"""Questions, which stand beside each other; all else goes one by one, in order."""


class Attendant:
    """Answers what comes over the socket: whoever of its threads hears a question answers it."""

    def __init__(self, shard: Shard, line: socket.socket) -> None:
        self._shard, self._line, self._heard = shard, line, line.makefile("rb")
        self._hearing, self._speaking = Lock(), Lock()
        self._writing = ThreadPoolExecutor(1)

    def serve(self) -> None:
        """Until the other end is gone."""
        with ThreadPoolExecutor(THREADS) as attending:
            for _ in range(THREADS):
                attending.submit(self._attend)
        self._writing.shutdown()

    def _attend(self) -> None:
        while True:
            with self._hearing:
                asked = received(self._heard)
                if asked is None:
                    return
                number, name, arguments = asked
                work = getattr(self._shard, name)
                if name not in ASKED:
                    self._writing.submit(self._answer, number, work, arguments)
                    continue
                if not select([self._line], [], [], 0)[0]:
                    self._answer(number, work, arguments)  # waking another would take as long
                    continue
            self._answer(number, work, arguments)

    def _answer(self, number: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            answer = number, True, work(*arguments)
        except BaseException as error:  # told to whoever asked: the engine raises panics, too
            answer = number, False, f"{type(error).__name__}: {error}"
        with self._speaking:
            try:
                sent(self._line, answer)
            except OSError:  # nobody is left to hear it
                return


def _shape(dim: int) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={"dense": edge.EdgeVectorParams(size=dim, distance=edge.Distance.Dot)},
        sparse_vectors={"sparse": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        max_search_threads=SEARCHERS,
    )


def _number(name: str) -> int:
    """64 bits: that two of ten million points meet has a chance of one in four hundred thousand."""
    return int.from_bytes(blake2s(name.encode(), digest_size=8).digest(), "big")


def _kept(one: Any) -> Kept:
    payload = dict(one.payload or {})
    return Kept(str(payload.pop(ID, "")), payload)


def _sparse(sparse: Sparse) -> edge.SparseVector:
    return edge.SparseVector(list(sparse.indices), list(sparse.values))


def _filter(condition: Condition | None) -> edge.Filter | None:
    if condition is None or condition == AllOf(()):
        return None
    match condition:
        case AllOf(conditions):
            return edge.Filter(must=[_condition(one) for one in conditions])
        case Not(inner):
            return edge.Filter(must_not=[_condition(inner)])
    return edge.Filter(must=[_condition(condition)])


def _condition(condition: Condition) -> Any:
    match condition:
        case AllOf() | Not():
            return _filter(condition) or edge.Filter()
        case Exists(field):
            return edge.Filter(must_not=[edge.IsEmptyCondition(field)])
        case Between(field, low, high):
            return edge.FieldCondition(field, range=edge.RangeFloat(gte=low, lt=high))
        case AnyOf(field, values):
            texts: Any = [value for value in values if isinstance(value, str)]
            if len(texts) == len(values):
                return edge.FieldCondition(field, match=edge.MatchAny(texts or NOTHING))
            each: list[Any] = [
                edge.FieldCondition(field, match=edge.MatchValue(value)) for value in values
            ]
            return edge.Filter(should=each)


def main() -> None:
    """Open the folder, say so, and answer."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
    line = socket.socket(fileno=os.dup(0))
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends when its owner has put all in order
        signal.signal(number, signal.SIG_IGN)
    folder, dim, *fields = sys.argv[1:]
    try:
        shard = Shard(Path(folder), int(dim), fields)
    except BaseException as error:
        sent(line, (0, False, f"{type(error).__name__}: {error}"))
        sys.exit(1)
    sent(line, (0, True, None))
    gc.freeze()
    Attendant(shard, line).serve()
    shard.close()


if __name__ == "__main__":
    main()
