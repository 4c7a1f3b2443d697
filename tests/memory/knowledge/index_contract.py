"""What every vector index promises, as tests that each adapter inherits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import pytest

from memory.embedding import cosine, unit
from memory.filters import (
    Condition,
    all_of,
    any_of,
    between,
    eq,
    exists,
    holds,
    not_,
)
from memory.index import Point, Sparse, VectorIndex, Weights

DIM = 8
FIELDS = ("kind", "tags")
MANY = 120


def name(number: int) -> str:
    """The id of a point."""
    return str(UUID(int=number + 1))


def points(seed: int = 1) -> list[Point]:
    """Points whose payloads differ in every way that a condition can ask for."""
    drawn = random.Random(seed)
    made = []
    for number in range(MANY):
        payload: dict[str, object] = {"kind": drawn.choice(["fact", "rule"]), "text": f"t{number}"}
        payload["tags"] = drawn.sample(["a", "b", "c"], drawn.randrange(3))
        payload["valid_from"] = drawn.randrange(100)
        if drawn.random() < 0.5:
            payload["bounded"] = drawn.choice(["yes", "no"])
        if drawn.random() < 0.3:
            payload["role"] = drawn.choice(["support", None])
        dense = unit([drawn.gauss(0, 1) for _ in range(DIM)])
        words = sorted(drawn.sample(range(40), 5))
        weights = [drawn.uniform(0.5, 2) for _ in words]
        made.append(Point(name(number), dense, Sparse(words, weights), payload))
    return made


CONDITIONS: tuple[Condition, ...] = (
    eq("kind", "rule"),
    eq("bounded", "yes"),
    eq("tags", "a"),
    eq("valid_from", 7),
    any_of("tags", ["a", "c"]),
    any_of("valid_from", [1, 2, 3, 4]),
    any_of("kind", []),
    between("valid_from", 10, 40),
    between("valid_from", None, 40),
    between("valid_from", 40),
    between("kind", 1),
    exists("role"),
    exists("tags"),
    not_(exists("role")),
    not_(between("valid_from", 10, 40)),
    not_(eq("nothing", "x")),
    eq("nothing", "x"),
    all_of(),
    all_of(eq("kind", "fact"), not_(eq("tags", "b"))),
    not_(all_of(eq("kind", "fact"), between("valid_from", 50))),
    not_(not_(eq("kind", "fact"))),
)


class IndexContract:
    """One index for each test, empty at first."""

    def opened(self) -> AbstractAsyncContextManager[VectorIndex]:
        raise NotImplementedError

    async def test_what_was_taken_in_is_there(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            kept = {one.id: dict(one.payload) for one in await index.get([name(3), name(999)])}
            assert kept == {name(3): dict(points()[3].payload)}
            assert await index.count() == MANY
            assert (await index.stats()).points == MANY

    async def test_a_condition_means_what_we_say_it_means(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            for condition in CONDITIONS:
                wanted = {one.id for one in points() if holds(condition, one.payload)}
                found = await index.query(points()[0].dense, None, condition, limit=MANY)
                assert {one.id for one in found} == wanted, condition
                assert await index.count(condition) == len(wanted), condition

    async def test_the_same_id_takes_the_place_of_what_was_there(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            await index.upsert([points()[0]._replace(payload={"kind": "new"})])
            assert await index.count() == MANY
            assert [dict(one.payload) for one in await index.get([name(0)])] == [{"kind": "new"}]

    async def test_fields_are_set_on_points_that_are_there(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            await index.amend([name(5), name(999)], {"valid_to": 9, "kind": "old"})
            (kept,) = await index.get([name(5)])
            assert kept.payload == {**points()[5].payload, "valid_to": 9, "kind": "old"}
            assert await index.count() == MANY

    async def test_what_was_let_go_is_not_found(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            await index.delete([name(1), name(2), name(999)])
            assert await index.count() == MANY - 2
            found = await index.query(points()[1].dense, points()[1].sparse, limit=MANY)
            assert not {name(1), name(2)} & {one.id for one in found}

    async def test_all_points_are_scrolled_each_of_them_once(self) -> None:
        async with self.opened() as index:
            await index.upsert(points()[::-1])
            seen, after = [], None
            while True:
                some, after = await index.scroll(None, after, 50)
                seen += [one.id for one in some]
                if after is None:
                    break
            assert sorted(seen) == [name(number) for number in range(MANY)]
            some, _ = await index.scroll(eq("kind", "rule"), None, MANY)
            assert {one.payload["kind"] for one in some} == {"rule"}

    async def test_the_nearest_by_meaning_come_first_with_their_likeness(self) -> None:
        asked = unit([1.0] * DIM)
        ordered = sorted(points(), key=lambda one: -cosine(asked, one.dense))[:10]
        async with self.opened() as index:
            await index.upsert(points())
            found = await index.query(asked, None)
            assert [one.id for one in found] == [one.id for one in ordered]
            for place, (one, wanted) in enumerate(zip(found, ordered, strict=True), 1):
                assert one.dense is not None
                assert one.sparse is None
                assert one.dense.place == place
                assert one.dense.score == pytest.approx(cosine(asked, wanted.dense), abs=1e-4)
                assert one.payload == wanted.payload
            assert found[0].score == 1.0

    async def test_a_rare_word_counts_more_than_a_common_one(self) -> None:
        near = unit([1.0] * DIM)
        common = [Point(name(n), near, Sparse([1], [1.0]), {}) for n in range(9)]
        async with self.opened() as index:
            await index.upsert([*common, Point(name(9), near, Sparse([2], [1.0]), {})])
            found = await index.query(None, Sparse([1, 2], [1.0, 1.0]), limit=3)
            assert found[0].id == name(9)
            assert found[0].dense is None

    async def test_weights_decide_between_meaning_and_words(self) -> None:
        one, other = unit([1.0, *[0.0] * (DIM - 1)]), unit([0.0] * (DIM - 1) + [1.0])
        async with self.opened() as index:
            await index.upsert(
                [
                    Point(name(1), one, Sparse([1], [1.0]), {}),
                    Point(name(2), other, Sparse([2], [1.0]), {}),
                ]
            )
            asked = one, Sparse([2], [1.0]), None
            assert await order(index, *asked, Weights(9, 1)) == [name(1), name(2)]
            assert await order(index, *asked, Weights(1, 9)) == [name(2), name(1)]
            assert await order(index, *asked, Weights(0, 1)) == [name(2)]

    async def test_equal_ones_stand_in_an_order_that_stays(self) -> None:
        same = unit([1.0] * DIM)
        equal = [Point(name(n), same, Sparse([1], [1.0]), {}) for n in (4, 2, 9, 1)]
        async with self.opened() as index:
            await index.upsert(equal)
            first = await order(index, same, Sparse([1], [1.0]))
            await index.upsert(equal[::-1])
            assert await order(index, same, Sparse([1], [1.0])) == first
            assert sorted(first) == [name(n) for n in (1, 2, 4, 9)]

    async def test_a_question_without_anything_has_no_answer(self) -> None:
        async with self.opened() as index:
            assert await index.query(unit([1.0] * DIM), Sparse([1], [1.0])) == []
            await index.upsert(points())
            assert await index.query(None, None) == []
            assert await index.query(None, Sparse([], [])) == []
            assert await index.query(None, Sparse([999], [1.0])) == []
            assert await index.get([]) == []

    async def test_many_may_ask_while_one_writes(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            asked = [index.query(one.dense, one.sparse) for one in points()[:20]]
            writing = [index.upsert([one]) for one in points()[:20]]
            answers = await asyncio.gather(*asked, *writing)
            assert [found[0].id for found in answers[:20] if found] == [name(n) for n in range(20)]
            assert await index.count() == MANY

    async def test_what_was_settled_answers_as_before(self) -> None:
        async with self.opened() as index:
            await index.upsert(points())
            asked = points()[7].dense, points()[7].sparse
            before = await order(index, *asked)
            await index.settle()
            await index.flush()
            assert await order(index, *asked) == before


async def order(
    index: VectorIndex,
    dense: Sequence[float] | None,
    sparse: Sparse | None,
    condition: Condition | None = None,
    weights: Weights = Weights(),  # noqa: B008  (a frozen value)
) -> list[str]:
    """The ids that are found, the best first."""
    return [one.id for one in await index.query(dense, sparse, condition, weights)]
