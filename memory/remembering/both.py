"""Finding by meaning and by words together, and when nothing that was found is an answer.

A small embedder finds what is said in other words, and finds something near for everything that
nobody ever told: of a person whose blood type is unknown, the allergies. Two things tell an answer
from what is merely near. It is near by words too, or very near by meaning; or it stands out from
what comes behind it, as what is merely near does not.

Shares and bars were chosen on seeds 1 and 2 of the five abilities and on forty things that people
say (both in tests/memory), with all-MiniLM-L6-v2; other embedders are brought to its scale.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from memory.embedding import cosine
from memory.remembering.lexical import ByWords
from memory.remembering.scale import Scale
from memory.remembering.searching import Match, Passage, Vectors

MEANING = 0.8
"""Of a score; the rest is words."""
BAR = 0.3
SURE = 0.6
"""From here on a match counts however many others there are like it."""
GAP = 0.1
"""By how much the best stands out from those further down, where it is not sure."""
DOWN = slice(5, 8)
"""Those further down: an answer may consist of five."""


class ByBoth:
    """Finds by the vectors of an embedder and by words."""

    bar = BAR

    def __init__(self, vectors: Vectors, scale: Scale) -> None:
        self.name = f"{vectors.embedder.id}+bm25"
        self._vectors, self._scale, self._words = vectors, scale, ByWords()

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """By both; where the best stands out from nothing, only what is sure comes to the bar."""
        if not among:
            return ()
        vectors = await self._vectors.of(among)
        asked = await self._vectors.asked(question)
        words = {one.id: one.score for one in await self._words.find(question, among, len(among))}
        found = [
            Match(one.id, self._score(cosine(asked, vector), words.get(one.id, 0.0)))
            for one, vector in zip(among, vectors, strict=True)
        ]
        ordered = sorted(found, key=lambda one: (-one.score, one.id))
        return judged(ordered)[:limit]

    def _score(self, value: float, words: float) -> float:
        return MEANING * self._scale.read(value) + (1 - MEANING) * words


def judged(ordered: Sequence[Match]) -> Sequence[Match]:
    """The matches, the best first; those that are neither sure nor stand out, below the bar."""
    behind = [one.score for one in ordered[DOWN]]
    if not behind or ordered[0].score - statistics.fmean(behind) >= GAP:
        return ordered
    below = BAR - 0.01
    return [
        one if one.score >= SURE else one._replace(score=min(one.score, below)) for one in ordered
    ]
