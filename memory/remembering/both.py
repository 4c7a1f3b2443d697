"""Finding by meaning and by words together, and when nothing that was found is an answer.

A small embedder finds what is said in other words, and something near for everything that nobody
ever told: of a person whose blood type is unknown, the allergies, because the name is the same. So
the nearest are looked at again without the words that they share with the question, and what lacks
a name that is asked for counts less. What is left of nearness then tells an answer from what is
merely about the same.

Shares and bar were chosen on seeds 1 and 2 of the five abilities and on forty things that people
say (both in tests/memory), with all-MiniLM-L6-v2; other embedders are brought to its scale.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from memory.embedding import cosine
from memory.remembering.lexical import ASKING, ByWords
from memory.remembering.rest import names, rest
from memory.remembering.scale import Scale
from memory.remembering.searching import Match, Passage, Vectors, beside
from memory.words import words

REST, WHOLE, WORDS = 0.65, 0.1, 0.25
"""Of a score: the meaning beside the shared words, of the whole texts, and the words themselves."""
NAMES = 0.2
"""What it costs to lack half of the names that are asked for, or more: Ann Bell is not Ann Lund."""
BAR = 0.29
LOOKED = 48
"""Of the nearest, those that are looked at again at most."""
LEAST = 16
KEPT = 4_000
"""Vectors of shortened texts that are kept at hand; they are written nowhere."""


class _Near(NamedTuple):
    """One of the nearest."""

    passage: Passage
    cosine: float
    words: float
    shared: Set[str]


class ByBoth:
    """Finds by the vectors of an embedder and by words."""

    bar = BAR

    def __init__(self, vectors: Vectors, scale: Scale) -> None:
        self.name = f"{vectors.embedder.id}+bm25"
        self._vectors, self._scale, self._words = vectors, scale, ByWords()
        self._shortened = Vectors(vectors.embedder, most=KEPT)

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """By both, the best first; only what is among the nearest is found at all."""
        if not among:
            return ()
        near = await self._nearest(question, among, min(LOOKED, max(LEAST, limit)))
        told = await self._beside(question, near)
        asked = names(question)
        found = [
            Match(one.passage.id, self._score(value, one, asked))
            for one, value in zip(near, told, strict=True)
        ]
        return sorted(found, key=lambda one: (-one.score, one.id))[:limit]

    async def _nearest(self, question: str, among: Sequence[Passage], many: int) -> list[_Near]:
        """By their whole texts."""
        vectors = await self._vectors.of(among)
        asked = await self._vectors.asked(question)
        said = {one.id: one.score for one in await self._words.find(question, among, len(among))}
        content = frozenset(words(ASKING.sub("", question)))
        alike = await beside(len(among), lambda: [cosine(asked, vector) for vector in vectors])
        near = [
            _Near(one, value, said.get(one.id, 0.0), frozenset())
            for one, value in zip(among, alike, strict=True)
        ]
        near.sort(key=lambda one: (-self._score(one.cosine, one), one.passage.id))
        return [
            one._replace(shared=content.intersection(words(one.passage.text)))
            for one in near[:many]
        ]

    async def _beside(self, question: str, near: Sequence[_Near]) -> list[float]:
        """The cosines of what is left beside the shared words; where nothing is, of the whole."""
        left = {
            place: (asked, told)
            for place, one in enumerate(near)
            if one.shared
            and (asked := rest(question, one.shared))
            and (told := rest(one.passage.text, one.shared))
        }
        questions = list(dict.fromkeys(asked for asked, _ in left.values()))
        vectors = await self._shortened.questions(questions)
        made = dict(zip(questions, vectors, strict=True))
        texts = [Passage("", told) for _, told in left.values()]
        found = [one.cosine for one in near]
        for place, vector in zip(left, await self._shortened.of(texts), strict=True):
            found[place] = cosine(made[left[place][0]], vector)
        return found

    def _score(self, beside: float, one: _Near, asked: Set[str] = frozenset()) -> float:
        near, whole = self._scale.read(beside), self._scale.read(one.cosine)
        missing = min(1.0, 2 * len(asked - one.shared) / len(asked)) if asked else 0.0
        return max(0.0, REST * near + WHOLE * whole + WORDS * one.words - NAMES * missing)
