"""The words of a text as a sparse vector: BM25, of which the index adds how rare a word is.

Which words are rare only the index knows, so it multiplies by the inverse document frequency
itself. The usual length of a text is a constant: else each new text would change all the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2s

from memory.index import Sparse
from memory.words import RULES, words

SPARSE = f"bm25-1/{RULES}"
"""Stands in the identity of every index."""
SATURATION, LENGTH, USUAL = 1.2, 0.75, 40
"""k, b, and the words of a usual text."""


def of_passage(text: str) -> Sparse:
    """A text that is to be found."""
    found = words(text)
    longer = SATURATION * (1 - LENGTH + LENGTH * len(found) / USUAL)
    weights: dict[int, float] = {}
    for word, times in Counter(found).items():
        place = _place(word)
        weights[place] = weights.get(place, 0.0) + times * (SATURATION + 1) / (times + longer)
    return _sorted(weights.items())


def of_query(text: str) -> Sparse:
    """What is asked for: each word counts once."""
    return _sorted(dict.fromkeys(map(_place, words(text)), 1.0).items())


def _sorted(weights: Iterable[tuple[int, float]]) -> Sparse:
    ordered = sorted(weights)
    return Sparse([place for place, _ in ordered], [weight for _, weight in ordered])


def _place(word: str) -> int:
    """31 bits: two of a hundred thousand words that meet are rare enough."""
    told = word.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2s(told, digest_size=4).digest(), "big") >> 1
