"""Two rankings made into one by weighted reciprocal ranks.

Done here and not in the engines, so that every index merges alike, and each hit can say which
place it had by meaning and which by words. A small K trusts the first places: measured, it
loses less of the better ranking than the usual 60.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from memory.index import Weights

K = 2
ALIKE = 1e-5
DEPTH = 32
"""Candidates of each ranking, at least."""

Ranking = Sequence[tuple[Any, float]]
"""Ids with their scores, the best first; of whatever kind the engine has them."""


def depth(limit: int) -> int:
    """How many candidates each ranking is asked for."""
    return max(DEPTH, 2 * limit)


class Merged(NamedTuple):
    """One of the best, by the id that the engine gave it."""

    id: Any
    score: float
    meaning: tuple[int, float] | None
    """Its place and score there, if it has one."""
    words: tuple[int, float] | None


def fused(dense: Ranking, sparse: Ranking, weights: Weights, limit: int) -> list[Merged]:
    """The best of both, without payloads."""
    dense, sparse = _ordered(dense), _ordered(sparse)
    scores: dict[Any, float] = {}
    whole = 0.0
    for weight, ranking in ((weights.dense, dense), (weights.sparse, sparse)):
        if weight > 0 and ranking:
            whole += weight / (K + 1)
            for place, (one, _) in enumerate(ranking, K + 1):
                scores[one] = scores.get(one, 0.0) + weight / place
    by_meaning, by_words = _ranks(dense), _ranks(sparse)
    best = sorted([(-score, one) for one, score in scores.items()])[:limit]
    return [
        Merged(one, -score / whole, by_meaning.get(one), by_words.get(one)) for score, one in best
    ]


def _ordered(ranking: Ranking) -> Ranking:
    """The best first, equal scores in the order of their ids.

    Engines sum in different orders, so scores that differ by less than they can tell are equal.
    """
    before = math.inf
    for _, score in ranking:
        if before - score < ALIKE:
            return sorted(ranking, key=lambda item: (-round(item[1] / ALIKE), item[0]))
        before = score
    return ranking


def _ranks(ranking: Ranking) -> dict[Any, tuple[int, float]]:
    return {one: (place, score) for place, (one, score) in enumerate(ranking, 1)}
