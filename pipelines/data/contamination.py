"""Whether training data holds what models are evaluated with, verbatim or reworded.

Three looks, the cheap one first. Runs of eight words that an evaluation item has: looked up for
every text, at tens of thousands a second, in memory that grows with the evaluation sets and not
with the data. Then, for what shares none, the rare words of each item: who has most of their
weight is compared word by word. Last, where there is an embedder, the nearest item by meaning.
What a look finds is compared before it counts: a phrase that two texts share is no leak, and
neither is a subject (see `meaning`), nor the same template with other numbers.

Items of a closed language (see `language`) are found by the language's own rule instead, since
its texts share runs without having the same origin, and all mean nearly the same to an embedder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from sys import intern
from typing import Any, Literal, NamedTuple

from pipelines.data.language import PROSE, Language
from pipelines.data.meaning import other_numbers, says_again
from pipelines.data.near import matching
from pipelines.data.rewording import Reworded
from pipelines.data.words import grams, tokens, words

RUN = 8
"""Words of a run; shorter items are matched whole."""
SHORTEST = 4
"""Words from which on an item is looked for within other texts; a shorter one is the whole text."""
SHARE = 0.5
"""Of an item's weight, from which on a text that shares a run has the item in it."""
LONG = 15
"""Rare words in one piece that are a leak whatever their share of an item is."""
SHARED = 8
"""Items that may have a run; one of more is a phrase of the evaluation, as its instruction is."""
MOST = 2_000
"""Words of an item that are looked for, and of a text that are looked at in one piece."""

NUMBERS = 2
"""Numbers of an item from which on a text with most of them changed is another problem; a single
one may only be written otherwise."""

How = Literal["verbatim", "reworded", "meaning"]


class Hit(NamedTuple):
    """The evaluation item that a text has in it."""

    item: int
    how: How
    share: float
    """Of the item, or the cosine."""


Nearest = Callable[[Sequence[str]], Sequence[tuple[int, float] | None]]
"""For each text the nearest evaluation item by an embedder, with the cosine."""


def guarded_texts(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is looked for of an evaluation set: its prompts, and answers long enough to be known."""
    found = []
    for row in rows:
        found.append(str(row.get("prompt", "")))
        answer = row.get("answer")
        if isinstance(answer, str) and len(words(answer)) >= RUN:
            found.append(answer)
    return found


class Guarded:
    """Evaluation items, prompts and answers, that no training data may have in it."""

    def __init__(self, items: Iterable[str], language: Language = PROSE) -> None:
        self._language = language
        self._items: list[list[str]] = []
        self._texts: list[str] = []
        """What the items say; of a closed language's nothing, since its own rule finds them."""
        self._whole: dict[tuple[str, ...], int] = {}
        self._short: dict[int, dict[int, int]] = {}
        closed: dict[tuple[str, ...], int] = {}
        self._runs: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}
        """Runs of several items: all but the first of them, in lists that few need."""
        for number, text in enumerate(items):
            read = [intern(word) for word in words(text)[:MOST]]
            self._items.append(read)
            self._texts.append(text)
            self._whole.setdefault(tuple(tokens(text)[:MOST]), number)
            if language.closed and language.speaks(text):
                closed.setdefault(language.core(tokens(text)), number)
                self._items[-1], self._texts[-1] = [], ""
            elif SHORTEST <= len(read) < RUN:
                (gram,) = grams(read, len(read))
                self._short.setdefault(len(read), {}).setdefault(gram, number)
            else:
                for gram in grams(read, RUN):
                    first = self._runs.setdefault(gram, number)
                    if first != number:
                        others = self._others.setdefault(gram, [])
                        if len(others) < SHARED and number not in others[-1:]:
                            others.append(number)
        for gram in [gram for gram, others in self._others.items() if len(others) == SHARED]:
            del self._runs[gram], self._others[gram]
        self._reworded = Reworded(self._items)
        self._closed = matching(closed, language) if closed else None

    def __len__(self) -> int:
        return len(self._items)

    def suspected(self, text: str) -> bool:
        """Whether a run of an item is in it: the look that is quick enough for everything."""
        read = words(text)
        if not self._runs.keys().isdisjoint(grams(read, RUN)):
            return True
        return any(not known.keys().isdisjoint(grams(read, n)) for n, known in self._short.items())

    def leak(self, text: str) -> Hit | None:
        """The item that this text has in it, verbatim or reworded."""
        signs = tokens(text)
        whole = self._whole.get(tuple(signs[:MOST]))
        if whole is not None:
            return Hit(whole, "verbatim", 1.0)
        if self._closed is not None:
            found = self._closed(signs[:MOST])
            if found is not None:
                exact = all(map(self._language.knows, signs))
                return Hit(found, "verbatim" if exact else "reworded", 1.0)
        read = words(text)
        others: set[int] = set()
        for hit in chain(self._verbatim(read), self._in_other_words(read)):
            if hit.how == "verbatim":
                return hit
            if hit.item not in others:
                if not other_numbers(text, self._texts[hit.item], NUMBERS):
                    return hit
                others.add(hit.item)  # the item's template with other numbers in it
        return None

    def leaks(self, texts: Iterable[str], nearest: Nearest | None = None) -> list[Hit | None]:
        """For each text its leak; by meaning too, where somebody can say what is near."""
        kept = list(texts)
        found = [self.leak(text) for text in kept]
        clean = [
            number
            for number, hit in enumerate(found)
            if hit is None and not (self._language.closed and self._language.speaks(kept[number]))
        ]
        if nearest is not None and clean:
            near = nearest([kept[number] for number in clean])
            for number, one in zip(clean, near, strict=True):
                if one is not None and says_again(kept[number], self._texts[one[0]], one[1]):
                    found[number] = Hit(one[0], "meaning", one[1])
        return found

    def _verbatim(self, read: list[str]) -> Iterator[Hit]:
        for n, known in self._short.items():
            for gram in grams(read, n):
                if gram in known:
                    yield Hit(known[gram], "verbatim", 1.0)
        tried: set[tuple[int, int]] = set()
        for place, gram in enumerate(grams(read, RUN)):
            if gram not in self._runs:
                continue
            for number in (self._runs[gram], *self._others.get(gram, ())):
                item = self._items[number]
                window = place // max(len(item), 1)
                if (number, window) in tried:
                    continue
                tried.add((number, window))
                around = read[max(0, place - len(item)) : place + 2 * len(item)]
                share, piece = self._reworded.compared(number, around)
                if share > SHARE or piece >= LONG:
                    yield Hit(number, "verbatim" if share > 0.99 else "reworded", share)

    def _in_other_words(self, read: list[str]) -> Iterator[Hit]:
        for number, share in self._reworded.found(read):
            yield Hit(number, "reworded", share)
