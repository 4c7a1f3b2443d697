"""Whether two texts say the same, so surely that only one of them need be kept.

They do when the same words with meaning stand in the same order, but for filler, endings, capital
letters, marks, a word said twice, and one slip of the pen in a long word. A number, a denial or a
word with a capital letter makes another text of it. What cannot be seen so: two words that differ
by one letter and mean different things (contract, contact), and names in small letters.
"""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

from agents.self_learning.words import DENIALS, stem, words

LONGEST = 24
"""Words up to which slips of the pen are looked for; of longer texts the words must be the same."""
LONG_WORD = 6
_CAPITAL = re.compile(r"\w*[A-Z]\w*")


class Print(NamedTuple):
    """What is kept of a text to know it again."""

    exact: str
    """Of all its words."""
    names: tuple[str, ...] = ()
    """Words with a capital letter."""
    words: tuple[str, ...] = ()
    """The words themselves, where they are few."""


def imprint(text: str) -> Print:
    """What is kept of this text."""
    found = tuple(word for word, _ in groupby(words(text)))
    exact = sha256(" ".join(found).encode()).hexdigest()[:16]
    if len(found) > LONGEST:
        return Print(exact)
    names = {stem(name.casefold()) for name in _CAPITAL.findall(text)}
    return Print(exact, tuple(sorted(names & set(found))), found)


def same(one: Print, other: Print, slips: bool = True) -> bool:
    """Whether both say the same; without `slips`, to the letter of its words."""
    if one.exact == other.exact:
        return True
    if not slips or not one.words or len(one.words) != len(other.words):
        return False
    apart: tuple[str, str] | None = None
    for pair in zip(one.words, other.words, strict=True):
        if pair[0] != pair[1]:
            if apart is not None:
                return False
            apart = pair
    if apart is None:
        return False
    before, behind = apart
    firm = {*DENIALS, *one.names, *other.names}
    return before not in firm and behind not in firm and _slip(before, behind)


def _slip(one: str, other: str) -> bool:
    """One letter too many, too few, wrong, or two of them swapped, inside a long word."""
    short, long = sorted((one, other), key=len)
    if len(long) < LONG_WORD or len(long) - len(short) > 1 or not (one + other).isalpha():
        return False
    begin = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if begin is None or begin < 1:
        return False
    if len(short) != len(long):
        return short[begin:] == long[begin + 1 :]
    if short[begin + 1 :] == long[begin + 1 :]:
        return True
    swapped = short[begin + 1 : begin + 2] + short[begin] + short[begin + 2 :]
    return swapped == long[begin:]
