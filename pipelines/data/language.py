"""What sort of texts a model type asks: prose, or a closed language of templates and signs.

In prose two texts that share long runs of words have the same origin. In a closed language they
need not: `my laptop came broken , please fix it` and `my phone came broken , please fix it` are two
problems with two answers, and `347+585#` has no runs at all. Rules made for prose would fire on
everything there. So a language is learned from problems that its type draws independently of each
other: where next to no word of new problems is new, the language is closed, and every
arrangement of its words is a problem of its own. What betrays a copy there is what the language
does not have: case and spacing, words around the problem, a word within it that no problem uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from pipelines.data.words import tokens
from trainers.model_types.kind import ModelType

QUIET, DRAWN = 250, 1_500
"""A language is learned until so many problems in a row have no new word, from so many at most of
each difficulty."""
ASKED = 80
"""New problems of each difficulty whose words are looked at."""
NEW = 0.01
"""Share of new words below which a language is closed."""
LEAST = 100
"""Fewer new problems say nothing, and the language counts as prose."""
DIFFICULTIES = (0.0, 0.5, 1.0)
RUNS = 8
"""Runs of known words of a text that are put together in every way; the others are left out."""
FOREIGN = 0.25
"""Share of foreign words up to which a text may be a problem with words replaced."""


class Language(NamedTuple):
    """The words and signs of a closed language; prose has none."""

    words: frozenset[str] = frozenset()
    numbers: bool = False
    """Any number is one of its words."""
    begins: tuple[str, ...] = ()
    """What all its texts begin with, and says nothing."""
    ends: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        return bool(self.words) or self.numbers

    def knows(self, token: str) -> bool:
        return token in self.words or (self.numbers and token.isdigit())

    def speaks(self, text: str) -> bool:
        """Whether a text is one of this language, or an altered one."""
        read = tokens(text)
        known = sum(map(self.knows, read))
        return bool(read) and len(read) - known <= FOREIGN * len(read)

    def core(self, read: Sequence[str]) -> tuple[str, ...]:
        """Tokens without what all texts begin and end with."""
        found = tuple(read)
        if self.begins and found[: len(self.begins)] == self.begins:
            found = found[len(self.begins) :]
        if self.ends and found[-len(self.ends) :] == self.ends:
            found = found[: -len(self.ends)]
        return found

    def cores(self, read: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """What a text may be, with foreign words set aside, around it and within it."""
        runs: list[list[str]] = [[]]
        for token in read:
            if self.knows(token):
                runs[-1].append(token)
            elif runs[-1]:
                runs.append([])
        runs = [run for run in runs if run]
        if len(runs) > RUNS:
            runs = sorted(runs, key=len, reverse=True)[:1]
        for first in range(len(runs)):
            joined: list[str] = []
            for run in runs[first:]:
                joined += run
                yield self.core(joined)
                yield self._within(joined)

    def _within(self, read: Sequence[str]) -> tuple[str, ...]:
        """From where its texts begin to where they end; signs of what stands around are left out,
        and known words as far as all texts begin or end alike.
        """
        found = list(read)
        n, m = len(self.begins), len(self.ends)
        begins = [at for at in range(len(found)) if tuple(found[at : at + n]) == self.begins]
        if n and begins:
            found = found[begins[0] + n :]
        ends = [at for at in range(len(found)) if tuple(found[at : at + m]) == self.ends]
        if m and ends:
            found = found[: ends[0]]
        while not n and found and not found[0].isalnum():
            del found[0]
        while not m and found and not found[-1].isalnum():
            del found[-1]
        return tuple(found)

    def pattern(self, read: Sequence[str]) -> tuple[str | None, ...] | None:
        """Its core with None for every foreign word; None where there are none, or too many."""
        found = tuple(token if self.knows(token) else None for token in self.core(read))
        holes = found.count(None)
        return found if 0 < holes <= FOREIGN * len(found) else None


PROSE = Language()


def language_of(kind: ModelType) -> Language:
    """Learned from what the type draws, once; whoever draws too little speaks prose."""
    asked: Any = kind
    return _learned(asked)


@lru_cache(maxsize=32)
def _learned(kind: Any) -> Language:
    known: set[str] = set()
    read: list[list[str]] = []
    for difficulty in DIFFICULTIES:
        quiet = 0
        for one in _drawn(kind, "learned", difficulty, DRAWN):
            read.append(tokens(one))
            new_ones = [token for token in read[-1] if not token.isdigit() and token not in known]
            known.update(read[-1])
            quiet = 0 if new_ones else quiet + 1
            if quiet == QUIET:
                break
    before = {tuple(one) for one in read}
    asked = (
        tokens(one)
        for difficulty in DIFFICULTIES
        for one in _drawn(kind, "asked", difficulty, ASKED)
    )
    new = [one for one in asked if tuple(one) not in before]
    said = [token for one in new for token in one if not token.isdigit()]
    strange = sum(token not in known for token in said)
    if len(new) < LEAST or strange > NEW * max(len(said), 1):
        return PROSE
    return Language(
        frozenset(token for token in known if not token.isdigit()),
        any(token.isdigit() for token in known),
        _shared(read),
        _shared(one[::-1] for one in read)[::-1],
    )


def _drawn(kind: ModelType, about: str, difficulty: float, many: int) -> Iterator[str]:
    """Problems; the seeds are far from those that anybody asks for."""
    seed = 2**61 + len(about)
    return (one.prompt for one in islice(kind.problems(seed, difficulty), many))


def _shared(read: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The tokens with which all of them begin."""
    found: tuple[str, ...] | None = None
    for one in read:
        if found is None:
            found = tuple(one[:8])
        same = (n for n in range(len(found), -1, -1) if tuple(one[:n]) == found[:n])
        found = found[: next(same)]
        if not found:
            break
    return found or ()
