"""Finding by words: BM25, as the share of what was asked for that a text holds.

It needs no model and knows no synonyms. A word of the question that no text holds counts as much as
the rarest one, so that a question about something unknown finds nothing rather than the nearest.
Every word counts something, however common: a memory of two texts has no rare words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from memory.remembering.searching import Match, Passage, beside
from memory.words import words

K1 = 1.2
B = 0.4
"""Less than for long documents: a memory is a sentence or two."""
LEAST = 1.0
"""What a word counts that every text holds; a rare one among a thousand counts seven times that."""
ASKING = re.compile(r"\bhow (long|much|many|often|far|old|soon)\b", re.IGNORECASE)
MOST = 100_000
"""Texts whose words are kept at hand."""


class ByWords:
    """Finds by words."""

    name = "bm25"

    def __init__(self, bar: float = 0.5) -> None:
        self.bar = bar
        self._counted: dict[str, Counter[str]] = {}

    async def find(self, question: str, among: Sequence[Passage], limit: int) -> Sequence[Match]:
        """By the words that both have; of equal ones the first id."""
        return (await beside(len(among), lambda: self._ordered(question, among)))[:limit]

    def _ordered(self, question: str, among: Sequence[Passage]) -> Sequence[Match]:
        asked = sorted(set(words(ASKING.sub("", question))))
        if not asked or not among:
            return ()
        counted = [self._words(one.text) for one in among]
        weights = _weights(asked, counted)
        length = sum(counts.total() for counts in counted) / len(counted) or 1.0
        found = [
            Match(passage.id, _score(weights, counts, length))
            for passage, counts in zip(among, counted, strict=True)
        ]
        found = [match for match in found if match.score > 0]
        return sorted(found, key=lambda one: (-one.score, one.id))

    def _words(self, text: str) -> Counter[str]:
        counts = self._counted.get(text)
        if counts is None:
            if len(self._counted) >= MOST:
                self._counted.clear()
            counts = self._counted[text] = Counter(words(text))
        return counts


def _weights(asked: Sequence[str], counted: Sequence[Counter[str]]) -> dict[str, float]:
    """By word, how much it tells texts apart; the whole of them is 1."""
    held = {word: sum(1 for counts in counted if word in counts) for word in asked}
    many = len(counted)
    raw = {word: LEAST + math.log(1 + (many - n + 0.5) / (n + 0.5)) for word, n in held.items()}
    whole = sum(raw.values())
    return {word: weight / whole for word, weight in raw.items()}


def _score(weights: Mapping[str, float], counts: Counter[str], length: float) -> float:
    norm = K1 * (1 - B + B * counts.total() / length)
    return sum(
        weight * min(1.0, counts[word] * (K1 + 1) / (counts[word] + norm))
        for word, weight in weights.items()
        if word in counts
    )
