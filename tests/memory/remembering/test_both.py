"""Finding by meaning and words: what stands out, on which scale, and whose vectors are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from memory.embedding import Kind, Vector, unit
from memory.lexical import LexicalEmbedder
from memory.remembering.both import BAR, GAP, SURE, ByBoth, judged
from memory.remembering.scale import APART, PAIRS, TOGETHER, Scale, measured
from memory.remembering.searching import Match, Passage, Vectors
from memory.vectors import VectorCache, purge_all


def matches(*scores: float) -> list[Match]:
    return [Match(str(number), score) for number, score in enumerate(scores)]


def good(found: Sequence[Match]) -> int:
    return sum(one.score >= BAR for one in found)


def test_what_stands_out_counts_and_what_is_merely_near_does_not() -> None:
    high, low = BAR + 2 * GAP, BAR + GAP - 0.01
    assert good(judged(matches(high, high, low, low, low, low, low, low))) == 8
    assert good(judged(matches(*[high] * 8))) == 0
    assert good(judged(matches(SURE, SURE, *[high] * 6))) == 2


def test_where_nothing_is_behind_it_the_bar_alone_decides() -> None:
    assert good(judged(matches(BAR, BAR, BAR - 0.1))) == 2
    assert judged([]) == []


class Turned:
    """Knows the pairs of the scale, and says all cosines higher and closer together."""

    id, dim, degraded = "turned", 17, ""

    def __init__(self, base: float) -> None:
        self.base = base

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:  # noqa: ARG002
        places = {text: place for place, pair in enumerate(PAIRS) for text in pair}
        made = []
        for text in texts:
            row = [0.0] * 17
            row[16] = self.base
            row[places.get(text, 8 + len(text) % 8)] = 1.0
            made.append(unit(row))
        return made


@pytest.mark.parametrize("base", [0.0, 1.0, 3.0])
def test_cosines_of_any_embedder_come_to_one_scale(base: float) -> None:
    scale = asyncio.run(measured(Turned(base)))
    assert scale.knows
    assert scale.read(scale.apart) == pytest.approx(APART)
    assert scale.read(scale.together) == pytest.approx(TOGETHER)
    assert 0 <= scale.read(-1) <= scale.read(1) <= 1


def test_letters_do_not_know_what_belongs_together() -> None:
    assert not asyncio.run(measured(LexicalEmbedder())).knows


def test_what_both_find_is_found_and_nothing_is_found_in_nothing() -> None:
    search = ByBoth(Vectors(Turned(0.0)), Scale(0.0, 1.0))
    among = [Passage(str(place), answer) for place, (_, answer) in enumerate(PAIRS)]
    for place, (question, _) in enumerate(PAIRS):
        best = asyncio.run(search.find(question, among, 3))[0]
        assert best.id == str(place)
        assert best.score >= BAR
    assert asyncio.run(search.find("x", [], 3)) == ()


class Counting(Turned):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.made: list[str] = []

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:
        self.made += texts
        return await super().embed(texts, kind)


def test_vectors_are_kept_in_a_file_and_those_of_a_person_go_with_them(tmp_path: Path) -> None:
    ann = str(uuid4())
    passages = [Passage("1", "aa", ann), Passage("2", "bbb"), Passage("3", "bbb")]

    def made() -> list[str]:
        embedder, cache = Counting(), VectorCache(tmp_path / "one.vectors", 17)
        vectors = asyncio.run(Vectors(embedder, cache).of(passages))
        assert vectors[1] == vectors[2] != vectors[0]
        cache.close()
        return embedder.made

    assert made() == ["aa", "bbb"]
    assert made() == []
    purge_all(tmp_path, ann)
    assert made() == ["aa"]
