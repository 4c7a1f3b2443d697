"""Finding by meaning and words: beside what is shared, on one scale, whose vectors are kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from memory.embedding import Kind, Vector, unit
from memory.lexical import LexicalEmbedder
from memory.remembering.both import BAR, KEPT, LOOKED, ByBoth
from memory.remembering.rest import names, rest
from memory.remembering.scale import APART, PAIRS, TOGETHER, Scale, measured
from memory.remembering.searching import AT_ONCE, Passage, Vectors
from memory.vectors import VectorCache, purge_all
from memory.words import words


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


class Turned:
    """Knows the pairs of the scale, and says all cosines higher and closer together."""

    id, dim, degraded = "turned", 17, ""

    def __init__(self, base: float) -> None:
        self.base = base

    def part_of(self, text: str) -> int:
        """What is left of a text of a pair stands for its pair."""
        for place, pair in enumerate(PAIRS):
            if any(set(_words(text)) <= set(_words(one)) for one in pair):
                return place
        return 8 + len(text) % 8

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:  # noqa: ARG002
        places = {text: place for place, pair in enumerate(PAIRS) for text in pair}
        made = []
        for text in texts:
            row = [0.0] * 17
            row[16] = self.base
            row[places.get(text, self.part_of(text))] = 1.0
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


def test_the_rest_is_a_text_without_what_is_shared_and_nothing_where_it_says_nothing_more() -> None:
    shared = {"mara", "voss"}
    assert rest("Which animal lives with Mara Voss?", shared) == "Which animal lives with ?"
    assert rest("MARA VOSS has a rabbit.", shared) == "has a rabbit."
    assert rest("Who is Mara Voss?", shared) == ""
    assert rest("Lives in \u0130zmir.", set(words("\u0130zmir"))) == "Lives in ."
    assert rest("", shared) == rest("?!", shared) == ""


def test_names_are_what_is_written_as_names() -> None:
    assert names("Which animal lives with Mara Voss?") == {"mara", "voss"}
    assert names("Which one is it? Does pump K200 leak, or Pump L7?") == {"k200", "pump", "l7"}
    assert names("Who works on Sundays in May?") == names("Is he here on Friday?") == frozenset()
    assert names("Who lives in \u0130zmir?") == set(words("\u0130zmir"))
    assert names("WHO IS THIS?") == names("") == names("who is mara?") == frozenset()


class Subjects(Turned):
    """Knows whom a text is about, and of three words which one it speaks of."""

    places = ("mara", "piet", "pet", "animal", "blood")
    alike = {"animal": "pet"}  # noqa: RUF012

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:  # noqa: ARG002
        made = []
        for text in texts:
            row = [0.0] * 17
            row[16] = 0.1
            for word in text.lower().replace("?", "").replace(".", "").split():
                word = self.alike.get(word, word)
                if word in self.places:
                    row[self.places.index(word)] = 1.0
            made.append(unit(row))
        return made


def found(question: str, *texts: str) -> list[str]:
    search = ByBoth(Vectors(Subjects(0.0)), Scale(0.08, 0.46))
    among = [Passage(text, text) for text in texts]
    good = asyncio.run(search.find(question, among, 5))
    return [one.id for one in good if one.score >= BAR]


def test_a_shared_name_alone_answers_nothing() -> None:
    told = ("Mara has a pet.", "Mara has a garden.", "Piet has a pet.")
    assert found("Which animal has Mara?", *told)[0] == "Mara has a pet."
    assert found("Which blood has Mara?", *told) == []


def test_who_is_asked_for_by_name_counts_more_than_others_of_whom_the_same_is_told() -> None:
    told = ("Piet has a pet.", "Mara has a pet.")
    assert found("Which animal has Mara?", *told)[0] == "Mara has a pet."


def test_of_very_many_memories_only_the_nearest_are_looked_at_twice() -> None:
    embedder = Counting()
    search = ByBoth(Vectors(embedder), Scale(0.08, 0.46))
    among = [Passage(str(number), f"thing {number} of the shop") for number in range(500)]
    asyncio.run(search.find("What is in the shop?", among, 400))
    assert len(embedder.made) <= 500 + 1 + 1 + LOOKED
    assert KEPT > LOOKED


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


class Slow(Counting):
    """Is not ready with the third part of what it is given."""

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:
        if len(self.made) >= 2 * AT_ONCE:
            raise TimeoutError
        return await super().embed(texts, kind)


def test_who_is_interrupted_goes_on_from_there(tmp_path: Path) -> None:
    passages = [Passage(str(number), f"text {number}") for number in range(3 * AT_ONCE)]
    cache = VectorCache(tmp_path / "one.vectors", 17)
    with pytest.raises(TimeoutError):
        asyncio.run(Vectors(Slow(), cache).of(passages))
    after = Counting()
    asyncio.run(Vectors(after, cache).of(passages))
    assert len(after.made) == AT_ONCE
    cache.close()
