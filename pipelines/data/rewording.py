"""Evaluation items said in other words: found by the rare words that are still there.

A word weighs the more, the fewer items have it. Whoever has most of the weight of an item is
compared with it, in order or, where clauses have changed places, by neighbours.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import pairwise

WEIGHT = 0.6
"""Share of an item's weight that a text must have before it is compared."""
IN_ORDER = 0.6
"""Share of its words in the same order, or of its neighbours, from which on it is the item."""
NEIGHBOURS = 0.45
COMMON = 60
"""Items that may have a word which is looked up; a word of more finds nobody."""
NEARLY_ALL = 0.8
"""Share of an item's weight that is the item, in whatever order: its facts in another form."""
LEAST = 6
"""Words of an item that can be told in other words and still be known."""
WINDOW = 150
"""Words of a text that are looked at together."""
TRIED = 5
"""Items that a text is compared with."""


class Reworded:
    """The rare words of evaluation items."""

    def __init__(self, items: Sequence[Sequence[str]]) -> None:
        self._items = items
        often = Counter(word for item in items for word in set(item))
        rare = max(COMMON, len(items) // 100)
        self._rarest = math.log(1 + len(items)) + 0.1
        self._weight = {word: self._rarest - math.log(many) for word, many in often.items()}
        self._has: dict[str, list[int]] = {}
        self._heavy = [
            sum(self._weight[word] for word in set(item)) if len(item) >= LEAST else math.inf
            for item in items
        ]
        for number, item in enumerate(items):
            if len(item) >= LEAST:
                for word in set(item):
                    if often[word] <= rare:
                        self._has.setdefault(word, []).append(number)

    def found(self, read: Sequence[str]) -> Iterator[tuple[int, float]]:
        """The items that are there in other words, and how much of each."""
        for piece in _windows(read):
            here = set(piece)
            counted: defaultdict[int, float] = defaultdict(float)
            for word in here:
                for number in self._has.get(word, ()):
                    counted[number] += self._weight[word] / self._heavy[number]
            for number in nlargest(TRIED, counted, key=counted.__getitem__):
                share = self._told_again(number, piece, here)
                if share:
                    yield number, share

    def compared(self, number: int, text: Sequence[str]) -> tuple[float, float]:
        """What share of an item's weight stands in a text in the same order, and how many rare
        words the heaviest piece of it is.
        """
        item = self._items[number]
        blocks = SequenceMatcher(None, item, text, autojunk=False).get_matching_blocks()
        weights = [
            sum(self._weight[word] for word in item[block.a : block.a + block.size])
            for block in blocks
        ]
        whole = sum(self._weight[word] for word in item)
        return sum(weights) / max(whole, 1e-9), max(weights) / self._rarest

    def _told_again(self, number: int, piece: Sequence[str], here: set[str]) -> float:
        item = self._items[number]
        has = sum(self._weight[word] for word in set(item) & here) / self._heavy[number]
        if has < WEIGHT:
            return 0.0
        share, _ = self.compared(number, piece)
        if has >= NEARLY_ALL:
            return max(share, has)
        pairs = set(pairwise(item))
        beside = len(pairs & set(pairwise(piece))) / len(pairs)
        return share if share >= IN_ORDER or beside >= NEIGHBOURS else 0.0


def _windows(read: Sequence[str]) -> Iterator[Sequence[str]]:
    """Overlapping pieces: in a long text all words of an item are somewhere."""
    for start in range(0, max(len(read) - WINDOW // 2, 1), WINDOW // 2):
        yield read[start : start + WINDOW]
