"""The embedder of last resort: hashed words and parts of words. It knows letters, not meanings.

It needs nothing and gives the same vectors everywhere, so that everything else works without a
model. What it finds it finds by shared letters; answers say that they are degraded.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s

from memory.embedding import Kind, Vector, unit
from memory.words import RULES, words

DIM = 384
PART = 4
"""Letters of a part of a word."""
SHARE = 0.5
"""What all parts of a word weigh, against the word itself."""
ATONCE = 64
"""Texts made in one go; the loop has its turn in between."""


@dataclass(frozen=True)
class LexicalEmbedder:
    """Vectors by letters alone."""

    id: str = f"lexical-1/{RULES}/{DIM}"
    dim: int = DIM
    degraded: str = "lexical"

    async def embed(self, texts: Sequence[str], kind: Kind) -> list[Vector]:  # noqa: ARG002
        if len(texts) < 4:
            return [lexical(text) for text in texts]
        made: list[Vector] = []
        for first in range(0, len(texts), ATONCE):
            made += await asyncio.to_thread(_each, texts[first : first + ATONCE])
        return made


def _each(texts: Sequence[str]) -> list[Vector]:
    return [lexical(text) for text in texts]


def lexical(text: str) -> Vector:
    """The vector of a text; of one without words, that of its bare letters."""
    row = [0.0] * DIM
    for word in words(text) or [text.casefold().strip() or " "]:
        for place, weight in _features(word):
            row[place] += weight
    return unit(row) or unit([1.0, *row[1:]])


@lru_cache(maxsize=1 << 16)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """Where a word and its parts lie, with a sign that lets collisions cancel out."""
    around = f"^{word}$"
    parts = [around[first : first + PART] for first in range(max(1, len(around) - PART + 1))]
    each = math.sqrt(SHARE / len(parts))
    weighed = [(word, math.sqrt(1 - SHARE)), *((f"~{part}", each) for part in parts)]
    found = []
    for feature, weight in weighed:
        number = _number(feature)
        found.append((number % DIM, weight if number >> 63 else -weight))
    return tuple(found)


def _number(feature: str) -> int:
    told = feature.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2s(told, digest_size=8).digest(), "big")
