"""Rows that repeat an earlier one, exactly or nearly; the first of them stays.

In prose two texts are near duplicates when they share 70 % of their runs of three words, or, where
they are too short for that to mean anything, when one word makes the difference, be it another one
or in another place. Which pairs
share so much is found exactly, without sketches and their luck: a text whose smallest runs (by
any fixed order) meet none of the smallest of another cannot share 70 % with it, so only those few
are kept and looked up. The answer does not depend on the order by which they are sorted.

In a closed language (see `language`) every arrangement of its words is a problem of its own, and
near duplicates are those which differ by what the language does not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import NamedTuple

from pipelines.data.language import PROSE, Language
from pipelines.data.words import grams, one_left_out, tokens, words

ALIKE = 0.7
"""Share of runs of three words, of those in either text, from which on one repeats the other."""
SHORT = 32
"""Words below which a single word, changed or moved, already breaks more runs than that."""
TINY = 8
"""Words below which a single other word may well make another text."""
WIDEST = 64
"""Texts that may share one run; a run of more is a phrase of everybody's, and finds nobody."""
MOST = 2_000
"""Words of a text that are compared."""
HELD = 64
"""Sets of places with foreign words for which the texts are held ready."""

Pattern = tuple[str | None, ...]


class Near(NamedTuple):
    """The earlier text that this one repeats."""

    of: int
    exact: bool
    """Word for word; else nearly."""


def repeated(texts: Iterable[str], language: Language = PROSE) -> list[Near | None]:
    """For each text the earlier one that it repeats, if any. Which of a group stays is settled: the
    first, but in a closed language one without foreign words before one that has some.
    """
    return _in_closed(list(texts), language) if language.closed else _in_prose(texts)


def shared(one: Sequence[str], other: Sequence[str]) -> float:
    """What share of their runs of three words is in both texts."""
    left, right = set(grams(one, 3)), set(grams(other, 3))
    return len(left & right) / len(left | right) if left or right else float(one == other)


def _in_prose(texts: Iterable[str]) -> list[Near | None]:
    same: dict[int, int] = {}
    kept: dict[int, list[str]] = {}
    runs: defaultdict[int, list[int]] = defaultdict(list)
    edits: dict[int, int] = {}
    found: list[Near | None] = []
    for number, text in enumerate(texts):
        read = words(text)[:MOST]
        whole = hash(tuple(read)) if read else hash(text)
        if whole in same:
            found.append(Near(same[whole], True))
            continue
        same[whole] = number
        near = _edited(read, number, edits) if TINY <= len(read) < SHORT else None
        if near is None and len(read) >= TINY:
            near = _alike(read, number, runs, kept)
        found.append(None if near is None else Near(near, False))
    return found


def _edited(read: Sequence[str], number: int, edits: dict[int, int]) -> int | None:
    """A short text in which one word at most is another one, or stands elsewhere; otherwise this
    one is remembered."""
    left_out = list(one_left_out(read))
    near = next((edits[one] for one in left_out if one in edits), None)
    if near is None:
        edits.update(dict.fromkeys(left_out, number))
    return near


def _alike(
    read: list[str], number: int, runs: dict[int, list[int]], kept: dict[int, list[str]]
) -> int | None:
    """A text that shares enough runs; otherwise this one is remembered."""
    smallest = sorted(set(grams(read, 3)))
    smallest = smallest[: len(smallest) - ceil(ALIKE * len(smallest)) + 1]
    tried: set[int] = set()
    for one in smallest:
        for other in runs.get(one, ()):
            if other not in tried:
                tried.add(other)
                if shared(read, kept[other]) >= ALIKE:
                    return other
    for one in smallest:
        if len(runs[one]) < WIDEST:
            runs[one].append(number)
    kept[number] = read
    return None


def _in_closed(texts: Sequence[str], language: Language) -> list[Near | None]:
    read = [tokens(text)[:MOST] for text in texts]
    found: list[Near | None] = [None] * len(texts)
    known: dict[tuple[str, ...], int] = {}
    foreign = []
    for number, one in enumerate(read):
        if not all(map(language.knows, one)):
            foreign.append(number)
            continue
        first = known.setdefault(language.core(one), number)
        if first != number:
            found[number] = Near(first, True)
    like = matching(known, language)
    whole: dict[tuple[str, ...], int] = {}
    for number in foreign:
        first = whole.setdefault(tuple(read[number]), number)
        if first != number:
            found[number] = Near(first, True)
        elif (near := like(read[number])) is not None:
            found[number] = Near(near, False)
    return found


def matching(
    known: dict[tuple[str, ...], int], language: Language
) -> Callable[[Sequence[str]], int | None]:
    """Finds the text of a closed language that another is, apart from what is foreign in it."""
    by_length: defaultdict[int, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    by_holes: dict[tuple[int, ...], dict[Pattern, int]] = {}
    for core, number in known.items():
        by_length[len(core)].append((core, number))

    def found(read: Sequence[str]) -> int | None:
        for core in language.cores(read):
            if core in known:
                return known[core]
        pattern = language.pattern(read)
        if pattern is None:
            return None
        holes = (len(pattern), *(place for place, one in enumerate(pattern) if one is None))
        if holes not in by_holes:
            if len(by_holes) == HELD:
                by_holes.clear()
            by_holes[holes] = _with_holes(by_length[len(pattern)], frozenset(holes[1:]))
        return by_holes[holes].get(pattern)

    return found


def _with_holes(
    cores: Iterable[tuple[tuple[str, ...], int]], holes: frozenset[int]
) -> dict[Pattern, int]:
    """The texts as they are when the words at some places are not known."""
    found: dict[Pattern, int] = {}
    for core, number in cores:
        pattern = tuple(None if place in holes else one for place, one in enumerate(core))
        found.setdefault(pattern, number)
    return found
